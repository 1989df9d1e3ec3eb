"""Figures that cut net profit: by cause, by strategy, by coin, by hour of the day, by regime."""

from collections.abc import Mapping, Sequence
from typing import Any

from hatmanifesto.analytics.attribution import Components
from hatmanifesto.apps.report.figures_profit import Shown
from hatmanifesto.apps.report.parts import (
    HALF_MICRO,
    LEGEND,
    Figure,
    Missing,
    Spec,
    axis,
    bars,
    names_axis,
    pen_of,
    plural,
    signed_colours,
    spans_of,
    top_of,
)
from hatmanifesto.apps.report.tables_split import PARTS
from hatmanifesto.apps.report_build import COMPONENT_NAMES, Analysis
from hatmanifesto.apps.report_text import book_names

BARS_MAX = 24
"""More coins or strategies than this are summed as "others"."""
KNOWN = "funding known"
"""The part of funding that the data hold, where some hours are unknown; net contains it."""


def waterfall_figure(analysis: Analysis) -> Shown:
    """Return the path from nothing to net, part by part; of unknown funding what is known."""
    title = "Where the result comes from"
    if analysis.status == "empty":
        return Missing(title, "no fills")
    total = analysis.attribution.total
    known = [(name.replace("_", " "), getattr(total, name)) for name in COMPONENT_NAMES]
    if total.funding is None:
        known = [
            (KNOWN, total.funding_known) if value is None else (n, value) for n, value in known
        ]
    steps = [(name, value) for name, value in known if value]
    zero = [name for name, value in known if value == 0]
    trace = {
        "type": "waterfall",
        "x": [name.replace(" ", "<br>") for name, _ in steps] + ["net"],
        "y": [round(value / HALF_MICRO, 7) for _, value in steps] + [None],
        "measure": ["relative"] * len(steps) + ["total"],
        "increasing": {"marker": {"color": "@gain"}},
        "decreasing": {"marker": {"color": "@loss"}},
        "totals": {"marker": {"color": "@accent"}},
        "connector": {"line": {"color": "@axis", "width": 1}},
        "text": [f"{value / HALF_MICRO:+,.2f}" for _, value in steps]
        + [f"{total.net / HALF_MICRO:+,.2f}"],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{x}: %{delta:,.4f} USDC<extra></extra>",
    }
    layout = {
        "showlegend": False,
        "xaxis": names_axis("part of net profit", tickangle=-30),
        "yaxis": axis("USDC"),
    }
    caption = "Parts sum to net exactly; the table says what each means."
    caption += f" Zero: {', '.join(zero)}." if zero else ""
    if total.funding is None:
        caption += " Funding is unknown as a whole: some hours have no recorded rate."
    n = plural(total.fills, "fill")
    return Figure("attribution", title, [trace], layout, 470, caption, n, True)


def books_split_figure(analysis: Analysis) -> Shown:
    """Return the parts of each strategy's net, gains stacked up and costs stacked down."""
    title = "Where each strategy's result comes from"
    by_book = analysis.attribution.by_book
    if len(by_book) < 2:
        return Missing(title, "one strategy")
    names = book_names(analysis)
    shown, rest = _shown(by_book)
    labels = [names.get(key, "house") for key in shown] + (["others"] if rest else [])
    traces: list[Spec] = []
    for place, part in enumerate(PARTS):
        values = [_value(by_book[key], part) for key in shown]
        values += [sum(_value(by_book[key], part) for key in rest)] if rest else []
        if any(values):
            word = part.replace("_", " ")
            y = [round(value / HALF_MICRO, 6) for value in values]
            hover = "%{x}, " + word + ": %{y:,.4f} USDC<extra></extra>"
            traces.append(bars(word, labels, y, pen_of(place)["colour"], hovertemplate=hover))
    nets = [by_book[key].net for key in shown]
    nets += [sum(by_book[key].net for key in rest)] if rest else []
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "net",
            "x": labels,
            "y": [round(value / HALF_MICRO, 6) for value in nets],
            "marker": {"symbol": "diamond", "size": 10, "color": "@ink"},
            "hovertemplate": "%{x}, net: %{y:,.4f} USDC<extra></extra>",
        }
    )
    layout = {
        "barmode": "relative",
        "showlegend": True,
        "legend": LEGEND,
        "xaxis": names_axis("strategy"),
        "yaxis": axis("USDC"),
    }
    caption = "Gains above zero, costs below; the diamond is net. Known funding only."
    caption += _others(rest, "strategies")
    n = plural(sum(part.fills for part in by_book.values()), "fill")
    return Figure("by-strategy", title, traces, layout, 400, caption, n)


def _shown(parts: Mapping[Any, Components]) -> tuple[list[Any], list[Any]]:
    """Return the keys drawn one by one, best net first, and those summed as others."""
    keys = list(parts)
    if len(keys) > BARS_MAX:
        keys = top_of({key: float(part.net) for key, part in parts.items()}, BARS_MAX - 1)
    keys.sort(key=lambda key: (-parts[key].net, key))
    return keys, [key for key in parts if key not in keys]


def _others(rest: Sequence[Any], what: str) -> str:
    if not rest:
        return ""
    return (
        f" Drawn one by one: the {BARS_MAX - 1} with the largest gain or loss; "
        f"others: the sum of {len(rest)} more {what}, all in the table."
    )


def _value(part: Components, name: str) -> int:
    value: int | None = part.funding_known if name == "funding" else getattr(part, name)
    return value or 0


def coins_figure(analysis: Analysis) -> Shown:
    """Return the net profit of each coin, best first."""
    title = "Net profit by coin"
    by_coin = analysis.attribution.by_coin
    if len(by_coin) < 2:
        return Missing(title, "fewer than two coins with fills")
    shown, rest = _shown(by_coin)
    assets = analysis.identity.assets
    names = [assets[key].coin for key in shown] + (["others"] if rest else [])
    nets = [by_coin[key].net for key in shown]
    nets += [sum(by_coin[key].net for key in rest)] if rest else []
    counts = [by_coin[key].fills for key in shown]
    counts += [sum(by_coin[key].fills for key in rest)] if rest else []
    y = [round(value / HALF_MICRO, 6) for value in nets]
    trace = bars("net", names, y, signed_colours(y))
    trace["text"] = [plural(count, "fill") for count in counts]
    trace["textposition"] = "none"
    trace["hovertemplate"] = "%{x}: %{y:,.4f} USDC, %{text}<extra></extra>"
    caption = "Fees and known funding included, best first." + _others(rest, "coins")
    found = {bucket.key: bucket for bucket in analysis.breakdowns["coin"]}
    spans = spans_of([found[key] for key in shown], y[: len(shown)])
    if spans is not None:
        trace["error_y"] = spans
        caption += " Bars: 95 % intervals, uncorrected for the number of coins."
    layout = {
        "showlegend": False,
        "xaxis": names_axis("coin"),
        "yaxis": axis("net profit, USDC"),
    }
    n = f"{plural(sum(counts), 'fill')} in {len(by_coin)} coins"
    is_half = len(names) <= BARS_MAX // 2
    return Figure("by-coin", title, [trace], layout, 320, caption, n, is_half)


def hours_figure(analysis: Analysis) -> Shown:
    """Return what each hour of the day earned."""
    title = "Net profit by hour of the day"
    buckets = [bucket for bucket in analysis.breakdowns["hour"] if bucket.earned is not None]
    if len(buckets) < 2:
        return Missing(title, "the run lies within one hour of the day")
    y = [round((bucket.earned or 0) / HALF_MICRO, 6) for bucket in buckets]
    hours = [bucket.key for bucket in buckets]
    trace = bars("net", hours, y, signed_colours(y))
    trace["text"] = [plural(bucket.parts.fills, "fill") for bucket in buckets]
    trace["textposition"] = "none"
    trace["hovertemplate"] = "%{x}:00 to %{x}:59: %{y:,.4f} USDC, %{text}<extra></extra>"
    days = len(analysis.breakdowns["day"])
    caption = f"What the account earned while the hour lasted, summed over {plural(days, 'day')}."
    spans = spans_of(buckets, y)
    if spans is not None:
        trace["error_y"] = spans
        caption += " Bars: 95 % intervals clustered by day, uncorrected for 24 looks."
    layout = {
        "showlegend": False,
        "xaxis": {**axis("hour of the day, UTC"), "dtick": 1 if len(hours) < 13 else 2},
        "yaxis": axis("net profit, USDC"),
    }
    n = plural(sum(bucket.parts.fills for bucket in buckets), "fill")
    return Figure("by-hour", title, [trace], layout, 320, caption, n, True)


def regimes_figure(analysis: Analysis) -> Shown:
    """Return the net of the fills decided in each market regime."""
    title = "Net profit by market regime"
    buckets = analysis.breakdowns["regime"]
    if not any(bucket.key > 0 for bucket in buckets):
        return Missing(title, "no order carries a regime label")
    labels = [analysis.names.of("regime", bucket.key) for bucket in buckets]
    y = [round(bucket.parts.net / HALF_MICRO, 6) for bucket in buckets]
    trace = bars("net", labels, y, signed_colours(y))
    trace["text"] = [plural(bucket.parts.fills, "fill") for bucket in buckets]
    trace["textposition"] = "none"
    trace["hovertemplate"] = "%{x}: %{y:,.4f} USDC, %{text}<extra></extra>"
    caption = "By the label when the order was decided, from fill to the end of the run."
    spans = spans_of(buckets, y)
    if spans is not None:
        trace["error_y"] = spans
        caption += " Bars: 95 % intervals, uncorrected for the number of regimes."
    layout = {
        "showlegend": False,
        "xaxis": names_axis("regime at the decision"),
        "yaxis": axis("net profit, USDC"),
    }
    n = plural(sum(bucket.parts.fills for bucket in buckets), "fill")
    return Figure("by-regime", title, [trace], layout, 320, caption, n, True)
