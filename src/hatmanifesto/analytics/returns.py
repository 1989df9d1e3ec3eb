"""Simple returns: checking them, the path they draw, growth in total and a year."""

from collections.abc import Sequence
from math import expm1, fsum, inf, log1p, nan

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Vector = Sequence[float] | Float64

DAYS_A_YEAR = 365
"""Crypto trades every day. Source: QUANT section 0."""


def finite_series(name: str, values: Vector) -> Float64:
    """Return a series as float64, shape (n,).

    Raises:
        ValueError: if it is not one-dimensional, or holds a NaN or an infinity: the caller decides
            whether to drop it, because dropping changes n and everything annual.
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1:
        raise ValueError(f"{name}: expected one dimension, was {series.ndim}")
    if not np.isfinite(series).all():
        at = int(np.argmin(np.isfinite(series)))
        raise ValueError(f"{name}: expected finite numbers, was {series[at]} at {at}")
    return series


def until_ruin(returns: Float64) -> Float64:
    """Return the returns up to the first of -1 or less, which becomes -1; nothing follows ruin."""
    lost = np.flatnonzero(returns <= -1.0)
    if not len(lost):
        return returns
    alive = returns[: lost[0] + 1].copy()
    alive[-1] = -1.0
    return alive


def wealth(returns: Float64) -> Float64:
    """Return what 1 becomes, shape (n + 1,), from the start; 0 for ever after ruin."""
    alive = until_ruin(returns)
    out = np.zeros(len(returns) + 1)
    out[0] = 1.0
    out[1 : len(alive) + 1] = np.cumprod(1.0 + alive)
    return out


def total_return(returns: Vector) -> float:
    """Return the compounded return; -1 after ruin, NaN without a return.

    Raises:
        ValueError: on a return that is not finite.
    """
    growth = _log_growth(finite_series("returns", returns))
    return expm1(growth)


def annual_growth(returns: Vector, *, periods: float = DAYS_A_YEAR) -> float:
    """Return the compounded growth a year for ``periods`` a year; -1 after ruin, NaN if undefined.

    Noise on less than about 90 days. Source: QUANT A.1.
    """
    series = finite_series("returns", returns)
    if not len(series):
        return nan
    try:
        return expm1(_log_growth(series) * periods / len(series))
    except OverflowError:
        return nan


def _log_growth(series: Float64) -> float:
    if not len(series):
        return nan
    if bool((series <= -1.0).any()):
        return -inf
    return fsum(log1p(r) for r in series.tolist())
