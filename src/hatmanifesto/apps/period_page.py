"""The page of one day, week or month, and the index of a run's reports: plain, self-contained."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.periods import NO_DATA, NO_FILLS, Span
from hatmanifesto.apps.report.style import style_sheet
from hatmanifesto.apps.report_build import COMPONENT_NAMES
from hatmanifesto.domain.units import format_half_micro
from hatmanifesto.store.ledger_file import iso_of

WIDTH, HEIGHT = 960, 220
POINTS_MAX = 480
WORDS = {
    NO_DATA: "No data: no coin of the run was recorded in this period.",
    NO_FILLS: "No fills in this period.",
}
FOOTER = (
    "Hat Manifesto. Money in USDC, times in UTC. Everything here is computed from the run's ledger "
    "and the mids of its data. Past results do not promise future ones."
)


def page(title: str, body: Sequence[str]) -> bytes:
    """Return one HTML file that asks for nothing."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(title)} - Hat Manifesto</title>",
            f"<style>{style_sheet()}</style>\n</head>\n<body>\n<main>",
            *body,
            f"<footer>{FOOTER}</footer>\n</main>\n</body>\n</html>\n",
        ]
    ).encode()


def head(run: Mapping[str, Any], title: str) -> list[str]:
    """Return the head of a page: what it is of, its evidence, and every warning."""
    lines = [
        '<div class="meta">',
        '<span class="brand">Hat Manifesto</span>',
        f'<span class="badge">{escape(run["evidence"])}</span>',
        f"<span>run {escape(run['run_id'])}</span>",
        "</div>",
        f"<h1>{escape(title)}</h1>",
    ]
    return lines + [f'<div class="banner">{escape(text)}</div>' for text in run["warnings"]]


def period_page(
    run: Mapping[str, Any], period: Mapping[str, Any], equity: Equity | None, span: Span
) -> bytes:
    """Return the page of one period.

    Args:
        run: ``run_id``, ``evidence``, ``strategy``, ``warnings``.
        period: the period's own object, as its JSON has it.
        equity: of the run, for the figure.
        span: of the period.
    """
    title = f"{run['strategy']}: {period['kind']} {period['period']}"
    body = head(run, title)
    if period["status"] in WORDS:
        body.append(f"<p>{WORDS[period['status']]}</p>")
    body += ["<h2>Result</h2>", _result(period), _figure(equity, span), "<h2>Parts of net</h2>"]
    body.append(_parts(period))
    return page(title, body)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table; all columns but the first hold numbers."""
    return _table(header, rows, "num")


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table of words, which may be long."""
    return _table(header, rows, "value")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], kind: str) -> str:
    lines = ['<div class="scroll"><table>', f"<tr>{_cells('th', header, kind)}</tr>"]
    lines += [f"<tr>{_cells('td', row, kind)}</tr>" for row in rows]
    return "\n".join([*lines, "</table></div>"])


def _cells(tag: str, row: Sequence[str], kind: str) -> str:
    first, *others = (escape(cell) for cell in row)
    cells = [f"<{tag}>{first}</{tag}>"]
    return "".join(cells + [f'<{tag} class="{kind}">{cell}</{tag}>' for cell in others])


def _result(period: Mapping[str, Any]) -> str:
    named = (
        ("Opening equity, USDC: the close of the period before", "opening_equity_usdc"),
        ("Net, USDC", "net_pnl_usdc"),
        ("Closing equity, USDC: at the last mid", "closing_equity_usdc"),
        ("Deepest drawdown, USDC: from the run's highest so far", "max_drawdown_usdc"),
        ("Fills", "fills"),
        ("Turnover, USDC", "turnover_usdc"),
    )
    rows = [(name, words(period[key])) for name, key in named]
    rows += [("From", period["from"][:19]), ("To, exclusive", period["to"][:19])]
    return table(("", "value"), rows)


def _parts(period: Mapping[str, Any]) -> str:
    columns = {"all": period["components"]}
    columns |= {f"{name}": one["components"] for name, one in period["by_coin"].items()}
    columns |= {f"{name}": one["components"] for name, one in period["by_strategy"].items()}
    rows = [
        (name.replace("_", " "), *(words(parts[name]) for parts in columns.values()))
        for name in COMPONENT_NAMES
    ]
    nets = [period["net_pnl_usdc"]]
    nets += [
        one["net_pnl_usdc"] for key in ("by_coin", "by_strategy") for one in period[key].values()
    ]
    return table(("part, USDC", *columns), [*rows, ("net", *map(words, nets))])


def words(value: object) -> str:
    """Return a value for people; what is not known says so."""
    return "unknown" if value is None else str(value)


def _figure(equity: Equity | None, span: Span) -> str:
    """Return the profit over the period as a line."""
    if equity is None:
        return ""
    inside = (equity.ts >= span.start) & (equity.ts < span.end)
    title = "Profit since the start of the run"
    return line_figure(title, equity.ts[inside].tolist(), equity.pnl[inside].tolist())


def line_figure(title: str, ts: Sequence[int], values: Sequence[int]) -> str:
    """Return values [half micro-USDC] over stamps [ns] as a line, '' with fewer than two points."""
    if len(ts) < 2:
        return ""
    step = -(-len(ts) // POINTS_MAX)
    kept = sorted({*range(0, len(ts), step), len(ts) - 1})
    low, high = min(values), max(values)
    wide, tall = max(1, ts[-1] - ts[0]), max(1, high - low)
    points = " ".join(
        f"{(ts[i] - ts[0]) * WIDTH // wide},{(high - values[i]) * HEIGHT // tall}" for i in kept
    )
    times = f"{iso_of(ts[0])[:19]} to {iso_of(ts[-1])[:19]} UTC"
    return (
        f"<figure>\n<h3>{escape(title)}</h3>\n"
        f'<svg viewBox="-4 -4 {WIDTH + 8} {HEIGHT + 8}" width="100%" role="img" '
        f'aria-label="{escape(title, quote=True)}"><polyline points="{points}" fill="none" '
        'stroke="currentColor" stroke-width="1.5"/></svg>\n'
        f"<figcaption>{times}; from {format_half_micro(low)} to {format_half_micro(high)} USDC."
        "</figcaption>\n</figure>"
    )
