"""Closed forms for the hot path: plain scalars in and out, fit to be compiled as they stand.

Only ``math`` and arithmetic, positional arguments, no exception: a decision function calls these
both as Python and inside a compiled kernel. What is undefined comes back as NaN.
"""

import math

LN2 = math.log(2.0)
DT_S_MIN = 1e-3
"""Floor of a time step, so that two moves with one stamp do not divide by zero [s]."""


def quote_base(gamma: float, k: float) -> float:
    """Return ln(1 + gamma/k) / gamma, the part of a half spread that no risk adds to [price].

    Its limit at gamma = 0 is 1/k; log1p keeps the digits on the way there.

    Args:
        gamma: risk aversion, >= 0 [1/(price*size)].
        k: decay of the fill intensity, > 0 [1/price].

    Source: Avellaneda & Stoikov (2008), eq. 30; Gueant, Lehalle & Fernandez-Tapia (2013), Prop. 3.
    """
    if k <= 0.0 or gamma < 0.0:
        return math.nan
    if gamma == 0.0:
        return 1.0 / k
    return math.log1p(gamma / k) / gamma


def glft_skew(gamma: float, sigma: float, k: float, intensity: float) -> float:
    """Return how far both quotes move down per unit of inventory held [price/size].

    sqrt(sigma^2 gamma / (2 k A) * (1 + gamma/k)^(1 + k/gamma)), zero without risk aversion.

    Args:
        gamma: risk aversion, >= 0 [1/(price*size)].
        sigma: volatility, >= 0 [price/sqrt(time)].
        k: decay of the fill intensity, > 0 [1/price].
        intensity: fills per time at distance zero, A > 0 [1/time].

    Source: Gueant, Lehalle & Fernandez-Tapia (2013), Prop. 3.
    """
    if k <= 0.0 or intensity <= 0.0 or gamma < 0.0:
        return math.nan
    if gamma == 0.0:
        return 0.0
    power = math.exp((1.0 + k / gamma) * math.log1p(gamma / k))
    return sigma * math.sqrt(gamma * power / (2.0 * k * intensity))


def glft_half_spread(gamma: float, sigma: float, k: float, intensity: float) -> float:
    """Return the distance of both quotes from the mid with no inventory [price].

    Args:
        gamma: risk aversion, >= 0 [1/(price*size)].
        sigma: volatility, >= 0 [price/sqrt(time)].
        k: decay of the fill intensity, > 0 [1/price].
        intensity: fills per time at distance zero, A > 0 [1/time].

    Source: Gueant, Lehalle & Fernandez-Tapia (2013), Prop. 3, at q = 0.
    """
    return quote_base(gamma, k) + 0.5 * glft_skew(gamma, sigma, k, intensity)


def weighted_mid2(bid_px: float, bid_sz: float, ask_px: float, ask_sz: float) -> float:
    """Return twice the size-weighted mid, in the unit of the prices; NaN for an empty book.

    A large bid pulls it toward the ask.

    Source: Stoikov (2018), section 2.
    """
    total = bid_sz + ask_sz
    if total <= 0:
        return math.nan
    return 2.0 * (ask_px * bid_sz + bid_px * ask_sz) / total


def ewma_variance(previous: float, move: float, dt_s: float, half_life_s: float) -> float:
    """Return the variance per second after one more move, weighted by time and not by count.

    Args:
        previous: variance so far [price^2/s].
        move: price change over the step [price].
        dt_s: length of the step, >= 0 [s].
        half_life_s: time in which a past move loses half its weight, > 0 [s].
    """
    if half_life_s <= 0.0:
        return math.nan
    decay = math.exp(-LN2 * dt_s / half_life_s)
    return previous * decay + (1.0 - decay) * move * move / max(dt_s, DT_S_MIN)
