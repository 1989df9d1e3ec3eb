"""What the page says of funding that is partly unknown, and of the legs of a carry."""

from dataclasses import replace

import pytest

from hatmanifesto.analytics.allot import funding_shares
from hatmanifesto.analytics.carry_legs import carry_legs
from hatmanifesto.apps.report import render_report
from hatmanifesto.apps.report.figures_split import KNOWN, waterfall_figure
from hatmanifesto.apps.report.tables_carry import HEADS, legs_said, legs_table
from hatmanifesto.domain.events import FundingPaid, FundingUnknown
from tests.house_run import house
from tests.test_report import T0, analysis_of, data_of, journal
from tests.test_report_page import data_of_house

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("is_known", [True, False])
def test_what_is_drawn_sums_to_net_also_when_some_funding_is_unknown(is_known):
    records, mids = journal()
    stamp = T0 + 900 * 10**9
    records = [*records, FundingPaid(0, 5, 10**9, 1, 700_000, stamp, stamp)]
    if not is_known:
        records.append(FundingUnknown(1, 5, stamp, stamp))
    analysis = analysis_of(records, mids)
    (trace,) = waterfall_figure(analysis).traces
    assert sum(trace["y"][:-1]) == pytest.approx(float(analysis.net_pnl_usdc), abs=1e-6)
    names = [name.replace("<br>", " ") for name in trace["x"]]
    assert (KNOWN in names) is not is_known
    page = render_report(data_of(records, mids)).decode()
    assert ("funding known<span" in page) is not is_known


@pytest.fixture(scope="module")
def carried():
    """Return a made-up run whose first book is called a carry."""
    analysis = house(coins=9, books=3, days=40, fills=400)
    facts = analysis.facts
    legs = carry_legs(
        facts,
        analysis.parts.spread.tolist(),
        funding_shares(facts.funding, facts.fills),
        books=[0],
        perp_of={},
    )
    return replace(analysis, legs=legs)


def test_the_page_tells_every_state_of_the_legs_and_shows_twenty(carried):
    said = legs_said(carried)
    assert f"{len(carried.legs):,d} legs were opened" in said
    table = legs_table(carried)
    assert table.count("<tr>") == 1 + 20
    assert all(head in table for head in HEADS)
    assert "Carry legs" in render_report(data_of_house(carried)).decode()


def test_a_run_without_a_carry_has_no_legs():
    analysis = house(coins=3, books=2, days=3, fills=20)
    assert analysis.legs == []
    assert "Carry legs" not in render_report(data_of_house(analysis)).decode()
