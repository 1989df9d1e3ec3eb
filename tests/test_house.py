"""A house of strategies on one account: books that sum, no self-trades, failures kept apart."""

import math
from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatmanifesto.analytics.allot import allot_funding
from hatmanifesto.analytics.fold import fold
from hatmanifesto.books.allot import HOUSE, allot
from hatmanifesto.books.state import State
from hatmanifesto.domain.commands import Cancel, Modify, Place
from hatmanifesto.domain.enums import Status, Tif
from hatmanifesto.domain.events import Closed, Filled, FundingPaid
from hatmanifesto.domain.reasons import Reason
from hatmanifesto.domain.records import Allocation, Record, Signal, StrategyFailed, Veto
from hatmanifesto.domain.rows import Row
from hatmanifesto.engine.engine import Assignment
from hatmanifesto.engine.signals import features_hash
from hatmanifesto.hats.exchange import ExchangeHat
from hatmanifesto.hats.execution import ExecutionHat
from hatmanifesto.hats.risk import RiskHat
from hatmanifesto.risk.allocator import AllocatorSpec
from hatmanifesto.risk.limits import Limits
from hatmanifesto.signals.regime import STEPS_MIN, RegimeTrack
from hatmanifesto.simex.replay import TRADER
from hatmanifesto.strategies.contract import CROSS, Quotes, SignalSpec, Slot, Strategy, View
from tests.core_world import (
    BTC,
    ETH,
    HOUR,
    MS,
    ListJournal,
    MemoryTape,
    S,
    World,
    ctx,
    funding,
    l2,
    trade,
    wire,
)

SLOTS = (
    Slot("bid", 1, Tif.ALO),
    Slot("ask", -1, Tif.ALO),
    Slot("buy", 1, Tif.IOC),
    Slot("sell", -1, Tif.IOC),
    Slot("close_long", -1, Tif.IOC, reduce_only=True),
    Slot("close_short", 1, Tif.IOC, reduce_only=True),
)
START = HOUR - 30 * S
HATS = (ExchangeHat((ETH, BTC)), ExecutionHat())
WIDE = Limits(10**13, 10**13, 10_000, 1_000, 2_000, 10**13, 10**13)


class Dice(NamedTuple):
    """Parameters of the random strategy: its seed."""

    seed: int = 1


def roll(m: Any) -> int:
    """Return the next number of a small generator kept in memory, 0 .. 2**31 - 1."""
    m[0] = float((int(m[0]) * 1_103_515_245 + 12_345) % 2**31)
    return int(m[0])


def decide_by_dice(p: Dice, v: View, m: Any) -> Quotes:
    """Want something at random in every slot, sometimes nothing."""
    if not m[0]:
        m[0] = float(p.seed)
    quotes: list[int] = []
    step = v.px_one // 10
    for slot in SLOTS:
        draw = roll(m)
        near = v.bid_px if slot.side < 0 or slot.tif == Tif.ALO else v.ask_px
        away = (draw // 8 % 5 - 2) * step
        size = draw // 64 % 7 * v.sz_one // 20
        quotes += [near // step * step + away, size if draw % 3 else 0]
    m[1] = quotes[0] / v.px_one
    return tuple(quotes)


def dice(seed: int, *, coins: tuple[int, ...] = (0, 1), cash: int = 10**12) -> Assignment:
    return Assignment(
        Strategy(
            name=f"dice{seed}",
            decide=decide_by_dice,
            params=Dice(seed),
            slots=SLOTS,
            memory=2,
            requote_ns=100 * MS,
            why_too_small=lambda p, v: "",
            bounds=MappingProxyType({}),
            signal=SignalSpec("first price", "USDC", S, 1),
        ),
        coins,
        cash,
    )


def market(seed: int, *, seconds: int = 60) -> MemoryTape:
    """Return books and prints of two coins that walk at random, with one funding hour inside."""
    state = [float(seed + 1)]
    rows: list[Row] = []
    books = []
    px = {0: 200_000, 1: 1_000_000}
    for at in range(seconds * 4):
        now = START + at * S // 4
        for coin, asset in ((0, ETH), (1, BTC)):
            step = 10**asset.px_decimals // 10 or 1
            px[coin] += (roll(state) // 16 % 3 - 1) * step
            size = 10**asset.sz_decimals
            books.append(
                [(px[coin] - step * (1 + k), size, px[coin] + step * k, size) for k in range(4)]
            )
            rows.append(l2(now, books[-1], coin=coin, ref=len(books) - 1))
            if roll(state) // 16 % 2:
                side = 1 if roll(state) // 16 % 2 else -1
                hit = px[coin] + (0 if side > 0 else -step)
                rows.append(trade(now + MS, px=hit, sz=size // 3, side=side, coin=coin))
    rows.append(ctx(HOUR - S, oracle=2_000 * 10**10))
    rows.append(funding(HOUR + S // 2, rate=125_000))
    return MemoryTape(sorted(rows, key=lambda row: row[2]), books)


def check_sums(state: State) -> None:
    """Assert that positions, cash, fees, funding and worth of the books sum to the account's."""
    worth2 = 2 * (state.capital + state.house)
    for coin, account in enumerate(state.account):
        books = [book[coin] for book in state.ledgers]
        assert sum(one.position for one in books) == account.position == state.net[coin]
        assert sum(one.cash for one in books) == account.cash
        assert sum(one.fees for one in books) == account.fees
        assert sum(one.fills for one in books) == account.fills
        assert sum(one.cost for one in books) + state.netting(coin) == account.cost
        worth2 += sum(one.equity2(state.mark2(coin)) for one in books)
    paid = sum(one.funding for book in state.ledgers for one in book) + state.house
    assert paid == sum(account.funding for account in state.account)
    assert worth2 == state.equity2()


def watched(world: World, check: Callable[[State], None] = check_sums) -> World:
    """Return ``world`` with ``check`` run after every step of its engine."""
    step = world.engine.step

    def checked(batch: Any, now: int) -> list[Record]:
        records = step(batch, now)
        check(world.engine.state)
        return records

    world.engine.step = checked  # type: ignore[method-assign]
    return world


def ran(assignments: Sequence[Assignment], tape: MemoryTape, **more: Any) -> tuple[World, Any]:
    journal = ListJournal()
    more = {"hats": HATS, "cash": 10**13, **more}
    world = watched(wire(tape, assignments, journal, **more))
    assert world.replay.run().reason == "end"
    return world, journal


seeds = st.integers(1, 10_000)


@pytest.mark.slow
@settings(max_examples=25)
@given(seeds=st.lists(seeds, min_size=2, max_size=4, unique=True), path=seeds)
def test_books_sum_to_the_account_after_every_event(seeds: list[int], path: int) -> None:
    world, journal = ran([dice(seed) for seed in seeds], market(path))
    state = world.engine.state
    venue = world.clearing.accounts[TRADER]
    assert venue.positions == state.net
    assert 2 * venue.cash == state.cash2
    for ours, entry in zip(state.account, venue.entry, strict=True):
        assert abs(ours.cost - entry) <= ours.fills  # the exchange truncates at every reduction
    assert len(journal.of(Filled)) > 10


@pytest.mark.slow
@settings(max_examples=25)
@given(seeds=st.lists(seeds, min_size=2, max_size=4, unique=True), path=seeds)
def test_strategies_that_disagree_never_trade_with_one_another(seeds: list[int], path: int) -> None:
    _, journal = ran([dice(seed) for seed in seeds], market(path))
    assert not [r for r in journal.of(Closed) if r.status == Status.SELF_TRADE_CANCELED]
    tids = [fill.tid for fill in journal.of(Filled)]
    assert len(set(tids)) == len(tids)


def test_without_the_execution_hat_they_do_trade_with_one_another() -> None:
    met = 0
    for path in range(1, 8):
        _, journal = ran([dice(3), dice(4)], market(path), hats=HATS[:1])
        met += sum(r.status == Status.SELF_TRADE_CANCELED for r in journal.of(Closed))
    assert met > 0


def test_funding_is_shared_and_what_nobody_explains_is_the_houses() -> None:
    world, journal = ran([dice(5), dice(6)], market(2))
    assert len(journal.of(FundingPaid)) == 1
    assert sum(book[0].funding for book in world.engine.state.ledgers) + (
        world.engine.state.house
    ) == sum(fact.usdc for fact in journal.of(FundingPaid))


@pytest.mark.parametrize("path", [2, 3, 4, 5])
def test_books_pay_for_what_they_held_at_the_hour(path: int) -> None:
    world, journal = ran([dice(5), dice(6), dice(7)], market(path))
    facts = fold(journal.records)
    (payment,) = facts.funding
    held = dict.fromkeys(range(3), 0)
    for fill in facts.fills:
        if fill.coin == payment.coin and fill.ts < HOUR:
            held[fill.book] += fill.szi
    assert sum(held.values()) == payment.szi
    expected = allot(payment.usdc, held)
    state = world.engine.state
    paid = {book: ledgers[0].funding for book, ledgers in enumerate(state.ledgers)}
    assert {book: usdc for book, usdc in paid.items() if usdc} == {
        book: usdc for book, usdc in expected.items() if usdc and book != HOUSE
    }
    assert allot_funding(facts.funding, facts.fills) == expected


def test_a_planted_leak_between_books_is_caught() -> None:
    world, _ = ran([dice(5), dice(6)], market(2))
    state = world.engine.state
    for name in ("cash", "position", "fees", "funding"):
        ledger = state.ledgers[1][0]
        setattr(ledger, name, getattr(ledger, name) + 1)
        with pytest.raises(AssertionError):
            check_sums(state)
        setattr(ledger, name, getattr(ledger, name) - 1)
    check_sums(state)


# -- A long, B short ------------------------------------------------------------------------------


class Plan(NamedTuple):
    """Parameters: buy until ``turn`` [ns after the start], then close; ``side`` of the position."""

    side: int = 1
    turn: int = 2 * S


def follow_plan(p: Plan, v: View, m: Any) -> Quotes:
    """Hold 1 coin until the turn, then close through the reduce-only slot."""
    quotes = [0, 0] * len(SLOTS)
    if v.now < START + p.turn:
        left = v.sz_one - p.side * v.position
        slot = 2 if p.side > 0 else 3
    else:
        left = p.side * v.position
        slot = 4 if p.side > 0 else 5
    buys = SLOTS[slot].side > 0
    px = v.ask_px + v.px_one // 10 if buys else v.bid_px - v.px_one // 10
    quotes[2 * slot : 2 * slot + 2] = [px, max(left, 0)]
    return tuple(quotes)


def plan(side: int, turn: int) -> Assignment:
    strategy = dice(1).strategy._replace(name=f"plan{side}", decide=follow_plan, signal=None)
    return Assignment(strategy._replace(params=Plan(side, turn)), (0,), 10**12)


def test_a_close_that_raises_the_accounts_net_is_an_ordinary_order() -> None:
    world, journal = ran([plan(1, 5 * S), plan(-1, 60 * S)], market(1, seconds=10))
    closes = [r for r in journal.of(Place) if r.book == 0 and SLOTS[r.slot].reduce_only]
    assert closes
    assert not any(place.reduce_only for place in closes)
    state = world.engine.state
    assert (state.ledgers[0][0].position, state.net[0]) == (0, -(10**ETH.sz_decimals))


def test_such_a_close_passes_the_whole_panel() -> None:
    half_coin = Limits(10**13, 10**9, 10_000, 1_000, 2_000, 10**13, 10**13)
    hats = (*HATS, RiskHat(half_coin))  # net of 0.5 coin at most: 1,000 USDC of 2,000
    flat = [plan(1, 5 * S), plan(-1, 60 * S)]
    world, journal = ran(flat, market(1, seconds=10), hats=(*HATS, RiskHat(WIDE)))
    assert world.engine.state.ledgers[0][0].position == 0
    _, journal = ran(flat, market(1, seconds=10), hats=hats)
    vetoes = [r for r in journal.of(Veto) if r.reason == Reason.POSITION_NOTIONAL_OVER_MAX]
    assert vetoes


def test_a_close_alone_on_the_account_is_reduce_only_at_the_venue() -> None:
    _, journal = ran([plan(1, 5 * S)], market(1, seconds=10))
    closes = [r for r in journal.of(Place) if SLOTS[r.slot].reduce_only]
    assert closes
    assert all(place.reduce_only for place in closes)


# -- failures -------------------------------------------------------------------------------------


def failing(how: str, *, after: int = 30) -> Assignment:
    """Return a strategy that goes wrong at its ``after``-th decision on a coin."""

    def decide(p: Any, v: View, m: Any) -> Any:
        m[2] += 1
        if m[2] < after:
            return decide_by_dice(p, v, m)
        if how == "raise":
            raise ZeroDivisionError("planted")
        if how == "short":
            return (1, 2)
        if how == "none":
            return None
        if how == "list":
            return list(decide_by_dice(p, v, m))
        return (math.nan, 0) * len(SLOTS)

    work = dice(9)
    return work._replace(strategy=work.strategy._replace(decide=decide, memory=3))


@pytest.mark.parametrize("how", ["raise", "short", "none", "nan", "list"])
def test_a_strategy_that_fails_stops_alone(how: str) -> None:
    alone, _ = ran([dice(3)], market(4, seconds=30))
    world, journal = ran([failing(how), dice(3)], market(4, seconds=30))
    (failed,) = journal.of(StrategyFailed)
    assert failed.book == 0
    assert failed.error
    later = [r for r in journal.of(Place, Modify, Cancel) if r.now > failed.now]
    assert {type(r) for r in later if r.book == 0} <= {Cancel}
    assert [r for r in later if r.book == 1]
    assert not [order for order in world.engine.state.blotter.orders.values() if order.book == 0]
    mind = next(mind for mind in world.engine.minds if mind.book == 1)
    assert mind.decisions > alone.engine.minds[0].decisions // 2


def test_all_coins_of_a_failed_strategy_stop() -> None:
    world, journal = ran([failing("raise"), dice(3)], market(4, seconds=30))
    assert len(journal.of(StrategyFailed)) == 1
    assert [mind.is_stopped for mind in world.engine.minds] == [True, True, False, False]


# -- one decision for all coins -------------------------------------------------------------------


def decide_cross(p: Any, views: Sequence[View], m: Any) -> Quotes:
    """Hold the first coin long and the second short, and remember per coin."""
    m[0] += 1
    quotes: list[int] = []
    for at, v in enumerate(views):
        want = v.sz_one if at == 0 else -v.sz_one
        gap = want - v.position
        m[1 + at] = float(want)
        quotes += [v.ask_px, max(gap, 0), v.bid_px, max(-gap, 0)]
    return tuple(quotes)


def cross() -> Assignment:
    return Assignment(
        Strategy(
            name="cross",
            decide=decide_cross,
            params=Dice(),
            slots=(Slot("buy", 1, Tif.IOC), Slot("sell", -1, Tif.IOC)),
            memory=1,
            requote_ns=S,
            why_too_small=lambda p, v: "",
            scope=CROSS,
            memory_coin=1,
            signal=SignalSpec("target", "coins", S, 0),
        ),
        (0, 1),
        10**12,
    )


def test_a_cross_strategy_decides_once_for_all_its_coins() -> None:
    world, journal = ran([cross()], market(3, seconds=10))
    (mind,) = world.engine.minds
    assert mind.decisions == mind.memory[0]
    assert world.engine.state.net == [10**ETH.sz_decimals, -(10**BTC.sz_decimals)]
    values = {signal.coin: signal.value for signal in journal.of(Signal)}
    assert values == {0: 10.0**ETH.sz_decimals, 1: -(10.0**BTC.sz_decimals)}
    assert {r.book for r in journal.of(Place)} == {0}


# -- signals and regimes --------------------------------------------------------------------------


class Seen(NamedTuple):
    """What one decision was shown."""

    now: int
    views: tuple[View, ...]
    value: float


def seeing(work: Assignment, seen: list[Seen]) -> Assignment:
    inner = work.strategy.decide

    def decide(p: Any, v: View, m: Any) -> Quotes:
        quotes = inner(p, v, m)
        seen.append(Seen(v.now, (v,), float(m[1])))
        return quotes

    return work._replace(strategy=work.strategy._replace(decide=decide))


def test_every_order_names_a_signal_that_can_be_recomputed() -> None:
    seen: list[Seen] = []
    _, journal = ran([seeing(dice(3, coins=(0,)), seen)], market(3))
    by_hash = {features_hash(one.views): one for one in seen}
    signals: dict[int, Signal] = {}
    orders = 0
    for record in journal.records:
        if isinstance(record, Signal):
            assert record.id == len(signals) + 1
            signals[record.id] = record
            one = by_hash[record.features]
            assert record.value == one.value
            assert record.as_of == one.views[0].exch <= one.now <= record.now
            assert record.regime == one.views[0].regime
        elif isinstance(record, (Place, Modify)):
            orders += 1
            signal = signals[record.signal]
            assert (signal.book, signal.coin) == (record.book, record.coin)
            assert signal.now <= record.now
    assert orders > 50


def test_the_hash_of_the_features_depends_on_every_one_of_them() -> None:
    view = View(*range(1, len(View._fields) + 1))
    hashes = {features_hash((view._replace(**{name: 0}),)) for name in View._fields}
    assert len(hashes | {features_hash((view,))}) == len(View._fields) + 1


def minutes(moves: Sequence[float]) -> Iterator[tuple[int, int]]:
    level = 1e9
    for at, move in enumerate(moves):
        level *= math.exp(move)
        yield (at + 1) * 60 * S, round(level)


def labels(moves: Sequence[float]) -> list[int]:
    track = RegimeTrack()
    return [track.observe(now, mid2) for now, mid2 in minutes(moves)]


def test_regimes_are_unknown_at_first_and_then_say_what_they_saw() -> None:
    noise = [0.001 * (-1) ** n for n in range(200)]
    calm = labels(noise)
    assert set(calm[:STEPS_MIN]) == {0}
    assert calm[-1] == 2
    assert labels([*noise, *[0.001] * 40])[-1] == 3
    assert labels([*noise, *[-0.001] * 40])[-1] == 1
    assert labels([*noise, *[0.02 * (-1) ** n for n in range(20)]])[-1] == 5


@given(st.lists(st.floats(-0.05, 0.05), min_size=60, max_size=120), st.integers(1, 60))
def test_a_regime_is_never_revised(moves: list[float], cut: int) -> None:
    assert labels(moves)[: len(moves) - cut] == labels(moves[: len(moves) - cut])


@given(st.lists(st.floats(-0.05, 0.05), min_size=60, max_size=90))
def test_regimes_of_a_mirrored_market_are_mirrored(moves: list[float]) -> None:
    mirror = {0: 0, 1: 3, 2: 2, 3: 1, 4: 6, 5: 5, 6: 4}
    up, down = labels(moves), labels([-move for move in moves])
    same = sum(mirror[a] == b for a, b in zip(up, down, strict=True))
    assert same >= len(moves) - 2  # mids are whole numbers: a score on the edge may round


def test_the_stored_regime_is_the_online_one() -> None:
    seen: list[Seen] = []
    ran([seeing(dice(3, coins=(0,)), seen)], market(3, seconds=60))
    track = RegimeTrack()
    for one in seen:
        view = one.views[0]
        assert view.regime == track.observe(view.now, view.bid_px + view.ask_px)


# -- allocator ------------------------------------------------------------------------------------


def test_allocations_are_journaled_and_reach_the_desks() -> None:
    spec = AllocatorSpec(method="risk_parity", every_hours=1)
    works = [dice(5, cash=3 * 10**12), dice(6, cash=10**12)]
    world, journal = ran(works, market(2), allocator=spec)
    first, second = journal.of(Allocation)
    assert first.why == "as given"
    assert [one.capital for one in first.books] == [3 * 10**12, 10**12]
    assert second.why.startswith("unchanged")
    assert [desk.capital for desk in world.engine.desks] == [15 * 10**11] * 2 + [5 * 10**11] * 2
