"""The index of a run's reports: the result, a calendar of its days, every period and every file."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from html import escape
from typing import Any, NamedTuple

import numpy as np

from hatmanifesto.analytics.periods import NO_DATA, NO_FILLS
from hatmanifesto.apps.period_tables import periods_table
from hatmanifesto.apps.report.head import tiles
from hatmanifesto.apps.report.parts import HALF_MICRO
from hatmanifesto.apps.report.small import (
    Link,
    amount,
    anchor,
    figure,
    places_for,
    plots,
    section,
    small_page,
    top,
)
from hatmanifesto.apps.report.svg import Bar, Frame, Line, columns_svg, lines_svg
from hatmanifesto.apps.report.tables import table
from hatmanifesto.apps.report.ticks import MONTHS
from hatmanifesto.apps.report_data import ReportData
from hatmanifesto.apps.report_folder import PLACES
from hatmanifesto.apps.report_text import EVIDENCE_WORDS, caveats, coins_text, headline
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import NS_S, format_fixed

Object = Mapping[str, Any]

SHADES = 4
"""Groups of equal number by the size of a day's gain or loss, the largest darkest."""
WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
NOT_PRODUCED = "not produced by this release"
NOT_IN_RUN = "nothing of it in this run"
ABOUT = {
    "executive_dashboard.html": "the page of the run: result, findings, every figure and table",
    "tearsheets/comprehensive": "the same page",
    "tearsheets/latest.json": "every key figure of the run with interval, n and unit",
    "tearsheets/daily": "every day in one table; a page, JSON and ledger rows of each beside it",
    "tearsheets/weekly": "the same by week",
    "tearsheets/monthly": "the same by month",
    "ledgers/trades.csv": "one row a fill and a funding payment: what all else is computed from",
    "ledgers/trades.parquet": "the same, typed",
    "latency": "from the venue's stamp to our receipt, by coin and liquidity [ms]",
    "execution": "slippage against the mid at the decision, by coin and liquidity [bps]",
    "maker_taker": "fills, value and fees by coin and liquidity",
    "microstructure": "markouts: where the mid went after our fills [bps]",
    "impact_calibration": "how far our own orders move the price",
    "funding": "every payment, its rate, oracle price and position",
    "funding of carries": "both legs of every carry, expected and actual break-even",
    "regime": "fills by the regime stored with their order",
    "risk": "profit, drawdown and exposure over time",
    "risk_events": "vetoes, refusals, margin calls, holes of the recording",
    "portfolio": "net and its parts by strategy",
    "capacity": "how much capital the strategies can carry",
    "capital_scaling": "results by size of the account",
    "stress": "results under invented shocks",
    "walkforward": "tuned on one span, tested on the next",
    "research": "trials and their correction",
    "splits": "which span was for tuning and which for testing",
    "ml": "learned models",
    "rl_agent": "learned policies",
    "reconciliation": "our books against the venue's",
    "pnl_attribution": "net and its parts by coin, exact",
    "monitoring": "service levels",
    "chaos": "injected faults and what came of them",
    "security": "scans of keys and dependencies",
    "audit": "what the run was made with, sealed by its hash",
    "hash_manifest.json": "SHA-256 of every file here and of what they were made from",
    "sbom.json": "the software it was made with",
    "README.md": "what the columns mean",
}
"""One line on each place that a reader may look for."""


class Periods(NamedTuple):
    """The objects of every day, week and month."""

    daily: Sequence[Object]
    weekly: Sequence[Object]
    monthly: Sequence[Object]


def index_page(
    data: ReportData, about: Object, periods: Periods, places: Sequence[tuple[str, str]]
) -> bytes:
    """Return the index.

    Args:
        data: of the run, for its sentence, first numbers and equity.
        about: what every report says of the run.
        periods: their objects.
        places: what a reader may look for, and the file that answers or "".
    """
    decimals = places_for(format_fixed(data.main.identity.capital, decimals=6))
    report = dict(places)["executive_dashboard.html"]
    told = [escape(coins_text(data.coins)), f"run {escape(about['run_id'])}"]
    told += [anchor(report, "page of the run")] if report else []
    badge = f"{data.evidence} - {EVIDENCE_WORDS[Evidence(data.evidence)]}"
    notes = "".join(f"<li>{escape(note)}</li>" for note in caveats(data))
    body = [
        *top(told, headline(data), about["warnings"], badge=badge),
        tiles(data),
        f'<ul class="notes">{notes}</ul>' if notes else "",
        section("profit", "Profit", _figures(data, periods, decimals)),
        section("calendar", "Calendar", calendar(periods.daily)),
    ]
    for kind, word in (("monthly", "month"), ("weekly", "week"), ("daily", "day")):
        rows = getattr(periods, kind)
        folder = f"tearsheets/{kind}"
        shown = periods_table(word, rows, decimals, folder=folder) if rows else ""
        body.append(section(kind, f"{word.title()}s, UTC", shown))
    body.append(section("files", "Every file", _files(places)))
    links = [Link(report, "Page of the run")] if report else []
    links += [Link("#profit", "Profit"), Link("#calendar", "Calendar"), Link("#monthly", "Months")]
    links += [Link("#weekly", "Weeks"), Link("#daily", "Days"), Link("#files", "Every file")]
    return small_page(f"Reports of {about['run_id']}", body, links)


def _figures(data: ReportData, periods: Periods, decimals: int) -> str:
    equity, source = data.main.equity, f"Source: {data.source}; run {data.main.identity.run_id}."
    if equity is None:
        return ""
    ts = equity.ts.tolist()
    profit = np.round(equity.pnl / HALF_MICRO, 6).tolist()
    depth = np.round(np.negative(equity.drawdown / HALF_MICRO), 6).tolist()
    months = len(periods.monthly) > 1
    rows = periods.monthly if months else periods.daily
    rows = [one for one in rows if one["status"] != NO_DATA]
    word = "month" if months else "day"
    bars = [
        Bar(
            one["period"] if months else one["period"][5:],
            float(one["net_pnl_usdc"]),
            amount(one["net_pnl_usdc"], decimals, is_signed=True),
            " USDC",
        )
        for one in rows
    ]
    step = f"One point every {equity.step_ns // NS_S:,d} s."
    return plots(
        figure(
            "Profit since the start",
            lines_svg([Line("profit", ts, profit)], Frame("Profit", "time, UTC", "profit, USDC")),
            f"Cash plus positions at the mid, less fees, plus known funding. {step} {source}",
        ),
        figure(
            "Drawdown",
            lines_svg(
                [Line("drawdown", ts, depth, "loss", "", True)],
                Frame("Drawdown", "time, UTC", "drawdown, USDC"),
                height_em=9,
            ),
            f"Below the highest profit so far, start included. {source}",
            is_half=len(bars) > 1,
        ),
        figure(
            f"Net profit by {word}",
            columns_svg(
                bars, Frame(f"Net by {word}", f"{word}, UTC", "net profit, USDC"), height_em=9
            ),
            f"What the account earned while each {word} lasted. n = {len(bars)} {word}s. {source}",
            is_half=True,
        )
        if len(bars) > 1
        else "",
    )


def calendar(days: Sequence[Object]) -> str:
    """Return the days by month, shaded by gain or loss, each a link to its page."""
    if not days:
        return ""
    sizes = sorted(abs(Decimal(one["net_pnl_usdc"])) for one in days if one["status"] != NO_DATA)
    sizes = [size for size in sizes if size]
    months: dict[str, list[Object]] = {}
    for one in days:
        months.setdefault(one["period"][:7], []).append(one)
    blocks = [_month(month, rows, sizes) for month, rows in months.items()]
    key = (
        '<ul class="key"><li><i class="up1"></i><i class="up2"></i><i class="up3"></i>'
        '<i class="up4"></i>gain, +</li><li><i class="down1"></i><i class="down2"></i>'
        '<i class="down3"></i><i class="down4"></i>loss, -</li>'
        '<li><i></i>0: neither</li><li><i class="quiet"></i>no fills</li>'
        '<li><i class="void"></i>no data</li></ul>'
        '<p class="muted">Net profit of each day, USDC. Shades are four groups of equal number by '
        "the size of gain or loss.</p>"
    )
    return f'{key}<div class="cal">{"".join(blocks)}</div>'


def _month(month: str, rows: Sequence[Object], sizes: Sequence[Decimal]) -> str:
    first = date.fromisoformat(rows[0]["period"])
    cells = ['<td aria-hidden="true"></td>'] * first.weekday()
    cells += [_day(one, sizes) for one in rows]
    cells += ['<td aria-hidden="true"></td>'] * (-len(cells) % 7)
    lines = "".join(f"<tr>{''.join(cells[at : at + 7])}</tr>" for at in range(0, len(cells), 7))
    heads = "".join(f'<th scope="col">{name}</th>' for name in WEEKDAYS)
    title = f"{MONTHS[int(month[5:]) - 1]} {month[:4]}"
    return (
        f"<div><h3>{title}</h3><table><thead><tr>{heads}</tr></thead>"
        f"<tbody>{lines}</tbody></table></div>"
    )


def _day(one: Object, sizes: Sequence[Decimal]) -> str:
    name, net = one["period"], Decimal(one["net_pnl_usdc"])
    size = escape(short_amount(net))
    told = f"{name}: {size} USDC net, {one['fills']:,d} fills"
    kind = ""
    if one["status"] == NO_DATA:
        kind, size, told = "void", "-", f"{name}: no data"
    elif one["status"] == NO_FILLS and not net:
        kind, size, told = "quiet", "none", f"{name}: no fills"
    elif net:
        kind = f"{'up' if net > 0 else 'down'}{shade(abs(net), sizes)}"
        kind += " quiet" if one["status"] == NO_FILLS else ""
    link = (
        f'<a class="page" href="tearsheets/daily/{name}.html" title="{told}" '
        f'aria-label="{told}"><b>{int(name[8:])}</b>{size}</a>'
    )
    return f'<td class="{kind}">{link}</td>' if kind else f"<td>{link}</td>"


def shade(size: Decimal, sizes: Sequence[Decimal]) -> int:
    """Return the group of a size among all, 1 the smallest quarter; equal sizes share a group."""
    below = sum(other < size for other in sizes)
    return 1 + SHADES * below // len(sizes)


def short_amount(net: Decimal) -> str:
    """Return a signed amount in six letters or fewer, three figures of it; never a false zero."""
    size = abs(net)
    sign = "+" if net > 0 else "-" if net < 0 else ""
    if size >= 999_950:
        return f"{sign}{size / 1_000_000:.3g}m" if size < 999_500_000 else f"{sign}{size:.1e}"
    if size >= 1_000:
        text = f"{size / 1_000:.1f}" if size < 99_950 else f"{size / 1_000:.0f}"
        return f"{sign}{text}k"
    if size >= 100:
        return f"{sign}{size:.0f}"
    if size >= Decimal("0.01") or not size:
        return f"{sign}{size:.1f}" if size >= 10 else f"{sign}{size:.2f}" if size else "0"
    return f"{sign}<.01"


def _files(places: Sequence[tuple[str, str]]) -> str:
    made, rows = dict(PLACES), []
    for name, path in places:
        if path:
            answer = anchor(path, path.rsplit("../", 1)[-1])
        else:
            why = NOT_IN_RUN if made[name] else NOT_PRODUCED
            answer = f'<span class="muted">{why}</span>'
        rows.append(f"<tr><td>{escape(name)}</td><td>{answer}</td><td>{ABOUT[name]}</td></tr>")
    return table(["looked for", "file", "what it is"], rows)
