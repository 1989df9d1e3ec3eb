"""Signals of the strategies: reference cases of group E, and what must hold for any input."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.signals.carry import (
    breakeven_hours,
    cross_section,
    hedged_carry,
    hours_to_pay,
    rank_scores,
)
from hatmanifesto.signals.funding import RATE_1H_MAX, decay_of, fold_rate, funding_quote
from hatmanifesto.signals.reversion import ar1_of_sums, mean_reversion
from hatmanifesto.signals.trend import VolTarget, momentum, sign, vol_leverage
from tests import quant_cases
from tests.test_quant_cases import shared_file

OWN = Path(__file__).parent / "data" / "quant_cases_own_e.json"
BASE_RATE = 1.25e-5
"""An eighth of the interest of eight hours: funding of an hour without a premium."""
RULE = VolTarget(decay=0.9, initial=1e-4, target=0.4, periods=365, cap=2.0)

rates = st.floats(-1e-3, 1e-3)
prices = st.lists(st.floats(1.0, 1e5), min_size=8, max_size=30)


def test_own_cases_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert quant_cases.main([str(OWN), "--require", "E"]) == 0
    assert "E: passed 31, failed 0, unmapped 0" in capsys.readouterr().out


def test_shared_cases_pass(capsys: pytest.CaptureFixture[str]) -> None:
    path = shared_file()
    if not path.is_file():
        pytest.skip(f"data: no shared reference cases at {path}")
    assert quant_cases.main([str(path), "--require", "E"]) == 0, capsys.readouterr().out


@given(
    bid=st.floats(1.0, 1e5), spread=st.floats(0.0, 100.0), oracle=st.floats(1.0, 1e5), size=rates
)
def test_funding_mirrors_and_is_capped(
    bid: float, spread: float, oracle: float, size: float
) -> None:
    quote = funding_quote(impact_bid=bid, impact_ask=bid + spread, oracle=oracle, position=size)
    other = funding_quote(impact_bid=bid, impact_ask=bid + spread, oracle=oracle, position=-size)
    assert quote.payment == -other.payment
    assert abs(quote.rate_1h) <= RATE_1H_MAX
    low, high = sorted((quote.premium, 1e-4))
    assert low - 1e-12 <= quote.rate_8h <= high + 1e-12


@pytest.mark.parametrize(("cost_bps", "hours"), [(9.0, 72), (23.0, 184), (11.0, 88)])
def test_break_even_at_the_base_rate(cost_bps: float, hours: int) -> None:
    """One leg as taker, two legs as taker, two legs as maker, at base fees."""
    assert breakeven_hours([BASE_RATE] * 400, cost_bps=cost_bps) == hours
    assert breakeven_hours([BASE_RATE] * (hours - 1), cost_bps=cost_bps) is None
    assert hours_to_pay(BASE_RATE, cost_bps) == pytest.approx(hours)


def test_income_that_is_none_never_breaks_even() -> None:
    assert math.isnan(hours_to_pay(0.0, 9.0))
    assert math.isnan(hours_to_pay(-1e-5, 9.0))


@given(funding=st.lists(rates, min_size=1, max_size=200), cost=st.floats(0.1, 50.0))
def test_break_even_is_the_first_hour_that_nets_nothing_lost(
    funding: list[float], cost: float
) -> None:
    hours = breakeven_hours(funding, cost_bps=cost)
    slack = 1e-9
    for held in range(1, len(funding) + 1):
        one = hedged_carry(funding, notional=1.0, cost_bps=cost, financing_apr=0.0, hours=held)
        if hours is None or held < hours:
            assert one.net < slack
        if held == hours:
            assert one.net >= -slack


@given(
    universe=st.lists(
        st.tuples(st.integers(-50, 50), st.floats(0.1, 3.0)), min_size=2, max_size=40
    ),
    gross=st.floats(0.1, 5.0),
)
def test_weights_are_neutral_short_what_pays_and_mirror(
    universe: list[tuple[int, float]], gross: float
) -> None:
    funding, sigmas = zip(*universe, strict=True)
    result = cross_section(funding, sigmas, gross=gross)
    if len(set(funding)) == 1:
        assert np.isnan(result.weights).all()
        assert math.isnan(result.income)
        return
    assert abs(result.weights.sum()) < 1e-9
    assert abs(result.weights).sum() == pytest.approx(gross)
    assert result.income > 0
    middle = np.median(funding)
    for weight, rate in zip(result.weights, funding, strict=True):
        assert weight == 0 or (rate >= middle if weight < 0 else rate <= middle)
    mirrored = cross_section([-f for f in funding], sigmas, gross=gross)
    assert mirrored.weights == pytest.approx(-result.weights)
    louder = cross_section(funding, [7.0 * s for s in sigmas], gross=gross)
    assert louder.weights == pytest.approx(result.weights)


def test_ranks_are_shared_and_sum_to_nothing() -> None:
    assert rank_scores([5.0, 1.0, 5.0, 9.0]) == [0.0, -1.5, 0.0, 1.5]
    assert rank_scores([]) == []


@given(known=st.lists(st.tuples(rates, st.integers(1, 9)), min_size=1, max_size=50))
def test_a_mean_of_rates_weighs_by_age_and_skips_what_is_unknown(
    known: list[tuple[float, int]],
) -> None:
    total = weight = 0.0
    for rate, elapsed in known:
        total, weight = fold_rate(total, weight, rate, elapsed, 24.0)
    at = np.cumsum([elapsed for _, elapsed in known])
    weights = [decay_of(float(at[-1] - when), 24.0) for when in at]
    expected = np.average([rate for rate, _ in known], weights=weights)
    assert total / weight == pytest.approx(expected, abs=1e-15)
    assert weight == pytest.approx(math.fsum(weights))


@given(closes=prices, looks=st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_momentum_is_bounded_scale_free_and_knows_no_future(
    closes: list[float], looks: list[int]
) -> None:
    result = momentum(closes, looks, RULE)
    assert -1.0 <= result.signal <= 1.0
    assert abs(result.position) <= RULE.cap
    scaled = momentum([4.0 * close for close in closes], looks, RULE)
    assert scaled == result
    held = momentum(closes[:8], looks, RULE)
    assert held == momentum([*closes[:8]], looks, RULE)


def test_look_backs_must_be_whole_and_prices_finite() -> None:
    for looks in ([0], [-1], [1.5]):
        with pytest.raises(ValueError, match="look-backs"):
            momentum([1.0, 2.0], looks, RULE)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="finite"):
        momentum([1.0, math.nan], [1], RULE)
    assert math.isnan(momentum([1.0, 2.0], [], RULE).signal)
    assert math.isnan(momentum([], [1], RULE).volatility)


def test_leverage_needs_a_forecast() -> None:
    assert vol_leverage(0.5, 0.4, 2.0) == 0.8
    assert vol_leverage(0.1, 0.4, 2.0) == 2.0
    assert math.isnan(vol_leverage(0.0, 0.4, 2.0))
    assert math.isnan(vol_leverage(math.nan, 0.4, 2.0))
    assert [sign(x) for x in (-2.0, 0.0, 3.0)] == [-1.0, 0.0, 1.0]


@given(
    seed=st.integers(0, 2**32 - 1),
    phi=st.floats(0.1, 0.97),
    level=st.floats(-1.0, 1.0),
    scale=st.floats(1e-5, 1e3),
)
def test_reversion_moves_with_level_and_scale(
    seed: int, phi: float, level: float, scale: float
) -> None:
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(80)
    x = np.zeros(80)
    for t in range(1, 80):
        x[t] = phi * x[t - 1] + noise[t]
    one = mean_reversion(x, dt=1.0)
    other = mean_reversion(scale * (x + level), dt=1.0)
    assert other.phi == pytest.approx(one.phi, abs=1e-9)
    assert one.phi < 1
    if one.phi > 0.01:
        assert other.half_life == pytest.approx(one.half_life, rel=1e-6)
    assert other.deviation == pytest.approx(scale * one.deviation, rel=1e-6)
    assert other.z == pytest.approx(one.z, rel=1e-6, abs=1e-9)
    mirrored = mean_reversion(-x, dt=1.0)
    assert mirrored.z == pytest.approx(-one.z)


def test_too_few_pairs_say_nothing_or_half() -> None:
    assert all(math.isnan(number) for number in ar1_of_sums(1.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    line = mean_reversion([0.0, 1.0, 0.5], dt=1.0)
    assert line.phi == pytest.approx(-0.5)
    assert math.isnan(line.deviation)
    assert math.isnan(mean_reversion([], dt=1.0).phi)
