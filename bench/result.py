"""What a benchmark leaves: one row a measurement, with its spread, its peer and its limit."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

import msgspec


class Limit(msgspec.Struct, frozen=True):
    """A promise: the value, and whether it is a floor ('>=') or a ceiling ('<')."""

    relation: str
    value: float
    of: str = "ours"

    def holds(self, value: float) -> bool:
        """Say whether ``value`` keeps the promise."""
        return value >= self.value if self.relation == ">=" else value < self.value

    def __str__(self) -> str:
        """Return the limit as printed."""
        return f"{self.of} {self.relation} {self.value:,g}"


class Result(msgspec.Struct, frozen=True):
    """A measurement: ours and the peer's median, ``ratio`` ours over peer (None: not measured).

    ``p99`` is on the bad side: low for a rate, high for a time; with fewer than a hundred repeats
    it is the worst one. ``details`` holds everything else, samples included.
    """

    benchmark: str
    ours: float
    peer: float | None
    peer_name: str
    ratio: float | None
    limit: str
    is_met: bool | None
    n: int
    p50: float
    p99: float
    minimum: float
    maximum: float
    unit: str
    data: str
    details: dict[str, Any]


def result_of(
    benchmark: str,
    values: Sequence[float],
    *,
    unit: str,
    limits: Sequence[Limit] = (),
    data: str = "",
    details: dict[str, Any] | None = None,
) -> Result:
    """Return the result of ``values`` without a peer; a ceiling says that low values are good."""
    median = statistics.median(values)
    is_rate = not any(limit.relation == "<" for limit in limits)
    return Result(
        benchmark=benchmark,
        ours=median,
        peer=None,
        peer_name="",
        ratio=None,
        limit="; ".join(str(limit) for limit in limits),
        is_met=all(limit.holds(median) for limit in limits) if limits else None,
        n=len(values),
        p50=median,
        p99=worst_but(values, share=0.01, is_rate=is_rate),
        minimum=min(values),
        maximum=max(values),
        unit=unit,
        data=data,
        details=details or {},
    )


def with_peer(result: Result, name: str, values: Sequence[float], *, limit: Limit | None) -> Result:
    """Return ``result`` beside a peer's values; without values there is no ratio."""
    if not values:
        return msgspec.structs.replace(result, peer_name=name, is_met=None)
    peer = statistics.median(values)
    ratio = result.ours / peer
    return msgspec.structs.replace(
        result,
        peer=peer,
        peer_name=name,
        ratio=ratio,
        limit=str(limit) if limit else "",
        is_met=limit.holds(ratio) if limit else None,
    )


def worst_but(values: Sequence[float], *, share: float, is_rate: bool) -> float:
    """Return the value that all but ``share`` of the values are at least as good as."""
    ordered = sorted(values, reverse=is_rate)
    return ordered[max(0, math.ceil((1 - share) * len(ordered)) - 1)]
