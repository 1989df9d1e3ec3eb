"""A claim: what was checked against recordings, what did not fit, and a placebo that must fail."""

from collections.abc import Callable, Iterable

import msgspec


class Misfit(msgspec.Struct, frozen=True):
    """One recorded row that the formula does not explain: its class, which row, the two values."""

    kind: str
    identity: str
    detail: str


class Placebo(msgspec.Struct, frozen=True):
    """A wrong formula or wrong data; ``failed`` says that the check saw it, as it must."""

    name: str
    figure: str
    failed: bool


class Claim(msgspec.Struct, frozen=True):
    """The outcome of one claim. ``not_checkable`` counts rows by the input that is missing."""

    name: str
    checked: int
    equal: int
    not_checkable: dict[str, int]
    misfits: tuple[Misfit, ...]
    notes: tuple[str, ...]
    target: str
    is_met: bool
    placebos: tuple[Placebo, ...]
    source: tuple[str, ...]

    @property
    def placebo_failed(self) -> bool:
        """Say whether there are placebos and the check saw through all of them."""
        return bool(self.placebos) and all(placebo.failed for placebo in self.placebos)

    @property
    def passed(self) -> bool:
        """Say whether the target is met and every placebo failed."""
        return self.is_met and self.placebo_failed

    @property
    def classes(self) -> dict[str, int]:
        """Return how many misfits each class has."""
        return tally(misfit.kind for misfit in self.misfits)


Check = Callable[[], list[Claim]]


def tally(names: Iterable[str]) -> dict[str, int]:
    """Count names, in order of first appearance."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def share(part: int, whole: int) -> str:
    """Return ``part`` of ``whole`` with its percentage, to three decimals, rounded down."""
    if not whole:
        return f"{part} of {whole}"
    thousandths = part * 100_000 // whole
    return f"{part} of {whole} ({thousandths // 1000}.{thousandths % 1000:03d} %)"
