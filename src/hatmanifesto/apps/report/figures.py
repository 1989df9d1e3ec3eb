"""The figures of a report as Plotly specifications: plain dictionaries, colours by token.

A colour token such as "@buy" is replaced in the page by the palette of the reader's colour scheme.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.attribution import Components
from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.analytics.metrics import Z95
from hatmanifesto.analytics.mids import MidPath, merge_spans, tick_at
from hatmanifesto.apps.report_build import COMPONENT_NAMES, Analysis
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.records import GapSeen
from hatmanifesto.domain.units import format_fixed

POINTS_MAX = 4_000
MARKERS_MAX = 2_000
COINS_FULL = 2
"""With more coins than this each gets fewer points, so that the page stays small."""
SHAPES_MAX = 200
HALF_MICRO = 2e6
NS_MS = 10**6

Spec = dict[str, Any]

LEGEND: Spec = {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"}


class Figure(NamedTuple):
    """One figure: its title, its Plotly traces and layout, and what to say beneath it."""

    name: str
    title: str
    traces: list[Spec]
    layout: Spec
    height: int
    remark: str = ""


def millis(ts: NDArray[np.int64]) -> list[int]:
    """Return stamps as milliseconds since the epoch, which a date axis reads as UTC."""
    return [int(value) for value in (ts // NS_MS).tolist()]


def thin(values: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Return at most ``limit`` indices that keep the lows and highs of equal stretches."""
    n = len(values)
    if n <= limit:
        return np.arange(n)
    edges = np.linspace(0, n, limit // 2).astype(np.int64)
    picked: set[int] = {0, n - 1}
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[first:last]
        picked.add(first + int(part.argmin()))
        picked.add(first + int(part.argmax()))
    return np.array(sorted(picked), dtype=np.int64)


def time_axis(equity: Equity | None) -> Spec:
    """Return the x axis of a time figure, the same for all of a report."""
    span = {} if equity is None else {"range": millis(equity.ts[[0, -1]])}
    return {
        **span,
        "type": "date",
        "title": {"text": "time, UTC"},
        "gridcolor": "@grid",
        "zeroline": False,
        "automargin": True,
    }


def shades(gaps: Sequence[GapSeen]) -> list[Spec]:
    """Return a shaded band per hole of the recording, the longest ones if there are too many."""
    longest = sorted(gaps, key=lambda gap: (gap.start - gap.end, gap.start))[:SHAPES_MAX]
    spans = merge_spans([(gap.start, gap.end) for gap in longest])
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": start // NS_MS,
            "x1": end // NS_MS,
            "y0": 0,
            "y1": 1,
            "fillcolor": "@gap",
            "line": {"width": 0},
            "layer": "below",
        }
        for start, end in spans
    ]


def _usdc(values: NDArray[np.int64]) -> list[float]:
    return [round(value / HALF_MICRO, 6) for value in values.tolist()]


def equity_figure(equity: Equity, gaps: Sequence[GapSeen]) -> Figure:
    """Return profit over time above its fall from the high."""
    pick = thin(equity.pnl, POINTS_MAX)
    x = millis(equity.ts[pick])
    profit = {
        "type": "scatter",
        "mode": "lines",
        "name": "profit",
        "x": x,
        "y": _usdc(equity.pnl[pick]),
        "line": {"color": "@accent", "width": 1.6},
        "hovertemplate": "%{y:,.4f} USDC<extra></extra>",
    }
    fall = {
        "type": "scatter",
        "mode": "lines",
        "name": "drawdown",
        "x": x,
        "y": _usdc(-equity.drawdown[pick]),
        "yaxis": "y2",
        "line": {"color": "@loss", "width": 1},
        "fill": "tozeroy",
        "fillcolor": "@lossfill",
        "hovertemplate": "%{y:,.4f} USDC<extra></extra>",
    }
    layout = {
        "showlegend": False,
        "xaxis": {**time_axis(equity), "anchor": "y2"},
        "yaxis": _axis("net profit, USDC", domain=[0.43, 1]),
        "yaxis2": _axis("drawdown, USDC", domain=[0, 0.33]),
        "shapes": shades(gaps),
        "hovermode": "x unified",
    }
    step = equity.step_ns // 10**9
    remark = f"Marked at the mid every {step} s; net of fees and known funding."
    return Figure("equity", "Net profit and drawdown", [profit, fall], layout, 440, remark)


def _axis(title: str, **more: Any) -> Spec:
    return {
        "title": {"text": title},
        "gridcolor": "@grid",
        "zerolinecolor": "@axis",
        "tickformat": ",~r",
        "automargin": True,
        **more,
    }


def attribution_figure(total: Components) -> Figure:
    """Return the path from nothing to net, part by part; unknown parts are left out."""
    known = [(name, getattr(total, name)) for name in COMPONENT_NAMES]
    bars = [(name, value) for name, value in known if value is not None]
    trace = {
        "type": "waterfall",
        "x": [name.replace("_", " ") for name, _ in bars] + ["net"],
        "y": [round(value / HALF_MICRO, 7) for _, value in bars] + [None],
        "measure": ["relative"] * len(bars) + ["total"],
        "increasing": {"marker": {"color": "@gain"}},
        "decreasing": {"marker": {"color": "@loss"}},
        "totals": {"marker": {"color": "@accent"}},
        "connector": {"line": {"color": "@axis", "width": 1}},
        "hovertemplate": "%{x}: %{delta:,.4f} USDC<extra></extra>",
    }
    layout = {
        "showlegend": False,
        "xaxis": {"title": {"text": "part of net profit"}, "tickangle": -30, "automargin": True},
        "yaxis": _axis("USDC"),
    }
    return Figure("attribution", "Where the result comes from", [trace], layout, 380)


def share_of(limit: int, coins: int) -> int:
    """Return the points one of ``coins`` figures may draw."""
    return max(200, limit * COINS_FULL // max(COINS_FULL, coins))


def mid_line(path: MidPath, *, scale: int, limit: int) -> Spec:
    """Return the mid as a line that is broken at the holes of the recording."""
    pick = thin(path.mid2, limit)
    ts = path.ts[pick]
    y: list[float | None] = [value / scale for value in path.mid2[pick].tolist()]
    x = millis(ts)
    for start in sorted(set(path.gap_start.tolist()), reverse=True):
        at = int(np.searchsorted(ts, start, side="right"))
        x.insert(at, start // NS_MS)
        y.insert(at, None)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "mid",
        "x": x,
        "y": y,
        "connectgaps": False,
        "line": {"color": "@muted", "width": 1},
        "hovertemplate": "%{y:,}<extra>mid</extra>",
    }


def fill_marks(rows: Sequence[FillRow], asset: Asset, *, word: str, how: str) -> Spec:
    """Return fills of one side and liquidity as triangles, hollow for takers."""
    symbol = ("triangle-up" if word == "buy" else "triangle-down") + (
        "-open" if how == "taker" else ""
    )
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{how} {word}",
        "x": [row.ts // NS_MS for row in rows],
        "y": [row.px / 10**asset.px_decimals for row in rows],
        "text": [
            format_fixed(row.sz, decimals=asset.sz_decimals) + (" inferred" if row.is_gap else "")
            for row in rows
        ],
        "marker": {
            "symbol": symbol,
            "size": 9,
            "color": f"@{word}",
            "line": {"width": 1.2, "color": f"@{word}" if how == "taker" else "@paper"},
        },
        "hovertemplate": "%{text} at %{y:,}<extra>" + f"{how} {word}</extra>",
    }


def fills_figure(analysis: Analysis, coin: int) -> Figure:
    """Return the fills of one coin on its mid price."""
    asset = analysis.identity.assets[coin]
    path = analysis.paths[coin]
    one = 10**asset.px_decimals
    coins = len(analysis.paths)
    traces: list[Spec] = [mid_line(path, scale=2 * one, limit=share_of(POINTS_MAX, coins))]
    shown = total = 0
    for side, word in ((1, "buy"), (-1, "sell")):
        for is_taker, how in ((False, "maker"), (True, "taker")):
            key = (coin, side, is_taker)
            fills = analysis.facts.fills
            rows = [row for row in fills if (row.coin, row.side, row.is_taker) == key]
            total += len(rows)
            rows = rows[:: max(1, -(-len(rows) // share_of(MARKERS_MAX, coins)))]
            shown += len(rows)
            if rows:
                traces.append(fill_marks(rows, asset, word=word, how=how))
    layout = {
        "xaxis": time_axis(analysis.equity),
        "yaxis": _axis(f"{asset.coin} price, USDC"),
        "shapes": shades([gap for gap in analysis.facts.gaps if gap.coin == coin]),
        "legend": LEGEND,
    }
    remark = f"{shown:,d} of {total:,d} fills drawn." if shown < total else ""
    if not total:
        remark = "No fills."
    title = f"Fills on the {asset.coin} price"
    return Figure(f"fills-{coin}", title, traces, layout, 400, remark)


def inventory_figure(analysis: Analysis, equity: Equity) -> Figure:
    """Return the signed value held in each coin over time."""
    traces: list[Spec] = []
    for coin, held in sorted(equity.position.items()):
        path: MidPath = analysis.paths[coin]
        value = held * path.mid2[tick_at(path, equity.ts)]
        pick = thin(value, POINTS_MAX)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": analysis.identity.assets[coin].coin,
                "x": millis(equity.ts[pick]),
                "y": _usdc(value[pick]),
                "line": {"shape": "hv", "width": 1.4, "color": f"@series{coin % 4}"},
                "hovertemplate": "%{y:,.2f} USDC<extra>%{fullData.name}</extra>",
            }
        )
    layout = {
        "showlegend": len(traces) > 1,
        "xaxis": time_axis(analysis.equity),
        "yaxis": _axis("position at mid, USDC"),
        "shapes": shades(analysis.facts.gaps),
        "legend": LEGEND,
    }
    return Figure("inventory", "Inventory", traces, layout, 280, "Positive is long.")


def markout_figure(analysis: Analysis) -> Figure:
    """Return where the mid went after maker and taker fills, with 95 % intervals."""
    traces: list[Spec] = []
    for how, colour, shift in (("maker", "@accent", -0.06), ("taker", "@sell", 0.06)):
        rows = [row for row in analysis.markouts if row.liquidity == how and row.bps is not None]
        if not rows:
            continue
        horizons = sorted({row.horizon_s for row in analysis.markouts})
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": how,
                "x": [horizons.index(row.horizon_s) + shift for row in rows],
                "y": [round(row.bps or 0.0, 4) for row in rows],
                "text": [f"{row.horizon_s} s, n = {row.n:,d}" for row in rows],
                "error_y": {
                    "type": "data",
                    "array": [None if row.se is None else round(Z95 * row.se, 4) for row in rows],
                    "thickness": 1.2,
                    "width": 4,
                    "color": colour,
                },
                "line": {"color": colour, "width": 1.2, "dash": "dot"},
                "marker": {"color": colour, "size": 7},
                "hovertemplate": "%{text}: %{y:.2f} bps<extra>" + how + "</extra>",
            }
        )
    horizons = sorted({row.horizon_s for row in analysis.markouts})
    layout = {
        "showlegend": True,
        "xaxis": {
            "title": {"text": "time after the fill, s"},
            "tickvals": list(range(len(horizons))),
            "ticktext": [str(value) for value in horizons],
            "range": [-0.4, len(horizons) - 0.6],
            "gridcolor": "@grid",
            "zeroline": False,
            "automargin": True,
        },
        "yaxis": _axis("mid move in our favour, bps of price"),
        "legend": LEGEND,
    }
    remark = "From fill price to later mid, weighted by value; bars are 95 % intervals by minute."
    return Figure("markouts", "Markouts after our fills", traces, layout, 320, remark)


def figures_of(analysis: Analysis) -> dict[str, Figure]:
    """Return the figures that can be drawn, by name."""
    out: list[Figure] = []
    if analysis.equity is not None:
        out.append(equity_figure(analysis.equity, analysis.facts.gaps))
    if analysis.facts.fills:
        out.append(attribution_figure(analysis.attribution.total))
    out += [fills_figure(analysis, coin) for coin in sorted(analysis.paths)]
    if analysis.equity is not None and analysis.facts.fills:
        out.append(inventory_figure(analysis, analysis.equity))
    if any(row.bps is not None for row in analysis.markouts):
        out.append(markout_figure(analysis))
    return {figure.name: figure for figure in out}
