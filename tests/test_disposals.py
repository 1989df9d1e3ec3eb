"""Disposals: against single coins matched one by one, and reconciled with the ledger."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.analytics.disposals import AVERAGE, FIFO, METHODS, disposed, ledger_cost
from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.analytics.periods import year_span
from hatmanifesto.apps.export import tax_of
from hatmanifesto.apps.periods import rows_within
from hatmanifesto.domain.errors import MismatchError
from hatmanifesto.domain.events import FundingPaid
from hatmanifesto.domain.units import NS_HOUR, NS_S
from hatmanifesto.store.ledger_read import facts_of
from tests.test_ledger_read import ASSETS, facts, rows_of

YEAR = year_span(2026)
ABOUT = {"run_id": "r", "evidence": "REP", "warnings": []}


def trade(at: int, side: int, px: int, sz: int, *, coin: int = 0, book: int = 0) -> FillRow:
    """Return a fill ``at`` seconds after the turn of the year."""
    ts = YEAR.start + at * NS_S
    return FillRow(ts, ts, 1, at, book, coin, 0, side, px, sz, 3, False, False, 0, ts, sz, px)


books = st.integers(0, 2)
moves = st.lists(
    st.tuples(
        st.sampled_from((-1, 1)), st.integers(1, 99), st.integers(1, 7), st.integers(0, 1), books
    ),
    max_size=25,
)


def made(moves: list[tuple[int, int, int, int, int]], *, first: int = 0) -> list[FillRow]:
    return [
        trade(first + at, side, px, sz, coin=coin, book=book)
        for at, (side, px, sz, coin, book) in enumerate(moves)
    ]


def one_by_one(rows: list[FillRow]) -> tuple[int, int]:
    """Return gain and signed open cost of FIFO, matching every single unit of size."""
    gain, queues = 0, {0: deque(), 1: deque()}
    for row in rows:
        queue = queues[row.coin]
        for _ in range(row.sz):
            if queue and queue[0][0] != row.side:
                side, px = queue.popleft()
                gain += side * (row.px - px)
            else:
                queue.append((row.side, row.px))
    return gain, sum(side * px for queue in queues.values() for side, px in queue)


@pytest.mark.slow
@given(moves)
def test_fifo_matches_unit_by_unit(moves: list[tuple[int, int, int, int, int]]) -> None:
    rows = made(moves)
    found = disposed(rows, FIFO)
    assert (sum(one.gain for one in found.disposals), sum(found.open_cost.values())) == one_by_one(
        rows
    )


@pytest.mark.slow
@given(moves, st.sampled_from(METHODS))
def test_gains_are_cash_and_cost_under_every_method(
    moves: list[tuple[int, int, int, int, int]], method: str
) -> None:
    rows = made(moves)
    found = disposed(rows, method)
    cash = -sum(row.side * row.notional for row in rows)
    assert sum(one.gain for one in found.disposals) == cash + sum(found.open_cost.values())
    for one in found.disposals:
        assert one.sz > 0
        assert one.opened <= one.closed
        assert one.proceeds > 0 or one.basis > 0
    for coin in {row.coin for row in rows}:
        bought = sum(one.sz for one in found.disposals if one.coin == coin)
        flow = [row.side * row.sz for row in rows if row.coin == coin]
        gross = sum(map(abs, flow))
        assert gross == 2 * bought + abs(sum(flow))


@pytest.mark.slow
@given(moves, st.integers(-20, 20), st.sampled_from(METHODS))
def test_a_year_reconciles_with_the_ledger_whatever_was_open_before(
    moves: list[tuple[int, int, int, int, int]], first: int, method: str
) -> None:
    rows = [row._replace(px=row.px * 1_000) for row in made(moves, first=first)]
    paid = [FundingPaid(0, 1, 10**12, 10**5, -7, row.ts + 1, row.ts + 1) for row in rows[::3]]
    ledger = rows_of(facts(rows, paid))
    _, told = tax_of(
        rows_within(ledger, YEAR.start, YEAR.end),
        facts_of(ledger, ASSETS),
        ASSETS,
        YEAR,
        method,
        ABOUT,
    )
    assert told["reconciliation_usdc"]["difference"] == "0"


def test_a_position_carried_over_keeps_its_basis() -> None:
    rows = [trade(-9, 1, 100, 5), trade(-8, 1, 200, 5), trade(4, -1, 300, 6)]
    first, second = disposed(rows, FIFO).disposals
    assert (first.opened, first.sz, first.proceeds, first.basis) == (rows[0].ts, 5, 1_500, 500)
    assert (second.opened, second.sz, second.proceeds, second.basis) == (rows[1].ts, 1, 300, 200)
    (mean,) = disposed(rows, AVERAGE).disposals
    assert (mean.opened, mean.sz, mean.proceeds, mean.basis) == (rows[0].ts, 6, 1_800, 900)
    assert disposed(rows, FIFO).open_cost == {0: 800}
    assert disposed(rows, AVERAGE).open_cost == {0: 600}


def test_a_flip_disposes_and_opens() -> None:
    rows = [trade(1, -1, 100, 4), trade(2, 1, 90, 7), trade(3, -1, 95, 3)]
    for method in METHODS:
        short, long = disposed(rows, method).disposals
        assert (short.is_long, short.sz, short.proceeds, short.basis) == (False, 4, 400, 360)
        assert (long.is_long, long.sz, long.proceeds, long.basis) == (True, 3, 285, 270)
        assert long.opened == rows[1].ts


def test_the_account_nets_what_the_ledger_keeps_apart() -> None:
    rows = [trade(1, 1, 100, 4, book=0), trade(2, -1, 130, 4, book=1)]
    assert disposed(rows, FIFO).disposals[0].gain == 120
    assert ledger_cost(rows) == 400 - 520


def test_a_changed_column_does_not_reconcile() -> None:
    rows = [trade(1, 1, 100_000, 400), trade(2, -1, 130_000, 400)]
    ledger = rows_of(facts(rows))
    ledger[1]["pnl_realized"] = "11"
    with pytest.raises(MismatchError, match="gain do not reconcile"):
        tax_of(ledger, facts_of(ledger, ASSETS), ASSETS, YEAR, FIFO, ABOUT)


def test_the_year_is_utc_to_the_nanosecond() -> None:
    last = trade(0, 1, 100_000, 400)._replace(ts=YEAR.start - 1, recv=YEAR.start)
    paid = FundingPaid(0, 400, 10**12, 1, -1, YEAR.start + NS_HOUR, YEAR.start + NS_HOUR)
    ledger = rows_of(facts([last, trade(0, -1, 120_000, 400)], [paid]))
    inside = rows_within(ledger, YEAR.start, YEAR.end)
    assert [row["reason_code"] for row in inside] == ["fill", "funding"]
    content, told = tax_of(inside, facts_of(ledger, ASSETS), ASSETS, YEAR, FIFO, ABOUT)
    assert told["totals_usdc"]["gain"] == "8"
    assert told["totals_usdc"]["fees"] == "0.000003"
    assert [line.split(b",")[0] for line in content.split(b"\n")[1:-1]] == [
        *(b"disposal", b"fee", b"funding"),
    ]
