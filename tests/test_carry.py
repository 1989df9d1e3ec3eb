"""The carry: neutral legs that pay, a universe of the moment, and nothing without knowledge."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatmanifesto.signals.carry import balanced, cross_section, dollar_neutral
from hatmanifesto.strategies import carry
from hatmanifesto.strategies.carry import BOUNDS, CELLS, LEGS, SHARED, Params, build, decide
from hatmanifesto.strategies.contract import View
from tests.strategy_views import NS, START, settle_all, view

HOUR = 3_600 * NS
QUICK = Params(history_h=4, rebalance_h=6.0, half_life_h=4.0, leg_max_pct=100.0)
CAPITAL = 600 * 10**6


def hour(
    n: int, rates: Sequence[float | None], held: Sequence[int], *, mids: Sequence[int] = ()
) -> list[View]:
    """Return the views of one hour: a rate an hour per coin in bps, None for one nobody told."""
    now = START + n * HOUR
    views = []
    for i, (rate, position) in enumerate(zip(rates, held, strict=True)):
        mid = mids[i] if mids else 200_000 + 200 * ((n * (i + 2)) % 11)
        known = {} if rate is None else {"funding_rate": round(rate * 1e6), "funding_exch": now}
        capital = CAPITAL // len(rates)
        views.append(view(mid=mid, now=now, position=position, capital=capital, **known))
    return views


def memory(coins: int) -> list[float]:
    return [0.0] * (SHARED + coins * CELLS)


def run(
    p: Params, hours: Sequence[Sequence[float | None]], *, coins: int = 0
) -> tuple[list[list[int]], list[float]]:
    """Return positions after each hour, everything wanted being filled, and the memory."""
    coins = coins or len(hours[0])
    m = memory(coins)
    held = [0] * coins
    path = []
    for n, rates in enumerate(hours):
        held = settle_all(decide, p, hour(n, rates, held), m)
        path.append(held)
    return path, m


STEADY = [[3.0, 1.0, 0.125, 0.125, -1.0, -3.0]] * 13


def test_it_shorts_what_pays_and_is_dollar_neutral() -> None:
    path, m = run(QUICK, STEADY)
    assert path[5] == [0] * 6
    last = path[-1]
    assert last[0] < 0 < last[5]
    assert last[1] < 0 < last[4]
    assert last[2] == last[3] == 0, "the middle earns nothing"
    assert abs(sum(last)) < 0.01 * sum(map(abs, last))
    assert sum(map(abs, last)) * 200_000 == pytest.approx(CAPITAL, rel=0.02)
    assert m[LEGS] == 4.0
    assert m[SHARED + carry.BREAK_EVEN_H] == pytest.approx(10.0 / (3.0 - 0.125), rel=0.01)
    net = 24.0 * (3.0 - 0.125) - 10.0 / 3
    assert m[SHARED] == pytest.approx(-net, rel=0.01)
    assert m[SHARED + 5 * CELLS] > 0.0


def test_weights_are_those_of_the_formula_when_every_leg_pays() -> None:
    rates = [9.0, 5.0, 2.0, -3.0, -6.0, -8.0]
    path, m = run(QUICK, [rates] * 7)
    sigma = [
        math.sqrt(m[SHARED + i * CELLS + carry.TOTAL] / m[SHARED + i * CELLS + carry.VOL_WEIGHT])
        for i in range(6)
    ]
    expected = cross_section(rates, sigma, gross=1.0).weights
    mids = [0.5 * (v.bid_px + v.ask_px) for v in hour(6, rates, [0] * 6)]
    actual = [held * mid / CAPITAL for held, mid in zip(path[-1], mids, strict=True)]
    assert actual == pytest.approx(expected, abs=0.02)


def test_rates_that_do_not_pay_their_costs_are_left() -> None:
    low = [[0.2, 0.15, 0.125, 0.125, 0.1, 0.05]] * 13
    path, m = run(QUICK, low)
    assert path[-1] == [0] * 6
    assert m[LEGS] == 0.0
    assert m[SHARED + carry.BREAK_EVEN_H] > QUICK.hold_h


def test_a_held_leg_stays_while_it_beats_the_way_out_and_goes_on_decay() -> None:
    fading = [*STEADY, *[[0.225, 0.2, 0.125, 0.125, 0.05, 0.025]] * 60]
    path, _ = run(QUICK._replace(hold_h=72.0), fading)
    assert path[12][0] < 0
    assert path[-1][0] < 0, "72 h of 0.1 bp beat 5 bps of the way out"
    gone, _ = run(QUICK, [*STEADY, *[[0.125] * 6] * 60])
    assert gone[-1] == [0] * 6


def test_between_rebalances_only_the_rest_of_the_target_is_traded() -> None:
    path, m = run(QUICK, STEADY)
    late = hour(13, [-9.0, -9.0, 0.0, 0.0, 9.0, 9.0], path[-1])
    assert not any(decide(QUICK, late, m)[1::2])
    part = [one // 2 for one in path[-1]]
    assert settle_all(decide, QUICK, hour(14, STEADY[0], part), m) == path[-1]


def test_unknown_funding_is_not_zero() -> None:
    silent: list[float | None] = [None, 1.0, 0.125, 0.125, -1.0, -3.0]
    path, m = run(QUICK, [silent] * 13)
    assert path[-1][0] == 0
    assert m[SHARED + carry.WEIGHT] == 0.0
    assert path[-1][1] < 0
    stops = [*STEADY, *[silent] * 12]
    assert run(QUICK, stops)[0][-1][0] == 0, "a leg nobody tells of any more is closed"


def test_a_stale_quote_is_not_traded_and_keeps_its_target() -> None:
    path, m = run(QUICK, STEADY)
    views = hour(18, STEADY[0], path[-1])
    views[0] = views[0]._replace(exch=views[0].now - HOUR, position=0)
    quotes = decide(QUICK, views, m)
    assert quotes[:4] == (0, 0, 0, 0)
    assert m[SHARED + carry.TARGET] == path[-1][0]


def test_a_rebalance_waits_for_the_quorum() -> None:
    path, m = run(QUICK, STEADY)
    old = hour(17, STEADY[0], path[-1])
    now = START + 18 * HOUR
    first = [v._replace(now=now) for v in old]
    first[3] = first[3]._replace(exch=now)
    period = m[carry.PERIOD]
    decide(QUICK, first, m)
    assert m[carry.PERIOD] == period
    decide(QUICK, [v._replace(exch=now) for v in first], m)
    assert m[carry.PERIOD] == period + 1


rates_of = st.lists(
    st.lists(st.one_of(st.none(), st.integers(-9, 9).map(float)), min_size=5, max_size=5),
    min_size=14,
    max_size=20,
)


@settings(max_examples=25)
@given(first=rates_of, then=rates_of)
def test_what_follows_changes_nothing_before(
    first: list[list[float | None]], then: list[list[float | None]]
) -> None:
    alone, _ = run(QUICK, first)
    followed, _ = run(QUICK, first + then)
    assert followed[: len(first)] == alone


@settings(max_examples=25)
@given(rates=rates_of)
def test_a_coin_that_appears_later_changes_nothing_before(rates: list[list[float | None]]) -> None:
    """Same capital a coin, so that only knowledge could differ."""

    def seen(coins: int) -> list[list[int]]:
        m = memory(coins)
        held = [0] * coins
        path = []
        for n, row in enumerate(rates):
            views = hour(n, row, held[:5])
            if coins == 6:
                empty = view(now=views[0].now, capital=0)._replace(bid_px=0, ask_px=0, exch=0)
                born = hour(n, [*row, 50.0], [*held[:5], held[5]])[5]._replace(capital=0)
                views.append(born if n >= 10 else empty)
            held = settle_all(decide, QUICK, views, m)
            path.append(held)
        return path

    alone, joined = seen(5), seen(6)
    assert [row[:5] for row in joined[:10]] == alone[:10]


@settings(max_examples=25)
@given(rates=rates_of)
def test_sides_mirror_and_gross_is_bounded(rates: list[list[float | None]]) -> None:
    path, m = run(QUICK, rates)
    other, _ = run(QUICK, [[None if r is None else -r for r in row] for row in rates])
    assert [[-one for one in row] for row in other] == path
    assert all(math.isfinite(cell) for cell in m)
    for row in path:
        assert sum(map(abs, row)) * 200_000 <= 1.05 * CAPITAL
        assert abs(sum(row)) * 200_000 <= 0.05 * CAPITAL


def test_no_leg_is_above_its_share_and_the_sides_stay_even() -> None:
    lonely = [[9.0, 9.0, 9.0, 0.125, 0.125, 0.125, -9.0]] * 13
    held = run(QUICK._replace(leg_max_pct=10.0), lonely)[0][-1]
    assert held[6] * 200_000 == pytest.approx(0.1 * CAPITAL, rel=0.02)
    assert sum(held[:3]) * 200_000 == pytest.approx(-0.1 * CAPITAL, rel=0.02)


@given(
    raw=st.lists(st.floats(0.01, 100.0).flatmap(lambda x: st.sampled_from((x, -x))), max_size=30),
    top=st.floats(0.01, 1.0),
)
def test_balanced_weights_are_neutral_and_capped(raw: list[float], top: float) -> None:
    weights = balanced(raw, 1.0, top)
    if not (any(x > 0 for x in raw) and any(x < 0 for x in raw)):
        assert all(math.isnan(w) for w in weights)
        return
    assert abs(math.fsum(weights)) < 1e-9
    assert max(map(abs, weights)) <= top + 1e-12
    assert sum(map(abs, weights)) <= 1.0 + 1e-9
    assert all(w * x > 0 for w, x in zip(weights, raw, strict=True))
    plain = dollar_neutral(raw, 1.0)
    if max(map(abs, plain)) <= top:
        assert weights == pytest.approx(plain)


@pytest.mark.parametrize(("usdc", "legs"), [(600, 4), (100, 4), (30, 2), (20, 0)])
def test_small_accounts_keep_the_extremes_or_say_why_not(usdc: int, legs: int) -> None:
    m = memory(6)
    held = [0] * 6
    for n, rates in enumerate(STEADY):
        views = [v._replace(capital=usdc * 10**6 // 6) for v in hour(n, rates, held)]
        held = settle_all(decide, QUICK, views, m)
    assert sum(map(bool, held)) == legs
    assert all(abs(one) * 199_990 >= 10_000_000 for one in held if one)
    if legs == 2:
        assert held[0] < 0 < held[5]
    assert bool(carry.why_too_small(QUICK, views)) == (legs == 0)
    assert carry.why_too_small(QUICK, views[0]) == ""


def test_the_strategy_says_what_it_is() -> None:
    strategy = build(Params())
    assert (strategy.scope, strategy.memory, strategy.memory_coin) == ("cross", SHARED, CELLS)
    assert strategy.needs == ("funding",)
    assert set(BOUNDS) == set(Params._fields)
    for name, value in Params()._asdict().items():
        low, high = BOUNDS[name]
        assert low <= value <= high


def test_volatility_moves_weight_to_the_calm() -> None:
    m = memory(4)
    held = [0] * 4
    rng = np.random.Generator(np.random.PCG64(3))
    noise = np.cumsum(rng.integers(-200, 201, 13))
    for n in range(13):
        mids = [200_000 + int(k * noise[n]) for k in (10, 1, 1, 10)]
        held = settle_all(decide, QUICK, hour(n, [5.0, 5.0, -5.0, -5.0], held, mids=mids), m)
    assert abs(held[0]) < 0.2 * abs(held[1])
    assert abs(held[3]) < 0.2 * abs(held[2])
