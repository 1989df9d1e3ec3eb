"""From target to orders: one side, never beyond, on the grid, above the venue's minimum."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hatmanifesto.domain.asset import NOTIONAL_MIN, is_on_grid
from hatmanifesto.strategies.contract import View
from hatmanifesto.strategies.targets import (
    NOTIONAL_FLOOR,
    banded,
    half_spread_bps,
    quotes_to_target,
    round_trip_bps,
    too_small,
    units_of,
)
from tests.strategy_views import bought, settle, view

sizes = st.integers(-30_000, 30_000)
books = st.builds(
    lambda mid, half, held, capital: view(
        mid=10 * mid, half=10 * half, position=held, capital=capital * 10**6
    ),
    st.integers(11_000, 90_000),
    st.integers(1, 30),
    sizes,
    st.integers(1, 10_000),
)
slips = st.floats(0.0, 100.0)


@pytest.mark.parametrize(
    ("held", "target", "expected"),
    [
        (0, 0, (0, 0, 0, 0)),
        (0, 100, (200_110, 100, 0, 0)),
        (0, -100, (0, 0, 199_890, 100)),
        (100, 100, (0, 0, 0, 0)),
        (100, 40, (0, 0, 199_890, 60)),
        (100, 0, (0, 0, 199_890, 100)),
        (100, -50, (0, 0, 199_890, 100)),  # closed first
        (-100, 50, (200_110, 100, 0, 0)),
        (0, 49, (0, 0, 0, 0)),  # 9.8 USDC
        (0, -50, (0, 0, 0, 0)),  # 50 * 1998.9 is below 10 USDC at the limit price
        (3, 0, (0, 0, 199_890, 3)),  # a full close is always asked for
        (100, 60, (0, 0, 0, 0)),  # part of a close is not
    ],
)
def test_decisions(held: int, target: int, expected: tuple[int, ...]) -> None:
    assert quotes_to_target(view(position=held), target, 5.0) == expected


def test_a_large_gap_is_cut_into_equal_orders() -> None:
    first = quotes_to_target(view(), 15_000, 0.0)
    assert first[1] == 3_750  # 3001.5 USDC of a capital of 1000: four of them
    assert (
        settle(lambda p, v, m: quotes_to_target(v, p, 0.0), 15_000, view(), []).position == 15_000
    )


@given(v=books, target=sizes, slip=slips)
def test_orders_close_the_gap_and_are_taken_by_the_venue(v: View, target: int, slip: float) -> None:
    buy_px, buy_sz, sell_px, sell_sz = quotes_to_target(v, target, slip)
    gap = target - v.position
    traded = bought((buy_px, buy_sz, sell_px, sell_sz))
    assert abs(traded) <= abs(gap)
    assert traded * gap >= 0
    after = v.position + traded
    assert abs(target - after) <= abs(gap)
    assert after * v.position >= 0, "a turn goes by way of nothing"
    px = buy_px + sell_px
    if traded:
        assert is_on_grid(px, px_decimals=2)
        assert px >= v.ask_px if traded > 0 else px <= v.bid_px
        assert abs(2 * px - v.bid_px - v.ask_px) <= (slip * 1e-4 + 0.05) * (v.bid_px + v.ask_px)
        assert px * abs(traded) >= NOTIONAL_MIN or after == 0
    elif gap:
        assert v.ask_px * abs(gap) < 1.02 * NOTIONAL_MIN


@given(v=books, target=sizes, slip=slips)
def test_sides_mirror(v: View, target: int, slip: float) -> None:
    assume(v.ask_px < 10**6 - 20_000)
    assume(v.bid_px > 10**5 + 20_000)
    assume(v.ask_px * abs(target - v.position) < 0.8 * v.capital)
    centre2 = v.bid_px + v.ask_px
    buy_px, buy_sz, sell_px, sell_sz = quotes_to_target(v, target, slip)
    mirror = quotes_to_target(v._replace(position=-v.position), -target, slip)
    if max(buy_px, sell_px) * max(buy_sz, sell_sz) > 1.05 * NOTIONAL_MIN:
        assert (mirror[3] > 0) == (buy_sz > 0)
        assert (mirror[1] > 0) == (sell_sz > 0)
        assert mirror[3] == buy_sz
        if buy_sz:
            assert mirror[2] == centre2 - buy_px
        if sell_sz:
            assert mirror[0] == centre2 - sell_px


@given(v=books, target=sizes, slip=slips)
def test_repeated_it_arrives_and_rests(v: View, target: int, slip: float) -> None:
    rich = v._replace(capital=v.capital + 2_000 * 10**6)
    after = settle(lambda p, v, m: quotes_to_target(v, p, slip), target, rich, [])
    left = abs(target - after.position)
    assert left == 0 or left * v.bid_px < 1.02 * NOTIONAL_MIN


def test_a_coin_without_a_book_is_left_alone() -> None:
    assert quotes_to_target(view()._replace(bid_px=0), 100, 5.0) == (0, 0, 0, 0)
    assert quotes_to_target(view()._replace(ask_px=0), 100, 5.0) == (0, 0, 0, 0)


@given(target=sizes, held=sizes, band=st.floats(0.0, 90.0))
def test_inside_the_band_nothing_is_traded(target: int, held: int, band: float) -> None:
    result = banded(target, held, band)
    assert result in (target, held)
    assert banded(-target, -held, band) == -result
    if abs(target - held) > 0.01 * band * max(abs(target), abs(held)) or target == 0:
        assert result == target
    elif target:
        assert quotes_to_target(view(position=held), result, 1.0) == (0, 0, 0, 0)


@given(notional=st.floats(-1e12, 1e12), v=books)
def test_units_are_toward_zero_mirrored_and_large_enough(notional: float, v: View) -> None:
    sz = units_of(v, notional)
    assert units_of(v, -notional) == -sz
    assert abs(sz) * (v.bid_px + v.ask_px) <= 2 * abs(notional) * (1 + 1e-12)
    assert sz == 0 or abs(sz) * v.bid_px >= NOTIONAL_FLOOR


def test_costs_are_in_bps_of_notional() -> None:
    assert half_spread_bps(view()) == pytest.approx(0.5)
    assert round_trip_bps(view(), 4.5) == pytest.approx(10.0)


def test_what_is_too_small_says_so() -> None:
    assert too_small(view(), 11e6, "x") == ""
    assert "10.5 USDC" in too_small(view(), 9e6, "gross 1")
    assert "one lot" in too_small(view(sz_one=1), 11e6, "x") or not too_small(view(), 11e6, "x")
