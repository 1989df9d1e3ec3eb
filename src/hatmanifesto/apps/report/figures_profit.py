"""Figures of profit over time: equity, strategies, parts as they added up, calendar."""

from datetime import UTC, datetime

import numpy as np

from hatmanifesto.analytics.allot import funding_shares
from hatmanifesto.analytics.metrics import NS_DAY
from hatmanifesto.analytics.mids import Int64
from hatmanifesto.analytics.series import profits_by
from hatmanifesto.analytics.spacing import duration
from hatmanifesto.apps.report.parts import (
    LEGEND,
    NS_MS,
    POINTS_MAX,
    SERIES,
    Figure,
    Missing,
    Spec,
    axis,
    even,
    line,
    millis,
    names_axis,
    pen_of,
    plural,
    shades,
    share_of,
    thin,
    time_axis,
    top_of,
    usdc,
)
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.report_text import book_names
from hatmanifesto.domain.units import MICRO, NS_S

CALENDAR_DAYS_MIN = 10
WEEKS_NAMED = 7
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Shown = Figure | Missing


def equity_figure(analysis: Analysis) -> Shown:
    """Return profit over time, beside doing nothing and holding, above its fall from the high."""
    title = "Net profit and drawdown"
    equity = analysis.equity
    if equity is None:
        return Missing(title, "no mid in the data")
    pick = thin(equity.pnl, POINTS_MAX)
    x = millis(equity.ts[pick])
    profit = line("this run", x, usdc(equity.pnl[pick]), "@accent", width=1.9)
    ends = millis(equity.ts[[0, -1]])
    cash = line("cash (doing nothing)", ends, [0, 0], "@muted", width=1.2, dash="dash")
    traces = [profit, cash, *_hold_line(analysis, pick)]
    fall = line("drawdown", x, usdc(-equity.drawdown[pick]), "@loss", width=1, yaxis="y2")
    fall |= {"fill": "tozeroy", "fillcolor": "@lossfill", "showlegend": False}
    layout = {
        "showlegend": True,
        "legend": LEGEND,
        "xaxis": {**time_axis(equity), "anchor": "y2"},
        "yaxis": axis("net profit, USDC", domain=[0.4, 1]),
        "yaxis2": axis("drawdown, USDC", domain=[0, 0.3]),
        "shapes": shades(analysis.facts.gaps),
        "hovermode": "x unified",
    }
    step = duration(equity.step_ns)
    caption = (
        f"Marked at the mid every {step}; net of fees and known funding. "
        "Below: how far under its highest point so far."
    )
    if analysis.benchmark is not None:
        caption += (
            f" Holding: the capital in equal shares in {plural(analysis.benchmark.coins, 'coin')}, "
            "bought at the first mid, sold at the last, taker fees paid."
        )
    if analysis.facts.gaps:
        caption += " Shaded: holes in the recording."
    n = plural(len(equity.ts) - 1, "step")
    return Figure("equity", title, [*traces, fall], layout, 460, caption, n)


def _hold_line(analysis: Analysis, pick: Int64) -> list[Spec]:
    equity, benchmark = analysis.equity, analysis.benchmark
    if equity is None or benchmark is None:
        return []
    y = [round(value, 6) for value in benchmark.hold[pick].tolist()]
    return [line("holding the coins", millis(equity.ts[pick]), y, "@series3", dash="dot")]


def books_figure(analysis: Analysis) -> Shown:
    """Return profit over time of each strategy; beyond eight the smallest are summed."""
    title = "Net profit by strategy over time"
    equity = analysis.equity
    if equity is None:
        return Missing(title, "no mid in the data")
    if len(analysis.attribution.by_book) < 2:
        return Missing(title, "one strategy")
    facts = analysis.facts
    grid = equity.ts[even(len(equity.ts), share_of(POINTS_MAX, 4))]
    series = profits_by(
        [row.book for row in facts.fills],
        facts.fills,
        analysis.paths,
        grid=grid,
        shares=funding_shares(facts.funding, facts.fills),
    )
    traces = _lines(grid, series, book_names(analysis))
    layout = {
        "showlegend": True,
        "legend": LEGEND,
        "xaxis": time_axis(equity),
        "yaxis": axis("net profit, USDC"),
        "shapes": shades(facts.gaps),
        "hovermode": "x unified",
    }
    caption = "Each strategy's own sub-ledger at the mid, fees and its share of funding included."
    if len(series) > SERIES:
        caption += f" The {SERIES - 1} with the largest result; the rest are summed as others."
    count = sum(book >= 0 for book in series)
    n = f"{count} {'strategy' if count == 1 else 'strategies'}"
    return Figure("strategies", title, traces, layout, 340, caption, n)


def _lines(grid: Int64, series: dict[int, Int64], names: dict[int, str]) -> list[Spec]:
    shown = list(series)
    if len(series) > SERIES:
        shown = sorted(top_of({key: float(s[-1]) for key, s in series.items()}, SERIES - 1))
    x = millis(grid)
    traces = [
        line(names.get(key, "house"), x, usdc(series[key]), **pen_of(place))
        for place, key in enumerate(shown)
    ]
    if len(shown) < len(series):
        rest = np.sum([s for key, s in series.items() if key not in shown], axis=0)
        traces.append(line("others", x, usdc(rest), "@muted", dash="dot"))
    return traces


def parts_figure(analysis: Analysis) -> Shown:
    """Return how spread, adverse selection, timing and fees added up, fill by fill."""
    title = "Costs and gains of trading as they added up"
    fills = analysis.facts.fills
    if not fills:
        return Missing(title, "no fills")
    parts = analysis.parts
    ts = np.array([row.ts for row in fills], dtype=np.int64)
    pick = even(len(fills), share_of(POINTS_MAX, 4))
    x = millis(ts[pick])
    named = {
        "spread": parts.spread,
        "adverse selection": parts.adverse_selection,
        "timing": parts.timing,
        "fees less rebates": parts.fee,
    }
    sums = {name: np.cumsum(values) for name, values in named.items() if values.any()}
    traces = [
        line(name, x, usdc(values[pick]), **pen_of(place), shape="hv")
        for place, (name, values) in enumerate(sums.items())
    ]
    layout = {
        "showlegend": True,
        "legend": LEGEND,
        "xaxis": time_axis(analysis.equity),
        "yaxis": axis("sum so far, USDC"),
        "shapes": shades(analysis.facts.gaps),
        "hovermode": "x unified",
    }
    caption = (
        "What the fills themselves earned and cost; what holding brought is left out. "
        "A maker earns when spread outruns adverse selection and fees."
    )
    return Figure("parts", title, traces, layout, 380, caption, plural(len(fills), "fill"), True)


def calendar_figure(analysis: Analysis) -> Shown:
    """Return the profit of each day, weeks across and weekdays down."""
    title = "Net profit by day"
    equity = analysis.equity
    if equity is None:
        return Missing(title, "no mid in the data")
    days, sums = daily_profit(analysis)
    if len(days) < CALENDAR_DAYS_MIN:
        return Missing(title, f"{plural(len(days), 'day')}, {CALENDAR_DAYS_MIN} are needed")
    weekday = (days + 3) % 7  # the epoch was a Thursday
    week = days - weekday
    weeks = list(range(int(week[0]), int(week[-1]) + 1, 7))
    cells: list[list[float | None]] = [[None] * len(weeks) for _ in WEEKDAYS]
    words = [[""] * len(weeks) for _ in WEEKDAYS]
    for day, row, first, value in zip(
        days.tolist(), weekday.tolist(), week.tolist(), usdc(sums), strict=True
    ):
        at = (first - weeks[0]) // 7
        cells[row][at] = value
        words[row][at] = f"{_date(day)}: {value:,.2f} USDC"
    bound = max(1e-6, float(np.abs(sums).max()) / 2e6)
    trace = {
        "type": "heatmap",
        "x": [_date(first) for first in weeks],
        "y": list(WEEKDAYS),
        "z": cells,
        "text": words,
        "zmin": -bound,
        "zmax": bound,
        "colorscale": [[0, "@loss"], [0.5, "@neutral"], [1, "@gain"]],
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": "%{text}<extra></extra>",
        "colorbar": {"title": {"text": "USDC"}, "thickness": 10, "outlinewidth": 0},
    }
    layout = {
        "xaxis": names_axis(
            "week from Monday, UTC",
            tickmode="array",
            tickvals=[_date(weeks[at]) for at in even(len(weeks), WEEKS_NAMED).tolist()],
            tickangle=-30,
        ),
        "yaxis": names_axis("day of the week", autorange="reversed"),
    }
    gains = int((sums > 0).sum())
    caption = f"{gains} of {plural(len(sums), 'day')} with a gain. Days start at 00:00 UTC."
    if bool((equity.ts[1:] - equity.ts[:-1] > NS_DAY).any()):
        caption += " A hole of more than a day counts on the day it begins."
    return Figure("calendar", title, [trace], layout, 260, caption, plural(len(sums), "day"))


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * NS_DAY // NS_S, tz=UTC).strftime("%Y-%m-%d")


def daily_profit(analysis: Analysis) -> tuple[Int64, Int64]:
    """Return the days with profit or loss [days since the epoch] and what each earned, (n_days,).

    Money in half micro-USDC.
    """
    buckets = [bucket for bucket in analysis.breakdowns["day"] if bucket.earned is not None]
    days = np.array([bucket.key for bucket in buckets], dtype=np.int64)
    return days, np.array([bucket.earned for bucket in buckets], dtype=np.int64)


def allocations_figure(analysis: Analysis) -> Shown:
    """Return the capital of each strategy over time."""
    title = "Capital by strategy"
    allocations = analysis.facts.allocations
    if not allocations:
        return Missing(title, "capital was not divided anew")
    books = analysis.identity.books
    by_book: dict[int, list[tuple[int, int]]] = {}
    for one in allocations:
        for item in one.books:
            by_book.setdefault(item.book, []).append((one.now, item.capital))
    last = analysis.equity.ts[-1:].tolist() if analysis.equity is not None else []
    traces: list[Spec] = []
    for place, (book, steps) in enumerate(sorted(by_book.items())):
        x = [now // NS_MS for now, _ in steps] + [now // NS_MS for now in last]
        y = [round(capital / MICRO, 2) for _, capital in steps]
        name = books[book] if 0 <= book < len(books) else "house"
        traces.append(line(name, x, y + y[-1:] * len(last), **pen_of(place), shape="hv"))
    layout = {
        "showlegend": True,
        "legend": LEGEND,
        "xaxis": time_axis(analysis.equity),
        "yaxis": axis("capital, USDC", rangemode="tozero"),
        "hovermode": "x unified",
    }
    methods = ", ".join(sorted({one.method for one in allocations}))
    caption = f"As divided by the allocator ({methods}); the table below says why each time."
    n = plural(len(allocations), "allocation")
    return Figure("allocations", title, traces, layout, 300, caption, n)
