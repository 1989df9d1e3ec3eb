"""How sure a Sharpe ratio is, and what it becomes over longer periods.

All ratios here are per period. Sources: Lo (2002); Mertens (2002); Newey and West (1987).
"""

from math import isfinite, nan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.ratios import SPREAD_MIN, sharpe
from hatmanifesto.analytics.returns import Vector, finite_series

Float64 = NDArray[np.float64]


class SharpeError(NamedTuple):
    """Standard errors of a Sharpe ratio per period.

    ``normal`` for independent normal returns; ``shaped`` with skew and kurtosis, over n - 1;
    ``shaped_n`` the same over n. NaN where undefined.
    """

    normal: float
    shaped: float
    shaped_n: float


def sharpe_error(ratio: float, *, n: int, skew: float = 0.0, kurtosis: float = 3.0) -> SharpeError:
    """Return the standard errors of ``ratio`` per period from ``n`` returns.

    Args:
        ratio: Sharpe ratio per period, not annualised.
        n: number of returns.
        skew: population moment.
        kurtosis: population moment, raw (3 for the normal).

    Raises:
        ValueError: on an input that is not finite.
    """
    for name, value in (("ratio", ratio), ("n", n), ("skew", skew), ("kurtosis", kurtosis)):
        if not isfinite(value):
            raise ValueError(f"{name}: expected a finite number, was {value}")
    spread = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    return SharpeError(
        normal=_root(1 + ratio**2 / 2, n),
        shaped=_root(spread, n - 1),
        shaped_n=_root(spread, n),
    )


def _root(variance: float, n: float) -> float:
    return sqrt(variance / n) if n > 0 and variance > 0 else nan


def autocorrelations(returns: Vector, *, lags: int) -> Float64:
    """Return the autocorrelations at lag 1 to ``lags``, shape (lags,), covariances over n.

    Zero beyond the length of the series, NaN without variance.
    """
    series = finite_series("returns", returns)
    n = len(series)
    away = series - series.mean() if n else series
    whole = float(away @ away)
    if not n or sqrt(whole / n) <= SPREAD_MIN * float(np.abs(series).max()):
        return np.full(lags, np.nan)
    values = [float(away[k:] @ away[: n - k]) / whole if k < n else 0.0 for k in range(1, lags + 1)]
    return np.array(values)


def aggregation_factor(q: int, correlations: Vector) -> float:
    """Return eta(q): the Sharpe ratio over q periods is eta(q) times that of one.

    Args:
        q: periods, >= 1.
        correlations: at lags 1, 2, ...; those beyond are taken as zero.

    Returns:
        NaN when strong negative autocorrelation leaves no variance over q periods.

    Raises:
        ValueError: if q is below one or a correlation is not finite.
    """
    if q < 1:
        raise ValueError(f"q: expected at least one period, was {q}")
    known = finite_series("correlations", correlations)[: q - 1]
    lag = np.arange(1, len(known) + 1)
    variance = q + 2 * float(((q - lag) * known).sum())
    return q / sqrt(variance) if variance > SPREAD_MIN * q else nan


class Aggregation(NamedTuple):
    """eta(q), what it would be without autocorrelation, and the first over the second."""

    eta: float
    naive: float
    share: float


def aggregation_ar1(q: int, rho: float) -> Aggregation:
    """Return eta(q) when autocorrelation decays as rho to the power of the lag.

    Raises:
        ValueError: if q is below one or rho is no correlation.
    """
    if not -1 <= rho <= 1:
        raise ValueError(f"rho: expected a correlation, was {rho}")
    eta = aggregation_factor(q, rho ** np.arange(1, max(q, 1), dtype=np.float64))
    return Aggregation(eta, sqrt(q), eta / sqrt(q))


class HacSharpe(NamedTuple):
    """Sharpe ratio per period over the population deviation, with its robust standard error."""

    ratio: float
    error: float


def hac_sharpe(returns: Vector, *, lags: int) -> HacSharpe:
    """Return the ratio and an error that allows for autocorrelation, Bartlett weights to ``lags``.

    NaN with fewer than two returns or without variance.

    Raises:
        ValueError: on a return that is not finite, or a negative number of lags.
    """
    if lags < 0:
        raise ValueError(f"lags: expected 0 or more, was {lags}")
    series = finite_series("returns", returns)
    n = len(series)
    if n < 2:
        return HacSharpe(nan, nan)
    mean, sigma = float(series.mean()), float(series.std())
    if sigma <= SPREAD_MIN * float(np.abs(series).max()):
        return HacSharpe(nan, nan)
    away = series - mean
    # Influence of each return on mean / sigma: the gradient times the two moments.
    pull = away / sigma - mean / (2 * sigma**3) * (away**2 - sigma**2)
    variance = float(pull @ pull) / n
    for lag in range(1, min(lags, n - 1) + 1):
        weight = 1 - lag / (lags + 1)
        variance += 2 * weight * float(pull[lag:] @ pull[: n - lag]) / n
    return HacSharpe(mean / sigma, _root(variance, n))


class AdjustedSharpe(NamedTuple):
    """Sharpe ratio per period and over q periods, naive and corrected for autocorrelation."""

    per_period: float
    correlations: Float64
    eta: float
    naive: float
    adjusted: float
    hac: HacSharpe


def adjusted_sharpe(returns: Vector, *, q: int, max_lag: int, hac_lags: int) -> AdjustedSharpe:
    """Return the ratio over ``q`` periods with correlations up to ``max_lag``, and its HAC error.

    Raises:
        ValueError: on a return that is not finite, or q below one.
    """
    series = finite_series("returns", returns)
    known = autocorrelations(series, lags=max_lag)
    eta = aggregation_factor(q, known) if bool(np.isfinite(known).all()) else nan
    ratio = float(sharpe(series[None, :], periods=1.0)[0])
    return AdjustedSharpe(
        per_period=ratio,
        correlations=known,
        eta=eta,
        naive=ratio * sqrt(q),
        adjusted=ratio * eta,
        hac=hac_sharpe(series, lags=hac_lags),
    )


def lags_for(n: int) -> int:
    """Return the usual number of HAC lags, 4 (n / 100) ** (2/9). Source: Newey and West (1994)."""
    return int(4 * (n / 100) ** (2 / 9)) if n > 0 else 0
