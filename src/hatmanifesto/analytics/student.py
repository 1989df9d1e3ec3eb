"""Student's t with whole degrees of freedom, by the closed sum; and Holm's correction."""

from collections.abc import Sequence
from math import atan, cos, pi, sin, sqrt

STEPS = 200
"""Halvings of the search for a quantile; more than a float can tell apart."""


def two_sided(score: float, freedom: int) -> float:
    """Return P(|t| > |score|) for ``freedom`` >= 1 degrees of freedom.

    Source: Abramowitz and Stegun (1964), 26.7.3 and 26.7.4.
    """
    assert freedom >= 1, f"expected at least one degree of freedom, was {freedom}"
    angle = atan(abs(score) / sqrt(freedom))
    part = cos(angle) ** 2
    odd = freedom % 2
    term, inner = (cos(angle), 0.0) if odd else (1.0, 0.0)
    for k in range(2 + odd, freedom + 1, 2):
        inner += term
        term *= part * (k - 1) / k
    inside = 2 / pi * (angle + sin(angle) * inner) if odd else sin(angle) * inner
    return min(1.0, max(0.0, 1.0 - inside))


def critical(tail: float, freedom: int) -> float:
    """Return the score that |t| exceeds with probability ``tail``, 0 < tail < 1."""
    assert 0 < tail < 1, f"expected a probability, was {tail}"
    low, high = 0.0, 1.0
    while two_sided(high, freedom) > tail and high < 1e12:
        high *= 2
    for _ in range(STEPS):
        middle = (low + high) / 2
        if two_sided(middle, freedom) > tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def holm(p_values: Sequence[float], *, level: float = 0.05) -> list[tuple[float, float]]:
    """Return for each p-value its corrected one and the tail its interval is drawn at.

    The interval at that tail excludes zero exactly when the corrected value is below ``level``,
    unless a smaller p-value has already failed. Source: Holm (1979).
    """
    order = sorted(range(len(p_values)), key=lambda i: (p_values[i], i))
    out = [(1.0, level)] * len(p_values)
    worst = 0.0
    for rank, i in enumerate(order):
        left = len(order) - rank
        worst = max(worst, min(1.0, left * p_values[i]))
        out[i] = (worst, level / left)
    return out
