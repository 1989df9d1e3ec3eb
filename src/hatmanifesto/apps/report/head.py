"""The top of a report: the result in one sentence, banners, tiles, what must be said beside it."""

from html import escape

from hatmanifesto.analytics.findings import Finding
from hatmanifesto.analytics.metrics import Metric, usdc_text
from hatmanifesto.apps.report.tables import capital_text
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.report_data import ReportData
from hatmanifesto.apps.report_text import (
    EVIDENCE_WORDS,
    UNKNOWN,
    caveats,
    coins_text,
    cost_of,
    figure_text,
    headline,
    interval_text,
    money,
    money_text,
    unit_text,
)
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.store.ledger_file import iso_of

SYN_BANNER = "Generated data: this shows that the machine works, it is no evidence of profit."
FINDINGS_OPEN = 4
FINDINGS_MAX = 30
ASSUMED_BANNER = "Parts of the data are assumed, not recorded:"


def head(data: ReportData) -> str:
    """Return the top of the page, down to the tiles and notes."""
    main = data.main
    badge = f"{data.evidence} - {EVIDENCE_WORDS[data.evidence]}"
    kind = " warn" if data.evidence in (Evidence.SYN, Evidence.ASSUMED) else ""
    told = [
        _period(main),
        f"capital {capital_text(main)} USDC",
        coins_text(data.coins),
        f"run {main.identity.run_id}",
    ]
    spans = "".join(f"<span>{escape(text)}</span>" for text in told)
    badge = f'<span class="badge{kind}">{escape(badge)}</span>'
    lines = [
        f'<div class="meta" id="result">{badge}{spans}</div>',
        f"<h1>{escape(headline(data))}</h1>",
        _banner(data),
        tiles(data),
    ]
    notes = caveats(data)
    if notes:
        items = "\n".join(f"<li>{escape(note)}</li>" for note in notes)
        lines.append(f'<ul class="notes">\n{items}\n</ul>')
    return "\n".join(line for line in lines if line)


def findings(data: ReportData) -> str:
    """Return the ranked findings: effect, interval and an experiment; or that there is none."""
    found = data.main.findings
    if not found:
        return (
            '<p class="muted">Nothing significant: no cost stands out from chance once all that '
            "was looked at is counted.</p>"
        )
    items = [_finding(one) for one in found]
    first = f'<ol class="findings">{"".join(items[:FINDINGS_OPEN])}</ol>'
    rest = "".join(items[FINDINGS_OPEN:FINDINGS_MAX])
    if not rest:
        return first
    count = len(found) - FINDINGS_OPEN
    more = f"{count:,d} smaller {'one' if count == 1 else 'ones'}"
    if len(found) > FINDINGS_MAX:
        more += f", the first {FINDINGS_MAX - FINDINGS_OPEN} of them here"
    return (
        f"{first}<details><summary>and {more}</summary>"
        f'<ol class="findings" style="counter-reset:f {FINDINGS_OPEN}">{rest}</ol></details>'
    )


def _finding(one: Finding) -> str:
    text = one.text[:1].upper() + one.text[1:]
    if one.is_fault:
        span = f"exact, n = {one.n:,d}"
    else:
        span = (
            f"95 % interval {one.low:,.2f} .. {one.high:,.2f} USDC, corrected for all that was "
            f"tested; p = {_p_text(one.p_value)}; n = {one.n:,d}"
        )
    kind = ' class="fault"' if one.is_fault else ""
    return (
        f"<li{kind}><b>{escape(text)}.</b>"
        f'<p class="muted">Effect {one.effect:+,.2f} USDC ({escape(span)}).</p>'
        f"<p>Try: {escape(one.experiment)}.</p></li>"
    )


def _p_text(p: float) -> str:
    return "below 0.0001" if p < 1e-4 else f"{p:.4f}"


def _banner(data: ReportData) -> str:
    if data.evidence is Evidence.SYN:
        return f'<div class="banner">{SYN_BANNER}</div>'
    if data.evidence is not Evidence.ASSUMED:
        return ""
    named = [f"{item.name} ({item.value})" for item in data.assumptions if item.is_assumed]
    text = "; ".join(named) or "see the assumptions below"
    return f'<div class="banner">{ASSUMED_BANNER} <span>{escape(text)}.</span></div>'


def _period(analysis: Analysis) -> str:
    if analysis.equity is None:
        return f"period {UNKNOWN}"
    first, last = (iso_of(int(analysis.equity.ts[i])) for i in (0, -1))
    return f"{first[:10]} {first[11:19]} to {last[:10]} {last[11:19]} UTC"


def tiles(data: ReportData) -> str:
    """Return the first numbers of a run."""
    main = data.main
    net = main.attribution.total.net
    colour = "gain" if net > 0 else "loss" if net < 0 else ""
    metrics = main.metrics
    items = [
        tile("Net profit", money(net), _interval(metrics["net_pnl"]), colour),
        tile("Costs", money(cost_of(main)), "USDC, fees less rebates, funding"),
        _metric_tile("Return on capital", metrics.get("return")),
        *_hold_tile(main),
        _metric_tile("Deepest drawdown", metrics.get("max_drawdown")),
        _metric_tile("Fills", metrics.get("fills")),
        tile("Edge", "shown" if main.edge.is_shown else "not shown", _edge_reason(main)),
    ]
    return f'<div class="tiles">{"".join(items)}</div>'


def _hold_tile(analysis: Analysis) -> list[str]:
    """Return the difference to holding the coins, nothing when that is unknown."""
    benchmark = analysis.benchmark
    if benchmark is None:
        return []
    value = money_text(usdc_text(benchmark.excess))
    if benchmark.excess_interval is None:
        held = money_text(usdc_text(benchmark.hold_net))
        return [tile("Against holding", value, f"USDC; holding made {held}")]
    low, high = (money_text(usdc_text(bound)) for bound in benchmark.excess_interval)
    return [tile("Against holding", value, f"{low} .. {high} USDC")]


def _edge_reason(analysis: Analysis) -> str:
    edge = analysis.edge
    if edge.ci_low is None:
        return "too few observations"
    if edge.is_shown:
        return "interval above zero"
    if "above zero" in edge.text:
        return edge.text.removeprefix("not shown (").removesuffix(")")
    return "interval below zero" if "loss" in edge.text else "interval contains zero"


def tile(label: str, value: str, unit: str, colour: str = "") -> str:
    """Return one number with its name and unit."""
    return (
        f'<div class="tile"><div class="label">{escape(label)}</div>'
        f'<div class="value {colour}">{escape(value)}</div>'
        f'<div class="unit">{escape(unit)}</div></div>'
    )


def _metric_tile(label: str, metric: Metric | None) -> str:
    if metric is None:
        return tile(label, UNKNOWN, "")
    return tile(label, figure_text(metric.value, metric.unit), _interval(metric))


def _interval(metric: Metric) -> str:
    unit = unit_text(metric.unit)
    if metric.ci_low is None:
        return unit
    return f"{interval_text(metric)} {unit if unit == 'USDC' else ''}".strip()
