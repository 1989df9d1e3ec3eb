"""The legs of a carry: what became of them in a sentence, and the best and worst in a table."""

from html import escape

from hatmanifesto.analytics.carry_legs import CarryLeg
from hatmanifesto.analytics.spacing import duration
from hatmanifesto.apps.carry_text import legs_summary, state_of
from hatmanifesto.apps.report.tables import row, table
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.report_text import NOT_APPLICABLE, UNKNOWN, money
from hatmanifesto.domain.units import NS_HOUR
from hatmanifesto.store.ledger_file import iso_of

LEGS_SHOWN = 10
HEADS = (
    *("coin", "strategy", "side", "opened, UTC", "held", "largest, USDC", "expected, bps a day"),
    *("break even expected, h", "funding, USDC", "costs, USDC", "break even, h"),
)


def legs_said(analysis: Analysis) -> str:
    """Return how many legs were paid by their funding, in words."""
    told = legs_summary(analysis.legs) or {}
    text = (
        f"{told['legs']:,d} legs were opened. In {told['paid']:,d} the funding covered the fees "
        "and spreads of the whole leg"
    )
    if told["break_even_h_median"] is not None:
        text += f", half of them within {told['break_even_h_median']:,.0f} h"
    text += (
        f"; in {told['never']:,d} it never did; {told['open']:,d} are open and not there yet; of "
        f"{told['unknown']:,d} some payments are unknown. Price and basis are not in this: a leg "
        "that broke even may have lost."
    )
    if told["break_even_expected_h_median"] is not None:
        text += (
            f" When they were opened the middle one was expected to take "
            f"{told['break_even_expected_h_median']:,.0f} h, funding measured from the median of "
            "the coins and the way out costing what the way in did."
        )
    return f'<p class="muted">{escape(text)}</p>'


def legs_table(analysis: Analysis) -> str:
    """Return the legs whose funding less costs was lowest and highest."""
    ranked = sorted(analysis.legs, key=lambda leg: (leg.funding2 - leg.costs2, leg.opened))
    least = ranked[:LEGS_SHOWN]
    most = ranked[max(len(least), len(ranked) - LEGS_SHOWN) :]
    numeric = tuple(range(4, len(HEADS)))
    rows = [row(_cells(analysis, leg), numeric=numeric) for leg in [*least, *reversed(most)]]
    return table(list(HEADS), rows, numeric=numeric, kind="sortable tall")


def _cells(analysis: Analysis, leg: CarryLeg) -> list[str]:
    run = analysis.identity
    end = analysis.facts.end if leg.closed is None else leg.closed
    state = state_of(leg)
    paid = state if leg.paid_ns is None else f"{leg.paid_ns / NS_HOUR:,.1f}"
    funding = money(leg.funding2)
    return [
        run.assets[leg.coin].coin,
        run.books[leg.book],
        "long" if leg.side > 0 else "short",
        iso_of(leg.opened)[:16].replace("T", " "),
        duration(end - leg.opened),
        money(leg.peak2),
        UNKNOWN if leg.expected_bps is None else f"{leg.expected_bps:,.2f}",
        NOT_APPLICABLE if leg.expected_h is None else f"{leg.expected_h:,.0f}",
        f"{funding} and {leg.unknown:,d} h unknown" if leg.unknown else funding,
        money(leg.costs2),
        paid,
    ]
