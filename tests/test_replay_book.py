"""ReplayBook: prints handed out once, honest queues, what we take is gone, holes are holes."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.rows import Chunk, Row
from hatmanifesto.simex.matching import Match, Resting
from hatmanifesto.simex.queue import parse_queue_model
from hatmanifesto.simex.replay_book import ReplayBook
from tests.core_world import Levels, S, bbo, gap, l2, matrix, trade

MID = 1_000
LEVELS = [(MID - n, 100, MID + n, 100) for n in range(1, 6)]
THIN = [(MID - 1, 40, MID + 1, 40), *LEVELS[1:]]


class Desk:
    """A book and a way to fill what it matches, as the clearing does."""

    def __init__(self, queue: str = "risk_averse") -> None:
        self.book = ReplayBook(coins=1, queue=parse_queue_model(queue))
        self.book.on_chunk(Chunk([], matrix([LEVELS, THIN])))
        self.now = 0
        self.oid = 0
        self.l2(LEVELS, ref=0)

    def order(self, side: int, px: int, sz: int, *, account: str = "a") -> Resting:
        self.oid += 1
        return Resting(
            account=account, intent=self.oid, oid=self.oid, coin=0, side=side, px=px, sz=sz,
            reduce_only=False,
        )  # fmt: skip

    def rest(self, side: int, px: int, sz: int) -> Resting:
        order = self.order(side, px, sz)
        self.book.rest(order)
        return order

    def on(self, row: Row) -> list[tuple[int, int, int]]:
        """Fold a row; fill and return (oid, px, sz)."""
        return self.settle(self.book.on_public(row))

    def settle(self, matches: list[Match]) -> list[tuple[int, int, int]]:
        for match in matches:
            match.order.sz_filled += match.sz
            assert match.order.sz_filled <= match.order.sz
            if match.order.sz_filled == match.order.sz and not match.is_taker:
                self.book.remove(match.order)
        return [(match.order.oid, match.px, match.sz) for match in matches]

    def trade(self, side: int, px: int, sz: int) -> list[tuple[int, int, int]]:
        self.now += S
        return self.on(trade(self.now, px=px, sz=sz, side=side))

    def bbo(self, bid: int, bid_sz: int, ask: int, ask_sz: int) -> list[tuple[int, int, int]]:
        self.now += S
        return self.on(bbo(self.now, bid=bid, bid_sz=bid_sz, ask=ask, ask_sz=ask_sz))

    def l2(self, levels: Levels, *, ref: int) -> list[tuple[int, int, int]]:
        self.now += S
        return self.on(l2(self.now, levels, ref=ref))


def test_a_print_eats_the_queue_first_and_then_us() -> None:
    desk = Desk()
    desk.rest(-1, MID + 1, 50)
    assert desk.trade(1, MID + 1, 100) == []
    assert desk.trade(1, MID + 1, 20) == [(1, MID + 1, 20)]
    assert desk.trade(1, MID + 1, 90) == [(1, MID + 1, 30)]


def test_a_print_of_the_other_side_or_short_of_our_price_is_not_ours() -> None:
    desk = Desk()
    desk.rest(-1, MID + 2, 50)
    assert desk.trade(1, MID + 1, 1_000) == []
    assert desk.trade(-1, MID + 2, 1_000) == []


def test_a_print_beyond_our_price_reaches_us_whatever_stood_before_us() -> None:
    desk = Desk()
    desk.rest(1, MID - 1, 50)
    assert desk.trade(-1, MID - 2, 30) == [(1, MID - 1, 30)]
    assert desk.trade(-1, MID - 2, 30) == [(1, MID - 1, 20)]


def test_one_print_is_handed_out_once_over_our_orders_best_first() -> None:
    desk = Desk()
    desk.rest(-1, MID + 2, 50)
    desk.rest(-1, MID + 1, 50)
    assert desk.trade(1, MID + 3, 70) == [(2, MID + 1, 50), (1, MID + 2, 20)]


def test_our_orders_at_one_price_are_filled_in_time_order() -> None:
    desk = Desk()
    for _ in range(3):
        desk.rest(-1, MID + 1, 10)
    assert desk.trade(1, MID + 1, 115) == [(1, MID + 1, 10), (2, MID + 1, 5)]


def test_every_order_at_the_price_moves_up_by_a_print() -> None:
    desk = Desk()
    first, second = desk.rest(-1, MID + 1, 10), desk.rest(-1, MID + 1, 10)
    desk.trade(1, MID + 1, 60)
    assert (first.front, second.front) == (40.0, 40.0)


class Print(NamedTuple):
    side: int
    px: int
    sz: int


orders_of = st.lists(
    st.tuples(st.sampled_from([1, -1]), st.integers(1, 5), st.integers(1, 60)), max_size=8
)
prints_of = st.lists(
    st.builds(Print, st.sampled_from([1, -1]), st.integers(1, 6), st.integers(1, 200)), max_size=10
)


@given(orders=orders_of, prints=prints_of, queue=st.sampled_from(["risk_averse", "prob:2"]))
def test_a_print_never_gives_more_than_it_traded(
    orders: list[tuple[int, int, int]], prints: list[Print], queue: str
) -> None:
    desk = Desk(queue)
    for side, distance, sz in orders:
        desk.rest(side, MID - side * distance, sz)
    for side, distance, sz in prints:
        got = desk.trade(side, MID + side * distance, sz)
        assert sum(size for _, _, size in got) <= sz
        prices = [side * px for _, px, _ in got]
        assert prices == sorted(prices), "best price first"
        assert all(size > 0 for _, _, size in got)


def test_a_crossed_book_fills_what_is_left_at_our_price() -> None:
    desk = Desk()
    desk.rest(1, MID - 1, 50)
    desk.trade(-1, MID - 1, 110)
    assert desk.bbo(MID - 3, 9, MID - 1, 1) == [(1, MID - 1, 40)]
    desk = Desk()
    desk.rest(-1, MID + 1, 50)
    assert desk.bbo(MID + 1, 1, MID + 3, 9) == [(1, MID + 1, 50)]


@pytest.mark.parametrize("side", [1, -1])
def test_a_crossed_book_fills_us_even_when_its_other_side_is_empty(side: int) -> None:
    desk = Desk()
    desk.rest(side, MID - side, 50)
    row = (0, 0, MID - 1, 9) if side > 0 else (MID + 1, 9, 0, 0)
    assert desk.bbo(*row) == [(1, MID - side, 50)]


@pytest.mark.parametrize("side", [1, -1])
def test_an_order_before_an_empty_side_has_nobody_before_it(side: int) -> None:
    desk = Desk()
    order = desk.rest(side, MID - 2 * side, 50)
    desk.bbo(*((0, 0, MID + 1, 9) if side > 0 else (MID - 1, 9, 0, 0)))
    assert order.front == 0.0


@pytest.mark.parametrize(("queue", "front"), [("risk_averse", 100.0), ("prob:1", 60.0)])
def test_cancels_move_us_only_where_the_model_says_so(queue: str, front: float) -> None:
    """120 shown with 100 before us and 20 behind; 48 of them cancel: 5/6 of those before us."""
    desk = Desk(queue)
    order = desk.rest(1, MID - 1, 50)
    desk.bbo(MID - 1, 120, MID + 1, 100)
    assert order.front == 100.0
    desk.bbo(MID - 1, 72, MID + 1, 100)
    assert order.front == pytest.approx(min(front, 72))


def test_a_snapshot_moves_deeper_orders_too() -> None:
    desk = Desk()
    order = desk.rest(1, MID - 1, 50)
    desk.l2(THIN, ref=1)
    assert order.front == 40.0


def test_the_place_of_an_order_is_what_its_level_shows() -> None:
    desk = Desk()
    assert desk.rest(1, MID - 1, 5).front == 100
    assert desk.rest(1, MID - 3, 5).front == 100
    assert desk.rest(1, MID, 5).front == 0
    deep = desk.rest(1, MID - 9, 5)
    assert deep.front > 10**12, "a level that was never shown has an unreachable front"
    assert 4 not in {oid for oid, _, _ in desk.trade(-1, MID - 9, 10**9)}


def test_what_we_took_is_gone_until_its_level_is_told_again() -> None:
    desk = Desk()
    assert desk.settle(desk.book.take(desk.order(1, MID + 2, 150))) == [
        (1, MID + 1, 100),
        (1, MID + 2, 50),
    ]
    assert desk.settle(desk.book.take(desk.order(1, MID + 2, 150))) == [(2, MID + 2, 50)]
    desk.bbo(MID - 1, 100, MID + 1, 30)
    assert desk.settle(desk.book.take(desk.order(1, MID + 2, 150))) == [(3, MID + 1, 30)]
    desk.l2(LEVELS, ref=0)
    assert desk.settle(desk.book.take(desk.order(1, MID + 2, 150))) == [
        (4, MID + 1, 100),
        (4, MID + 2, 50),
    ]


def test_taking_stops_at_the_limit_and_at_the_end_of_what_is_shown() -> None:
    desk = Desk()
    assert sum(match.sz for match in desk.book.take(desk.order(-1, MID - 9, 10**6))) == 500
    assert Desk().book.take(desk.order(1, MID, 10)) == []


def test_taking_meets_our_own_orders_by_price_and_after_the_public() -> None:
    desk = Desk()
    inside, level = desk.rest(-1, MID, 10), desk.rest(-1, MID + 1, 10)
    found = desk.book.take(desk.order(1, MID + 1, 200, account="b"))
    assert [(match.px, match.sz, match.resting) for match in found] == [
        (MID, 10, inside),
        (MID + 1, 100, None),
        (MID + 1, 10, level),
    ]


def test_after_a_hole_crossed_orders_are_filled_and_marked_and_others_go_to_the_back() -> None:
    desk = Desk()
    crossed, kept = desk.rest(1, MID - 1, 50), desk.rest(1, MID - 3, 50)
    desk.trade(-1, MID - 1, 100)
    kept.front = 0.0
    desk.on(gap(desk.now, desk.now + 18 * S))
    found = desk.book.on_public(
        l2(desk.now + 19 * S, [(MID - 3, 77, MID - 2, 5), *LEVELS[3:]], ref=0)
    )
    assert [(m.order, m.px, m.sz, m.is_gap) for m in found] == [(crossed, MID - 1, 50, True)]
    assert kept.front == 77.0


def test_after_a_hole_what_a_level_showed_before_it_is_forgotten() -> None:
    desk = Desk()
    order = desk.rest(1, MID - 3, 50)
    desk.on(gap(desk.now, desk.now + 18 * S))
    desk.bbo(MID - 1, 9, MID + 1, 9)
    assert order.front > 10**12
    assert desk.settle(desk.book.take(desk.order(1, MID + 4, 500))) == [(2, MID + 1, 9)]


def test_levels_of_an_earlier_chunk_are_kept() -> None:
    desk = Desk()
    desk.book.on_chunk(Chunk([], matrix([[(5, 1, 6, 1)]])))
    assert desk.rest(1, MID - 3, 5).front == 100


moves_of = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), st.integers(1, 60)),
        st.tuples(st.just("bbo"), st.integers(1, 200)),
    ),
    max_size=15,
)


@given(moves=moves_of, sz=st.integers(1, 80), exponent=st.sampled_from([1, 2, 3]))
def test_risk_averse_never_fills_more_than_a_probability(
    moves: list[tuple[str, int]], sz: int, exponent: int
) -> None:
    filled = []
    for queue in ("risk_averse", f"prob:{exponent}"):
        desk = Desk(queue)
        order = desk.rest(1, MID - 1, sz)
        for kind, size in moves:
            if order.sz_filled == order.sz:
                break
            if kind == "trade":
                desk.trade(-1, MID - 1, size)
            else:
                desk.bbo(MID - 1, size, MID + 1, 100)
        filled.append(order.sz_filled)
    assert filled[0] <= filled[1]
