"""Performance figures of a run, each with its interval, sample size and unit; unknown is None."""

import msgspec
import numpy as np

from hatmanifesto.analytics.clustered import sum_of_groups
from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.markouts import BIN_NS
from hatmanifesto.analytics.metric import (
    ANNUAL_DAYS_MIN,
    HALF,
    NS_DAY,
    Z95,
    Inputs,
    Metric,
    figure,
    money,
    proportion,
    ratio,
    usdc_text,
)
from hatmanifesto.analytics.metrics_returns import return_figures
from hatmanifesto.analytics.metrics_trades import trade_figures
from hatmanifesto.analytics.returns import DAYS_A_YEAR
from hatmanifesto.analytics.spacing import duration
from hatmanifesto.domain.units import MICRO, NS_S, format_half_micro

__all__ = [
    "ANNUAL_DAYS_MIN",
    "DAYS_A_YEAR",
    "NS_DAY",
    "Z95",
    "Edge",
    "Inputs",
    "Metric",
    "edge_of",
    "metrics_of",
    "usdc_text",
]

MARKOUT_S = 5
MINUTES_MIN = 10
"""Fills of fewer minutes give no interval of a cost."""


class Edge(msgspec.Struct, frozen=True):
    """Whether net profit beats nothing by more than chance, at prices that were recorded."""

    is_shown: bool
    text: str
    ci_low: str | None
    ci_high: str | None


def metrics_of(inputs: Inputs) -> dict[str, Metric]:
    """Return every figure by name."""
    return {
        **return_figures(inputs),
        **_activity(inputs),
        **trade_figures(inputs),
        **_exposure(inputs),
        **_costs(inputs),
    }


NO_PROOF = {"SYN": "above zero, on generated data", "ASSUMED": "above zero, on assumed prices"}
"""Evidence classes on which no profit shows an edge, and how that is said."""


def edge_of(net: Metric, *, evidence: str = "") -> Edge:
    """Return the verdict on the ``net_pnl`` figure of one run, uncorrected for other trials.

    A gain on generated data or at prices that nobody recorded shows no edge, however sure.
    """
    if not isinstance(net.ci_low, str) or not isinstance(net.ci_high, str):
        return Edge(False, "not shown (too few observations)", None, None)
    low, high = float(net.ci_low), float(net.ci_high)
    text = "shown" if low > 0 else "not shown (loss)" if high < 0 else "not shown"
    if low > 0 and evidence in NO_PROOF:
        return Edge(False, f"not shown ({NO_PROOF[evidence]})", net.ci_low, net.ci_high)
    return Edge(low > 0, text, net.ci_low, net.ci_high)


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
        "fill_ratio": proportion(filled, facts.orders, "orders filled, wholly or in part"),
        "maker_share": figure(share, None, n, "fraction of turnover"),
        "reject_rate": proportion(refused, facts.orders, "orders refused by the venue"),
        "vetoes": Metric(vetoes, None, None, vetoes, "refusals by hats"),
    }


def _exposure(inputs: Inputs) -> dict[str, Metric]:
    total, equity = inputs.total, inputs.equity
    fills = total.fills
    out = {"turnover": money(2 * total.turnover, None, fills)}
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
        "inventory_mean": money(mean, None, n),
        "inventory_max": money(int(equity.notional.max()), None, n),
        "time_in_market": figure(float(is_held.mean()), None, n, "fraction of time"),
        **_shares(inputs, equity),
        "funding_a_day": _funding_a_day(inputs, days),
    }


def _shares(inputs: Inputs, equity: Equity) -> dict[str, Metric]:
    """Return mean gross and net exposure as shares of equity, unknown without a fill."""
    level = 2 * inputs.capital + equity.pnl
    is_known = inputs.total.fills > 0 and inputs.capital > 0 and bool((level > 0).all())
    gross = float((equity.notional / level).mean()) if is_known else None
    net = float((equity.net_notional / level).mean()) if is_known else None
    n, unit = len(equity.ts), "fraction of equity, mean over time"
    return {
        "exposure_gross": figure(gross, None, n, unit),
        "exposure_net": figure(net, None, n, unit),
    }


def _funding_a_day(inputs: Inputs, days: float) -> Metric:
    """Return the mean funding received a day; unknown when any hour's rate is, or nothing was held.

    The interval is clustered by day.
    """
    paid = inputs.facts.funding
    unit = "USDC a day, positive received"
    if inputs.total.funding is None or not paid or days <= 0:
        return Metric(None, None, None, len(paid), unit)
    usdc = np.array([event.usdc for event in paid], dtype=np.float64) / MICRO
    day = np.array([event.exch // NS_DAY for event in paid], dtype=np.int64)
    found = sum_of_groups(usdc, day)
    low, high = (None, None) if found is None else (usdc_text(x / days) for x in found.span())
    exact = usdc_text(inputs.total.funding / HALF / days)
    return Metric(exact, low, high, len(paid), unit)


def _costs(inputs: Inputs) -> dict[str, Metric]:
    total = inputs.total
    n = total.fills
    below = 2 * total.turnover

    def bps(half_micro: int) -> Metric:
        value = ratio(1e4 * half_micro, below)
        return figure(value, None, n, "bps of turnover")

    out = {
        "net_bps": bps(total.net),
        "spread_bps": bps(total.spread),
        "fees_bps": bps(total.fees + total.rebates),
        "slippage_bps": bps(total.slippage),
    }
    return {**out, **_markouts(inputs), **_shortfall(inputs)}


def _markouts(inputs: Inputs) -> dict[str, Metric]:
    """Return the markouts after 5 s; unknown, and why, where mids come further apart."""
    out: dict[str, Metric] = {}
    for row in inputs.markouts:
        if row.horizon_s != MARKOUT_S:
            continue
        name, unit = f"markout_{MARKOUT_S}s_{row.liquidity}_bps", "bps of notional"
        if inputs.spacing_ns > MARKOUT_S * NS_S:
            why = f"not measured: mids come every {duration(inputs.spacing_ns)}"
            out[name] = Metric(None, None, None, 0, f"{unit}; {why}")
            continue
        span = None
        if row.bps is not None and row.se is not None:
            span = (row.bps - Z95 * row.se, row.bps + Z95 * row.se)
        out[name] = figure(row.bps, span, row.n, unit)
    return out


def _shortfall(inputs: Inputs) -> dict[str, Metric]:
    """Return what fills cost against the mid at their decision, fees included; positive is a cost.

    Exact, over the fills whose decision mid is known. What unfilled orders missed is not in it:
    a run does not say what they would have become. The interval is clustered by minute.
    """
    rows = [row for row in inputs.facts.fills if row.mid2_decision > 0]
    costs = [row.szi * (2 * row.px - row.mid2_decision) + 2 * row.fee for row in rows]
    n, unit = len(rows), "USDC, a cost; fills alone"
    if not rows:
        unknown = Metric(None, None, None, 0, unit)
        return {"shortfall": unknown, "shortfall_bps": figure(None, None, 0, "bps of turnover")}
    minute = np.array([row.ts // BIN_NS for row in rows], dtype=np.int64)
    usdc = np.array(costs, dtype=np.float64) / HALF
    found = sum_of_groups(usdc, minute, groups_min=MINUTES_MIN)
    span = None if found is None else found.span()
    low, high = (None, None) if span is None else (usdc_text(span[0]), usdc_text(span[1]))
    turnover = sum(row.notional for row in rows) / MICRO
    scaled = None if span is None else (1e4 * span[0] / turnover, 1e4 * span[1] / turnover)
    whole = sum(costs)
    bps = 1e4 * whole / HALF / turnover
    return {
        "shortfall": Metric(format_half_micro(whole), low, high, n, unit),
        "shortfall_bps": figure(bps, scaled, n, "bps of turnover, a cost"),
    }
