"""A day worked by hand: table, exact fractions, clearing and engine agree to the micro."""

from decimal import Decimal

import pytest

from hatmanifesto.books.ledger import Ledger
from hatmanifesto.domain.events import Closed, Filled, FundingPaid, Refused
from hatmanifesto.domain.units import RATE_ONE
from hatmanifesto.simex import clearing as clearing_module
from hatmanifesto.simex.account import Account
from hatmanifesto.simex.clearing import FeeSchedule
from tests.conftest import ROOT
from tests.hand_worked_day import (
    TABLE,
    Day,
    differences,
    micro,
    oracle_lines,
    run_day,
    second,
    sz,
    table_lines,
)


@pytest.fixture(scope="module")
def day() -> Day:
    return run_day()


def test_table_has_twenty_trades_and_its_own_arithmetic_holds() -> None:
    lines = table_lines()
    assert len(lines) >= 20
    for line, (*_, position, cost, pnl) in zip(lines, TABLE["table"]["fills"], strict=True):
        assert line.notional == line.px * line.sz
        assert (Decimal(cost) == 0) == (Decimal(position) == 0)
        assert Decimal(pnl) == 0 or line.closed_pnl != 0


def test_table_and_fractions_agree() -> None:
    assert differences(table_lines(), oracle_lines()) == []


def test_clearing_agrees_with_the_table(day: Day) -> None:
    assert differences(table_lines(), day.lines) == []


def test_engine_agrees_with_the_table(day: Day) -> None:
    ledger, last, hour = day.world.engine.state.ledgers[0][0], table_lines()[-1], TABLE["funding"]
    assert micro(TABLE["cash"]) + ledger.cash - ledger.fees + ledger.funding == last.cash
    assert ledger.position == day.world.engine.state.net[0] == last.position
    assert ledger.fees == sum(line.fee for line in table_lines())
    assert ledger.funding == micro(hour["usdc"])
    assert ledger.realised == sum(line.closed_pnl for line in table_lines())


def test_engine_fold_agrees_fill_by_fill(day: Day) -> None:
    ledger = Ledger()
    for line, (*_, cost, _) in zip(table_lines(), TABLE["table"]["fills"], strict=True):
        side = 1 if line.side == "buy" else -1
        ledger.fill(side=side, px=line.px, sz=line.sz, fee=line.fee)
        assert (ledger.position, ledger.cost) == (line.position, micro(cost))
    assert ledger.cash == day.world.engine.state.ledgers[0][0].cash


def test_refusals_ends_and_funding_are_as_worked(day: Day) -> None:
    refused = [[second(f.exch), f.status.value] for f in day.facts if isinstance(f, Refused)]
    ended = [
        [second(f.exch), f.status.value, f.sz_filled] for f in day.facts if isinstance(f, Closed)
    ]
    paid = [f for f in day.facts if isinstance(f, FundingPaid)]
    assert refused == TABLE["table"]["refusals"]
    assert ended == [[s, status, sz(n)] for s, status, n in TABLE["table"]["ends"]]
    assert [(f.usdc, f.szi) for f in paid] == [
        (micro(TABLE["funding"]["usdc"]), sz(TABLE["funding"]["position"]))
    ]


def test_nothing_is_left_open_or_counted_late(day: Day) -> None:
    state = day.world.engine.state
    assert state.blotter.orders == {}
    assert (state.blotter.open_buy[0], state.blotter.open_sell[0], state.blotter.late) == (0, 0, 0)
    assert len(day.journal.of(Filled)) == len(table_lines())


def _wrong_sign(self: Account, coin: int, *, szi: int, px: int, fee: int) -> int:
    self.positions[coin] += szi
    self.cash -= px * szi - fee
    return 0


def _rounded_up(notional: int, rate: int) -> int:
    return -(-notional * rate // RATE_ONE)


FAULTS = {
    "taker rate": (FeeSchedule(taker=4_500_010), None),
    "rates swapped": (FeeSchedule(taker=1_500_000, maker=4_500_000), None),
    "fee rounded up": (FeeSchedule(), (clearing_module, "rate_of", _rounded_up)),
    "fee paid out": (FeeSchedule(), (Account, "trade", _wrong_sign)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_in_the_clearing_alone_is_found(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fees, patch = FAULTS[fault]
    if patch:
        monkeypatch.setattr(*patch)
    assert differences(table_lines(), run_day(fees).lines)


def test_the_fraction_ledger_imports_nothing_of_the_package() -> None:
    for path in (ROOT / "tests" / "oracle").glob("*.py"):
        assert "hatmanifesto" not in path.read_text()
