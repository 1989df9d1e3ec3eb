"""Figures of execution: fills on the price, markouts, slippage, waiting, orders, trades."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.analytics.metrics import NS_DAY, Z95
from hatmanifesto.analytics.mids import MidPath
from hatmanifesto.analytics.spacing import duration
from hatmanifesto.apps.report.figures_profit import Shown
from hatmanifesto.apps.report.parts import (
    LEGEND,
    NS_MS,
    POINTS_MAX,
    Figure,
    Missing,
    Spec,
    Variant,
    axis,
    bars,
    line,
    millis,
    names_axis,
    plural,
    seconds_axis,
    shades,
    share_of,
    signed_colours,
    thin,
    time_axis,
)
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.report_data import spacing_ns
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.units import NS_HOUR, NS_S, format_fixed

MARKERS_MAX = 1_600
COINS_DRAWN = 12
"""Fills on the price are drawn for so many coins, the most traded; the reader picks one."""
BUCKETS_MAX = 96


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
    hover = {"connectgaps": False, "hovertemplate": "%{y:,}<extra>mid</extra>"}
    return line("mid", x, y, "@muted", width=1, **hover)


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


def fills_figure(analysis: Analysis) -> Shown:
    """Return the fills of a coin on its mid price; the reader picks the coin."""
    title = "Fills on the price"
    by_coin: dict[int, list[FillRow]] = {}
    for row in analysis.facts.fills:
        by_coin.setdefault(row.coin, []).append(row)
    if not by_coin:
        return Missing(title, "no fills")
    turnover = {coin: sum(row.notional for row in rows) for coin, rows in by_coin.items()}
    coins = sorted(turnover, key=lambda coin: (-turnover[coin], coin))[:COINS_DRAWN]
    drawn = 0
    contents: list[Variant] = []
    for coin in coins:
        traces, shown = _coin_traces(analysis, coin, by_coin[coin], len(coins))
        drawn += shown
        asset = analysis.identity.assets[coin]
        layout = {
            "showlegend": True,
            "xaxis": time_axis(analysis.equity),
            "yaxis": axis(f"{asset.coin} price, USDC"),
            "shapes": shades([gap for gap in analysis.facts.gaps if gap.coin == coin]),
            "legend": LEGEND,
        }
        label = f"{asset.coin} ({plural(len(by_coin[coin]), 'fill')})"
        contents.append(Variant(label, traces, layout))
    total = sum(len(by_coin[coin]) for coin in coins)
    caption = "Triangles up are buys, down are sells; filled as maker, hollow as taker."
    caption += f" {drawn:,d} of {total:,d} fills drawn, evenly thinned." if drawn < total else ""
    if len(coins) < len(by_coin):
        caption += f" The {len(coins)} most traded of {len(by_coin)} coins can be picked."
    first, *others = contents
    n = f"{plural(len(analysis.facts.fills), 'fill')} in all"
    return Figure(
        "fills",
        title,
        first.traces,
        first.layout,
        430,
        caption,
        n,
        label=first.label,
        choices=others,
    )


def _coin_traces(
    analysis: Analysis, coin: int, fills: Sequence[FillRow], coins: int
) -> tuple[list[Spec], int]:
    """Return the traces of one coin and how many of its fills they show."""
    asset = analysis.identity.assets[coin]
    scale = 2 * 10**asset.px_decimals
    limit = share_of(POINTS_MAX, coins)
    traces = [mid_line(analysis.paths[coin], scale=scale, limit=limit)]
    every = max(1, -(-len(fills) // share_of(MARKERS_MAX, coins)))
    kept = fills[::every]
    for side, word in ((1, "buy"), (-1, "sell")):
        for is_taker, how in ((False, "maker"), (True, "taker")):
            rows = [row for row in kept if (row.side, row.is_taker) == (side, is_taker)]
            if rows:
                traces.append(fill_marks(rows, asset, word=word, how=how))
    return traces, len(kept)


def markout_figure(analysis: Analysis) -> Shown:
    """Return where the mid went after maker and taker fills, with 95 % intervals."""
    title = "Markouts after our fills"
    if not any(row.bps is not None for row in analysis.markouts):
        return Missing(title, "no fill with a known mid after it")
    horizons = sorted({row.horizon_s for row in analysis.markouts})
    spacing = spacing_ns(analysis)
    if spacing > horizons[-1] * NS_S:
        why = f"mids come every {duration(spacing)}, the longest horizon is {horizons[-1]} s"
        return Missing(title, why)
    traces: list[Spec] = []
    for how, colour, shift in (("maker", "@accent", -0.06), ("taker", "@sell", 0.06)):
        rows = [row for row in analysis.markouts if row.liquidity == how and row.bps is not None]
        if not rows:
            continue
        error = {
            "type": "data",
            "array": [None if row.se is None else round(Z95 * row.se, 4) for row in rows],
            "thickness": 1.2,
            "width": 4,
            "color": colour,
        }
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": how,
                "x": [horizons.index(row.horizon_s) + shift for row in rows],
                "y": [round(row.bps or 0.0, 4) for row in rows],
                "text": [f"{row.horizon_s} s, n = {row.n:,d}" for row in rows],
                "error_y": error,
                "line": {"color": colour, "width": 1.2, "dash": "dot"},
                "marker": {
                    "color": colour,
                    "size": 7,
                    "symbol": "circle" if how == "maker" else "square",
                },
                "hovertemplate": "%{text}: %{y:.2f} bps<extra>" + how + "</extra>",
            }
        )
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
        "yaxis": axis("mid move in our favour, bps of price"),
        "legend": LEGEND,
    }
    caption = (
        "From fill price to later mid, weighted by value; bars are 95 % intervals clustered by "
        "minute. Above zero: the fill was good."
    )
    counts = [row.n for row in analysis.markouts if row.horizon_s == horizons[0]]
    n = f"{plural(sum(counts), 'fill')} at {horizons[0]} s"
    return Figure("markouts", title, traces, layout, 330, caption, n, True)


def turnover_figure(analysis: Analysis) -> Shown:
    """Return the value traded over time as maker and as taker."""
    title = "Turnover over time"
    fills = analysis.facts.fills
    if not fills or analysis.equity is None:
        return Missing(title, "no fills")
    first, last = (int(analysis.equity.ts[at]) for at in (0, -1))
    sizes = (NS_S, 10 * NS_S, 60 * NS_S, 600 * NS_S, NS_HOUR, 6 * NS_HOUR, NS_DAY, 7 * NS_DAY)
    size = next((one for one in sizes if (last - first) <= one * BUCKETS_MAX), 28 * NS_DAY)
    start_of = first // min(size, NS_DAY) * min(size, NS_DAY)
    traces: list[Spec] = []
    for is_taker, how, colour in ((False, "maker", "@accent"), (True, "taker", "@sell")):
        sums: Counter[int] = Counter()
        for row in fills:
            if row.is_taker == is_taker:
                sums[start_of + (row.ts - start_of) // size * size] += row.notional
        if sums:
            starts = sorted(sums)
            x = [(start + size // 2) // NS_MS for start in starts]
            y = [round(sums[start] / 10**6, 2) for start in starts]
            hover = "%{y:,.2f} USDC<extra>" + how + "</extra>"
            traces.append(bars(how, x, y, colour, hovertemplate=hover, width=size / NS_MS * 0.9))
    layout = {
        "barmode": "stack",
        "showlegend": True,
        "legend": LEGEND,
        "xaxis": time_axis(analysis.equity),
        "yaxis": axis(f"USDC in {duration_of(size)}"),
    }
    caption = "Value of fills by when they happened."
    n = plural(len(fills), "fill")
    return Figure("turnover", title, traces, layout, 300, caption, n, True)


def duration_of(size: int) -> str:
    """Return a bucket's length for an axis title."""
    for unit, word in ((NS_DAY, "day"), (NS_HOUR, "hour"), (60 * NS_S, "minute")):
        if size >= unit:
            return f"{size // unit} {word}{'s' if size > unit else ''}"
    return f"{size // NS_S} s"


def orders_figure(analysis: Analysis) -> Shown:
    """Return how the orders ended."""
    title = "How orders ended"
    found = sorted(analysis.facts.statuses, key=lambda item: (item[1], item[0]))[-14:]
    if not found:
        return Missing(title, "no orders")
    total = analysis.facts.orders
    trace = {
        **bars("orders", [count for _, count in found], [name for name, _ in found], "@accent"),
        "orientation": "h",
        "width": min(0.7, 0.22 * len(found)),
        "text": [f"{count:,d} ({100 * count / total:.1f} %)" for _, count in found],
        "textposition": "auto",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{x:,d}<extra></extra>",
    }
    layout = {
        "showlegend": False,
        "xaxis": axis("number of orders"),
        "yaxis": names_axis("last status"),
    }
    caption = "Last status of every order that left; refusals of hats are in the table below."
    n = plural(total, "order")
    return Figure("orders", title, [trace], layout, 300, caption, n, True)


def trades_scatter_figure(analysis: Analysis) -> Shown:
    """Return the profit of each trade against how long it was held."""
    title = "Trades: profit against holding time"
    trades = analysis.trades
    if len(trades) < 2:
        return Missing(title, "fewer than two trades closed")
    kept = trades[:: max(1, -(-len(trades) // MARKERS_MAX))]
    held = [max(0.001, round((trade.closed - trade.opened) / NS_S, 3)) for trade in kept]
    y = [round(trade.pnl / 10**6, 6) for trade in kept]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": "trade",
        "x": held,
        "y": y,
        "text": [analysis.identity.assets[trade.coin].coin for trade in kept],
        "marker": {
            "color": signed_colours(y),
            "symbol": ["circle" if value >= 0 else "x-thin-open" for value in y],
            "size": 7,
            "opacity": 0.7,
        },
        "hovertemplate": "%{text}, held %{x:,.1f} s: %{y:,.4f} USDC<extra></extra>",
    }
    layout = {
        "showlegend": False,
        "xaxis": seconds_axis("time held, s, min, h (log scale)", held),
        "yaxis": axis("profit of the trade, USDC"),
    }
    caption = "From flat to flat, fees and funding included; open positions are left out."
    caption += f" {len(kept):,d} drawn, evenly thinned." if len(kept) < len(trades) else ""
    n = plural(len(trades), "trade")
    return Figure("trade-times", title, [trace], layout, 320, caption, n, True)
