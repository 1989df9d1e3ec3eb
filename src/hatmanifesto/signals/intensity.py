"""How often a limit order fills: A exp(-k delta), its calibration, and a queue of known length."""

import math

import msgspec
import numpy as np

from hatmanifesto.signals.checks import (
    Floats,
    Vector,
    finite_array,
    require_finite,
    require_not_negative,
    require_positive,
    same_length,
)

BISECTIONS = 200
TERMS_MAX = 10**6
EXPONENT_MAX = 700.0
"""Natural logarithm of about the largest float."""


class FillChance(msgspec.Struct, frozen=True):
    """Rate [1/time], chance within the wait allowed, and mean wait [time; NaN = never fills]."""

    intensity: float
    probability: float
    wait_mean: float


def fill_rate(*, intensity: float, k: float, delta: float) -> float:
    """Return A exp(-k delta) [1/time]; NaN so far through the mid that it has no finite value.

    Source: Avellaneda & Stoikov (2008), eq. 12.
    """
    exponent = -k * delta
    return intensity * math.exp(exponent) if exponent < EXPONENT_MAX else math.nan


def fill_chance(*, intensity: float, k: float, delta: float, tau: float) -> FillChance:
    """Return how an order ``delta`` from the mid fills when it need not queue.

    Args:
        intensity: A, fills per time at distance zero, >= 0 [1/time].
        k: decay with distance, >= 0 [1/price].
        delta: distance from the mid, negative beyond it [price].
        tau: time allowed, >= 0 [time].

    Raises:
        ValueError: on a value that is not finite or out of its range.

    Source: Avellaneda & Stoikov (2008), eq. 12; the chance of a Poisson process.
    """
    require_not_negative({"intensity": intensity, "k": k, "tau": tau})
    require_finite({"delta": delta})
    rate = fill_rate(intensity=intensity, k=k, delta=delta)
    return FillChance(rate, -math.expm1(-rate * tau), 1.0 / rate if rate > 0 else math.nan)


def queue_fill_chance(*, units_ahead: int, unit_rate: float, tau: float) -> float:
    """Return the chance of more than ``units_ahead`` unit trades in ``tau``, without cancels.

    The smaller of the two tails is summed, so that neither loses its digits.

    Args:
        units_ahead: whole units before us, >= 0.
        unit_rate: trades of one unit per time, >= 0 [1/time].
        tau: time allowed, >= 0 [time].

    Raises:
        ValueError: on a value that is not finite, not whole or out of its range.

    Source: the tail of a Poisson count.
    """
    require_not_negative({"units_ahead": units_ahead, "unit_rate": unit_rate, "tau": tau})
    if units_ahead != int(units_ahead):
        raise ValueError(f"expected whole units ahead, was {units_ahead!r}")
    n, mean = int(units_ahead), unit_rate * tau
    if mean == 0:
        return 0.0
    if mean < n + 1:
        return _sum_terms(mean, start=n + 1, step=1)
    return 1.0 - _sum_terms(mean, start=n, step=-1)


def _sum_terms(mean: float, *, start: int, step: int) -> float:
    """Return the Poisson probabilities summed from ``start`` away from the mean."""
    term = math.exp(start * math.log(mean) - mean - math.lgamma(start + 1))
    terms, count = [term], start
    while term > 0 and len(terms) < TERMS_MAX and not (step < 0 and count == 0):
        term *= mean / (count + 1) if step > 0 else count / mean
        count += step
        terms.append(term)
        if term < terms[0] * 1e-18:
            break
    return math.fsum(terms)


class Calibration(msgspec.Struct, frozen=True):
    """A [1/time] and k [1/price] by least squares on logarithms and by Poisson likelihood.

    NaN where the counts do not determine them.
    """

    intensity_ols: float
    k_ols: float
    intensity_mle: float
    k_mle: float


def calibrate(*, depths: Vector, counts: Vector, time: float) -> Calibration:
    """Return the fill intensity that explains how many trades reached each depth.

    A depth never reached has no logarithm, so least squares is undefined then (NaN; leaving it out
    would bias k); the likelihood gives it its proper weight and is the one to use.

    Args:
        depths: distances from the mid, shape (n,) [price].
        counts: trades that reached at least that depth, shape (n,), >= 0.
        time: observed, > 0 [time].

    Raises:
        ValueError: on a value that is not finite or out of its range, or unequal lengths.

    Source: Avellaneda & Stoikov (2008), section 2.5; Poisson regression with a log link.
    """
    x, c = finite_array("depths", depths), finite_array("counts", counts)
    same_length({"depths": x, "counts": c})
    require_positive({"time": time})
    if (c < 0).any():
        raise ValueError(f"expected counts >= 0, was {c.tolist()!r}")
    slope, level = (math.nan, math.nan) if (c == 0).any() else _line(x, np.log(c / time))
    k = _likelihood_k(x, c)
    total = float(np.exp(-k * (x - x.min())).sum()) if len(x) else math.nan
    intensity = math.nan
    if math.isfinite(k):
        intensity = float(c.sum()) / (time * total) * math.exp(k * float(x.min()))
    return Calibration(math.exp(level), -slope, intensity, k)


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Return slope and intercept of y on x, NaN without two different x."""
    if len(x) < 2 or np.ptp(x) == 0:
        return math.nan, math.nan
    dx = x - x.mean()
    slope = float(dx @ y) / float(dx @ dx)
    return slope, float(y.mean()) - slope * float(x.mean())


def _likelihood_k(x: Floats, c: Floats) -> float:
    """Return k at which the expected mean depth of counts equals the observed one.

    With A profiled out, the score is monotone in k: the mean of x under weights exp(-k x) falls
    from max x to min x. A finite root therefore exists when the observed mean lies between.
    """
    if len(x) < 2 or np.ptp(x) == 0 or c.sum() == 0:
        return math.nan
    observed = float(c @ x) / float(c.sum())
    if not float(x.min()) < observed < float(x.max()):
        return math.nan
    span = float(np.ptp(x))
    low, high = -1.0 / span, 1.0 / span
    while _mean_depth(x, low) < observed:
        low *= 2.0
    while _mean_depth(x, high) > observed:
        high *= 2.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if _mean_depth(x, middle) > observed:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _mean_depth(x: Floats, k: float) -> float:
    """Return the mean of x under weights exp(-k x)."""
    exponents = -k * x
    weights = np.exp(exponents - exponents.max())
    return float(weights @ x) / float(weights.sum())
