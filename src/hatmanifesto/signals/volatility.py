"""Variance of returns weighted by time: plain scalars, fit to be compiled."""

import math
from typing import NamedTuple

from hatmanifesto.signals.closed_form import LN2

YEAR_S = 365.0 * 86_400.0


class Variance(NamedTuple):
    """Weighted sum of squared returns per second and the sum of their weights, 0, 0 at first.

    Their ratio is the EWMA without the pull towards zero of its first value.
    """

    total: float
    weight: float


def fold_return(
    total: float, weight: float, move: float, dt_s: float, half_life_s: float
) -> Variance:
    """Return the variance after one more return, weighted by its time and not by its count.

    Over equal steps the ratio is the usual EWMA with decay 2^(-dt / half life).

    Args:
        total, weight: so far.
        move: simple return over the step.
        dt_s: length of the step, > 0 [s].
        half_life_s: time in which a past return loses half its weight, > 0 [s].
    """
    kept = math.exp(-LN2 * dt_s / half_life_s)
    return Variance(total * kept + (1.0 - kept) * move * move / dt_s, weight * kept + 1.0 - kept)


def volatility_of(total: float, weight: float, time_s: float) -> float:
    """Return the standard deviation of a return over ``time_s`` [s]; NaN before the first one."""
    if not weight > 0.0:
        return math.nan
    return math.sqrt(total / weight * time_s)
