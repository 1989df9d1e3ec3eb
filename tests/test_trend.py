"""The trend follower: its sampled ring says what the array formula says, and the future nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.signals.regime import WILD
from hatmanifesto.signals.trend import VolTarget, momentum
from hatmanifesto.strategies import trend
from hatmanifesto.strategies.contract import View
from hatmanifesto.strategies.trend import BOUNDS, SIGNAL, TARGET, Params, build, decide, ring_of
from tests.strategy_views import DAY_S, NS, START, bought, view, walk

SHORT = Params(look_a=1, look_b=3, look_c=7, look_d=0, vol_half_life=5.0, band_pct=0.0)
closes_of = st.lists(st.integers(10_000, 90_000), min_size=1, max_size=25)


def memory(p: Params) -> list[float]:
    return [0.0] * build(p).memory


def days(closes: list[int], *, regime: int = 0, step_s: int = DAY_S) -> list[View]:
    return [
        view(mid=10 * close, now=START + n * step_s * NS, regime=regime)
        for n, close in enumerate(closes)
    ]


def rising(count: int = 60) -> list[int]:
    return [20_000 + 200 * n + 300 * (n % 2) for n in range(count)]


@given(closes=closes_of)
def test_signal_and_size_are_those_of_the_formula(closes: list[int]) -> None:
    m = memory(SHORT)
    path = walk(decide, SHORT, days(closes), m)
    if len(closes) < ring_of(SHORT):
        assert path == [0] * len(closes)
        return
    decay = 0.5 ** (1 / SHORT.vol_half_life)
    rule = VolTarget(decay, 0.0, 0.4 * np.sqrt(1.0 - decay ** (len(closes) - 1)), 365, 1.0)
    # The formula starts its EWMA at nothing; the strategy weighs what it has seen.
    expected = momentum(closes, [1, 3, 7], rule)
    assert m[SIGNAL] == pytest.approx(expected.signal)
    if expected.volatility > 0:
        wanted = expected.signal * min(1.0, rule.target / expected.volatility) * 1e9
        held = path[-1] * 10 * closes[-1]
        assert held == pytest.approx(wanted, abs=NOTIONAL_SLACK)


NOTIONAL_SLACK = 12e6
"""A target below the venue's minimum is none; sizes are whole [micro-USDC]."""


@given(closes=closes_of, changed=st.lists(st.integers(10_000, 90_000), min_size=1, max_size=9))
def test_what_follows_changes_nothing_before(closes: list[int], changed: list[int]) -> None:
    alone = walk(decide, SHORT, days(closes), memory(SHORT))
    followed = walk(decide, SHORT, days(closes + changed), memory(SHORT))
    assert followed[: len(closes)] == alone


@given(closes=closes_of)
def test_the_target_is_bounded_and_waits_for_the_next_sample(closes: list[int]) -> None:
    m = memory(SHORT)
    held = 0
    for v in days(closes):
        held = walk(decide, SHORT, [v._replace(position=held)], m)[-1]
        assert abs(held) * v.bid_px <= 1.001 * SHORT.leverage_max * v.capital
        wild_move = v._replace(bid_px=v.bid_px * 2, ask_px=v.ask_px * 2, position=held)
        assert bought(decide(SHORT, wild_move._replace(now=v.now + 3_600 * NS), m)) == 0


def test_it_is_long_what_rises_short_what_falls() -> None:
    up = walk(decide, SHORT, days(rising()), memory(SHORT))
    down = walk(decide, SHORT, days([50_000 - c // 2 for c in rising()]), memory(SHORT))
    assert up[-1] > 0 > down[-1]
    assert up[:7] == [0] * 7


def test_a_wild_regime_halves_the_position() -> None:
    calm = walk(decide, SHORT, days(rising()), memory(SHORT))
    wild = walk(decide, SHORT, days(rising(), regime=WILD), memory(SHORT))
    assert wild[-1] == pytest.approx(calm[-1] / 2, abs=1)


def test_a_hole_repeats_the_last_close_and_is_no_calm() -> None:
    p = SHORT._replace(look_b=0, look_c=0)
    m = memory(p)
    first = days([20_000, 21_000])
    late = view(mid=220_000, now=START + 9 * DAY_S * NS)
    walk(decide, p, [*first, late], m)
    assert m[SIGNAL] == 1.0
    per_day = (m[trend.TOTAL] / m[trend.WEIGHT]) * DAY_S
    assert (0.02 / 10) ** 2 < per_day < 0.05**2 + 1e-9


def test_a_target_inside_the_band_is_left() -> None:
    p = SHORT._replace(band_pct=50.0, look_b=0, look_c=0)
    closes = [20_000 + 200 * n + (7 * n * n) % 150 for n in range(60)]
    path = walk(decide, p, days(closes), memory(p))
    free = walk(decide, p._replace(band_pct=0.0), days(closes), memory(p))
    assert len(set(path)) < 5
    assert len(set(free)) > 30


def test_flat_prices_hold_nothing() -> None:
    m = memory(SHORT)
    assert set(walk(decide, SHORT, days([20_000] * 30), m)) == {0}
    assert (m[SIGNAL], m[TARGET]) == (0.0, 0.0)


def test_small_accounts_trade_or_say_why_not() -> None:
    for usdc in (5, 10, 11, 30, 100):
        v = view(capital=usdc * 10**6)
        reason = trend.why_too_small(Params(), v)
        assert bool(reason) == (usdc < 11)
    p = SHORT._replace(vol_target_pct=500.0)
    views = [v._replace(capital=30 * 10**6) for v in days(rising())]
    path = walk(decide, p, views, memory(p))
    assert path[-1] * views[-1].bid_px >= 10_000_000


def test_the_strategy_says_what_it_is() -> None:
    strategy = build(Params())
    assert strategy.memory == trend.RING + 41
    assert strategy.signal is not None
    assert strategy.signal.horizon_ns == 5 * DAY_S * NS
    assert set(BOUNDS) == set(Params._fields)
    for name, value in Params()._asdict().items():
        low, high = BOUNDS[name]
        assert low <= value <= high
