"""Render the report of a run: one HTML file that opens offline and whose bytes repeat."""

import json
from html import escape

from hatmanifesto.analytics.metrics import Metric
from hatmanifesto.apps.report.figures import Figure, figures_of
from hatmanifesto.apps.report.style import PALETTES, SCRIPT, STYLE
from hatmanifesto.apps.report.tables import (
    assumptions_table,
    attribution_table,
    capital_text,
    figures_table,
    gaps_table,
    orders_table,
    provenance_table,
    refusals_table,
    split_table,
)
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.report_data import ReportData
from hatmanifesto.apps.report_text import (
    EVIDENCE_WORDS,
    UNKNOWN,
    caveats,
    cost_of,
    figure_text,
    headline,
    interval_text,
    money,
    unit_text,
)
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.store.ledger_file import iso_of

SYN_BANNER = "Generated data: this shows that the machine works, it is no evidence of profit."

FOOTER = (
    "Hat Manifesto. Money in USDC, times in UTC. Profit is net of fees and known funding; "
    "positions are marked at the mid. Past results do not promise future ones."
)


def render_report(data: ReportData) -> bytes:
    """Return the page. It holds no date, path or wall time: the same run gives the same bytes."""
    figures = figures_of(data.main)
    sections = [
        _head(data),
        _tiles(data),
        _money_figures(data, figures),
        _attribution(data, figures),
        _trading(data, figures),
        f"<h2>Key figures</h2>\n{figures_table(data.main.metrics)}",
        f"<h2>Vetoes and refusals</h2>\n{refusals_table(data.main)}",
        f"<h2>Orders</h2>\n{orders_table(data.main)}",
        f"<h2>Assumptions</h2>\n{assumptions_table(data.assumptions)}",
        f"<h2>Holes in the recording</h2>\n{gaps_table(data.main)}",
        f"<h2>Provenance</h2>\n{provenance_table(data)}",
        f"<footer>{FOOTER}</footer>",
    ]
    return _page(data, "\n".join(sections), list(figures.values())).encode()


def _page(data: ReportData, body: str, figures: list[Figure]) -> str:
    from plotly.offline import get_plotlyjs

    content = {
        "palettes": PALETTES,
        "figures": [
            {"name": f.name, "traces": f.traces, "layout": f.layout, "height": f.height}
            for f in figures
        ],
    }
    text = json.dumps(content, separators=(",", ":"), sort_keys=True, allow_nan=False)
    title = f"{data.title} on {', '.join(data.coins)} - Hat Manifesto"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>",
            body,
            "</main>",
            _json_script(text),
            f"<script>{get_plotlyjs()}</script>",
            f"<script>{SCRIPT}</script>\n</body>\n</html>\n",
        ]
    )


def _json_script(text: str) -> str:
    safe = text.replace("<", "\\u003c")
    return f'<script type="application/json" id="figures">{safe}</script>'


def _head(data: ReportData) -> str:
    main = data.main
    is_syn = data.evidence is Evidence.SYN
    badge = f"{data.evidence} - {EVIDENCE_WORDS[data.evidence]}"
    lines = [
        "<header>",
        '<span class="brand">Hat Manifesto</span>',
        f'<span class="badge{" syn" if is_syn else ""}">{escape(badge)}</span>',
        f"<span>{escape(_period(main))}</span>",
        f"<span>capital {escape(capital_text(main))} USDC</span>",
        f"<span>run {escape(main.identity.run_id)}</span>",
        "</header>",
        f"<h1>{escape(headline(data))}</h1>",
    ]
    if is_syn:
        lines.append(f'<div class="banner">{SYN_BANNER}</div>')
    notes = caveats(data)
    if notes:
        items = "\n".join(f"<li>{escape(note)}</li>" for note in notes)
        lines.append(f'<ul class="notes">\n{items}\n</ul>')
    return "\n".join(lines)


def _period(analysis: Analysis) -> str:
    if analysis.equity is None:
        return f"period {UNKNOWN}"
    first, last = (iso_of(int(analysis.equity.ts[i])) for i in (0, -1))
    return f"{first[:10]} {first[11:19]} to {last[:10]} {last[11:19]} UTC"


def _tiles(data: ReportData) -> str:
    main = data.main
    net = main.attribution.total.net
    colour = "gain" if net > 0 else "loss" if net < 0 else ""
    metrics = main.metrics
    tiles = [
        _tile("Net profit", money(net), _interval(metrics["net_pnl"]), colour),
        _tile("Costs", money(cost_of(main)), "USDC, fees less rebates, funding"),
        _metric_tile("Return on capital", metrics.get("return")),
        _metric_tile("Deepest drawdown", metrics.get("max_drawdown")),
        _metric_tile("Fills", metrics.get("fills")),
        _tile("Edge", "shown" if main.edge.is_shown else "not shown", _edge_reason(main)),
    ]
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _edge_reason(analysis: Analysis) -> str:
    edge = analysis.edge
    if edge.ci_low is None:
        return "too few observations"
    if edge.is_shown:
        return "interval above zero"
    return "interval below zero" if "loss" in edge.text else "interval contains zero"


def _tile(label: str, value: str, unit: str, colour: str = "") -> str:
    return (
        f'<div class="tile"><div class="label">{escape(label)}</div>'
        f'<div class="value {colour}">{escape(value)}</div>'
        f'<div class="unit">{escape(unit)}</div></div>'
    )


def _metric_tile(label: str, metric: Metric | None) -> str:
    if metric is None:
        return _tile(label, UNKNOWN, "")
    return _tile(label, figure_text(metric.value, metric.unit), _interval(metric))


def _interval(metric: Metric) -> str:
    unit = unit_text(metric.unit)
    if metric.ci_low is None:
        return unit
    return f"{interval_text(metric)} {unit if unit == 'USDC' else ''}".strip()


def _plot(data: ReportData, figure: Figure | None) -> str:
    if figure is None:
        return ""
    remark = f"{figure.remark} " if figure.remark else ""
    least = figure.height * 4 // 5
    return (
        f"<figure>\n<h3>{escape(figure.title)}</h3>\n"
        f'<div class="plot" id="{figure.name}" style="min-height:{least}px"></div>\n'
        f"<figcaption>{escape(remark)}Source: {escape(data.source)}.</figcaption>\n</figure>"
    )


def _money_figures(data: ReportData, figures: dict[str, Figure]) -> str:
    if "equity" not in figures:
        return '<h2>Net profit</h2>\n<p class="muted">unknown: no mid in the data</p>'
    shaded = "" if not data.main.facts.gaps else " Shaded: holes in the recording."
    figure = figures["equity"]
    return _plot(data, figure._replace(remark=figure.remark + shaded))


def _attribution(data: ReportData, figures: dict[str, Figure]) -> str:
    main = data.main
    head = "<h2>Attribution</h2>"
    if main.status == "empty":
        return f'{head}\n<p class="muted">no fills</p>'
    parts = [head, _plot(data, figures.get("attribution")), attribution_table(data)]
    by_coin = main.attribution.by_coin
    if len(by_coin) > 1:
        named = {main.identity.assets[coin].coin: part for coin, part in by_coin.items()}
        parts.append(split_table(named, "coin"))
    by_book = main.attribution.by_book
    if len(by_book) > 1:
        books = main.identity.books
        names = {(books[i] if 0 <= i < len(books) else "house"): p for i, p in by_book.items()}
        parts.append(split_table(names, "strategy"))
    return "\n".join(parts)


def _trading(data: ReportData, figures: dict[str, Figure]) -> str:
    names = [name for name in figures if name.startswith("fills-")]
    plots = [
        _plot(data, figures[name]) for name in [*names, "inventory", "markouts"] if name in figures
    ]
    return "\n".join(["<h2>Trading</h2>", *plots])
