"""Ratios of return series by row: volatility, Sharpe, Sortino, drawdown. NaN where undefined.

Every function takes shape (m, n), m series of n returns or profits per period, and returns (m,).
Conventions of QUANT section 0: simple returns, ddof 1, no risk-free rate, undefined is NaN.
"""

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

SPREAD_MIN = 1e-12
"""Standard deviations below this share of the largest return are rounding, not risk."""


def deviation(returns: Float64) -> Float64:
    """Return the standard deviation per period; NaN for fewer than two returns."""
    if returns.shape[1] < 2:
        return np.full(returns.shape[0], np.nan)
    return np.asarray(returns.std(axis=1, ddof=1), dtype=np.float64)


def share_of(above: Float64, below: Float64, scale: Float64) -> Float64:
    """Return above / below, NaN where below is rounding next to ``scale``."""
    is_defined = below > SPREAD_MIN * scale
    out: Float64 = np.where(is_defined, above / np.where(is_defined, below, 1.0), np.nan)
    return out


def volatility(returns: Float64, *, periods: float) -> Float64:
    """Return the annualised volatility for ``periods`` a year."""
    return np.asarray(deviation(returns) * np.sqrt(periods), dtype=np.float64)


def sharpe(returns: Float64, *, periods: float) -> Float64:
    """Return the annualised Sharpe ratio; NaN without variance."""
    if returns.shape[1] < 2:
        return np.full(returns.shape[0], np.nan)
    scale = np.abs(returns).max(axis=1, initial=0.0)
    return share_of(returns.mean(axis=1) * np.sqrt(periods), deviation(returns), scale)


def downside(returns: Float64, *, mar: float = 0.0) -> Float64:
    """Return the deviation per period below ``mar``, divisor all n; NaN without a return."""
    if not returns.shape[1]:
        return np.full(returns.shape[0], np.nan)
    return np.asarray(np.sqrt((np.minimum(returns - mar, 0.0) ** 2).mean(axis=1)), dtype=np.float64)


def sortino(returns: Float64, *, periods: float, mar: float = 0.0) -> Float64:
    """Return the annualised Sortino ratio against ``mar`` per period; NaN without a loss."""
    if not returns.shape[1]:
        return np.full(returns.shape[0], np.nan)
    scale = np.abs(returns).max(axis=1, initial=0.0)
    above = (returns.mean(axis=1) - mar) * np.sqrt(periods)
    return share_of(above, downside(returns, mar=mar), scale)


def drawdown_depth(pnl: Float64) -> Float64:
    """Return the deepest fall of the sum of ``pnl`` so far from its high, start included (>= 0)."""
    level = np.cumsum(pnl, axis=1)
    high = np.maximum(np.maximum.accumulate(level, axis=1), 0.0)
    out: Float64 = (high - level).max(axis=1, initial=0.0)
    return out
