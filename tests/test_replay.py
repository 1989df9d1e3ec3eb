"""The replay: two clocks on one axis, the same course for the same seed, however it is chunked."""

from typing import Any

import numpy as np
import pytest

from hatmanifesto.domain.commands import Cancel, Modify, Place
from hatmanifesto.domain.enums import Tif
from hatmanifesto.domain.events import (
    CancelRefused,
    Closed,
    Filled,
    FundingUnknown,
    MarginCalled,
    Opened,
    Refused,
)
from hatmanifesto.domain.records import BatchMark, Snapshot
from hatmanifesto.domain.rows import Row
from hatmanifesto.simex.replay import TRADER, Outcome
from hatmanifesto.store.journal import HashJournal
from hatmanifesto.strategies import maker
from hatmanifesto.strategies.contract import Slot
from hatmanifesto.warden.policy import Policy
from tests.core_world import (
    BOTH,
    HOUR,
    MS,
    RICH,
    Levels,
    ListJournal,
    MemoryTape,
    S,
    Wish,
    World,
    bbo,
    gap,
    l2,
    scripted,
    trade,
    wire,
)

PX, SZ, FAR = 200_000, 1_000, 1 << 62
BOOK = [(PX - 10 * (n + 1), 10_000, PX + 10 * (n + 1), 10_000) for n in range(5)]
T0 = HOUR - 600 * S
BID, ASK, IOC = BOTH[0], BOTH[1], Slot("ioc", 1, Tif.IOC)


def run(
    rows: list[Row], wishes: list[Wish], *, slots: tuple[Slot, ...] = BOTH, **how: Any
) -> tuple[World, Outcome, ListJournal]:
    journal = ListJournal()
    chunk_rows = how.pop("chunk_rows", 1 << 30)
    requote_ns = how.pop("requote_ns", 0)
    tape = MemoryTape(rows, [BOOK], chunk_rows=chunk_rows)
    strategy = scripted(wishes, slots=slots, requote_ns=requote_ns)
    world = wire(tape, strategy, journal, **how)
    return world, world.replay.run(), journal


def book(at: int) -> Row:
    return l2(at, BOOK, ref=0)


def always(slot: int, px: int, sz: int = SZ) -> Wish:
    return Wish(0, FAR, slot, px, sz)


def test_a_command_meets_its_block_and_its_answer_comes_back_after_the_feed() -> None:
    _, _, journal = run([book(T0), book(T0 + S)], [always(0, PX)])
    (placed,), (opened,) = journal.of(Place), journal.of(Opened)
    assert (placed.now, opened.exch, opened.recv) == (T0 + 10 * MS, T0 + 20 * MS, T0 + 30 * MS)
    assert [mark.now for mark in journal.of(BatchMark)][1] == opened.recv


@pytest.mark.parametrize(("shift", "fills"), [(0, 1), (-1, 0)])
def test_our_action_comes_before_rows_of_its_own_block_time(shift: int, fills: int) -> None:
    print_ = trade(T0 + 20 * MS + shift, px=PX - 10, sz=SZ, side=-1)
    _, _, journal = run([book(T0), print_, book(T0 + S)], [always(0, PX)])
    assert len(journal.of(Filled)) == fills


def test_a_command_waits_for_the_next_block() -> None:
    _, _, journal = run([book(T0), book(T0 + S)], [always(0, PX)], block_ns=75 * MS)
    (opened,) = journal.of(Opened)
    assert opened.exch % (75 * MS) == 0
    assert 0 <= opened.exch - (T0 + 20 * MS) < 75 * MS


def test_within_a_block_post_only_then_cancels_then_the_rest() -> None:
    wishes = [
        Wish(0, T0 + S, 1, PX + 20, SZ),
        Wish(T0 + S, T0 + S + 15 * MS, 2, PX + 10, SZ),
        Wish(T0 + S, FAR, 0, PX, SZ),
    ]
    _, _, journal = run([book(T0), book(T0 + S), book(T0 + 2 * S)], wishes, slots=(BID, ASK, IOC))
    sent = [r for r in journal.of(Place, Cancel) if r.now == T0 + S + 10 * MS]
    told = [r for r in journal.of(Opened, Closed, Filled) if r.exch == T0 + S + 20 * MS]
    assert [type(record) for record in sent] == [Cancel, Place, Place]
    assert [type(record) for record in told] == [Opened, Closed, Filled]


def test_rows_with_one_receive_time_are_one_batch_in_venue_order() -> None:
    tied = [trade(T0, px=PX, sz=5, side=1), bbo(T0, bid=PX, bid_sz=1, ask=PX + 10, ask_sz=1)]
    world, outcome, journal = run([*tied, book(T0), book(T0 + 1)], [])
    assert [mark.rows for mark in journal.of(BatchMark)] == [3, 1]
    assert (outcome.rows, outcome.batches) == (4, 2)
    assert world.engine.desks[0].decisions == 2


@pytest.mark.parametrize(("rows", "px"), [((0, 1), PX + 10), ((1, 0), PX + 50)])
def test_ties_are_taken_in_the_order_of_the_tape(rows: tuple[int, int], px: int) -> None:
    """A print and a crossing book with one stamp: whichever the tape puts first moves the queue."""
    tied = [trade(T0 + S, px=PX - 10, sz=400, side=-1), bbo(
        T0 + S, bid=PX - 60, bid_sz=9, ask=PX - 20, ask_sz=9)]  # fmt: skip
    _, _, journal = run([book(T0), *(tied[n] for n in rows)], [always(0, PX)])
    fills = [(fill.sz, fill.px) for fill in journal.of(Filled)]
    assert fills == ([(400, PX), (600, PX)] if px == PX + 10 else [(SZ, PX)])


def test_the_engine_wakes_itself_when_its_requote_time_is_over() -> None:
    rows = [book(T0), book(T0 + 50 * MS), book(T0 + 5 * S)]
    wishes = [Wish(T0 + 200 * MS, FAR, 0, PX, SZ)]
    world, _, journal = run(rows, wishes, requote_ns=300 * MS)
    marks = [(mark.now - T0) // MS for mark in journal.of(BatchMark) if mark.rows == 0]
    assert 310 in marks
    assert journal.of(Place)[0].now == T0 + 310 * MS
    assert world.engine.desks[0].decisions >= 2


def test_what_is_under_way_at_the_end_is_told_and_nothing_more_executes() -> None:
    _, outcome, journal = run([book(T0), book(T0 + 20 * MS)], [always(0, PX)])
    assert len(journal.of(Opened)) == 1
    _, outcome, journal = run([book(T0), book(T0 + 19 * MS)], [always(0, PX)])
    assert (outcome.reason, len(journal.of(Place)), len(journal.of(Opened))) == ("end", 1, 0)


def test_a_hole_over_the_hour_is_told_as_unknown() -> None:
    hole = [gap(HOUR - 500 * S, HOUR + 100 * S), book(HOUR + 100 * S), book(HOUR + 200 * S)]
    _, _, journal = run(
        [book(T0), book(T0 + S), *hole], [Wish(0, T0 + 15 * MS, 0, PX + 10, SZ)], slots=(IOC,)
    )
    (unknown,) = journal.of(FundingUnknown)
    assert (unknown.coin, unknown.szi) == (0, SZ)


FALL = [
    book(T0),
    *(
        l2(T0 + n * S, [(PX - 30 * n * n, 9_000, PX - 30 * n * n + 10, 9_000)], ref=0)
        for n in range(1, 60)
    ),
]


@pytest.mark.parametrize("chunk_rows", [1, 7, 1 << 30])
def test_a_margin_call_ends_the_run_there_and_says_so(chunk_rows: int) -> None:
    wishes = [Wish(0, T0 + 15 * MS, 0, PX + 10, 9_000)]
    world, outcome, journal = run(
        FALL, wishes, slots=(IOC,), cash=120 * 10**6, chunk_rows=chunk_rows
    )
    (called,) = journal.of(MarginCalled)
    assert outcome.reason == "margin"
    assert called.value < called.maintenance
    assert outcome.end_ns == called.exch
    assert outcome.rows == 1 + (called.exch - T0) // S, "no row after the call is seen"
    assert world.clearing.accounts[TRADER].positions[0] == 9_000


def test_the_gates_refusal_comes_back_as_a_fact() -> None:
    policy = Policy(frozenset({0}), 10**6, RICH, 10)
    world, outcome, journal = run([book(T0), book(T0 + S)], [always(0, PX)], policy=policy)
    assert {fact.text for fact in journal.of(Refused)} == {
        "gate: order notional over the gate's ceiling"
    }
    assert outcome.commands == len(journal.of(Place))
    assert world.book.resting(0) == []


def test_a_cancel_that_the_gate_refuses_leaves_the_order_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal = ListJournal()
    tape = MemoryTape([book(T0), book(T0 + S), book(T0 + 2 * S)], [BOOK])
    world = wire(tape, scripted([Wish(0, T0 + S, 0, PX, SZ)]), journal)
    monkeypatch.setattr(
        type(world.replay._warden),
        "refusal",
        lambda self, command: "no" if isinstance(command, Cancel) else "",
    )
    world.replay.run()
    assert journal.of(CancelRefused)
    assert len(world.engine.state.blotter.orders) == len(world.book.resting(0)) == 1


def wander(count: int, seed: int) -> tuple[list[Row], list[Levels]]:
    """Return a random tape of two coins: books of five levels, prints that lift them."""
    rng = np.random.Generator(np.random.PCG64(seed))
    rows: list[Row] = []
    books: list[Levels] = []
    mids = [PX, 1_000_000]
    now = T0
    for _ in range(count):
        now += int(rng.integers(0, 3)) * 20 * MS
        coin = int(rng.integers(0, 2))
        step = 10
        mids[coin] += step * int(rng.integers(-1, 2))
        mid, size = mids[coin], int(rng.integers(1_000, 90_000))
        kind = int(rng.integers(0, 3))
        if kind == 0:
            side = int(rng.integers(0, 2)) * 2 - 1
            rows.append(trade(now, px=mid + side * step, sz=size, side=side, coin=coin))
        elif kind == 1:
            rows.append(
                bbo(now, bid=mid - step, bid_sz=size, ask=mid + step, ask_sz=size, coin=coin)
            )
        else:
            levels = [(mid - step * n, size, mid + step * n, size) for n in range(1, 6)]
            rows.append(l2(now, levels, ref=len(books), coin=coin))
            books.append(levels)
    return rows, books


WANDER = wander(3_000, 5)


def fingerprint(*, chunk_rows: int = 1 << 30, seed: int = 7, **how: Any) -> tuple[str, World]:
    journal = HashJournal()
    tape = MemoryTape(*WANDER, chunk_rows=chunk_rows)
    params = maker.Params(half_spread_bps=0.5, requote_ms=50, size_pct=30.0)
    world = wire(
        tape,
        maker.build(params),
        journal,
        latency="lognormal:30ms:0.5",
        seed=seed,
        block_ns=75 * MS,
        cash=10_000 * 10**6,
        coins=(0, 1),
        **how,
    )
    world.replay.run()
    return journal.close(), world


def test_same_seed_same_journal_other_seed_another() -> None:
    first, again, other = fingerprint()[0], fingerprint()[0], fingerprint(seed=8)[0]
    assert first == again
    assert first != other


@pytest.mark.parametrize("chunk_rows", [1, 97, 1_000])
@pytest.mark.parametrize("queue", ["risk_averse", "prob:2"])
def test_chunks_do_not_matter(chunk_rows: int, queue: str) -> None:
    assert fingerprint(chunk_rows=chunk_rows, queue=queue)[0] == fingerprint(queue=queue)[0]


def test_engine_and_clearing_agree_after_thousands_of_rows() -> None:
    _, world = fingerprint()
    account, state = world.clearing.accounts[TRADER], world.engine.state
    ledgers = [state.ledgers[0][coin] for coin in (0, 1)]
    assert sum(ledger.fills for ledger in ledgers) > 20
    assert [ledger.position for ledger in ledgers] == account.positions == state.net
    assert sum(ledger.fees for ledger in ledgers) == account.fees
    assert account.cash == state.capital + sum(ledger.cash - ledger.fees for ledger in ledgers)
    assert state.blotter.late == 0
    assert world.clearing.money() == state.capital


def test_state_hashes_are_noted_now_and_then() -> None:
    _, _, journal = run([book(T0), book(T0 + 301 * S)], [])
    assert len(journal.of(Snapshot)) == 2
    assert not journal.of(Modify)
