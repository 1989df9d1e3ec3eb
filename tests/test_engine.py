"""The engine: slots, order of commands, vetoes remembered, back-off, facts folded once."""

from collections.abc import Sequence
from typing import Any

import pytest

from hatmanifesto.domain.commands import Cancel, Command, Modify, Place
from hatmanifesto.domain.enums import Status, Tif
from hatmanifesto.domain.events import (
    CancelRefused,
    Closed,
    Fact,
    Filled,
    FundingPaid,
    Opened,
    Refused,
)
from hatmanifesto.domain.reasons import Reason
from hatmanifesto.domain.records import GapSeen, Record, Veto
from hatmanifesto.domain.rows import Row
from hatmanifesto.engine.engine import FAR, Assignment, Engine
from hatmanifesto.engine.panel import Panel
from hatmanifesto.hats.contract import Hat, refuse
from hatmanifesto.hats.exchange import ExchangeHat
from hatmanifesto.strategies.contract import Quotes, Slot, View
from tests.core_world import ETH, HOUR, MS, bbo, gap, scripted, trade

PX, SZ, ALO = 200_000, 1_000, int(Tif.ALO)
BID, ASK = Slot("bid0", 1, Tif.ALO), Slot("ask0", -1, Tif.ALO)


class Desk:
    """An engine over one coin whose wishes the test sets by hand; quotes are (bid, ask)."""

    def __init__(
        self, *, hats: Sequence[Hat] = (), slots: tuple[Slot, ...] = (BID, ASK), requote_ns: int = 0
    ) -> None:
        self.wanted: Quotes = (0, 0) * len(slots)
        strategy = scripted((), slots=slots, requote_ns=requote_ns)._replace(decide=self.decide)
        self.engine = Engine(
            assets=(ETH,),
            assignments=[Assignment(strategy, (0,), 10**9)],
            panel=Panel(hats),
            capital=10**9,
        )
        self.now = HOUR
        self.tid = 0

    def decide(self, p: Any, v: View, m: Any) -> Quotes:
        return self.wanted

    def step(self, facts: Sequence[Fact] = (), rows: Sequence[Row] = ()) -> list[Record]:
        self.now += MS
        return self.engine.step((rows, facts), self.now)

    def want(self, *wanted: int, bid: int = PX - 100, ask: int = PX + 100) -> list[Any]:
        """Set the wishes, show a book, and return the records of the step."""
        self.wanted = wanted
        return self.step(rows=[bbo(self.now, bid=bid, bid_sz=9, ask=ask, ask_sz=9)])

    def opened(self, command: Command) -> list[Any]:
        assert not isinstance(command, Cancel)
        return self.step([Opened(command.intent, 1, command.sz, self.now, self.now)])

    def filled(self, command: Command, sz: int) -> list[Any]:
        assert not isinstance(command, Cancel)
        self.tid += 1
        fact = Filled(command.intent, self.tid, command.px, sz, 7, False, False, self.now, self.now)
        return self.step([fact])

    def closed(self, intent: int, sz: int = 0) -> list[Any]:
        return self.step([Closed(intent, Status.CANCELED, sz, self.now, self.now)])


def kinds(records: Sequence[Record]) -> list[str]:
    return [type(record).__name__ for record in records]


def resting(desk: Desk, px: int = PX, sz: int = SZ) -> Place:
    """Return the command of an order that now rests in the bid slot."""
    order: Place
    (order,) = desk.want(px, sz, 0, 0)
    desk.opened(order)
    return order


def test_one_operation_in_flight_per_slot_and_the_newest_wish_follows() -> None:
    desk = Desk()
    (sent,) = desk.want(PX, SZ, 0, 0)
    assert desk.want(PX + 10, SZ, 0, 0) == []
    assert desk.want(PX + 20, SZ, 0, 0) == []
    (moved,) = desk.opened(sent)
    assert isinstance(moved, Modify)
    assert (moved.target, moved.px, moved.intent) == (sent.intent, PX + 20, sent.intent + 1)
    assert desk.want(0, 0, 0, 0) == []
    assert desk.closed(sent.intent) == []
    (cancel,) = desk.opened(moved)
    assert isinstance(cancel, Cancel)
    assert cancel.target == moved.intent
    assert desk.want(PX, SZ, 0, 0) == []
    assert kinds(desk.closed(moved.intent)) == ["Place"]


def test_an_order_is_kept_while_its_price_is_wanted_and_half_its_size_is_left() -> None:
    desk = Desk()
    order = resting(desk)
    assert desk.want(PX, SZ, 0, 0) == []
    assert desk.filled(order, SZ // 2) == []
    assert kinds(desk.filled(order, 1)) == ["Modify"]


def test_smaller_wishes_and_other_prices_modify_and_nothing_cancels() -> None:
    assert kinds(_after(PX, SZ - 1)) == ["Modify"]
    assert kinds(_after(PX + 10, SZ)) == ["Modify"]
    assert kinds(_after(0, 0)) == ["Cancel"]
    assert kinds(_after(PX, 2 * SZ)) == []


def _after(px: int, sz: int) -> list[Record]:
    desk = Desk()
    resting(desk)
    return desk.want(px, sz, 0, 0)


def test_a_modify_refused_leaves_the_old_order_in_its_slot() -> None:
    desk = Desk()
    order = resting(desk)
    (moved,) = desk.want(PX + 10, SZ, 0, 0)
    desk.step([Refused(moved.intent, Status.BAD_ALO_PX_REJECTED, "", 1, 1)])
    assert list(desk.engine.state.blotter.orders) == [order.intent]
    assert kinds(desk.want(0, 0, 0, 0)) == ["Cancel"]


def test_a_cancel_refused_frees_the_slot_for_another_try() -> None:
    desk = Desk()
    order = resting(desk)
    desk.want(0, 0, 0, 0)
    again = desk.step([CancelRefused(order.intent, 1, 1)])
    assert kinds(again) == ["Cancel"]


def test_nothing_is_sent_on_an_order_whose_end_waits_for_its_fills() -> None:
    desk = Desk()
    order = resting(desk)
    assert desk.closed(order.intent, sz=10) == []
    assert desk.want(0, 0, 0, 0) == []
    assert desk.want(PX + 10, SZ, 0, 0) == []
    assert kinds(desk.filled(order, 10)) == ["Place"]


def test_commands_are_ordered_cancel_reduce_modify_open() -> None:
    slots = (BID, BID, BID, ASK)
    desk = Desk(slots=slots)
    (bought,) = desk.want(*(0, 0), *(0, 0), *(PX, SZ), *(0, 0))
    desk.wanted = (0, 0) * 4
    desk.filled(bought, SZ)
    for order in desk.want(*(0, 0), *(PX, SZ), *(PX, SZ), *(0, 0)):
        desk.opened(order)
    out = desk.want(*(PX, SZ), *(PX + 10, SZ), *(0, 0), *(PX + 90, SZ))
    assert kinds(out) == ["Cancel", "Place", "Modify", "Place"]
    assert [record.slot for record in out] == [2, 3, 1, 0]


def test_decisions_wait_for_the_requote_time_and_wake_for_it() -> None:
    desk = Desk(requote_ns=10 * MS)
    (sent,) = desk.want(PX, SZ, 0, 0)
    desk.opened(sent)
    first = desk.now - MS
    assert desk.want(PX + 10, SZ, 0, 0) == []
    assert desk.engine.next_wake == first + 10 * MS
    desk.now = first + 9 * MS
    assert kinds(desk.step()) == ["Modify"]
    assert desk.engine.next_wake == FAR


def test_rows_with_one_stamp_are_one_decision() -> None:
    desk = Desk()
    row = bbo(desk.now, bid=PX - 100, bid_sz=9, ask=PX + 100, ask_sz=9)
    desk.step(rows=[row, trade(desk.now, px=PX, sz=5, side=1), row])
    assert [d.decisions for d in desk.engine.desks] == [1]


def test_a_book_with_one_side_missing_wants_nothing() -> None:
    desk = Desk()
    order = resting(desk)
    (cancel,) = desk.want(PX, SZ, 0, 0, ask=0)
    assert (type(cancel), cancel.target) == (Cancel, order.intent)


def test_time_never_runs_backward() -> None:
    desk = Desk()
    desk.step()
    with pytest.raises(AssertionError, match="backward"):
        desk.engine.step(((), ()), desk.now - 1)


def test_a_gap_is_journalled() -> None:
    assert kinds(Desk().step(rows=[gap(1, 2)])) == [GapSeen.__name__]


class Nay:
    """A hat that refuses, or raises, until told otherwise."""

    name = "nay"
    reasons = frozenset({Reason.SZ_INVALID})

    def __init__(self, *, error: Exception | None = None) -> None:
        self.error = error
        self.asked = 0
        self.is_mute = False

    def veto(self, command: Command, state: Any) -> Veto | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return None if self.is_mute else refuse(self.name, Reason.SZ_INVALID, "no", command)

    def observe(self, record: Record) -> None: ...

    def report(self, evidence: Any) -> tuple[()]:
        return ()


def test_a_refusal_is_remembered_until_wish_or_inputs_change() -> None:
    hat = Nay()
    desk = Desk(hats=[hat])
    assert kinds(desk.want(PX, SZ, 0, 0)) == ["Veto"]
    assert [desk.want(PX, SZ, 0, 0) for _ in range(3)] == [[], [], []]
    assert hat.asked == 1
    assert desk.engine.desks[0].slots[0].veto_count == 3
    tally, veto = desk.want(PX + 10, SZ, 0, 0)
    assert (tally.count, veto.count) == (3, 0)
    desk.want(PX + 10, SZ, 0, 0)
    desk.engine.state.net[0] += 1
    assert kinds(desk.want(PX + 10, SZ, 0, 0)) == ["Veto", "Veto"]
    hat.is_mute = True
    desk.engine.state.net[0] += 1
    assert kinds(desk.want(PX + 10, SZ, 0, 0)) == ["Place"]


def test_a_wish_refused_for_the_book_is_proposed_again_when_the_book_moves() -> None:
    desk = Desk(hats=[ExchangeHat((ETH,))])
    (veto,) = desk.want(PX, SZ, 0, 0, bid=PX - 50, ask=PX)
    assert veto.reason == Reason.ALO_WOULD_CROSS
    assert desk.want(PX, SZ, 0, 0, bid=PX - 50, ask=PX) == []
    assert "Place" in kinds(desk.want(PX, SZ, 0, 0, bid=PX - 50, ask=PX + 50))


def test_a_hat_that_raises_refuses() -> None:
    desk = Desk(hats=[Nay(error=ZeroDivisionError("oops"))])
    (veto,) = desk.want(PX, SZ, 0, 0)
    assert (veto.hat, veto.reason) == ("nay", Reason.HAT_RAISED)
    assert "oops" in veto.detail


def test_the_first_refusal_ends_the_panel() -> None:
    first, second = Nay(), Nay()
    Desk(hats=[first, second]).want(PX, SZ, 0, 0)
    assert (first.asked, second.asked) == (1, 0)


def test_refusals_of_the_venue_back_off_longer_each_time() -> None:
    desk = Desk()
    waits = []
    (sent,) = desk.want(PX, SZ, 0, 0)
    for _ in range(9):
        since = desk.now + MS
        assert desk.step([Refused(sent.intent, Status.PERP_MARGIN_REJECTED, "", 1, 1)]) == []
        desk.now = desk.engine.desks[0].slots[0].backoff_until - 2 * MS
        assert desk.want(PX, SZ, 0, 0) == []
        (sent,) = desk.want(PX, SZ, 0, 0)
        waits.append((desk.now - since) // MS)
    assert waits == [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]
    desk.opened(sent)
    assert desk.engine.desks[0].slots[0].rejects == 0


def test_facts_told_twice_change_nothing_but_late() -> None:
    desk, twice = Desk(), Desk()
    for one in (desk, twice):
        (order,) = one.want(PX, SZ, 0, 0)
    facts: list[Fact] = [
        Opened(order.intent, 1, SZ, 5, 6),
        Filled(order.intent, 1, PX, 10, 3, False, False, 5, 6),
        FundingPaid(0, 10, 2_000 * 10**10, 125_000, -25, 7, 8),
        Closed(order.intent, Status.CANCELED, 10, 9, 9),
    ]
    for fact in facts:
        desk.step([fact])
        twice.step([fact, fact])
    for one in (desk, twice):
        one.engine.state.blotter.late = 0
    assert desk.engine.state.ledgers[0][0].dump() == twice.engine.state.ledgers[0][0].dump()
    assert desk.engine.state.net == twice.engine.state.net == [10]
