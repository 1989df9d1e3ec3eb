"""The mean reversion: its sums say what the array formula says; it enters, leaves and gives up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.signals.reversion import ar1_of_sums, mean_reversion
from hatmanifesto.strategies import reversion
from hatmanifesto.strategies.contract import View
from hatmanifesto.strategies.reversion import (
    BOUNDS,
    MEMORY,
    STATE,
    SUMS,
    WAITING,
    Params,
    Z,
    build,
    decide,
    premium_of,
)
from tests.strategy_views import NS, START, view, walk

ALL = Params(memory_n=0.0, pairs_min=10, stale_s=300.0)
MINUTE = 60 * NS


def premiums(seed: int, count: int = 200, *, phi: float = 0.8, scale: float = 3e-3) -> list[float]:
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(count)
    x = [0.0]
    for shock in noise[1:]:
        x.append(phi * x[-1] + scale * float(shock))
    return x


def minutes(xs: list[float], **changes: int) -> list[View]:
    return [told(x, at=n, **changes) for n, x in enumerate(xs)]


def told(x: float, *, at: int, **changes: int) -> View:
    now = START + at * MINUTE
    return view(now=now, premium=round(x * 1e10), premium_exch=now, **changes)


@given(seed=st.integers(0, 2**32 - 1))
def test_sums_say_what_the_formula_says(seed: int) -> None:
    xs = [round(x * 1e10) * 1e-10 for x in premiums(seed, 120)]
    m = [0.0] * MEMORY
    walk(decide, ALL, minutes(xs), m)
    expected = mean_reversion(xs, dt=1.0)
    fit = ar1_of_sums(*m[SUMS : SUMS + 6])
    assert fit.phi == pytest.approx(expected.phi, rel=1e-6)
    assert m[Z] == pytest.approx(expected.z, rel=1e-5, abs=1e-9)


@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(20, 150))
def test_what_follows_changes_nothing_before(seed: int, cut: int) -> None:
    views = minutes(premiums(seed, 160))
    other = minutes(premiums(seed + 1, 160))
    whole = walk(decide, ALL, views, [0.0] * MEMORY)
    changed = walk(decide, ALL, views[:cut] + other[cut:], [0.0] * MEMORY)
    assert changed[:cut] == whole[:cut]


@given(seed=st.integers(0, 2**32 - 1))
def test_it_mirrors_and_is_bounded(seed: int) -> None:
    xs = premiums(seed, 160)
    path = walk(decide, ALL, minutes(xs), [0.0] * MEMORY)
    other = walk(decide, ALL, minutes([-x for x in xs]), [0.0] * MEMORY)
    assert other == [-held for held in path]
    assert max(abs(held) for held in path) <= 0.5 * 1000e6 / 200_000


def calm(count: int = 60) -> list[float]:
    return premiums(5, count, phi=0.8, scale=5e-4)


def jump(x: float = 0.01) -> list[View]:
    """Return a quiet hour and half a minute after it a premium that is no sample of its own."""
    views = minutes(calm())
    late = views[-1].now + MINUTE // 2
    return [*views, view(now=late, premium=round(x * 1e10), premium_exch=late)]


def test_it_sells_a_high_premium_and_leaves_when_it_is_back() -> None:
    m = [0.0] * MEMORY
    count = len(calm())
    path = walk(decide, ALL, jump(), m)
    assert path[-1] == -2_500
    assert m[Z] > 2.0
    held = told(-0.003, at=count + 1, position=path[-1])
    assert decide(ALL, held, m)[1] == 2_500
    assert m[STATE] == 0.0


def test_a_way_back_that_costs_more_is_not_taken() -> None:
    dear = ALL._replace(fee_bps=50.0)
    assert walk(decide, dear, jump(0.008), [0.0] * MEMORY)[-1] == 0
    wide = jump()
    wide[-1] = wide[-1]._replace(bid_px=199_000, ask_px=201_000)
    assert walk(decide, ALL, wide, [0.0] * MEMORY)[-1] == 0


def test_it_gives_up_after_some_half_lives_and_waits_for_the_way_back() -> None:
    m = [0.0] * MEMORY
    start = jump()
    walk(decide, ALL, start, m)
    late = told(0.012, at=len(start) + 30)
    assert walk(decide, ALL, [late._replace(position=-2_500)], m) == [0]
    assert m[STATE] == WAITING
    again = told(0.012, at=len(start) + 31)
    assert walk(decide, ALL, [again], m) == [0]
    walk(decide, ALL, [told(0.0, at=len(start) + 32)], m)
    assert m[STATE] == 0.0


def test_what_is_not_told_is_not_sampled_nor_traded() -> None:
    m = [0.0] * MEMORY
    assert set(walk(decide, ALL, [view(now=START + n * MINUTE) for n in range(50)], m)) == {0}
    assert m == [0.0] * MEMORY
    views = minutes(calm())
    stale = view(now=START + 500 * MINUTE, premium=10**8, premium_exch=START)
    walk(decide, ALL, views, m)
    before = list(m)
    assert walk(decide, ALL, [stale], m) == [0]
    assert m == before
    decide(ALL, told(0.0, at=600), m)
    assert m[reversion.PAIRS] == before[reversion.PAIRS], "a hole makes no pair"


def test_mark_and_oracle_go_before_the_premium_of_the_data() -> None:
    assert premium_of(view(premium=10**7)) == pytest.approx(1e-3)
    assert premium_of(view(mark=101 * 10**10, oracle=100 * 10**10)) == pytest.approx(0.01)


def test_too_small_says_so_and_holds_nothing() -> None:
    assert "size_pct" in reversion.why_too_small(ALL, view(capital=20 * 10**6))
    views = [v._replace(capital=20 * 10**6) for v in jump()]
    assert walk(decide, ALL, views, [0.0] * MEMORY)[-1] == 0
    assert reversion.why_too_small(ALL, view(capital=30 * 10**6)) == ""


def test_the_strategy_says_what_it_is() -> None:
    strategy = build(Params())
    assert (strategy.memory, strategy.needs) == (MEMORY, ("premium",))
    assert set(BOUNDS) == set(Params._fields)
    for name, value in Params()._asdict().items():
        low, high = BOUNDS[name]
        assert low <= value <= high
