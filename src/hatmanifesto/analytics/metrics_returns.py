"""Figures of a run's equity: what it made, how steadily, and how sure that is."""

from collections.abc import Callable
from math import sqrt
from typing import NamedTuple

import numpy as np

from hatmanifesto.analytics import ratios, tails
from hatmanifesto.analytics.bootstrap import N_MIN, intervals
from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.metric import (
    ANNUAL_DAYS_MIN,
    HALF,
    NS_DAY,
    Float64,
    Inputs,
    Metric,
    Range,
    figure,
    money,
    ratio,
)
from hatmanifesto.analytics.mids import Int64
from hatmanifesto.analytics.returns import DAYS_A_YEAR
from hatmanifesto.analytics.sharpe_error import hac_sharpe, lags_for, sharpe_error
from hatmanifesto.domain.units import MICRO, NS_HOUR

SHAPE_MIN = 100
"""Fewer steps say nothing of skew, kurtosis or tails. Source: QUANT A.12."""
LOSSES_MIN = 10
"""Fewer losing steps give no Omega. Source: QUANT A.12."""


class Curve(NamedTuple):
    """Equity as series: profit per step [USDC], simple returns per step and per UTC day.

    Returns are empty when equity was ever zero or less, or there is no capital.
    """

    steps: Float64
    returns: Float64
    days: Float64
    periods: float


def return_figures(inputs: Inputs) -> dict[str, Metric]:
    """Return the figures that stand on equity; net alone without a mid."""
    total, equity = inputs.total, inputs.equity
    if equity is None:
        return {"net_pnl": money(total.net, None, 0)}
    curve = curve_of(equity, inputs.capital)
    n = len(curve.steps)
    capital = inputs.capital / MICRO
    spans = intervals(
        curve.steps,
        {"net": lambda x: x.sum(axis=1), "drawdown": ratios.drawdown_depth},
        seed=inputs.seed,
    )
    high = inputs.capital * 2 + np.maximum.accumulate(np.maximum(equity.pnl, 0))
    share = float((equity.drawdown / high).max()) if inputs.capital > 0 else None
    out = {
        "net_pnl": money(total.net, spans["net"], n),
        "return": figure(
            ratio(total.net / HALF, capital),
            _scaled(spans["net"], capital),
            n,
            "fraction of capital",
        ),
        "max_drawdown": money(int(equity.drawdown.max()), spans["drawdown"], n),
        "max_drawdown_share": figure(share, None, n, "fraction of equity's high"),
        **_yearly(inputs, equity, share),
        **_ratio_figures(curve, n, inputs.seed),
        **_daily_figures(curve, inputs.seed),
    }
    return {**out, **_underwater(equity, inputs)}


def curve_of(equity: Equity, capital: int) -> Curve:
    """Return the series of a run with ``capital`` [micro-USDC].

    Days run from midnight to midnight UTC; what is left at both ends is no day. A midnight inside
    a hole takes the last point before it.
    """
    pnl = equity.pnl.astype(np.float64) / HALF
    steps = np.diff(equity.pnl).astype(np.float64) / HALF
    periods = DAYS_A_YEAR * NS_DAY / equity.step_ns
    level = capital / MICRO + pnl
    if capital <= 0 or not bool((level > 0).all()):
        return Curve(steps, np.zeros(0), np.zeros(0), periods)
    daily = level[midnights(equity.ts)]
    return Curve(steps, steps / level[:-1], np.diff(daily) / daily[:-1], periods)


def midnights(ts: Int64) -> Int64:
    """Return the index of the last point at or before each midnight UTC within the series."""
    first, last = -(-int(ts[0]) // NS_DAY), int(ts[-1]) // NS_DAY
    when = np.arange(first, last + 1, dtype=np.int64) * NS_DAY
    return (np.searchsorted(ts, when, side="right") - 1).astype(np.int64)


def _scaled(span: Range, divisor: float) -> Range:
    return None if span is None or not divisor else (span[0] / divisor, span[1] / divisor)


def _yearly(inputs: Inputs, equity: Equity, share: float | None) -> dict[str, Metric]:
    """Return growth a year and Calmar, unknown for runs too short to say."""
    days = equity.covered_ns / NS_DAY
    growth: float | None = None
    if days >= ANNUAL_DAYS_MIN and inputs.capital > 0:
        level = max(0.0, 1 + inputs.total.net / (2 * inputs.capital))
        growth = level ** (DAYS_A_YEAR / days) - 1
    calmar = ratio(growth, share) if growth is not None and share else None
    n = len(equity.ts) - 1
    rule = f"365 d; unknown under {ANNUAL_DAYS_MIN} d"
    return {
        "growth_a_year": figure(growth, None, n, "fraction a year", rule),
        "calmar": figure(calmar, None, n, "ratio a year", rule),
    }


class Shape(NamedTuple):
    """A figure of returns per step: function of rows, unit, whether it is told per year."""

    function: Callable[[Float64], Float64]
    unit: str
    least: int
    is_annual: bool = False


def shapes_of(periods: float) -> dict[str, Shape]:
    """Return the figures of returns per step, all resampled together."""
    step = "fraction of equity a step"
    return {
        "sharpe": Shape(lambda x: ratios.sharpe(x, periods=periods), "ratio a year", 0, True),
        "sortino": Shape(lambda x: ratios.sortino(x, periods=periods), "ratio a year", 0, True),
        "volatility": Shape(
            lambda x: ratios.volatility(x, periods=periods), "fraction a year", 0, True
        ),
        "skew": Shape(tails.skewness, "third standardised moment of steps", SHAPE_MIN),
        "kurtosis": Shape(tails.kurtosis, "fourth standardised moment, normal 3", SHAPE_MIN),
        "tail_ratio": Shape(tails.tail_ratio, "95th over 5th percentile of steps", SHAPE_MIN),
        "omega": Shape(tails.omega, "gains over losses of steps", N_MIN),
        "value_at_risk_95": Shape(tails.value_at_risk, step, SHAPE_MIN),
        "expected_shortfall_95": Shape(tails.expected_shortfall, step, SHAPE_MIN),
        "ulcer": Shape(_ulcers, "root mean square fall, fraction of the high", N_MIN),
    }


def _ulcers(returns: Float64) -> Float64:
    level = np.cumprod(1.0 + returns, axis=1)
    high = np.maximum(np.maximum.accumulate(level, axis=1), 1.0)
    depth = 1.0 - level / high
    return np.asarray(np.sqrt((depth * depth).mean(axis=1)), dtype=np.float64)


def _ratio_figures(curve: Curve, n: int, seed: int) -> dict[str, Metric]:
    returns = curve.returns
    shapes = shapes_of(curve.periods)
    rule = f"sqrt({curve.periods:.0f}) steps a year, 365 d"
    is_moving = len(returns) > 0 and bool(returns.any())
    spans = (
        intervals(returns, {name: shape.function for name, shape in shapes.items()}, seed=seed)
        if is_moving
        else {}
    )
    losses = int((returns < 0).sum())
    out: dict[str, Metric] = {}
    for name, shape in shapes.items():
        is_enough = is_moving and len(returns) >= shape.least
        if name == "omega":
            is_enough = is_enough and losses >= LOSSES_MIN
        if name == "volatility":
            is_enough = len(returns) > 0  # no move is a volatility of zero
        value = float(shape.function(returns[None, :])[0]) if is_enough else None
        out[name] = figure(value, spans.get(name), n, shape.unit, rule if shape.is_annual else "")
    return {**out, **_errors(returns, curve.periods, "sharpe", n, rule)}


def _daily_figures(curve: Curve, seed: int) -> dict[str, Metric]:
    """Return the headline Sharpe of equity at 00:00 UTC, unknown under ``N_MIN`` days."""
    days = curve.days
    n = len(days)
    rule = f"sqrt(365) days a year, 365 d; unknown under {N_MIN} d"
    known = days if n >= N_MIN else days[:0]
    value = float(ratios.sharpe(known[None, :], periods=DAYS_A_YEAR)[0])
    spans = intervals(known, {"sharpe": lambda x: ratios.sharpe(x, periods=DAYS_A_YEAR)}, seed=seed)
    return {
        "sharpe_daily": figure(value, spans["sharpe"], n, "ratio a year", rule),
        **_errors(known, DAYS_A_YEAR, "sharpe_daily", n, rule),
    }


def _errors(returns: Float64, periods: float, name: str, n: int, rule: str) -> dict[str, Metric]:
    """Return the standard errors of a Sharpe ratio: for its shape, and for autocorrelation."""
    shaped = hac = None
    if len(returns) >= N_MIN:
        rows = returns[None, :]
        ratio_a_step = float(ratios.sharpe(rows, periods=1.0)[0])
        skew, kurtosis = float(tails.skewness(rows)[0]), float(tails.kurtosis(rows)[0])
        if np.isfinite([ratio_a_step, skew, kurtosis]).all():
            found = sharpe_error(ratio_a_step, n=len(returns), skew=skew, kurtosis=kurtosis)
            shaped = found.shaped * sqrt(periods)
            hac = hac_sharpe(returns, lags=lags_for(len(returns))).error * sqrt(periods)
    return {
        f"{name}_se": figure(shaped, None, n, "standard error, skew and kurtosis", rule),
        f"{name}_se_hac": figure(hac, None, n, "standard error, autocorrelation", rule),
    }


def _underwater(equity: Equity, inputs: Inputs) -> dict[str, Metric]:
    """Return the longest time from leaving a high of profit to being back, or to the end."""
    hours: float | None = None
    if inputs.facts.fills:
        at_high = np.flatnonzero(equity.drawdown == 0)
        edges = np.append(equity.ts[at_high], equity.ts[-1])
        is_fall = np.append(np.diff(at_high) > 1, at_high[-1] < len(equity.ts) - 1)
        spans = np.where(is_fall, np.diff(edges), 0)
        hours = float(spans.max()) / NS_HOUR
    n = len(equity.ts) - 1
    return {"underwater_longest": figure(hours, None, n, "hours below a high of profit")}
