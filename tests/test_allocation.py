"""Allocation: bounds hold, proportions are kept where they may be, luck gets the floor."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.books.state import State
from hatmanifesto.domain.units import NS_HOUR
from hatmanifesto.risk.allocation import (
    HOURS_MIN,
    BookRecord,
    bounded,
    capped_kelly,
    daily_record,
    is_known,
    risk_parity,
)
from hatmanifesto.risk.allocator import Allocator, AllocatorSpec
from tests.core_world import ETH, bbo

shares = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=8)


@given(shares, st.floats(0.0, 0.1), st.floats(0.2, 1.0))
def test_weights_lie_within_their_bounds(shares: list[float], floor: float, cap: float) -> None:
    weights = bounded(shares, floor=floor, cap=cap)
    assert math.fsum(weights) <= 1.0 + 1e-9
    assert all(floor - 1e-12 <= weight <= cap + 1e-12 for weight in weights)
    if len(shares) * cap >= 1.0:
        assert math.fsum(weights) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("shares", "floor", "cap", "expected"),
    [
        ([1, 1], 0.0, 1.0, [0.5, 0.5]),
        ([3, 1], 0.0, 1.0, [0.75, 0.25]),
        ([9, 1], 0.0, 0.6, [0.6, 0.4]),
        ([9, 1], 0.2, 1.0, [0.8, 0.2]),
        ([8, 1, 1], 0.0, 0.5, [0.5, 0.25, 0.25]),
        ([1, 0], 0.0, 0.4, [0.4, 0.4]),
        ([0, 0], 0.0, 1.0, [0.5, 0.5]),
    ],
)
def test_shares_keep_their_proportion_inside_the_bounds(
    shares: list[float], floor: float, cap: float, expected: list[float]
) -> None:
    assert bounded(shares, floor=floor, cap=cap) == pytest.approx(expected)


def record(mean: float, deviation: float, n: int = 2_400) -> BookRecord:
    return BookRecord(mean, deviation, n)


def test_risk_parity_gives_every_book_the_same_risk() -> None:
    records = [record(0.0, 0.01), record(0.0, 0.02), record(0.0, 0.04)]
    weights = risk_parity(records, floor=0.0, cap=1.0)
    risks = [w * r.deviation for w, r in zip(weights, records, strict=True) if r.deviation]
    assert risks == pytest.approx([risks[0]] * 3)
    assert math.fsum(weights) == pytest.approx(1.0)


def test_kelly_is_a_quarter_of_the_mean_less_its_error_over_the_variance() -> None:
    (weight,) = capped_kelly([record(0.0005, 0.02)], floor=0.0, cap=1.0)
    assert weight == 0.0  # 100 days: an error of 0.002 swallows a mean of 0.0005
    weights = capped_kelly([record(0.003, 0.02), record(-0.01, 0.02)], floor=0.05, cap=0.9)
    assert weights == pytest.approx([0.25 * 0.001 / 0.0004, 0.05])


def test_kelly_leaves_capital_idle_and_scales_down_when_it_wants_more_than_there_is() -> None:
    weak = capped_kelly([record(0.0021, 0.02)] * 2, floor=0.0, cap=1.0)
    assert math.fsum(weak) < 0.2
    strong = capped_kelly([record(0.02, 0.02)] * 3, floor=0.0, cap=1.0)
    assert strong == pytest.approx([1 / 3] * 3)


def test_a_day_is_24_hours_and_needs_two_of_them() -> None:
    assert daily_record([0.1] * (HOURS_MIN - 1)) == BookRecord(None, None, HOURS_MIN - 1)
    hourly = [0.001, -0.001] * HOURS_MIN
    found = daily_record(hourly)
    assert found.mean == pytest.approx(0.0)
    assert found.deviation == pytest.approx(0.001 * math.sqrt(24 * 96 / 95))
    assert not is_known([found, BookRecord(None, None, 3)])
    assert not is_known([daily_record([0.0] * 100)])


def state_with_book() -> State:
    state = State(assets=(ETH,), books=2, capital=2 * 10**9)
    state.tops[0] = bbo(0, bid=200_000, bid_sz=9, ask=200_000, ask_sz=9)
    state.now = NS_HOUR
    return state


def test_the_allocator_divides_equity_once_it_has_seen_enough() -> None:
    state = state_with_book()
    spec = AllocatorSpec("risk_parity", every_hours=24, lookback_hours=240, floor=0.0, cap=1.0)
    allocator = Allocator(spec, [10**9, 10**9])
    state.fill(book=0, coin=0, side=1, px=200_000, sz=1_000, fee=0)
    state.fill(book=1, coin=0, side=1, px=200_000, sz=500, fee=0)
    found = [allocator.observe(state)]
    for hour in range(2, 51):
        state.now = hour * NS_HOUR
        px = 200_000 + 200 * (hour % 2)
        state.tops[0] = bbo(state.now, bid=px, bid_sz=9, ask=px, ask_sz=9)
        found.append(allocator.observe(state))
    told = [one for one in found if one is not None]
    assert [one.why.split(":")[0].split(" ")[0] for one in told] == ["as", "unchanged", "equity"]
    first, second = told[-1].books
    assert first.n == second.n == 48
    assert second.capital == pytest.approx(2 * first.capital, rel=1e-3)
    equity = int(told[-1].why.split(" ")[1])
    assert first.capital + second.capital == pytest.approx(equity, rel=1e-5)
    again = Allocator(spec, [1, 1])
    again.load(allocator.dump())
    assert again.dump() == allocator.dump()


def test_a_fixed_allocation_never_changes() -> None:
    state = state_with_book()
    allocator = Allocator(AllocatorSpec(), [1, 2])
    assert allocator.observe(state) is not None
    for hour in range(2, 200):
        state.now = hour * NS_HOUR
        assert allocator.observe(state) is None
    assert allocator.capitals == [1, 2]
