"""Performance figures of a run, each with its interval, sample size and unit; unknown is None."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.attribution import Components
from hatmanifesto.analytics.bootstrap import intervals
from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.fold import RunFacts
from hatmanifesto.analytics.markouts import Markout
from hatmanifesto.analytics.ratios import drawdown_depth, sharpe, sortino, volatility
from hatmanifesto.analytics.trades import Trade
from hatmanifesto.domain.units import MICRO, NS_S, format_fixed, format_half_micro

Float64 = NDArray[np.float64]
Range = tuple[float, float] | None

NS_DAY = 86_400 * NS_S
DAYS_A_YEAR = 365
"""Crypto trades every day. Source: QUANT section 0."""
ANNUAL_DAYS_MIN = 90
"""Growth per year is noise on shorter runs and left out. Source: QUANT A.1."""
Z95 = 1.959963984540054
HALF = 2 * MICRO
"""Half micro-USDC in one USDC."""


class Metric(msgspec.Struct, frozen=True):
    """One figure. Money is decimal text, the rest numbers; None is unknown or undefined.

    ``n`` is the number of observations behind it; ``annualisation`` the rule, None if not annual.
    """

    value: str | float | int | None
    ci_low: str | float | None
    ci_high: str | float | None
    n: int
    unit: str
    annualisation: str | None = None


class Inputs(NamedTuple):
    """What the figures are computed from; ``capital`` [micro-USDC] at the start."""

    facts: RunFacts
    total: Components
    equity: Equity | None
    markouts: Sequence[Markout]
    trades: Sequence[Trade]
    capital: int
    seed: int


class Edge(msgspec.Struct, frozen=True):
    """Whether net profit differs from nothing by more than chance: the interval excludes zero."""

    is_shown: bool
    text: str
    ci_low: str | None
    ci_high: str | None


def clean(value: float | None) -> float | None:
    """Return a number rounded to nine digits, or None when it is not finite."""
    if value is None or not np.isfinite(value):
        return None
    return float(f"{value:.9g}")


def ratio(above: float, below: float) -> float | None:
    """Return above / below, None when there is nothing below."""
    return above / below if below else None


def metrics_of(inputs: Inputs) -> dict[str, Metric]:
    """Return every figure by name."""
    return {
        **_result(inputs),
        **_activity(inputs),
        **_trade_figures(inputs),
        **_exposure(inputs),
        **_costs(inputs),
    }


def edge_of(net: Metric) -> Edge:
    """Return the verdict on the ``net_pnl`` figure of one run, uncorrected for other trials."""
    if not isinstance(net.ci_low, str) or not isinstance(net.ci_high, str):
        return Edge(False, "not shown (too few observations)", None, None)
    low, high = float(net.ci_low), float(net.ci_high)
    text = "shown" if low > 0 else "not shown (loss)" if high < 0 else "not shown"
    return Edge(low > 0, text, net.ci_low, net.ci_high)


def _figure(value: float | None, span: Range, n: int, unit: str, annual: str = "") -> Metric:
    known = clean(value)
    low, high = span if span is not None and known is not None else (None, None)
    return Metric(known, clean(low), clean(high), n, unit, annual or None)


def _money(half_micro: int | None, span: Range, n: int) -> Metric:
    if half_micro is None:
        return Metric(None, None, None, n, "USDC")
    low, high = (None, None) if span is None else (usdc_text(span[0]), usdc_text(span[1]))
    return Metric(format_half_micro(half_micro), low, high, n, "USDC")


def usdc_text(usdc: float) -> str:
    """Return an estimate in USDC as decimal text, to the micro-USDC."""
    return format_fixed(round(usdc * MICRO), decimals=6)


def _result(inputs: Inputs) -> dict[str, Metric]:
    total, equity = inputs.total, inputs.equity
    if equity is None:
        return {"net_pnl": _money(total.net, None, 0)}
    steps = np.diff(equity.pnl).astype(np.float64) / HALF
    n = len(steps)
    capital = inputs.capital / MICRO
    before = capital + equity.pnl[:-1].astype(np.float64) / HALF
    is_solvent = capital > 0 and bool((before > 0).all())
    returns = steps / before if is_solvent else np.full(n, np.nan)
    periods = DAYS_A_YEAR * NS_DAY / equity.step_ns
    rule = f"sqrt({periods:.0f}) steps a year, 365 d"
    usdc = intervals(
        steps,
        {"net": lambda x: x.sum(axis=1), "drawdown": drawdown_depth},
        seed=inputs.seed,
    )
    relative = _relative(returns, periods, seed=inputs.seed) if is_solvent else {}
    depth = int(equity.drawdown.max())
    high = inputs.capital * 2 + np.maximum.accumulate(np.maximum(equity.pnl, 0))
    share = float((equity.drawdown / high).max()) if inputs.capital > 0 else None
    out = {
        "net_pnl": _money(total.net, usdc["net"], n),
        "return": _figure(
            ratio(total.net / HALF, capital),
            _scaled(usdc["net"], capital),
            n,
            "fraction of capital",
        ),
        "max_drawdown": _money(depth, usdc["drawdown"], n),
        "max_drawdown_share": _figure(share, None, n, "fraction of equity's high"),
        **_yearly(inputs, equity, share),
    }
    for name, function in (("sharpe", sharpe), ("sortino", sortino), ("volatility", volatility)):
        value = float(function(returns[None, :], periods=periods)[0]) if is_solvent else None
        unit = "fraction a year" if name == "volatility" else "ratio a year"
        out[name] = _figure(value, relative.get(name), n, unit, rule)
    return out


def _relative(returns: Float64, periods: float, *, seed: int) -> dict[str, Range]:
    return intervals(
        returns,
        {
            "sharpe": lambda x: sharpe(x, periods=periods),
            "sortino": lambda x: sortino(x, periods=periods),
            "volatility": lambda x: volatility(x, periods=periods),
        },
        seed=seed,
    )


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
        "growth_a_year": _figure(growth, None, n, "fraction a year", rule),
        "calmar": _figure(calmar, None, n, "ratio a year", rule),
    }


def _activity(inputs: Inputs) -> dict[str, Metric]:
    facts, total = inputs.facts, inputs.total
    n = len(facts.fills)
    filled = len({row.intent for row in facts.fills})
    maker = sum(row.notional for row in facts.fills if not row.is_taker)
    refused = sum(count for _, count in facts.refusals)
    vetoes = sum(row.loud + row.silent for row in facts.vetoes)
    share = ratio(maker, total.turnover)
    return {
        "fills": Metric(n, None, None, n, "fills"),
        "orders": Metric(facts.orders, None, None, facts.orders, "orders"),
        "fill_ratio": _proportion(filled, facts.orders, "orders filled, wholly or in part"),
        "maker_share": _figure(share, None, n, "fraction of turnover"),
        "reject_rate": _proportion(refused, facts.orders, "orders refused by the venue"),
        "vetoes": Metric(vetoes, None, None, vetoes, "refusals by hats"),
    }


def _proportion(hits: int, n: int, unit: str) -> Metric:
    """Return a share with its Wilson interval."""
    if not n:
        return Metric(None, None, None, 0, unit)
    centre = (hits + Z95**2 / 2) / (n + Z95**2)
    half = Z95 * float(np.sqrt(hits * (n - hits) / n + Z95**2 / 4)) / (n + Z95**2)
    return _figure(hits / n, (max(0.0, centre - half), min(1.0, centre + half)), n, unit)


def _trade_figures(inputs: Inputs) -> dict[str, Metric]:
    pnl = np.array([trade.pnl for trade in inputs.trades], dtype=np.float64) / MICRO
    n = len(pnl)
    spans = intervals(
        pnl, {"mean": lambda x: x.mean(axis=1), "factor": _profit_factors}, seed=inputs.seed
    )
    factor = float(_profit_factors(pnl[None, :])[0]) if n else None
    mean = sum(trade.pnl for trade in inputs.trades) / n / MICRO if n else None
    span = spans["mean"]
    expectancy = Metric(
        None if mean is None else usdc_text(mean),
        None if span is None else usdc_text(span[0]),
        None if span is None else usdc_text(span[1]),
        n,
        "USDC",
    )
    return {
        "trades": Metric(n, None, None, n, "flat-to-flat trades"),
        "win_rate": _proportion(int((pnl > 0).sum()), n, "trades with a profit"),
        "profit_factor": _figure(factor, spans["factor"], n, "ratio"),
        "expectancy": expectancy,
    }


def _profit_factors(pnl: Float64) -> Float64:
    gain = np.maximum(pnl, 0).sum(axis=1)
    loss = -np.minimum(pnl, 0).sum(axis=1)
    out: Float64 = np.where(loss > 0, gain / np.where(loss > 0, loss, 1.0), np.nan)
    return out


def _exposure(inputs: Inputs) -> dict[str, Metric]:
    total, equity = inputs.total, inputs.equity
    fills = total.fills
    out = {"turnover": _money(2 * total.turnover, None, fills)}
    if equity is None:
        return out
    n = len(equity.ts)
    days = equity.covered_ns / NS_DAY
    is_held = np.zeros(n, dtype=bool)
    for held in equity.position.values():
        is_held |= held != 0
    mean = sum(equity.notional.tolist()) // n
    return {
        **out,
        "turnover_a_day": Metric(
            usdc_text(total.turnover / MICRO / days), None, None, fills, "USDC a day"
        ),
        "inventory_mean": _money(mean, None, n),
        "inventory_max": _money(int(equity.notional.max()), None, n),
        "time_in_market": _figure(float(is_held.mean()), None, n, "fraction of time"),
    }


def _costs(inputs: Inputs) -> dict[str, Metric]:
    total = inputs.total
    n = total.fills
    below = 2 * total.turnover

    def bps(half_micro: int) -> Metric:
        value = ratio(1e4 * half_micro, below)
        return _figure(value, None, n, "bps of turnover")

    out = {
        "net_bps": bps(total.net),
        "spread_bps": bps(total.spread),
        "fees_bps": bps(total.fees + total.rebates),
        "slippage_bps": bps(total.slippage),
    }
    for row in inputs.markouts:
        if row.horizon_s == 5:
            span = None
            if row.bps is not None and row.se is not None:
                span = (row.bps - Z95 * row.se, row.bps + Z95 * row.se)
            name = f"markout_5s_{row.liquidity}_bps"
            out[name] = _figure(row.bps, span, row.n, "bps of notional")
    return out
