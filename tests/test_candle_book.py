"""CandleBook: a share of the volume, the worse of two prices, through and not at, never better."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.asset import grid_step
from hatmanifesto.domain.candles import ask_over, bid_under, share_of
from hatmanifesto.domain.rows import Row
from hatmanifesto.simex import candle_book
from hatmanifesto.simex.candle_book import CandleBook
from hatmanifesto.simex.matching import Match, Resting
from tests.core_world import S, bbo, gap

HOUR = 3_600 * S
HALF = 20_000
"""2 bps."""
PX_ONE = 10
CLOSE = 1_000_000
"""100,000.0 USDC."""
MIRROR = 2 * CLOSE


class Bar(NamedTuple):
    """A candle [px and sz units]."""

    open: int
    high: int
    low: int
    close: int
    volume: int


def bar_row(at: int, ended: Bar | None, begins: Bar | None) -> Row:
    high, low, before = (ended.high, ended.low, ended.volume) if ended else (0, 0, 0)
    opened, volume = (begins.open, begins.volume) if begins else (0, 0)
    return (6, 0, at, at, high, low, opened, volume, before)


class Desk:
    """A book of one coin, fed with candles, that fills what it matches as the clearing does."""

    def __init__(self, *, half_spread: int = HALF) -> None:
        self.book = CandleBook(px_ones=[PX_ONE], half_spread=half_spread)
        self.half_spread = half_spread
        self.now = HOUR
        self.oid = 0
        self.last: Bar | None = None

    def begin(self, begins: Bar | None, *, ends_hole: int = 0) -> list[Match]:
        """End the last bar if there was one, and begin another."""
        self.now += HOUR
        if ends_hole:
            self.book.on_public(gap(ends_hole, self.now))
        matches = self.settle(self.book.on_public(bar_row(self.now, self.last, begins)))
        if self.last:
            bid = bid_under(self.last.close, half_spread=self.half_spread, px_one=PX_ONE)
            ask = ask_over(self.last.close, half_spread=self.half_spread, px_one=PX_ONE)
            self.book.on_public(bbo(self.now, bid=bid, bid_sz=1, ask=ask, ask_sz=1))
        self.last = begins
        return matches

    def order(self, side: int, px: int, sz: int, *, after: int = S, account: str = "a") -> Resting:
        self.oid += 1
        order = Resting(
            account=account, intent=self.oid, oid=self.oid, coin=0, side=side, px=px, sz=sz,
            reduce_only=False,
        )  # fmt: skip
        order.since = self.now + after
        return order

    def rest(self, side: int, px: int, sz: int, *, after: int = S, account: str = "a") -> Resting:
        order = self.order(side, px, sz, after=after, account=account)
        self.book.rest(order)
        return order

    def take(self, side: int, px: int, sz: int, *, account: str = "a") -> list[Match]:
        return self.settle(self.book.take(self.order(side, px, sz, account=account)))

    def settle(self, matches: list[Match]) -> list[Match]:
        for match in matches:
            if match.resting is not None:
                continue
            match.order.sz_filled += match.sz
            assert match.order.sz_filled <= match.order.sz
            if match.order.sz_filled == match.order.sz and not match.is_taker:
                self.book.remove(match.order)
        return matches


def flat(volume: int = 1_000, *, px: int = CLOSE) -> Bar:
    return Bar(px, px + 1_000, px - 1_000, px, volume)


def opened(begins: Bar, *, before: Bar | None = None) -> Desk:
    """Return a desk with one bar behind it and ``begins`` under way."""
    desk = Desk()
    desk.begin(before or flat())
    desk.begin(begins)
    return desk


def got(matches: list[Match]) -> list[tuple[int, int, int]]:
    return [(match.order.oid, match.px, match.sz) for match in matches]


WORST = [
    ("opens where it closed", CLOSE, 1, 1_000_200),
    ("opens higher, a buyer pays it", CLOSE + 5_000, 1, 1_005_210),
    ("opens lower, a buyer gains nothing", CLOSE - 5_000, 1, 1_000_200),
    ("opens where it closed", CLOSE, -1, 999_800),
    ("opens lower, a seller gets it", CLOSE - 5_000, -1, 994_800),
    ("opens higher, a seller gains nothing", CLOSE + 5_000, -1, 999_800),
]


@pytest.mark.parametrize(("name", "open_px", "side", "px"), WORST, ids=[row[0] for row in WORST])
def test_a_taker_pays_the_worse_price_half_a_spread_worse_on_the_grid(
    name: str, open_px: int, side: int, px: int
) -> None:
    desk = opened(flat(px=open_px))
    assert got(desk.take(side, px + side * 50_000, 10)) == [(1, px, 10)]


def test_the_limit_of_a_taker_is_respected() -> None:
    desk = opened(flat(px=CLOSE + 5_000))
    assert desk.take(1, 1_005_200, 10) == []
    assert got(desk.take(1, 1_005_210, 10)) == [(2, 1_005_210, 10)]


def test_takers_and_makers_share_a_tenth_of_the_volume() -> None:
    desk = opened(flat(volume=1_009))
    assert got(desk.take(1, MIRROR, 30)) == [(1, 1_000_200, 30)]
    desk.rest(1, CLOSE - 500, 50)
    desk.rest(-1, CLOSE + 500, 50)
    assert got(desk.begin(flat())) == [(2, CLOSE - 500, 50), (3, CLOSE + 500, 20)]
    assert got(desk.begin(flat())) == [(3, CLOSE + 500, 30)]


def test_a_share_that_is_taken_is_gone_until_the_next_bar() -> None:
    desk = opened(flat(volume=1_000))
    assert got(desk.take(1, MIRROR, 130)) == [(1, 1_000_200, 100)]
    assert desk.take(-1, 1, 10) == []
    desk.begin(flat(volume=1_000))
    assert got(desk.take(-1, 1, 10)) == [(3, 999_800, 10)]


@pytest.mark.parametrize("begins", [flat(volume=0), flat(volume=9), None], ids=str)
def test_nothing_trades_in_a_bar_without_enough_volume(begins: Bar | None) -> None:
    desk = opened(begins) if begins else opened(flat())
    if begins is None:
        desk.begin(None)
    assert desk.take(1, MIRROR, 10) == []
    desk.rest(1, CLOSE - 500, 10)
    assert desk.begin(flat()) == []


@pytest.mark.parametrize(("side", "px"), [(1, CLOSE - 1_000), (-1, CLOSE + 1_000)])
def test_a_bar_that_only_touches_fills_nothing(side: int, px: int) -> None:
    desk = opened(flat())
    desk.rest(side, px, 10)
    through = desk.rest(side, px + side, 10)
    assert got(desk.begin(flat())) == [(through.oid, px + side, 10)]


def test_orders_fill_by_price_and_then_by_time() -> None:
    desk = opened(flat(volume=250))
    for px in (CLOSE - 500, CLOSE - 400, CLOSE - 400):
        desk.rest(1, px, 10)
    assert got(desk.begin(flat())) == [
        (2, CLOSE - 400, 10),
        (3, CLOSE - 400, 10),
        (1, CLOSE - 500, 5),
    ]


def test_an_order_that_comes_late_takes_part_from_the_next_bar_on() -> None:
    desk = opened(flat())
    desk.rest(1, CLOSE - 500, 10, after=60 * S)
    late = desk.rest(1, CLOSE - 500, 10, after=60 * S + 1)
    assert got(desk.begin(flat())) == [(1, CLOSE - 500, 10)]
    assert got(desk.begin(flat())) == [(late.oid, CLOSE - 500, 10)]


def test_after_missing_bars_the_first_candle_decides_and_its_fills_are_marked() -> None:
    desk = opened(flat())
    desk.rest(1, CLOSE - 500, 10)
    desk.rest(1, CLOSE - 5_000, 10)
    desk.begin(None)
    start = desk.now
    fallen = Bar(CLOSE - 3_000, CLOSE - 2_000, CLOSE - 4_000, CLOSE - 3_000, 1_000)
    assert desk.take(1, MIRROR, 10) == [], "nothing trades inside the hole"
    kept = desk.rest(-1, CLOSE + 900, 5)
    assert desk.begin(fallen, ends_hole=start) == []
    fresh = desk.rest(1, CLOSE - 2_500, 10)
    matches = desk.begin(flat())
    assert [(m.order.oid, m.px, m.sz, m.is_gap) for m in matches] == [
        (fresh.oid, CLOSE - 2_500, 10, False)
    ], "the first order was filled before the hole"
    assert [order.oid for order in desk.book.resting(0)] == [2, kept.oid]


def test_an_order_that_rested_over_a_hole_is_filled_and_marked() -> None:
    desk = opened(flat())
    desk.rest(1, CLOSE - 5_000, 10)
    desk.begin(None)
    start = desk.now
    low = Bar(CLOSE - 6_000, CLOSE - 5_500, CLOSE - 7_000, CLOSE - 6_000, 1_000)
    desk.begin(low, ends_hole=start)
    assert [(m.px, m.sz, m.is_gap) for m in desk.begin(flat())] == [(CLOSE - 5_000, 10, True)]


def test_own_orders_meet_only_when_they_cross() -> None:
    desk = opened(flat())
    better = desk.rest(-1, CLOSE + 100, 10, account="b")
    desk.rest(1, CLOSE - 100, 10, account="c")
    matches = desk.take(1, 1_000_200, 25)
    assert [(m.px, m.sz, m.resting) for m in matches] == [
        (CLOSE + 100, 10, better),
        (1_000_200, 15, None),
    ]
    assert desk.book.best(0) == (CLOSE - 100, CLOSE + 100)


def test_an_order_of_the_same_account_is_named_and_not_traded_with() -> None:
    desk = opened(flat())
    own = desk.rest(-1, CLOSE + 100, 10)
    matches = desk.take(1, 1_000_200, 25)
    assert [(m.px, m.sz, m.resting) for m in matches] == [
        (CLOSE + 100, 10, own),
        (1_000_200, 25, None),
    ]


def test_in_a_bar_without_volume_own_orders_still_meet() -> None:
    desk = opened(flat(volume=0))
    other = desk.rest(-1, CLOSE + 100, 10, account="b")
    matches = desk.take(1, 1_000_200, 25)
    assert [(m.px, m.sz, m.resting) for m in matches] == [(CLOSE + 100, 10, other)]


# -- properties ------------------------------------------------------------------------------------


class Move(NamedTuple):
    """An order, mirrored about CLOSE by ``mirror``."""

    is_taker: bool
    side: int
    offset: int
    sz: int
    after: int


def bars_of(offsets: tuple[int, int, int, int], volume: int, mirror: int) -> Bar:
    """Return a bar about CLOSE; its prices are on the grid, so that the mirror image is too."""
    opened_at, closed_at, above, below = offsets
    high, low = max(opened_at, closed_at) + above, min(opened_at, closed_at) - below
    if mirror < 0:
        high, low = low, high
    prices = (CLOSE + mirror * offset for offset in (opened_at, high, low, closed_at))
    return Bar(*prices, volume)


offset = st.integers(-40, 40)
spans_of = st.tuples(offset, offset, st.integers(0, 30), st.integers(0, 30)).map(
    lambda one: (one[0] * 10, one[1] * 10, one[2] * 10, one[3] * 10)
)
moves_of = st.lists(
    st.builds(
        Move,
        st.booleans(),
        st.sampled_from([1, -1]),
        st.integers(-60, 60).map(lambda n: 10 * n),
        st.integers(1, 80),
        st.sampled_from([S, 59 * S, 61 * S]),
    ),
    max_size=6,
)
days_of = st.lists(
    st.tuples(spans_of, st.one_of(st.integers(0, 12), st.integers(0, 2_000)), moves_of),
    min_size=2,
    max_size=6,
)
Day = tuple[tuple[int, int, int, int], int, list[Move]]
Fills = list[tuple[Bar, list[Match]]]


def play(days: list[Day], *, mirror: int = 1) -> Fills:
    """Play orders over bars; return the matches of each bar with the bar."""
    desk = Desk(half_spread=0)  # with a spread the grid makes the sides differ by their level
    desk.begin(flat())
    found: Fills = []
    taken: list[Match] = []
    for offsets, volume, moves in days:
        found.append((desk.last or flat(), taken + desk.begin(bars_of(offsets, volume, mirror))))
        taken = []
        for move in moves:
            px = CLOSE + mirror * move.offset
            account = "ab"[desk.oid % 2]
            if move.is_taker:
                taken += desk.take(mirror * move.side, px, move.sz, account=account)
            else:
                desk.rest(mirror * move.side, px, move.sz, after=move.after, account=account)
    found.append((desk.last or flat(), taken + desk.begin(flat())))
    return found


def outside(matches: list[Match]) -> list[Match]:
    return [match for match in matches if match.resting is None]


def check(found: Fills) -> None:
    """Hold every match against the bar that it happened in."""
    for bar, matches in found:
        market = outside(matches)
        assert sum(match.sz for match in market) <= share_of(bar.volume)
        for match in market:
            order = match.order
            assert match.sz > 0
            assert (order.px - match.px) * order.side >= 0, "never better than asked"
            best = bar.low if order.side > 0 else bar.high
            assert (match.px - best) * order.side >= 0, "never better than the bar was"
            if not match.is_taker:
                assert (match.px - best) * order.side > 0, "through, not at"


@given(days_of)
def test_fills_stay_inside_what_the_bars_allow(days: list[Day]) -> None:
    check(play(days))


@given(days_of)
def test_sides_mirror(days: list[Day]) -> None:
    def mirrored(found: Fills, mirror: int) -> list[list[tuple[int, int, int, bool]]]:
        return [
            [(m.order.oid, mirror * (m.px - CLOSE), m.sz, m.is_taker) for m in matches]
            for _, matches in found
        ]

    assert mirrored(play(days), 1) == mirrored(play(days, mirror=-1), -1)


FAULTS: dict[str, tuple[str, Callable[..., int]]] = {
    "the whole volume": ("share_of", lambda volume: volume),
    "an ask under the price": ("ask_over", lambda px, **_: px - 500),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attribute, fault = FAULTS[name]
    monkeypatch.setattr(candle_book, attribute, fault)
    days: list[Day] = [
        ((0, 0, 300, 300), 500, [Move(True, 1, 600, 80, S), Move(False, -1, 100, 80, S)]),
        ((0, 0, 300, 300), 500, [Move(True, 1, 600, 80, S)]),
    ]
    if attribute == "share_of":
        with pytest.raises(AssertionError):
            check(play(days))
    else:
        desk = opened(flat(px=CLOSE + 5_000))
        assert got(desk.take(1, MIRROR, 10)) != [(1, 1_005_210, 10)]


@given(st.integers(1, 10**9), st.integers(0, 10**7), st.sampled_from([1, 10, 1_000, 10**6]))
def test_the_spread_is_outward_and_on_the_grid(px: int, half_spread: int, px_one: int) -> None:
    bid = bid_under(px, half_spread=half_spread, px_one=px_one)
    ask = ask_over(px, half_spread=half_spread, px_one=px_one)
    assert bid * 10**8 <= px * (10**8 - half_spread)
    assert ask * 10**8 >= px * (10**8 + half_spread)
    assert not bid or bid % grid_step(bid, px_one) == 0
    assert ask % grid_step(ask, px_one) == 0
    assert ask < px * (10**8 + half_spread) // 10**8 + 1 + grid_step(ask, px_one)
