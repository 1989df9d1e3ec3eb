"""The page of one day, week or month: a sentence, a few figures, the parts of net, where to go."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.mids import Int64
from hatmanifesto.analytics.periods import NO_DATA, NO_FILLS, Period
from hatmanifesto.apps.period_tables import days_table, ranked, split_table
from hatmanifesto.apps.report.figures_split import KNOWN
from hatmanifesto.apps.report.head import tile
from hatmanifesto.apps.report.parts import HALF_MICRO
from hatmanifesto.apps.report.small import (
    Link,
    amount,
    anchor,
    figure,
    places_for,
    plots,
    section,
    sign_of,
    small_page,
    top,
)
from hatmanifesto.apps.report.svg import Bar, Frame, Line, bars_svg, columns_svg, lines_svg
from hatmanifesto.apps.report.ticks import MONTHS
from hatmanifesto.apps.report_build import COMPONENT_NAMES
from hatmanifesto.apps.report_text import EVIDENCE_WORDS, UNKNOWN
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import NS_S, format_half_micro

Object = Mapping[str, Any]

WORDS = {"daily": "day", "weekly": "week", "monthly": "month"}
ALONE = (
    '<p class="muted">One {word} alone cannot tell profit from chance: the intervals are on the '
    "page of the run.</p>"
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Around(NamedTuple):
    """Where a period stands in its run.

    ``run`` is what every report says of the run, ``source`` the name of its data, ``report`` the
    way to the run's page ("" without one); ``before`` and ``after`` name its neighbours, ``outer``
    the periods (kind, name) that it lies in, ``inner`` the objects of its days.
    """

    run: Object
    source: str
    report: str
    before: str = ""
    after: str = ""
    outer: Sequence[tuple[str, str]] = ()
    inner: Sequence[Object] = ()


def period_page(around: Around, told: Object, period: Period, equity: Equity | None) -> bytes:
    """Return the page of one period.

    Args:
        around: what it links to.
        told: the period's own object, as its JSON has it.
        period: the same in exact numbers.
        equity: of the run, for the figures.
    """
    run, places = around.run, places_for(told["opening_equity_usdc"])
    word = WORDS[told["kind"]]
    sentence = _sentence(run, told, places)
    badge = f"{run['evidence']} - {EVIDENCE_WORDS[Evidence(run['evidence'])]}"
    body = top(_told(around, told), sentence, run["warnings"], badge=badge)
    if period.status != NO_DATA:
        body += [
            _tiles(told, places),
            ALONE.format(word=word),
            section("profit", "Profit", _profit(around, told, period, equity)),
            section("parts", "Where it came from", _parts(around, told, period, places)),
            _splits(told, places),
            section("days", "Days", days_table(around.inner, places) if around.inner else ""),
        ]
    body.append(section("files", "Files", _files(told)))
    return small_page(f"{run['strategy']}: {word} {told['period']}", body, _links(around, told))


def when_words(told: Object) -> str:
    """Return the period as one says it."""
    first = datetime.fromisoformat(told["from"][:10])
    if told["kind"] == "daily":
        return f"on {DAYS[first.weekday()]} {told['period']}"
    if told["kind"] == "monthly":
        return f"in {MONTHS[first.month - 1]} {first.year}"
    last = datetime.fromisoformat(told["to"][:10]).toordinal() - 1
    end = datetime.fromordinal(last).replace(tzinfo=UTC)
    return f"in the week {told['period']} ({told['from'][:10]} to {end:%Y-%m-%d})"


def _sentence(run: Object, told: Object, places: int) -> str:
    name, when = run["strategy"], when_words(told)
    net = told["net_pnl_usdc"]
    if told["status"] == NO_DATA:
        return f"No data {when}: no coin of the run was recorded, so nothing is known of it."
    verb = "made" if Decimal(net) >= 0 else "lost"
    size = amount(_text(abs(Decimal(net))), places)
    if told["status"] == NO_FILLS:
        held = f"what it held {verb} {size} USDC" if Decimal(net) else "it held nothing that moved"
        return f"{name} made no fills {when}; {held}."
    costs = costs_of(told["components"])
    if costs is None:
        fees = amount(_text(fees_of(told["components"])), places)
        said = f"after {fees} of fees, funding of some hours unknown and not counted,"
    else:
        paid = amount(_text(abs(costs)), places)
        said = f"after {paid} of costs"
        if costs < 0:
            said = f"with rebates and funding {paid} above fees"
    fills = f"{told['fills']:,d} fill{'' if told['fills'] == 1 else 's'}"
    return f"{name} {verb} {size} USDC {said} with {fills} {when}."


def costs_of(parts: Object) -> Decimal | None:
    """Return fees less rebates and funding, positive when paid; None when an hour is unknown."""
    if parts["funding"] is None:
        return None
    return fees_of(parts) - Decimal(parts["funding"])


def fees_of(parts: Object) -> Decimal:
    """Return fees less rebates, positive when paid."""
    return -Decimal(parts["fees"]) - Decimal(parts["rebates"])


def _text(value: Decimal) -> str:
    return format(value, "f")


def _told(around: Around, told: Object) -> list[str]:
    span = f"{told['from'][:16].replace('T', ' ')} to {told['to'][:16].replace('T', ' ')} UTC"
    report = anchor(around.report, "page of the run") if around.report else ""
    parts = [span, anchor("../../index.html", f"run {around.run['run_id']}", is_page=True), report]
    return [part for part in parts if part]


def _links(around: Around, told: Object) -> list[Link]:
    links = [Link("../../index.html", "All reports", True)]
    if around.before:
        links.append(Link(f"{around.before}.html", f"\u2190 {around.before}", True))
    if around.after:
        links.append(Link(f"{around.after}.html", f"{around.after} \u2192", True))
    links += [Link(f"../{kind}/{name}.html", name, True) for kind, name in around.outer]
    if told["status"] != NO_DATA:
        links += [Link("#profit", "Profit"), Link("#parts", "Where it came from")]
        links += [Link("#strategies", "Strategies"), Link("#coins", "Coins")]
        links += [Link("#days", "Days")] if around.inner else []
    return [*links, Link("#files", "Files")]


def _tiles(told: Object, places: int) -> str:
    opening, net = Decimal(told["opening_equity_usdc"]), Decimal(told["net_pnl_usdc"])
    share = f"{100 * net / opening:+,.3f} % of the opening" if opening > 0 else ""
    costs, said = costs_of(told["components"]), "fees less rebates, funding"
    if costs is None:
        said = f"fees {amount(_text(fees_of(told['components'])), places)}; funding unknown"
    known = UNKNOWN if costs is None else amount(_text(costs), places)
    parts = [
        tile(
            "Net profit, USDC",
            amount(told["net_pnl_usdc"], places, is_signed=True),
            share,
            sign_of(told["net_pnl_usdc"]),
        ),
        tile(
            "Closing equity, USDC",
            amount(told["closing_equity_usdc"], places),
            f"opened at {amount(told['opening_equity_usdc'], places)}",
        ),
        tile("Costs, USDC", known, said),
        tile(
            "Deepest drawdown, USDC",
            amount(told["max_drawdown_usdc"], places),
            "from the run's highest so far",
        ),
        tile("Fills", f"{told['fills']:,d}", ""),
        tile("Turnover, USDC", amount(told["turnover_usdc"], 2), ""),
    ]
    return f'<div class="tiles">{"".join(parts)}</div>'


def _profit(around: Around, told: Object, period: Period, equity: Equity | None) -> str:
    """Return profit and drawdown over the period, and the profit of its days."""
    word, source = WORDS[told["kind"]], _source(around)
    days = ""
    if len(around.inner) > 1:
        places = places_for(told["opening_equity_usdc"])
        known = [one for one in around.inner if one["status"] != NO_DATA]
        bars = [_bar(one["period"][5:], one["net_pnl_usdc"], places) for one in known]
        frame = Frame(f"Net profit of each day of the {word}", "day, UTC", "net profit, USDC")
        caption = (
            "What the account earned while each day lasted; days without data left out. "
            f"n = {len(known)} days. {source}"
        )
        days = figure("Net profit by day", columns_svg(bars, frame), caption)
    if equity is None:
        return plots(days)
    ts, profit, depth = _inside(period, equity)
    over = Frame(f"Profit since the {word} opened", "time, UTC", "profit, USDC")
    under = Frame(f"Drawdown over the {word}", "time, UTC", "drawdown, USDC")
    step = f"One point every {equity.step_ns // NS_S:,d} s and at both ends. "
    return plots(
        figure(
            f"Profit since the {word} opened",
            lines_svg([Line("profit", ts, profit)], over),
            f"Cash plus positions at the mid, less fees, plus known funding. {step}{source}",
        ),
        figure(
            "Drawdown",
            lines_svg([Line("drawdown", ts, depth, "loss", "", True)], under, height_em=8),
            f"Below the highest profit of the run so far, whichever day that was. {source}",
        ),
        days,
    )


def _inside(period: Period, equity: Equity) -> tuple[list[int], list[float], list[float]]:
    """Return stamps, profit since the opening and drawdown of a period, thinned by the drawing."""
    inside = (equity.ts >= period.span.start) & (equity.ts < period.span.end)
    ts: Int64 = equity.ts[inside]
    profit = (equity.pnl[inside] - period.opening) / HALF_MICRO
    depth = np.negative(equity.drawdown[inside] / HALF_MICRO)
    return ts.tolist(), np.round(profit, 6).tolist(), np.round(depth, 6).tolist()


def net_bars(told: Object, period: Period, places: int) -> list[Bar]:
    """Return the parts of net that are not zero, then net, to which they add up exactly.

    Where an hour of funding is unknown its known hours stand for it, as they do in net.
    """
    named = {name.replace("_", " "): told["components"][name] for name in COMPONENT_NAMES}
    if named["funding"] is None:
        named[KNOWN] = format_half_micro(period.parts.funding_known)
    moved = [(name, text) for name, text in named.items() if text is not None and Decimal(text)]
    net = [("net", told["net_pnl_usdc"])]
    return [_bar(name, text, places) for name, text in (*moved, *net)]


def _parts(around: Around, told: Object, period: Period, places: int) -> str:
    """Return the parts of net, and net by strategy and coin, as bars."""
    source, bars = _source(around), net_bars(told, period, places)
    unknown = ""
    if told["components"]["funding"] is None:
        unknown = " Funding of some hours is unknown and not in net."
    if len(bars) < 2 and not unknown:
        return ""
    figures = [
        figure(
            "Parts of net",
            bars_svg(bars, Frame("Parts of net", "USDC, positive is good", "part of net")),
            f"They add up to net exactly; parts of zero are left out.{unknown} {source}",
            is_half=True,
        )
    ]
    for word, title in (
        ("strategy", "Net profit by strategy"),
        ("coin", "Net profit by coin"),
    ):
        rows, rule = ranked(told[f"by_{word}"])
        if len(rows) < 2:
            continue
        chosen = [_bar(name, one["net_pnl_usdc"], places) for name, one in rows]
        drawing = bars_svg(chosen, Frame(title, "net profit, USDC", word))
        figures.append(figure(title, drawing, f"{rule}{source}", is_half=True))
    return plots(*figures)


def _bar(name: str, text: str, places: int) -> Bar:
    return Bar(name, float(text), amount(text, places, is_signed=True), " USDC")


def _splits(told: Object, places: int) -> str:
    tables = [
        section(
            "strategies", "By strategy, USDC", split_table("strategy", told["by_strategy"], places)
        ),
        section("coins", "By coin, USDC", split_table("coin", told["by_coin"], places)),
    ]
    return "\n".join(table for table in tables if table)


def _files(told: Object) -> str:
    name = told["period"]
    items = [
        (f"{name}.json", "these numbers, every coin and strategy, exact"),
        (f"{name}.csv", f"the ledger's rows of this {WORDS[told['kind']]}"),
        (f"../{told['kind']}.csv", f"every {WORDS[told['kind']]} of the run in one table"),
    ]
    rows = [f"<li>{anchor(path, path.removeprefix('../'))} - {words}</li>" for path, words in items]
    return f'<ul class="notes">{"".join(rows)}</ul>'


def _source(around: Around) -> str:
    return f"Source: {around.source}; run {around.run['run_id']}."
