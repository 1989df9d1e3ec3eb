"""Figures of how fills and trades are distributed: trade profit, slippage, waiting times."""

import numpy as np

from hatmanifesto.analytics.spacing import duration
from hatmanifesto.apps.report.figures_profit import Shown
from hatmanifesto.apps.report.parts import (
    LEGEND,
    Figure,
    Float64,
    Missing,
    Spec,
    axis,
    bars,
    bin_edges,
    line,
    mark,
    plural,
    seconds_axis,
)
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.domain.units import MICRO, NS_S

CLIP = 0.995
"""Share of the values drawn; the outermost would squeeze the rest into one bar."""
CLIP_MIN = 200
CURVE_POINTS = 201


def _middle(values: Float64) -> tuple[Float64, int]:
    """Return the values drawn and the number left out at the two ends."""
    if len(values) < CLIP_MIN:
        return values, 0
    low, high = np.quantile(values, [1 - CLIP, CLIP])
    kept = values[(values >= low) & (values <= high)]
    return kept, len(values) - len(kept)


def trades_figure(analysis: Analysis) -> Shown:
    """Return how the profits of trades are spread."""
    title = "Profit of trades"
    if len(analysis.trades) < 2:
        return Missing(title, "fewer than two trades closed")
    pnl = np.array([trade.pnl for trade in analysis.trades], dtype=np.float64) / MICRO
    kept, outside = _middle(pnl)
    edges = bin_edges(kept)
    middle = ((edges[1:] + edges[:-1]) / 2).round(9).tolist()
    hover = "%{x:,.4~g} USDC: %{y:,d} trades<extra></extra>"
    traces: list[Spec] = []
    for name, chosen, colour in (
        ("gain", kept[kept >= 0], "@gain"),
        ("loss", kept[kept < 0], "@loss"),
    ):
        counts = np.histogram(chosen, edges)[0].tolist()
        if any(counts):
            traces.append(bars(name, middle, counts, colour, hovertemplate=hover))
    shape, words = mark(float(pnl.mean()), "mean", "@ink")
    layout = {
        "barmode": "stack",
        "bargap": 0.04,
        "showlegend": True,
        "legend": LEGEND,
        "xaxis": axis("profit of a trade, USDC"),
        "yaxis": axis("number of trades"),
        "shapes": [shape],
        "annotations": [words],
    }
    won = int((pnl > 0).sum())
    caption = (
        f"From flat to flat, fees and funding included. {won:,d} of {len(pnl):,d} won; mean "
        f"{pnl.mean():,.4f}, median {np.median(pnl):,.4f} USDC."
    )
    caption += f" {outside} outermost not drawn." if outside else ""
    n = plural(len(pnl), "trade")
    return Figure("trades", title, traces, layout, 320, caption, n, True)


def slippage_figure(analysis: Analysis) -> Shown:
    """Return how fills compare with the mid at the decision, by liquidity."""
    title = "Slippage: fill against the mid at the decision"
    fills = analysis.facts.fills
    known = [i for i, row in enumerate(fills) if row.mid2_decision > 0]
    if len(known) < 2:
        return Missing(title, "fewer than two fills with a known mid at the decision")
    notional = np.array([2 * fills[i].notional for i in known], dtype=np.float64)
    bps = 1e4 * analysis.parts.slippage[known] / notional
    is_taker = np.array([fills[i].is_taker for i in known], dtype=np.bool_)
    kept, outside = _middle(bps)
    edges = bin_edges(kept)
    middle = ((edges[1:] + edges[:-1]) / 2).round(9).tolist()
    traces: list[Spec] = []
    means: list[str] = []
    for how, chosen, colour in (("maker", ~is_taker, "@accent"), ("taker", is_taker, "@sell")):
        if not chosen.any():
            continue
        counts = np.histogram(bps[chosen], edges)[0].tolist()
        hover = "%{x:.3~g} bps: %{y:,d}<extra>" + how + "</extra>"
        traces.append(bars(how, middle, counts, colour, hovertemplate=hover))
        weighted = float((bps[chosen] * notional[chosen]).sum() / notional[chosen].sum())
        means.append(f"{how} {weighted:.2f} bps (n = {int(chosen.sum()):,d})")
    layout = {
        "barmode": "stack",
        "bargap": 0.04,
        "showlegend": True,
        "legend": LEGEND,
        "xaxis": axis("fill against mid, bps (positive: better)"),
        "yaxis": axis("number of fills"),
    }
    caption = f"Mean by value: {', '.join(means)}."
    caption += f" {outside} outermost not drawn." if outside else ""
    n = plural(len(known), "fill")
    return Figure("slippage", title, traces, layout, 320, caption, n, True)


def _wait_text(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else duration(round(seconds * NS_S))


def waiting_figure(analysis: Analysis) -> Shown:
    """Return how long orders waited for their fills and answers took, as shares of fills."""
    title = "Time from decision to fill, and to our knowing"
    fills = [row for row in analysis.facts.fills if not row.is_gap]
    if len(fills) < 2:
        return Missing(title, "fewer than two fills outside holes")
    curves = {
        "maker: decision to fill": [r.ts - r.placed_now for r in fills if not r.is_taker],
        "taker: decision to fill": [r.ts - r.placed_now for r in fills if r.is_taker],
        "fill to our receipt": [r.recv - r.ts for r in fills],
    }
    pens = (("@accent", "solid"), ("@sell", "dash"), ("@muted", "dot"))
    traces: list[Spec] = []
    medians: list[str] = []
    all_x: list[float] = []
    share = np.linspace(0, 1, CURVE_POINTS)
    for (name, waits), (colour, dash) in zip(curves.items(), pens, strict=True):
        if not waits:
            continue
        seconds = np.maximum(np.array(waits, dtype=np.float64) / NS_S, 1e-4)
        x = [float(f"{value:.5g}") for value in np.quantile(seconds, share).tolist()]
        all_x += [x[0], x[-1]]
        y = (100 * share).round(2).tolist()
        hover = "%{y:.1f} % within %{x:.3~g} s<extra>" + name + "</extra>"
        traces.append(line(name, x, y, colour, dash=dash, hovertemplate=hover))
        medians.append(f"{name} {_wait_text(float(np.median(seconds)))}")
    layout = {
        "showlegend": True,
        "legend": LEGEND,
        "xaxis": seconds_axis("time, s, min, h (log scale)", all_x),
        "yaxis": axis("share of fills, %", range=[0, 100]),
    }
    caption = f"Median: {'; '.join(medians)}. Latency is a setting of a back-test, not a finding."
    if analysis.identity.evidence in ("PAP", "TST", "LIV"):
        caption = f"Median: {'; '.join(medians)}."
    n = plural(len(fills), "fill")
    return Figure("waiting", title, traces, layout, 320, caption, n, True)
