"""The maker: quotes on the grid, never across the book, lean against what is held."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.asset import NOTIONAL_MIN, is_on_grid
from hatmanifesto.domain.enums import Side, Tif
from hatmanifesto.strategies import maker
from hatmanifesto.strategies.contract import Quotes, View
from hatmanifesto.strategies.maker import BOUNDS, MEMORY, Params, build, decide, why_too_small

CAPITAL = 10_000 * 10**6
PX_DECIMALS = 2


def view(
    *,
    bid: int = 199_990,
    ask: int = 200_010,
    bid_sz: int = 10_000,
    ask_sz: int = 10_000,
    position: int = 0,
    capital: int = CAPITAL,
    now: int = 10**18,
) -> View:
    return View(now, now, bid, bid_sz, ask, ask_sz, 0, 0, position, capital, 100, 10_000)


def quotes(v: View, *, memory: list[float] | None = None, **settings: Any) -> Quotes:
    return decide(Params(**settings), v, [0.0] * MEMORY if memory is None else memory)


books = st.builds(
    lambda bid, gap, bid_sz, ask_sz, position, capital: view(
        bid=10 * bid,
        ask=10 * (bid + gap),
        bid_sz=bid_sz,
        ask_sz=ask_sz,
        position=position,
        capital=capital * 10**6,
    ),
    st.integers(10_000, 99_000),
    st.integers(1, 50),
    st.integers(1, 10**7),
    st.integers(1, 10**7),
    st.integers(-(10**5), 10**5),
    st.integers(1, 10**6),
)
settings_of = st.fixed_dictionaries(
    {
        "half_spread_bps": st.floats(0.0, 50.0),
        "lean": st.floats(0.0, 3.0),
        "micro_weight": st.floats(0.0, 1.0),
        "use_glft": st.integers(0, 1),
    }
)


@given(v=books, settings=settings_of)
def test_quotes_are_on_the_grid_and_never_cross(v: View, settings: dict[str, Any]) -> None:
    bid, bid_sz, ask, ask_sz = quotes(v, **settings)
    assert min(bid_sz, ask_sz) >= 0
    if bid_sz:
        assert is_on_grid(bid, px_decimals=PX_DECIMALS)
        assert bid < v.ask_px
    if ask_sz:
        assert is_on_grid(ask, px_decimals=PX_DECIMALS)
        assert ask > v.bid_px
    if bid_sz and ask_sz:
        assert bid < ask


@given(v=books, settings=settings_of)
def test_decisions_are_a_function_of_their_arguments(v: View, settings: dict[str, Any]) -> None:
    first, again = [0.0] * MEMORY, [0.0] * MEMORY
    assert quotes(v, memory=first, **settings) == quotes(v, memory=again, **settings)
    assert first == again
    assert all(type(number) is int for number in quotes(v, **settings))


def test_flat_and_even_the_quotes_lie_even_about_the_mid() -> None:
    bid, bid_sz, ask, ask_sz = quotes(view(), half_spread_bps=5.0)
    assert 200_000 - bid == ask - 200_000 == 100
    assert bid_sz == ask_sz == CAPITAL * 20 // 100 // 200_000


def test_a_fuller_bid_moves_the_quotes_up_and_weight_zero_ignores_it() -> None:
    fuller = view(bid_sz=90_000)
    even = quotes(view(), half_spread_bps=5.0)
    assert quotes(fuller, half_spread_bps=5.0)[0] >= even[0]
    assert quotes(fuller, half_spread_bps=5.0)[2] > even[2]
    assert quotes(fuller, half_spread_bps=5.0, micro_weight=0.0) == even


@pytest.mark.parametrize("use_glft", [0, 1])
def test_what_is_held_moves_both_quotes_the_other_way(use_glft: int) -> None:
    memory = [400_000.0, 10.0**9 - 1.0, 4.0, 5.0, 0.0]
    held = [
        quotes(view(position=p), memory=list(memory), half_spread_bps=9.0, use_glft=use_glft)
        for p in (-20_000, 0, 20_000)
    ]
    assert held[0][0] > held[1][0] > held[2][0]
    assert held[0][2] > held[1][2] > held[2][2]


def test_a_side_is_dropped_where_a_fill_would_hold_too_much() -> None:
    sz_max = CAPITAL * 60 // 100 // 200_000
    sz = CAPITAL * 20 // 100 // 200_000
    assert quotes(view(position=sz_max - sz))[1] == sz
    assert quotes(view(position=sz_max - sz + 1))[1] == 0
    assert quotes(view(position=sz - sz_max - 1))[3] == 0
    assert quotes(view(position=sz_max))[3] == sz


def test_small_capital_quotes_the_smallest_lot_or_says_why_not() -> None:
    params = Params()
    for usdc in (10, 17, 30, 100, 650, 10_000):
        v = view(capital=usdc * 10**6)
        bid, bid_sz, _, ask_sz = decide(params, v, [0.0] * MEMORY)
        reason = why_too_small(params, v)
        assert (bid_sz == ask_sz == 0) == bool(reason), usdc
        assert reason or bid * bid_sz >= NOTIONAL_MIN
    assert "10.5 USDC" in why_too_small(params, view(capital=10 * 10**6))
    assert "6.00 USDC" in why_too_small(params, view(capital=10 * 10**6))


@given(bid=st.integers(99_000, 99_999), gap=st.integers(1, 40), half=st.floats(0.0, 200.0))
def test_quotes_stay_on_the_grid_where_its_step_changes(bid: int, gap: int, half: float) -> None:
    """At 1000.00 USDC the step of this coin grows from 0.01 to 0.1."""
    ask = bid + gap if bid + gap < 100_000 else -(-(bid + gap) // 10) * 10
    low, low_sz, high, high_sz = quotes(view(bid=bid, ask=ask), half_spread_bps=half)
    assert not low_sz or is_on_grid(low, px_decimals=PX_DECIMALS)
    assert not high_sz or is_on_grid(high, px_decimals=PX_DECIMALS)


def test_quotes_of_no_width_still_do_not_meet() -> None:
    bid, _, ask, _ = quotes(view(), half_spread_bps=0.0)
    assert (bid, ask) == (200_000, 200_010)


def test_memory_learns_the_variance_of_moves() -> None:
    memory = [0.0] * MEMORY
    for n in range(50):
        decide(
            Params(use_glft=1, half_life_s=5.0),
            view(bid=199_990 + 10 * (n % 2), now=n * 10**9),
            memory,
        )
    assert memory[3] == 50.0
    assert memory[2] == pytest.approx(0.05**2 * (1 - 2 ** (-49 / 5)), rel=1e-6)


def test_the_strategy_says_what_it_is() -> None:
    strategy = build(Params())
    assert (strategy.name, strategy.memory, strategy.requote_ns) == ("maker", MEMORY, 500_000_000)
    assert [(slot.side, slot.tif) for slot in strategy.slots] == [
        (Side.BUY, Tif.ALO),
        (Side.SELL, Tif.ALO),
    ]
    assert set(BOUNDS) == set(Params._fields)
    for name, value in Params()._asdict().items():
        low, high = maker.BOUNDS[name]
        assert low <= value <= high
