"""The clearing: the venue's rules and statuses one by one, and money conserved through anything."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings

from hatmanifesto.domain.commands import Cancel, Modify, Place
from hatmanifesto.domain.enums import Status, Tif
from hatmanifesto.domain.events import (
    CancelRefused,
    Filled,
    FundingPaid,
    FundingUnknown,
    MarginCalled,
)
from hatmanifesto.simex.account import Account
from hatmanifesto.simex.clearing import FeeSchedule
from tests.core_venue import MID, Step, Venue, place, play, statuses, steps_of
from tests.core_world import HOUR, S, bbo, ctx, funding, l2

ALO, IOC, GTC = Tif.ALO, Tif.IOC, Tif.GTC
RULES = [
    ("off grid", place(1, 1, MID - 15, 10_000, ALO), "tickRejected"),
    ("no price", place(1, 1, 0, 10_000, ALO), "tickRejected"),
    ("no size", place(1, 1, MID - 10, 0, ALO), "rejected"),
    ("below 10 USDC", place(1, 1, MID - 50, 50, ALO), "minTradeNtlRejected"),
    ("10 USDC", place(1, 1, MID, 50, ALO), "Opened"),
    ("post-only meets the ask", place(1, 1, MID + 10, 1_000, ALO), "badAloPxRejected"),
    ("post-only meets the bid", place(1, -1, MID - 10, 1_000, ALO), "badAloPxRejected"),
    ("post-only inside", place(1, -1, MID, 1_000, ALO), "Opened"),
    ("IOC meets nothing", place(1, 1, MID, 1_000, IOC), "iocCancelRejected"),
    ("GTC rests", place(1, 1, MID, 1_000, GTC), "Opened"),
    ("nothing to reduce", place(1, 1, MID, 1_000, GTC, reduce_only=True), "reduceOnlyRejected"),
]


@pytest.mark.parametrize(("name", "command", "expected"), RULES, ids=[rule[0] for rule in RULES])
def test_rules(name: str, command: Place, expected: str) -> None:
    venue = Venue()
    assert statuses(venue.do("a", command)) == [expected]
    venue.check()


def test_margin_refuses_what_twenty_times_the_money_cannot_hold() -> None:
    for sz, expected in ((100_000, "Opened"), (100_001, "perpMarginRejected")):
        venue = Venue(cash=1_000 * 10**6)
        assert statuses(venue.do("a", place(1, 1, MID - 20, sz, ALO))) == [expected]


def test_cancel_and_modify_of_what_is_gone_are_refused() -> None:
    venue = Venue()
    assert statuses(venue.do("a", Cancel(7, 0, 0, 0, 0))) == ["CancelRefused"]
    modify = Modify(8, 7, 0, 0, 0, 1, MID, 1_000, int(ALO), False, 2 * MID, 0)
    assert statuses(venue.do("a", modify)) == ["rejected"]


def test_a_modify_that_breaks_a_rule_leaves_its_target_alone() -> None:
    venue = Venue()
    venue.do("a", place(1, 1, MID - 20, 1_000, ALO))
    crossing = Modify(2, 1, 0, 0, 0, 1, MID + 10, 1_000, int(ALO), False, 2 * MID, 0)
    assert statuses(venue.do("a", crossing)) == ["badAloPxRejected"]
    venue.check()
    inside = Modify(3, 1, 0, 0, 0, 1, MID, 1_000, int(ALO), False, 2 * MID, 0)
    assert statuses(venue.do("a", inside)) == ["canceled", "Opened"]
    venue.check()


def test_accounts_trade_with_each_other_and_background_with_neither() -> None:
    venue = Venue()
    venue.do("a", place(1, -1, MID, 3_000, ALO))
    assert statuses(venue.do("b", place(1, 1, MID, 1_000, IOC))) == ["Filled"]
    venue.check()
    maker, taker = venue.facts["a"][-1], venue.facts["b"][-1]
    assert isinstance(maker, Filled)
    assert isinstance(taker, Filled)
    assert (maker.tid, maker.fee, taker.fee) == (taker.tid, 30_000, 90_000)
    assert venue.clearing.background.positions == [0, 0]


def test_two_reduce_only_orders_met_at_once_do_not_flip() -> None:
    venue = Venue()
    venue.do("a", place(1, 1, MID + 10, 1_000, IOC))
    venue.do("a", place(2, -1, MID + 50, 1_000, GTC, reduce_only=True))
    venue.do("a", place(3, -1, MID + 60, 1_000, GTC, reduce_only=True))
    venue.public(bbo(venue.tick(), bid=MID + 100, bid_sz=9_000, ask=MID + 110, ask_sz=9_000))
    assert statuses(venue.facts["a"][-2:]) == ["Filled", "reduceOnlyCanceled"]
    venue.check()


def test_an_hour_with_a_rate_is_paid_once_by_those_who_held() -> None:
    venue = Venue()
    venue.do("a", place(1, 1, MID + 10, 5_000, IOC))
    venue.public(ctx(HOUR - S, oracle=2_000 * 10**10))
    venue.public(funding(HOUR + S, rate=125_000))
    venue.public(funding(HOUR + 2 * S, rate=125_000))
    paid = [fact for fact in venue.facts["a"] if isinstance(fact, FundingPaid)]
    assert [fact.usdc for fact in paid] == [-12_500]
    assert not venue.facts["b"]
    venue.check()


@pytest.mark.parametrize("is_told_unknown", [True, False])
def test_an_hour_without_a_rate_is_unknown_and_not_zero(is_told_unknown: bool) -> None:
    venue = Venue()
    venue.do("a", place(1, 1, MID + 10, 5_000, IOC))
    venue.public(funding(HOUR + S, rate=0, known=0) if is_told_unknown else ctx(HOUR + S))
    venue.public(ctx(HOUR + 3_600 * S))
    unknown = [fact for fact in venue.facts["a"] if isinstance(fact, FundingUnknown)]
    assert [(fact.coin, fact.szi) for fact in unknown] == [(0, 5_000)]
    venue.clearing.finish(HOUR + 3_601 * S)
    assert len([f for f in venue.facts["a"] if isinstance(f, FundingUnknown)]) == 2


def test_every_hour_of_a_hole_is_told() -> None:
    venue = Venue()
    venue.do("a", place(1, 1, MID + 10, 5_000, IOC))
    venue.public(ctx(HOUR + 3 * 3_600 * S))
    venue.clearing.finish(HOUR + 3 * 3_600 * S + S)
    unknown = [fact for fact in venue.facts["a"] if isinstance(fact, FundingUnknown)]
    assert len(unknown) == 4, "13:00, 14:00, 15:00 and 16:00 were crossed with a position"


def test_value_below_maintenance_is_called_once_and_nothing_more_is_taken() -> None:
    venue = Venue(cash=110 * 10**6)
    venue.do("a", place(1, 1, MID + 10, 10_000, IOC))
    fallen = [(MID - 9_000, 10_000, MID - 8_980, 10_000)]
    for _ in range(2):
        venue.public(l2(venue.tick(), fallen, ref=0))
    calls = [fact for fact in venue.facts["a"] if isinstance(fact, MarginCalled)]
    value = 110_000_000 - 2_000_100_000 - 900_045 + 1_910_100_000
    assert [(fact.value, fact.maintenance) for fact in calls] == [(value, 1_910_100_000 // 50)]
    assert statuses(venue.do("a", place(2, -1, MID, 1_000, ALO))) == ["perpMarginRejected"]


def test_a_book_with_one_side_missing_moves_no_mark() -> None:
    venue = Venue(cash=500 * 10**6)
    venue.do("a", place(1, 1, MID + 10, 10_000, IOC))
    venue.public(l2(venue.tick(), [(MID - 10, 10_000, 0, 0)], ref=0))
    assert not [fact for fact in venue.facts["a"] if isinstance(fact, MarginCalled)]


@settings(max_examples=150)
@given(steps=steps_of)
def test_money_is_conserved_and_books_agree_through_anything(steps: list[Step]) -> None:
    venue = Venue()
    play(venue, steps)
    assert not any(isinstance(f, CancelRefused) and f.intent < 0 for f in venue.facts["a"])


@settings(max_examples=100)
@given(steps=steps_of)
def test_sides_mirror(steps: list[Step]) -> None:
    free = FeeSchedule(taker=0, maker=0)
    one, other = Venue(fees=free), Venue(fees=free)
    assert play(one, steps) == play(other, steps, mirror=-1)
    for name in ("a", "b"):
        mine, mirrored = (venue.clearing.accounts[name] for venue in (one, other))
        assert mine.positions[0] == -mirrored.positions[0]
        assert mine.cash + mine.positions[0] * MID == mirrored.cash + mirrored.positions[0] * MID


def test_statuses_used_are_the_venues() -> None:
    assert {rule[2] for rule in RULES} - {"Opened"} <= {status.value for status in Status}


def _free_of_fees(self: Account, coin: int, *, szi: int, px: int, fee: int) -> int:
    self.positions[coin] += szi
    self.cash -= px * szi
    return 0


def _one_sided(self: Account, coin: int, *, szi: int, px: int, fee: int) -> int:
    self.positions[coin] += max(szi, 0)
    self.cash -= px * szi + fee
    return 0


@pytest.mark.parametrize("fault", [_free_of_fees, _one_sided])
def test_a_planted_leak_is_found(
    fault: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "trade", fault)
    venue = Venue()
    venue.do("a", place(1, 1, MID + 10, 1_000, IOC))
    with pytest.raises(AssertionError):
        venue.check()
