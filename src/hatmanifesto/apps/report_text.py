"""The words and numbers of a report: its first sentence, money, intervals, durations."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from hatmanifesto.analytics.attribution import HORIZON_NS
from hatmanifesto.analytics.metrics import Metric
from hatmanifesto.analytics.spacing import duration
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.report_data import ReportData, recorded_ns, spacing_ns
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import NS_HOUR, format_half_micro

UNKNOWN = "unknown"
NOT_APPLICABLE = "n/a"

DATA_WORDS = {
    Evidence.SYN: "generated data",
    Evidence.ASSUMED: "recorded data",
    Evidence.REP: "recorded data",
    Evidence.PAP: "paper trading",
    Evidence.TST: "testnet trading",
    Evidence.LIV: "live trading",
}
EVIDENCE_WORDS = {
    Evidence.SYN: "generated data",
    Evidence.ASSUMED: "recorded, parts assumed",
    Evidence.REP: "recorded and replayed",
    Evidence.PAP: "paper",
    Evidence.TST: "testnet",
    Evidence.LIV: "live",
}
PERCENT_UNITS = ("fraction", "orders filled", "orders refused", "trades with")
MONEY_DECIMALS = 4
MONEY_LARGE = 1_000
COINS_NAMED = 6
"""More coins than this are told by their number."""


def grouped(text: str, decimals: int) -> str:
    """Return decimal text rounded half to even, with thousands separators.

    An amount that is not zero is never shown as zero: it keeps its own decimals.
    """
    value = Decimal(text)
    rounded = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    if value and not rounded:
        return f"{value:,f}"
    return f"{rounded:,f}"


def money(half_micro: int | None) -> str:
    """Return half micro-USDC for people."""
    return UNKNOWN if half_micro is None else money_text(format_half_micro(half_micro))


def money_text(text: str) -> str:
    """Return decimal text in USDC for people: four decimals, two from 1,000 on."""
    large = abs(Decimal(text)) >= MONEY_LARGE
    return grouped(text, 2 if large else MONEY_DECIMALS)


def figure_text(value: str | float | int | None, unit: str) -> str:
    """Return one value of a figure in its unit."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return money_text(value)
    if isinstance(value, int):
        return f"{value:,d}"
    if unit.startswith(PERCENT_UNITS):
        return f"{_number(100 * value)} %"
    return _number(value)


def unit_text(unit: str) -> str:
    """Return a unit for people; fractions are shown in per cent."""
    return unit.removeprefix("fraction").strip()


def _number(value: float) -> str:
    return f"{value:,.2f}" if abs(value) >= 0.01 or not value else f"{value:.2g}"


def interval_text(metric: Metric) -> str:
    """Return the 95 % interval, or that there is none."""
    if metric.ci_low is None or metric.ci_high is None:
        return NOT_APPLICABLE
    low = figure_text(metric.ci_low, metric.unit)
    return f"{low} .. {figure_text(metric.ci_high, metric.unit)}"


def headline(data: ReportData) -> str:
    """Return the result in one sentence."""
    main = data.main
    where = f"on {coins_text(data.coins)} in {duration(recorded_ns(main))} of {_words(data)}"
    if main.status == "empty":
        return f"{data.title} made no fills {where}: no result; doing nothing made 0."
    net = main.attribution.total.net
    verb = "made" if net >= 0 else "lost"
    cost = cost_of(main)
    costs = (
        f"after {money(cost)} of costs"
        if cost >= 0
        else f"with rebates and funding {money(-cost)} above fees"
    )
    result = f"{who_text(data)} {verb} {money(abs(net))} USDC {costs} {where}{_range_text(main)}"
    return f"{result}; doing nothing made 0; {edge_text(main)}."


def who_text(data: ReportData) -> str:
    """Return the name of what traded, and of how many strategies it is made."""
    books = len(data.main.identity.books)
    return data.title if books < 2 else f"{data.title} ({books} strategies)"


def coins_text(coins: Sequence[str]) -> str:
    """Return the coins by name, or their number when there are many."""
    return _listed(list(coins)) if len(coins) <= COINS_NAMED else f"{len(coins)} coins"


def _range_text(analysis: Analysis) -> str:
    """Return the best and the worst of several strategies, nothing when there is one."""
    parts = analysis.attribution.by_book
    if len(parts) < 2:
        return ""
    names = book_names(analysis)
    order = sorted(parts, key=lambda book: (parts[book].net, book))
    worst, best = (f"{names[book]} {money(parts[book].net)}" for book in (order[0], order[-1]))
    return f"; best {best}, worst {worst}"


def book_names(analysis: Analysis) -> dict[int, str]:
    """Return the name of every book with fills or funding; no strategy's is the house's."""
    books = analysis.identity.books
    known = analysis.attribution.by_book
    return {book: books[book] if 0 <= book < len(books) else "house" for book in known}


def cost_of(analysis: Analysis) -> int:
    """Return fees less rebates plus funding paid, as far as known, positive when we paid."""
    total = analysis.attribution.total
    return -(total.fees + total.rebates + total.funding_known)


def edge_text(analysis: Analysis) -> str:
    """Return the verdict with its interval."""
    edge = analysis.edge
    if edge.ci_low is None or edge.ci_high is None:
        return f"edge {edge.text}"
    span = f"95 % interval {money_text(edge.ci_low)} .. {money_text(edge.ci_high)}"
    if edge.text.endswith(")"):
        return f"edge {edge.text[:-1]}; {span})"
    return f"edge {edge.text} ({span})"


def caveats(data: ReportData) -> list[str]:
    """Return the sentences that belong right under the result."""
    facts = data.main.facts
    out: list[str] = []
    for ties, other in data.others.items():
        net = money(other.attribution.total.net)
        out.append(f"Under the {ties} tie order the net is {net} USDC; {edge_text(other)}.")
    if facts.funding_unknown:
        hours = len({fact.exch // NS_HOUR for fact in facts.funding_unknown})
        assets = data.main.identity.assets
        coins = sorted({assets[fact.coin].coin for fact in facts.funding_unknown})
        out.append(
            f"{hours} funding hour{'s' * (hours != 1)} of {_listed(coins)} passed with a position "
            "and no rate in the data: that funding is unknown and not in the net."
        )
    spacing = spacing_ns(data.main)
    if facts.fills and spacing > HORIZON_NS:
        out.append(
            f"Mids come every {duration(spacing)}: what is called adverse selection within 5 s is "
            "the move to the next of them, and no shorter markout is known."
        )
    if facts.margin_called is not None:
        out.append("The account fell below its maintenance margin and the run ended there.")
    if data.main.status == "ok":
        out.append(
            "The interval speaks of this run alone; it is not corrected for other settings tried."
        )
    return [*out, *data.notes]


def _words(data: ReportData) -> str:
    return DATA_WORDS[data.evidence]


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names) or "no coin"
    return f"{', '.join(names[:-1])} and {names[-1]}"
