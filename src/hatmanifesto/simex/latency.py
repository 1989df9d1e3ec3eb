"""Latency models: how long facts take to reach us and commands to reach the venue."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.units import NS_MS

DRAWS = 4096
"""Draws taken from the generator at a time."""

UNITS = {"ms": NS_MS, "us": 1_000, "ns": 1, "s": 1_000_000_000}


class LatencyModel(NamedTuple):
    """Delays: ``kind`` fixed, lognormal or empirical; ``median`` and ``samples`` in ns."""

    kind: str
    median: int
    sigma: float = 0.0
    samples: tuple[int, ...] = ()


def parse_duration_ns(text: str) -> int:
    """Return a duration such as ``200ms`` in ns.

    Raises:
        UsageError: if the number or the unit is missing or not positive.
    """
    for unit, scale in UNITS.items():
        number = text.removesuffix(unit)
        if number != text and number.replace(".", "", 1).isdigit() and number.isascii():
            value = round(float(number) * scale)
            if value > 0:
                return value
            break
    raise UsageError(
        f"latency {text!r} is no duration",
        why="a positive number with a unit is needed",
        fix="write it like 200ms, 0.2s or 150us",
    )


def parse_latency(text: str, *, samples: tuple[int, ...] = ()) -> LatencyModel:
    """Return the model of ``fixed:200ms``, ``lognormal:200ms:0.4`` or ``empirical:FILE``.

    Args:
        text: as on the command line.
        samples: the delays [ns] of the file, read by the caller, for ``empirical``.

    Raises:
        UsageError: if the text is none of the three.
    """
    kind, _, rest = text.partition(":")
    if kind == "fixed" and rest:
        return LatencyModel("fixed", parse_duration_ns(rest))
    if kind == "lognormal" and rest:
        median, _, sigma = rest.partition(":")
        try:
            spread = float(sigma)
        except ValueError:
            spread = -1.0
        if 0.0 < spread <= 3.0:
            return LatencyModel("lognormal", parse_duration_ns(median), spread)
    if kind == "empirical" and samples:
        return LatencyModel("empirical", sorted(samples)[len(samples) // 2], 0.0, samples)
    raise UsageError(
        f"latency model {text!r} is unknown",
        why="it must be fixed, lognormal (sigma in (0, 3]) or empirical",
        fix="write fixed:200ms, lognormal:200ms:0.4 or empirical:FILE",
    )


class LatencySource:
    """Draws of one leg from its own generator: the same seed gives the same delays."""

    def __init__(self, model: LatencyModel, rng: np.random.Generator) -> None:
        self._model = model
        self._rng = rng
        self._ready: list[int] = []

    def draw(self, n: int) -> NDArray[np.int64]:
        """Return ``n`` delays [ns], shape (n,)."""
        model = self._model
        if model.kind == "fixed":
            return np.full(n, model.median, dtype=np.int64)
        if model.kind == "lognormal":
            factor = np.exp(model.sigma * self._rng.standard_normal(n))
            delays: NDArray[np.int64] = np.rint(model.median * factor).astype(np.int64)
            return np.maximum(delays, 1)
        at = self._rng.integers(0, len(model.samples), n)
        return np.asarray(model.samples, dtype=np.int64)[at]

    def one(self) -> int:
        """Return one delay [ns]."""
        if not self._ready:
            self._ready = self.draw(DRAWS).tolist()
        return self._ready.pop()


def feed_stamps(
    exch: NDArray[np.int64], source: LatencySource, *, recv_last: int
) -> NDArray[np.int64]:
    """Return receive stamps of rows: one delay a venue stamp, and never out of order.

    Args:
        exch: venue stamps, shape (n,), non-decreasing [ns].
        recv_last: the last receive stamp before these [ns].
    """
    if not len(exch):
        return exch
    starts = np.flatnonzero(np.diff(exch, prepend=exch[0] - 1))
    counts = np.diff(starts, append=len(exch))
    recv = np.repeat(exch[starts] + source.draw(len(starts)), counts)
    stamps: NDArray[np.int64] = np.maximum.accumulate(np.maximum(recv, recv_last))
    return stamps
