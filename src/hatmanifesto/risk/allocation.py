"""How capital is divided over strategies: risk parity and capped Kelly, pure functions.

Weights are shares of the account's equity, each within [floor, cap], their sum at most one; what is
left over stays uninvested. Sources: inverse volatility as the diagonal case of equal risk
contribution (Maillard, Roncalli, Teiletche 2010); Kelly (1956), fractional as in Thorp (2006).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

KELLY_SHARE = 0.25
"""Share of full Kelly that is ever used; estimation error makes more of it ruinous."""
HOURS_MIN = 48
"""Hours of profit observed before a book's own figures decide anything."""


class BookRecord(NamedTuple):
    """What is known of one book: mean and deviation a day of profit over capital, hours observed.

    ``mean`` and ``deviation`` are None when fewer than two days are known.
    """

    mean: float | None
    deviation: float | None
    n: int


def daily_record(hourly: Sequence[float]) -> BookRecord:
    """Return the record of hourly profits over capital; days from 24 hours each, independent hours.

    Args:
        hourly: profit of each hour over the capital held then, oldest first.
    """
    n = len(hourly)
    if n < HOURS_MIN:
        return BookRecord(None, None, n)
    mean = math.fsum(hourly) / n
    variance = math.fsum((value - mean) ** 2 for value in hourly) / (n - 1)
    return BookRecord(24.0 * mean, math.sqrt(24.0 * variance), n)


def is_known(records: Sequence[BookRecord]) -> bool:
    """Say whether every book has been observed long enough, and has moved at all."""
    return all(record.deviation is not None and record.deviation > 0.0 for record in records)


def risk_parity(records: Sequence[BookRecord], *, floor: float, cap: float) -> list[float]:
    """Return weights inverse to deviations, within [floor, cap], summing to at most 1.

    Args:
        records: every deviation known and positive.
        floor, cap: 0 <= floor <= cap <= 1, len(records) * floor <= 1.
    """
    inverse = [1.0 / _deviation(record) for record in records]
    return bounded(inverse, floor=floor, cap=cap)


def capped_kelly(records: Sequence[BookRecord], *, floor: float, cap: float) -> list[float]:
    """Return a share of Kelly fractions, within [floor, cap]; scaled down when they exceed 1.

    The mean enters less one standard error, and never below zero: a book whose profit could be luck
    gets the floor.

    Args:
        records: every deviation known and positive.
        floor, cap: 0 <= floor <= cap <= 1, len(records) * floor <= 1.
    """
    wanted = []
    for record in records:
        deviation = _deviation(record)
        assert record.mean is not None
        days = record.n / 24.0
        mean = max(0.0, record.mean - deviation / math.sqrt(days))
        wanted.append(min(cap, max(floor, KELLY_SHARE * mean / deviation**2)))
    total = math.fsum(wanted)
    return wanted if total <= 1.0 else bounded(wanted, floor=floor, cap=cap)


def bounded(shares: Sequence[float], *, floor: float, cap: float) -> list[float]:
    """Return weights proportional to ``shares`` where the bounds allow it, summing to at most 1.

    Those that break a bound are fixed on it and the rest shares what is left, until none does.
    """
    n = len(shares)
    assert n
    assert 0.0 <= floor <= cap <= 1.0
    assert n * floor <= 1.0 + 1e-12
    fixed: dict[int, float] = {}
    for _ in range(n):
        free = [i for i in range(n) if i not in fixed]
        left = 1.0 - math.fsum(fixed.values())
        total = math.fsum(shares[i] for i in free)
        weights = {i: left * shares[i] / total if total > 0.0 else left / len(free) for i in free}
        over = {i: cap for i in free if weights[i] > cap}
        under = {i: floor for i in free if weights[i] < floor}
        # The larger breach is mended first, so that neither side overshoots the other.
        excess = math.fsum(weights[i] - cap for i in over)
        lack = math.fsum(floor - weights[i] for i in under)
        broken = over if excess >= lack else under
        if not broken:
            return [fixed.get(i, weights.get(i, 0.0)) for i in range(n)]
        fixed |= broken
        if len(fixed) == n:
            break
    return [fixed[i] for i in range(n)]


def _deviation(record: BookRecord) -> float:
    assert record.deviation is not None
    assert record.deviation > 0.0
    return record.deviation
