"""Mean reversion of a premium: AR(1) by least squares, its half-life, and how far off it is."""

import math
from typing import NamedTuple

import msgspec

from hatmanifesto.signals.checks import Vector, finite_array, require_positive
from hatmanifesto.signals.closed_form import LN2

PAIRS_MIN = 2
"""Pairs through which one line goes; its residuals need more."""
FLAT_SHARE = 1e-13
"""A spread this small against the squares it is the rest of is rounding, not a spread."""


class Reversion(msgspec.Struct, frozen=True):
    """AR(1) of a series; what is undefined is NaN.

    phi: least-squares slope on the last value, biased down by about (1 + 3 phi) / n.
    half_life: of a deviation, in the unit of ``dt``; needs 0 < phi < 1.
    centre, deviation: of the stationary distribution; need |phi| < 1.
    z: how many deviations the last value lies above the mean.
    """

    phi: float
    half_life: float
    centre: float
    deviation: float
    z: float


class Ar1(NamedTuple):
    """Slope, intercept and variance of the residuals of x[t] on x[t-1]; NaN when undefined."""

    phi: float
    intercept: float
    variance: float


def mean_reversion(values: Vector, *, dt: float) -> Reversion:
    """Return the AR(1) of a series sampled every ``dt``; residuals lose two degrees of freedom.

    Args:
        values: in order of time, shape (n,).
        dt: time between two, > 0.

    Raises:
        ValueError: on a value that is not finite.

    Source: QUANT.md E.3; Uhlenbeck & Ornstein (1930) sampled at equal steps.
    """
    series = finite_array("values", values)
    require_positive({"dt": dt})
    first = float(series[0]) if len(series) else 0.0
    x, y = series[:-1] - first, series[1:] - first
    # Sums about the first value: a large level would else cancel the digits of the spread.
    fit = ar1_of_sums(
        float(len(x)),
        math.fsum(x),
        math.fsum(y),
        math.fsum(x * x),
        math.fsum(x * y),
        math.fsum(y * y),
    )
    centre = stationary_mean(fit.phi, fit.intercept) + first
    deviation = stationary_deviation(fit.phi, fit.variance)
    last = float(series[-1]) if len(series) else math.nan
    return Reversion(
        phi=fit.phi,
        half_life=half_life_of(fit.phi) * dt,
        centre=centre,
        deviation=deviation,
        z=(last - centre) / deviation if deviation > 0.0 else math.nan,
    )


def ar1_of_sums(n: float, sx: float, sy: float, sxx: float, sxy: float, syy: float) -> Ar1:
    """Return the regression of y on x from (weighted) sums: O(1), and fit to be compiled.

    Args:
        n: pairs, or the sum of their weights.
        sx, sy, sxx, sxy, syy: sums of x, y and their products.
    """
    if n < PAIRS_MIN:
        return Ar1(math.nan, math.nan, math.nan)
    xx = sxx - sx * sx / n
    xy = sxy - sx * sy / n
    yy = syy - sy * sy / n
    if not xx > FLAT_SHARE * sxx:
        return Ar1(math.nan, math.nan, math.nan)
    phi = xy / xx
    rest = yy - phi * xy
    if rest < FLAT_SHARE * syy:
        rest = 0.0
    variance = rest / (n - 2.0) if n > PAIRS_MIN else math.nan
    return Ar1(phi, (sy - phi * sx) / n, variance)


def half_life_of(phi: float) -> float:
    """Return the steps in which a deviation halves, NaN unless 0 < phi < 1."""
    if 0.0 < phi < 1.0:
        return -LN2 / math.log(phi)
    return math.nan


def stationary_mean(phi: float, intercept: float) -> float:
    """Return the mean an AR(1) returns to, NaN unless |phi| < 1."""
    if -1.0 < phi < 1.0:
        return intercept / (1.0 - phi)
    return math.nan


def stationary_deviation(phi: float, variance: float) -> float:
    """Return the standard deviation of a stationary AR(1), NaN unless |phi| < 1."""
    if -1.0 < phi < 1.0:
        return math.sqrt(variance / (1.0 - phi * phi))
    return math.nan
