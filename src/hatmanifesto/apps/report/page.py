"""Render the page of a run: its sections, figures and tables in one file that asks for nothing."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from hatmanifesto.apps.report.figures import Drawn, figures_of
from hatmanifesto.apps.report.head import findings, head
from hatmanifesto.apps.report.palette import PALETTES
from hatmanifesto.apps.report.parts import Figure
from hatmanifesto.apps.report.script import SCRIPT
from hatmanifesto.apps.report.shell import opening
from hatmanifesto.apps.report.style import style_sheet
from hatmanifesto.apps.report.tables import (
    assumptions_table,
    attribution_table,
    figures_table,
    gaps_table,
    orders_table,
    provenance_table,
    refusals_table,
)
from hatmanifesto.apps.report.tables_allot import allocations_table
from hatmanifesto.apps.report.tables_carry import legs_said, legs_table
from hatmanifesto.apps.report.tables_split import (
    coins_table,
    failed_table,
    months_table,
    strategies_table,
    trades_table,
)
from hatmanifesto.apps.report_data import ReportData
from hatmanifesto.apps.report_text import coins_text

FOOTER = (
    "Hat Manifesto. Money in USDC, times in UTC. Profit is net of fees and known funding; "
    "positions are marked at the mid. Past results do not promise future ones."
)

NAV = {
    "result": "Result",
    "findings": "Findings",
    "profit": "Profit",
    "attribution": "Attribution",
    "risk": "Risk",
    "execution": "Execution",
    "figures-table": "Key figures",
    "orders-table": "Orders",
    "assumptions": "Assumptions",
    "provenance": "Provenance",
}


def render_report(data: ReportData) -> bytes:
    """Return the page. It holds no date, path or wall time: the same run gives the same bytes."""
    drawn = figures_of(data.main)
    body = "\n".join(
        [
            head(data),
            _section("findings", "Findings", findings(data)),
            _profit(data, drawn),
            _attribution(data, drawn),
            _section("risk", "Risk and exposure", _plots(data, drawn.shown["risk"])),
            _execution(data, drawn),
            _missing(drawn),
            _section("figures-table", "Key figures", figures_table(data.main.metrics)),
            _orders(data),
            _section("assumptions", "Assumptions", assumptions_table(data.assumptions)),
            "<h2>Holes in the recording</h2>",
            gaps_table(data.main),
            _section("provenance", "Provenance", provenance_table(data)),
            f"<footer>{FOOTER}</footer>",
        ]
    )
    return _page(data, body, drawn.all).encode()


def _section(name: str, title: str, *content: str) -> str:
    parts = [part for part in content if part]
    return "\n".join([f'<h2 id="{name}">{escape(title)}</h2>', *parts])


def _page(data: ReportData, body: str, figures: Sequence[Figure]) -> str:
    from plotly.offline import get_plotlyjs

    content = {"palettes": PALETTES, "figures": [_content(figure) for figure in figures]}
    text = json.dumps(content, separators=(",", ":"), sort_keys=True, allow_nan=False)
    title = f"{data.title} on {coins_text(data.coins)}"
    scripts = [get_plotlyjs(), SCRIPT]
    return "\n".join(
        [
            opening(title, style=style_sheet(), scripts=scripts),
            _bar(),
            f"<main>\n{body}\n</main>",
            _json_script(text),
            *[f"<script>{script}</script>" for script in scripts],
            "</body>\n</html>\n",
        ]
    )


def _content(figure: Figure) -> dict[str, Any]:
    contents = [{"traces": figure.traces, "layout": figure.layout}]
    contents += [{"traces": one.traces, "layout": one.layout} for one in figure.choices]
    return {"name": figure.name, "contents": contents, "height": figure.height}


def _json_script(text: str) -> str:
    safe = text.replace("<", "\\u003c")
    return f'<script type="application/json" id="figures">{safe}</script>'


def _bar() -> str:
    links = "".join(f'<a href="#{name}">{escape(text)}</a>' for name, text in NAV.items())
    return (
        '<a class="skip" href="#result">Skip to the result</a>\n'
        '<div class="bar"><div><span class="brand">Hat Manifesto</span>'
        f'<nav aria-label="Sections">{links}</nav>'
        '<button type="button" id="theme" hidden>Dark</button></div></div>'
    )


def _plots(
    data: ReportData, figures: Sequence[Figure], cards: Mapping[str, str] | None = None
) -> str:
    """Return the figures, half ones side by side; ``cards`` stand beside the figure they name."""
    if not figures:
        return '<p class="muted">Nothing to draw.</p>'
    items: list[Figure | str] = []
    for figure in figures:
        items.append(figure)
        if cards and figure.name in cards:
            items.append(cards[figure.name])
    halves = [isinstance(item, str) or item.is_half for item in items]
    parts: list[str] = []
    is_open = False
    for place, item in enumerate(items):
        is_half = halves[place]
        is_alone = is_half and not is_open and not any(halves[place + 1 : place + 2])
        is_open = is_half and not is_open and not is_alone
        kind = "half last" if is_alone else "half" if is_half else ""
        if isinstance(item, str):
            parts.append(f'<figure class="{kind}">{item}</figure>\n')
        else:
            parts.append(_plot(data, item, kind))
    return f'<div class="plots">\n{"".join(parts)}</div>'


def _plot(data: ReportData, figure: Figure, kind: str) -> str:
    title = f'<h3 id="{figure.name}-title">{escape(figure.title)}</h3>'
    if figure.choices:
        labels = [figure.label, *[choice.label for choice in figure.choices]]
        options = "".join(f"<option>{escape(label)}</option>" for label in labels)
        title += (
            f'<select id="{figure.name}-pick" aria-labelledby="{figure.name}-title">'
            f"{options}</select>"
        )
    n = f" n = {figure.n}." if figure.n else ""
    source = f" Source: {data.source}; run {data.main.identity.run_id}."
    caption = escape(f"{figure.caption}{n}{source}")
    least = figure.height * 4 // 5
    attribute = f' class="{kind}"' if kind else ""
    return (
        f'<figure{attribute}>\n<div class="head">{title}</div>\n'
        f'<div class="plot" id="plot-{figure.name}" role="img" '
        f'aria-labelledby="{figure.name}-title" style="min-height:{least}px"></div>\n'
        f"<figcaption>{caption}</figcaption>\n</figure>\n"
    )


def _missing(drawn: Drawn) -> str:
    if not drawn.missing:
        return ""
    items = "; ".join(f"{item.title} ({item.why})" for item in drawn.missing)
    return f'<p class="absent">Not shown: {escape(items)}.</p>'


def _profit(data: ReportData, drawn: Drawn) -> str:
    main = data.main
    if main.equity is None:
        why = '<p class="muted">unknown: no mid in the data</p>'
        return _section("profit", "Profit", why)
    months = months_table(main)
    parts = [_plots(data, drawn.shown["profit"])]
    parts += ['<h3 class="of">By month</h3>', months] if months else []
    if len(main.attribution.by_book) > 1:
        parts += ['<h3 class="of">By strategy, USDC</h3>', strategies_table(main)]
    if main.facts.failed:
        parts += ['<h3 class="of">Strategies that failed</h3>', failed_table(main)]
    if main.facts.allocations:
        parts += ['<h3 class="of">Allocations of capital</h3>', allocations_table(main)]
    return _section("profit", "Profit", *parts)


def _attribution(data: ReportData, drawn: Drawn) -> str:
    main = data.main
    if main.status == "empty":
        return _section("attribution", "Attribution", '<p class="muted">no fills</p>')
    card = f"<h3>The parts of net, exactly</h3>{attribution_table(data)}"
    parts = [_plots(data, drawn.shown["attribution"], {"attribution": card})]
    if len(main.attribution.by_coin) > 1:
        parts += ['<h3 class="of">By coin, USDC</h3>', coins_table(main)]
    if main.legs:
        parts += ['<h3 class="of">Carry legs</h3>', legs_said(main), legs_table(main)]
    return _section("attribution", "Attribution", *parts)


def _execution(data: ReportData, drawn: Drawn) -> str:
    parts = [_plots(data, drawn.shown["execution"])]
    trades = trades_table(data.main)
    if trades:
        parts += ['<h3 class="of">Trades that lost and won most</h3>', trades]
    return _section("execution", "Execution", *parts)


def _orders(data: ReportData) -> str:
    return _section(
        "orders-table",
        "Orders and refusals",
        f'<h3 class="of">How orders ended</h3>{orders_table(data.main)}',
        f'<h3 class="of">Vetoes and refusals</h3>{refusals_table(data.main)}',
    )
