"""The exchange over candles: fills at the end of a bar, margin once a stamp, hourly funding."""

from functools import partial

import pytest

from hatmanifesto.domain.commands import Command, Place
from hatmanifesto.domain.enums import Tif
from hatmanifesto.domain.events import (
    Fact,
    Filled,
    FundingPaid,
    FundingUnknown,
    MarginCalled,
    Opened,
)
from hatmanifesto.domain.rows import NEVER_AGAIN, Row
from hatmanifesto.simex import clearing as clearing_module
from hatmanifesto.simex.account import Account
from hatmanifesto.simex.candle_book import CandleBook
from hatmanifesto.simex.clearing import Clearing, FeeSchedule
from hatmanifesto.simex.funding import FundingClock
from tests.core_world import BTC, ETH, HOUR, RICH, S, bbo, ctx, funding

STEP = 3_600 * S
MID = 200_000
"""2,000.00 USDC of ETH."""
VOLUME = 10_000_000
FREE = FeeSchedule(0, 0)


def bar(at: int, *, high: int, low: int, opens: int, coin: int = 0, volume: int = VOLUME) -> Row:
    return (6, coin, at, at, high, low, opens, VOLUME, volume)


class Venue:
    """A clearing over candles of ETH and BTC with one account, and what it was told."""

    def __init__(self, *, cash: int = RICH, fees: FeeSchedule = FREE) -> None:
        book = CandleBook(px_ones=[100, 10], half_spread=0)
        self.clearing = Clearing(assets=(ETH, BTC), matcher=book, fees=fees)
        self.facts: list[Fact] = []
        self.clearing.open_account("a", cash=cash)
        self.clearing.listen("a", partial(self.facts.append))
        self.now = HOUR - STEP
        self.cash = cash
        self.boundary(MID, MID)

    def boundary(self, low: int, close: int, *, btc: int = 1_000_000, high: int = MID) -> None:
        """End a bar and begin the next: BARs of both coins, then their quotes."""
        at = self.now
        for row in (
            bar(at, high=max(high, close), low=low, opens=close),
            bar(at, high=btc, low=btc, opens=btc, coin=1),
            bbo(at, bid=close, bid_sz=9, ask=close, ask_sz=9),
            bbo(at, bid=btc, bid_sz=9, ask=btc, ask_sz=9, coin=1),
        ):
            self.clearing.on_public(row)
        self.now += STEP

    def do(self, side: int, px: int, sz: int, tif: Tif, *, coin: int = 0, after: int = S) -> None:
        """Execute an order in the bar under way."""
        intent = len(self.facts) + 1
        command: Command = Place(
            intent, 0, coin, 0, side, px, sz, int(tif), False, 2 * MID, self.now
        )
        self.clearing.execute("a", command, self.now - STEP + after)

    def of(self, *kinds: type) -> list[Fact]:
        return [fact for fact in self.facts if isinstance(fact, kinds)]

    def check(self) -> None:
        """Money and positions are conserved."""
        assert self.clearing.money() == self.cash
        for coin in (0, 1):
            assert sum(one.positions[coin] for one in self.clearing.accounts.values()) == 0


def test_a_resting_order_is_told_at_the_end_of_its_bar() -> None:
    venue = Venue()
    venue.do(1, MID - 100, 1_000, Tif.ALO)
    assert [type(fact) for fact in venue.facts] == [Opened]
    end = venue.now
    venue.boundary(MID - 200, MID - 150)
    (fill,) = venue.of(Filled)
    assert isinstance(fill, Filled)
    assert (fill.px, fill.sz, fill.exch, fill.is_taker) == (MID - 100, 1_000, end, False)
    venue.check()


def test_margin_is_judged_when_all_prices_of_a_stamp_are_known() -> None:
    venue = Venue(cash=500 * 10**6)
    venue.do(1, MID, 20_000, Tif.IOC)
    venue.do(-1, 1_000_000, 4_000, Tif.IOC, coin=1)
    assert len(venue.of(Filled)) == 2
    venue.boundary(MID - 40_000, MID - 40_000, btc=800_000)
    assert not venue.of(MarginCalled), "what one leg lost the other won"
    venue.boundary(MID - 40_000, MID - 40_000, btc=1_100_000)
    assert len(venue.of(MarginCalled)) == 1


def test_a_fill_is_not_judged_by_the_prices_of_the_bar_before() -> None:
    venue = Venue(cash=110 * 10**6)
    venue.do(1, MID - 1_000, 10_000, Tif.ALO)
    end = venue.now
    venue.boundary(MID - 9_500, MID - 9_000)
    (called,) = venue.of(MarginCalled)
    assert isinstance(called, MarginCalled)
    assert called.exch == end
    assert called.value == 110_000_000 - 10_000 * 8_000
    assert venue.facts.index(called) == len(venue.facts) - 1


def test_a_payment_is_for_what_was_held_before_anything_of_the_hour() -> None:
    venue = Venue()
    venue.boundary(MID, MID)  # HOUR - STEP and HOUR have begun
    at = venue.now - STEP
    assert at == HOUR
    venue.do(1, MID, 5_000, Tif.IOC, after=0)
    venue.clearing.on_public(funding(at + 29_000_000, rate=125_000))
    assert not venue.of(FundingPaid), "bought at the hour, held nothing before it"
    venue.boundary(MID, MID)
    venue.clearing.on_public(ctx(venue.now - STEP, oracle=2_000 * 10**10))
    venue.clearing.on_public(funding(venue.now - STEP + 29_000_000, rate=125_000))
    (paid,) = venue.of(FundingPaid)
    assert isinstance(paid, FundingPaid)
    assert (paid.szi, paid.usdc, paid.exch) == (5_000, -12_500, HOUR + STEP + 29_000_000)
    venue.check()


def test_an_order_in_the_block_of_the_hour_changes_nothing_of_it() -> None:
    """No row comes between the hour and the block: the command itself has to cross it."""
    venue = Venue()
    venue.do(1, MID, 5_000, Tif.IOC)
    venue.do(-1, MID, 5_000, Tif.IOC, after=STEP + 1)
    venue.clearing.on_public(funding(HOUR + 29_000_000, rate=125_000))
    assert [fact.szi for fact in venue.of(FundingPaid) if isinstance(fact, FundingPaid)] == [5_000]
    venue.check()


def test_an_order_met_in_the_ended_bar_is_not_held_at_its_end() -> None:
    venue = Venue()
    venue.do(1, MID - 100, 1_000, Tif.ALO)
    venue.boundary(MID - 200, MID - 150)
    venue.clearing.on_public(funding(HOUR + 29_000_000, rate=125_000))
    assert venue.of(Filled)
    assert not venue.of(FundingPaid, FundingUnknown)


def test_a_payment_that_never_comes_is_unknown_and_the_mid_stands_in_for_the_oracle() -> None:
    venue = Venue()
    venue.do(1, MID, 5_000, Tif.IOC)
    venue.boundary(MID, MID)
    venue.boundary(MID, MID)
    assert len(venue.of(FundingUnknown)) == 1
    venue.clearing.on_public(funding(HOUR + STEP + 1, rate=125_000))
    (paid,) = venue.of(FundingPaid)
    assert isinstance(paid, FundingPaid)
    assert paid.oracle == 2_000 * 10**10
    venue.boundary(MID, MID)
    end = venue.now - STEP
    venue.clearing.finish(end)
    assert len(venue.of(FundingUnknown)) == 1, "the payment of the last boundary is beyond the run"
    venue.clearing.finish(end + 1)
    assert len(venue.of(FundingUnknown)) == 2


def test_a_planted_fault_in_the_counting_of_boundaries_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clearing_module, "BAR", -1)
    with pytest.raises(AssertionError):
        test_margin_is_judged_when_all_prices_of_a_stamp_are_known()


def test_a_coin_that_is_never_traded_again_pays_no_more_funding() -> None:
    clock = FundingClock([True, True])
    account = Account("a", assets=(ETH, BTC), cash=0)
    account.positions[:] = [5, 5]
    list(clock.cross(HOUR - 1, {"a": account}))
    list(clock.cross(HOUR, {"a": account}))
    clock.on_bar((6, 1, HOUR, HOUR, 9, 8, NEVER_AGAIN, 0, 1))
    clock.on_bar((6, 0, HOUR, HOUR, 9, 8, 0, 0, 1))  # a hole in the bars is no end
    assert [fact.coin for _, fact in clock.cross(HOUR + STEP, {"a": account})] == [0, 1]
    assert [fact.coin for _, fact in clock.unknown(HOUR + STEP)] == [0]
