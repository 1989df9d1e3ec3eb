"""Shape and tails of return series by row: moments, quantiles, Omega. NaN where undefined.

Every function takes shape (m, n), m series of n returns, and returns (m,). Moments are population
moments, kurtosis is raw (the normal has 3), quantiles interpolate (type 7). Losses are positive.
Source: QUANT section 0, A.5 and C.1.
"""

from math import floor

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.ratios import SPREAD_MIN, share_of

Float64 = NDArray[np.float64]


def _moment_ratio(returns: Float64, order: int) -> Float64:
    if not returns.shape[1]:
        return np.full(returns.shape[0], np.nan)
    away = returns - returns.mean(axis=1, keepdims=True)
    spread = np.sqrt((away**2).mean(axis=1))
    scale = np.abs(returns).max(axis=1, initial=0.0)
    is_flat = spread <= SPREAD_MIN * scale
    away /= np.where(is_flat, 1.0, spread)[:, None]
    moment = (away * away * away).mean(axis=1) if order == 3 else (away**2 * away**2).mean(axis=1)
    out: Float64 = np.where(is_flat, np.nan, moment)
    return out


def skewness(returns: Float64) -> Float64:
    """Return the third standardised moment."""
    return _moment_ratio(returns, 3)


def kurtosis(returns: Float64) -> Float64:
    """Return the fourth standardised moment, raw."""
    return _moment_ratio(returns, 4)


def tail_ratio(returns: Float64) -> Float64:
    """Return |95th percentile| over |5th percentile|."""
    if not returns.shape[1]:
        return np.full(returns.shape[0], np.nan)
    low, high = np.abs(np.quantile(returns, [0.05, 0.95], axis=1))
    return share_of(high, low, np.abs(returns).max(axis=1, initial=0.0))


def omega(returns: Float64, *, level: float = 0.0) -> Float64:
    """Return gains above ``level`` over losses below it; NaN without a loss."""
    above = np.maximum(returns - level, 0.0).sum(axis=1)
    below = np.maximum(level - returns, 0.0).sum(axis=1)
    scale = np.abs(returns - level).max(axis=1, initial=0.0)
    return share_of(above, below, scale)


def value_at_risk(returns: Float64, *, alpha: float = 0.05) -> Float64:
    """Return the historical value at risk: the loss exceeded in a share ``alpha`` of periods."""
    if not returns.shape[1]:
        return np.full(returns.shape[0], np.nan)
    return np.asarray(-np.quantile(returns, alpha, axis=1), dtype=np.float64)


def expected_shortfall(returns: Float64, *, alpha: float = 0.05) -> Float64:
    """Return the mean of the worst share ``alpha`` of periods, the last one counted in part.

    Source: Acerbi and Tasche (2002).
    """
    n = returns.shape[1]
    if not n:
        return np.full(returns.shape[0], np.nan)
    whole = floor(n * alpha)
    rest = n * alpha - whole
    worst = np.sort(np.partition(returns, min(whole, n - 1), axis=1)[:, : whole + 1], axis=1)
    total = worst[:, :whole].sum(axis=1)
    if whole < n:
        total = total + rest * worst[:, whole]
    return np.asarray(-total / (n * alpha), dtype=np.float64)
