"""The tables of a report as HTML: key figures, attribution, refusals, assumptions, provenance."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from hatmanifesto.analytics.attribution import HORIZON_NS
from hatmanifesto.analytics.metrics import ANNUAL_DAYS_MIN, Metric
from hatmanifesto.analytics.spacing import duration
from hatmanifesto.apps.report_build import COMPONENT_NAMES, Analysis
from hatmanifesto.apps.report_data import Assumption, ReportData, spacing_ns
from hatmanifesto.apps.report_text import (
    UNKNOWN,
    figure_text,
    grouped,
    interval_text,
    unit_text,
)
from hatmanifesto.domain.records import GapSeen
from hatmanifesto.domain.rows import GAP_REASONS
from hatmanifesto.domain.units import format_fixed, format_half_micro
from hatmanifesto.store.ledger_file import iso_of

GAPS_MAX = 50

GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Result",
        (
            ("net_pnl", "Net profit"),
            ("return", "Return on capital"),
            ("max_drawdown", "Deepest drawdown"),
            ("max_drawdown_share", "Deepest drawdown, share"),
            ("underwater_longest", "Longest time below a high"),
            ("ulcer", "Ulcer index"),
            ("hold_pnl", "Profit of holding the coins"),
            ("hold_max_drawdown", "Deepest drawdown of holding"),
            ("excess_over_hold", "Net profit less that of holding"),
        ),
    ),
    (
        f"Ratios a year, noise on runs under {ANNUAL_DAYS_MIN} days",
        (
            ("sharpe_daily", "Sharpe ratio of days, 00:00 UTC"),
            ("sharpe_daily_se", "its error, skew and kurtosis"),
            ("sharpe_daily_se_hac", "its error, autocorrelation"),
            ("sharpe", "Sharpe ratio of steps"),
            ("sharpe_se", "its error, skew and kurtosis"),
            ("sharpe_se_hac", "its error, autocorrelation"),
            ("sortino", "Sortino ratio"),
            ("volatility", "Volatility"),
            ("growth_a_year", "Growth a year"),
            ("calmar", "Calmar ratio"),
        ),
    ),
    (
        "Shape of the steps",
        (
            ("skew", "Skew"),
            ("kurtosis", "Kurtosis"),
            ("tail_ratio", "Tail ratio"),
            ("omega", "Omega"),
            ("value_at_risk_95", "Value at risk, 95 %"),
            ("expected_shortfall_95", "Expected shortfall, 95 %"),
        ),
    ),
    (
        "Costs and quality of fills",
        (
            ("net_bps", "Net profit per turnover"),
            ("spread_bps", "Spread captured"),
            ("fees_bps", "Fees and rebates"),
            ("slippage_bps", "Fill against mid at decision"),
            ("shortfall", "Shortfall, fees included"),
            ("shortfall_bps", "Shortfall per turnover"),
            ("funding_a_day", "Funding a day"),
            ("markout_5s_maker_bps", "Markout after 5 s, maker"),
            ("markout_5s_taker_bps", "Markout after 5 s, taker"),
        ),
    ),
    (
        "Activity",
        (
            ("orders", "Orders"),
            ("fills", "Fills"),
            ("fill_ratio", "Orders filled"),
            ("maker_share", "Maker share of turnover"),
            ("reject_rate", "Orders refused by the venue"),
            ("vetoes", "Vetoes by hats"),
            ("turnover", "Turnover"),
            ("turnover_a_day", "Turnover a day"),
        ),
    ),
    (
        "Trades, flat to flat",
        (
            ("trades", "Trades closed"),
            ("win_rate", "Won"),
            ("profit_factor", "Profit factor"),
            ("expectancy", "Mean profit of a trade"),
            ("win_mean", "Mean win"),
            ("loss_mean", "Mean loss"),
            ("payoff", "Mean win over mean loss"),
            ("sqn", "System quality number"),
        ),
    ),
    (
        "Exposure",
        (
            ("inventory_mean", "Mean position"),
            ("inventory_max", "Largest position"),
            ("time_in_market", "Time in the market"),
            ("exposure_gross", "Gross exposure, mean"),
            ("exposure_net", "Net exposure, mean"),
        ),
    ),
)

PART_WORDS = {
    "price": "mid moves while holding",
    "spread": "fill price against the mid just before it",
    "basis": "perp less its second leg, while holding both",
    "adverse_selection": "mid in the 5 s after maker fills",
    "timing": "mid between decision and taker fill",
    "fees": "paid to the venue",
    "rebates": "paid by the venue",
    "funding": "hourly payments",
    "gap": "mid moves across holes of the recording, and fills inferred in them",
    "residual": "ledger less all parts: zero when they agree",
}


def part_words(spacing: int) -> dict[str, str]:
    """Return what each part of net is, where mids are ``spacing`` [ns] apart."""
    if spacing <= HORIZON_NS:
        return PART_WORDS
    return {**PART_WORDS, "adverse_selection": "move to the next mid after maker fills"}


def table(
    head: Sequence[str], rows: Iterable[str], *, numeric: Sequence[int] = (), kind: str = "wide"
) -> str:
    """Return a table; ``rows`` are HTML, ``numeric`` the columns set right.

    ``kind``: wide, narrow, sortable by a click on a head, or "sortable tall" in a box of its own.
    """
    cells = "".join(
        f'<th class="num">{escape(text)}</th>' if i in numeric else f"<th>{escape(text)}</th>"
        for i, text in enumerate(head)
    )
    body = "\n".join(rows)
    box = "scroll tall" if "tall" in kind else "scroll"
    return (
        f'<div class="{box}" tabindex="0"><table class="{kind}"><thead><tr>{cells}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def row(cells: Sequence[str], *, numeric: Sequence[int] = (), kind: str = "") -> str:
    """Return a table row of escaped text."""
    parts = [
        f'<td class="num">{escape(text)}</td>' if i in numeric else f"<td>{escape(text)}</td>"
        for i, text in enumerate(cells)
    ]
    attribute = f' class="{kind}"' if kind else ""
    return f"<tr{attribute}>{''.join(parts)}</tr>"


def figures_table(metrics: Mapping[str, Metric]) -> str:
    """Return all key figures with interval, sample size and unit."""
    rows: list[str] = []
    named = {name for _, members in GROUPS for name, _ in members}
    others = tuple((name, _label(name)) for name in metrics if name not in named)
    for group, members in (*GROUPS, ("More", others)):
        known = [(name, label) for name, label in members if name in metrics]
        if not known:
            continue
        rows.append(f'<tr class="group"><td colspan="5">{escape(group)}</td></tr>')
        rows += [_figure_row(label, metrics[name]) for name, label in known]
    return table(
        ["", "value", "95 % interval", "n", "unit"],
        rows,
        numeric=(1, 2, 3),
        kind="figures",
    )


def _label(name: str) -> str:
    """Return what to call a figure that no group names."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _figure_row(label: str, metric: Metric) -> str:
    unit = unit_text(metric.unit)
    if metric.annualisation:
        unit = f"{unit}; {metric.annualisation}"
    value = figure_text(metric.value, metric.unit)
    cells = [label, value, interval_text(metric), f"{metric.n:,d}", unit]
    return row(cells, numeric=(1, 2, 3))


FUNDING_AT = COMPONENT_NAMES.index("funding") + 1


def attribution_table(data: ReportData) -> str:
    """Return the parts of net in total, one column per tie order."""
    columns = {name: a.attribution.total for name, a in data.analyses.items()}
    heads = list(columns)
    numeric = tuple(range(1, 1 + len(columns)))
    words = part_words(spacing_ns(data.main))
    rows = [
        _part_row(name, words[name], [getattr(part, name) for part in columns.values()])
        for name in COMPONENT_NAMES
    ]
    if any(part.funding is None for part in columns.values()):
        words_known = "in net: the payments whose rate is recorded"
        known = [part.funding_known for part in columns.values()]
        rows.insert(FUNDING_AT, _part_row("funding known", words_known, known))
    net = ["net", *[_exact(part.net) for part in columns.values()]]
    rows.append(row(net, numeric=numeric, kind="sum"))
    beside = "beside the sum: fill against the mid at the decision"
    rows.append(_part_row("slippage", beside, [part.slippage for part in columns.values()]))
    return table(["part, USDC", *heads], rows, numeric=numeric, kind="narrow")


def _part_row(name: str, words: str, values: Sequence[int | None]) -> str:
    label = f'{escape(name.replace("_", " "))}<span class="hint">{escape(words)}</span>'
    cells = "".join(f'<td class="num">{_exact(value)}</td>' for value in values)
    return f'<tr><td class="part">{label}</td>{cells}</tr>'


def _exact(half_micro: int | None) -> str:
    if half_micro is None:
        return UNKNOWN
    return grouped(format_half_micro(half_micro), 6)


def refusals_table(analysis: Analysis) -> str:
    """Return vetoes of hats and refusals of the venue."""
    facts = analysis.facts
    rows = [
        row(
            [v.hat, v.reason.replace("_", " "), f"{v.loud:,d}", f"{v.silent:,d}", v.example],
            numeric=(2, 3),
        )
        for v in facts.vetoes
    ]
    rows += [
        row(["venue", status, f"{count:,d}", "", ""], numeric=(2, 3))
        for status, count in facts.refusals
    ]
    if not rows:
        return '<p class="muted">No veto and no refusal.</p>'
    heads = ["by", "reason", "times", "more in silence", "first case"]
    return table(heads, rows, numeric=(2, 3))


def orders_table(analysis: Analysis) -> str:
    """Return how the orders ended."""
    facts = analysis.facts
    rows = [row([status, f"{count:,d}"], numeric=(1,)) for status, count in facts.statuses]
    if not rows:
        return '<p class="muted">No orders.</p>'
    return table(["last status of the order", "orders"], rows, numeric=(1,), kind="narrow")


def assumptions_table(assumptions: Sequence[Assumption]) -> str:
    """Return what the result rests on."""
    if not assumptions:
        return '<p class="muted">unknown</p>'
    rows = []
    for item in assumptions:
        mark = ' <span class="assumed">ASSUMED</span>' if item.is_assumed else ""
        rows.append(
            f'<tr><td>{escape(item.name)}{mark}</td><td class="value">{escape(item.value)}</td>'
            f"<td>{escape(item.why)}</td></tr>"
        )
    return table(["", "value", "why, and what it leaves out"], rows)


def gaps_table(analysis: Analysis) -> str:
    """Return the holes of the recording that the run went through."""
    gaps = analysis.facts.gaps
    if not gaps:
        return '<p class="muted">No holes in the recording of this period.</p>'
    shown: list[GapSeen] = sorted(gaps, key=lambda g: (g.start - g.end, g.start))[:GAPS_MAX]
    rows = [
        row(
            [
                analysis.identity.assets[gap.coin].coin,
                iso_of(gap.start),
                duration(gap.end - gap.start),
                GAP_REASONS[gap.reason] if gap.reason < len(GAP_REASONS) else str(gap.reason),
            ],
            numeric=(2,),
        )
        for gap in sorted(shown, key=lambda g: (g.start, g.coin))
    ]
    more = len(gaps) - len(shown)
    tail = f'<p class="muted">and {more:,d} shorter ones.</p>' if more else ""
    heads = ["coin", "from", "length", "reason"]
    return table(heads, rows, numeric=(2,), kind="narrow") + tail


def provenance_table(data: ReportData) -> str:
    """Return where every byte of the result came from."""
    rows = [
        f'<tr><td>{escape(name)}</td><td class="hash">{escape(value or UNKNOWN)}</td></tr>'
        for name, value in data.provenance
    ]
    if not rows:
        return '<p class="muted">unknown</p>'
    return table(["", ""], rows)


def capital_text(analysis: Analysis) -> str:
    """Return the capital in USDC."""
    return grouped(format_fixed(analysis.identity.capital, decimals=6), 2)
