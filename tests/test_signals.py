"""Formulas of signals and of order cost: mirror symmetry, limits, scale, and refusals."""

import math
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hatmanifesto.domain.enums import Side
from hatmanifesto.execution.cost import Route, route_cost, sweep_book
from hatmanifesto.signals import closed_form
from hatmanifesto.signals.almgren_chriss import Program, optimal_schedule
from hatmanifesto.signals.book import (
    next_move_up,
    order_flow_imbalance,
    queue_imbalance,
    roll_spread,
)
from hatmanifesto.signals.distributions import normal_cdf, student_cdf
from hatmanifesto.signals.hawkes import hawkes_fit
from hatmanifesto.signals.impact import kyle_lambda, square_root_impact
from hatmanifesto.signals.intensity import calibrate, fill_chance, queue_fill_chance
from hatmanifesto.signals.microprice import microprice_chain
from hatmanifesto.signals.quoting import (
    Market,
    asymptotic_quotes,
    closed_form_quotes,
    horizon_quotes,
    reservation_quotes,
)
from hatmanifesto.signals.quoting_simulation import Rule, Setting, simulate_maker
from hatmanifesto.signals.spreads import trade_spreads
from hatmanifesto.signals.toxicity import buy_shares, volume_buckets, vpin

prices = st.integers(1, 10**4)
sizes = st.integers(0, 10**4)
quotes = st.lists(st.tuples(prices, sizes, prices, sizes), min_size=4, max_size=30)
gammas = st.floats(1e-4, 2.0)
scales = st.floats(0.1, 5.0)
markets = st.builds(Market, gammas, scales, scales, st.floats(1.0, 200.0), st.floats(0.0, 0.5))


def flow(rows: list[tuple[int, int, int, int]]) -> list[float]:
    """Return the order flow of (bid px, bid sz, ask px, ask sz) rows."""
    bid_px, bid_sz, ask_px, ask_sz = zip(*rows, strict=True)
    result = order_flow_imbalance(bid_px=bid_px, bid_sz=bid_sz, ask_px=ask_px, ask_sz=ask_sz)
    return [float(event) for event in result.events]


@given(rows=quotes)
def test_order_flow_mirrors(rows: list[tuple[int, int, int, int]]) -> None:
    mirrored = [(-ask, ask_sz, -bid, bid_sz) for bid, bid_sz, ask, ask_sz in rows]
    assert flow(mirrored) == [-event for event in flow(rows)]


@given(rows=quotes, cut=st.integers(1, 2))
def test_order_flow_adds_over_a_cut(rows: list[tuple[int, int, int, int]], cut: int) -> None:
    assert flow(rows) == flow(rows[: cut + 1]) + flow(rows[cut:])


def test_one_quote_is_no_flow() -> None:
    one = order_flow_imbalance(bid_px=[1], bid_sz=[1], ask_px=[2], ask_sz=[1])
    assert math.isnan(one.total)
    assert len(one.events) == 0


@given(bid=prices, spread=prices, bid_sz=sizes, ask_sz=sizes)
def test_imbalance_mirrors(bid: int, spread: int, bid_sz: int, ask_sz: int) -> None:
    assume(bid_sz + ask_sz > 0)
    ask = bid + spread
    one = queue_imbalance(bid_px=bid, bid_sz=bid_sz, ask_px=ask, ask_sz=ask_sz)
    two = queue_imbalance(bid_px=bid, bid_sz=ask_sz, ask_px=ask, ask_sz=bid_sz)
    assert one.signed == -two.signed
    assert one.weighted_mid + two.weighted_mid == pytest.approx(bid + ask)
    assert bid <= one.weighted_mid * (1 + 1e-12)
    assert one.weighted_mid <= ask * (1 + 1e-12)
    assert one.weighted_mid == pytest.approx(one.mid + spread * (one.share - 0.5))


@given(rows=st.lists(st.tuples(prices, prices, st.integers(-50, 50), st.sampled_from((-1, 1)))))
def test_effective_is_realised_plus_impact(rows: list[tuple[int, int, int, int]]) -> None:
    result = trade_spreads(
        bid=[r[0] for r in rows],
        ask=[r[0] + r[1] for r in rows],
        px=[r[0] + r[1] for r in rows],
        side=[r[3] for r in rows],
        sz=[1] * len(rows),
        mid_after=[r[0] + r[2] for r in rows],
    )
    both = result.rows[:, 2] + result.rows[:, 3]
    assert result.rows[:, 1] == pytest.approx(both, rel=1e-9, abs=1e-6)


def test_crossed_and_locked_books_are_dropped() -> None:
    result = trade_spreads(
        bid=[10, 11], ask=[10, 10], px=[10, 10], side=[1, 1], sz=[1, 1], mid_after=[10, 10]
    )
    assert result.rows.shape == (0, 4)
    assert np.isnan(result.weighted).all()


def mirrored_chain(rng: np.random.Generator) -> dict[str, Any]:
    """Return a random chain of three states that is its own mirror image."""
    rows = rng.random((3, 8))
    rows = rows + np.hstack(
        [rows[::-1, :3][:, ::-1], rows[::-1, 3:5][:, ::-1], rows[::-1, 5:][:, ::-1]]
    )
    stay, move, land = rows[:, :3], rows[:, 3:5], rows[:, 5:]
    land = land * (move.sum(axis=1) / land.sum(axis=1))[:, None]
    total = (stay.sum(axis=1) + move.sum(axis=1))[:, None]
    return {"stay": stay / total, "move": move / total, "land": land / total}


@pytest.mark.parametrize("seed", range(5))
def test_microprice_of_a_mirrored_chain_mirrors(seed: int) -> None:
    chain = mirrored_chain(np.random.default_rng(seed))
    result = microprice_chain(**chain, steps=[-0.5, 0.5])
    assert result.limit == pytest.approx(-result.limit[::-1], abs=1e-12)
    many = microprice_chain(**chain, steps=[-0.5, 0.5], moves=400)
    assert result.limit == pytest.approx(many.after_moves, rel=1e-9, abs=1e-12)
    scaled = microprice_chain(**chain, steps=[-5.0, 5.0])
    assert scaled.limit == pytest.approx(10 * result.limit, rel=1e-12, abs=1e-12)


def test_microprice_without_symmetry_has_no_limit() -> None:
    chain = mirrored_chain(np.random.default_rng(0))
    assert np.isnan(microprice_chain(**chain, steps=[-0.5, 0.6]).limit).all()


def test_microprice_refuses_a_state_never_left() -> None:
    with pytest.raises(ValueError, match="never moves"):
        microprice_chain(stay=[[1.0]], move=[[0.0]], steps=[1.0], land=[[0.0]])


@given(market=markets, q=st.integers(-10, 10))
def test_quotes_mirror(market: Market, q: int) -> None:
    exact = asymptotic_quotes(market, inventories=[q, -q], q_max=11)
    near = horizon_quotes(market, inventories=[q, -q], q_max=11, time_left=0.7)
    closed = closed_form_quotes(market, inventories=[q, -q])
    for result in (exact, near, closed):
        assert result.bid[0] == pytest.approx(result.ask[1], rel=1e-9, abs=1e-9)
        assert result.bid[1] == pytest.approx(result.ask[0], rel=1e-9, abs=1e-9)


def test_quotes_far_from_the_horizon_are_the_asymptotic_ones() -> None:
    market, held = Market(0.1, 2.0, 1.5, 140.0), np.arange(-15, 16)
    far = horizon_quotes(market, inventories=held, q_max=15, time_left=1e4)
    exact = asymptotic_quotes(market, inventories=held, q_max=15)
    assert far.bid == pytest.approx(exact.bid, rel=1e-10, nan_ok=True)
    assert far.ask == pytest.approx(exact.ask, rel=1e-10, nan_ok=True)
    assert np.isnan([exact.bid[-1], exact.ask[0]]).all()
    assert np.isnan(exact.bid).sum() == 1


def test_quotes_agree_with_an_independent_exponential() -> None:
    linalg = pytest.importorskip("scipy.linalg", reason="platform: no scipy here")
    market, tau = Market(0.05, 1.0, 2.0, 20.0, 0.1, 0.02), 0.3
    q = np.arange(-6, 7)
    alpha = 0.5 * market.k * market.gamma * market.sigma**2
    eta = 20.0 * (1 + 0.05 / 2) ** -(1 + 2 / 0.05) * math.exp(-2 * 0.1 / 2)
    matrix = np.diag(alpha * q**2 - market.k * market.drift * q)
    matrix = matrix - eta * (np.eye(13, k=1) + np.eye(13, k=-1))
    value = linalg.expm(-matrix * tau) @ np.exp(-0.5 * market.k * market.adverse * q**2)
    bid = math.log1p(0.05 / 2) / 0.05 + 0.05 + np.log(value[:-1] / value[1:]) / 2
    result = horizon_quotes(market, inventories=q[:-1], q_max=6, time_left=tau)
    assert result.bid == pytest.approx(bid, rel=1e-11)


def test_no_quote_beyond_the_largest_inventory() -> None:
    result = asymptotic_quotes(Market(0.1, 2.0, 1.5, 140.0), inventories=[-9, 9], q_max=3)
    assert np.isnan(result.bid).all()
    assert np.isnan(result.ask).all()


@given(market=markets, q=st.integers(-100, 100), time_left=st.floats(0.0, 10.0))
def test_reservation_quotes_mirror(market: Market, q: int, time_left: float) -> None:
    long = reservation_quotes(market, mid=0.0, q=q, time_left=time_left)
    short = reservation_quotes(market, mid=0.0, q=-q, time_left=time_left)
    assert long.delta_bid == short.delta_ask
    assert long.price == -short.price


@given(k=scales, gamma=st.floats(1e-12, 1e-7))
def test_small_risk_aversion_has_the_limit(k: float, gamma: float) -> None:
    assert closed_form.quote_base(gamma, k) == pytest.approx(closed_form.quote_base(0.0, k), 1e-6)
    assert closed_form.glft_skew(0.0, 1.0, k, 1.0) == 0.0
    limit = math.sqrt(gamma * math.e / (2 * k))
    assert closed_form.glft_skew(gamma, 1.0, k, 1.0) == pytest.approx(limit, rel=1e-6)


@given(market=markets)
def test_closed_form_and_scalars_are_one(market: Market) -> None:
    plain = Market(market.gamma, market.sigma, market.k, market.intensity)
    terms = (market.gamma, market.sigma, market.k, market.intensity)
    result = closed_form_quotes(plain, inventories=[0, 1])
    assert result.bid[0] == closed_form.glft_half_spread(*terms)
    step = closed_form.glft_skew(*terms)
    assert result.bid[1] - result.bid[0] == pytest.approx(step, rel=1e-9, abs=1e-12)


def test_scalars_say_nan_and_never_raise() -> None:
    assert math.isnan(closed_form.glft_half_spread(0.1, 1.0, 0.0, 1.0))
    assert math.isnan(closed_form.glft_skew(0.1, 1.0, 1.0, 0.0))
    assert math.isnan(closed_form.weighted_mid2(10, 0, 12, 0))
    assert math.isnan(closed_form.ewma_variance(1.0, 1.0, 1.0, 0.0))


@pytest.mark.slow
def test_scalars_compile_and_agree() -> None:
    numba = pytest.importorskip("numba", reason="platform: no numba here")
    names = dict(vars(closed_form))
    for name in ("quote_base", "glft_skew", "glft_half_spread", "weighted_mid2", "ewma_variance"):
        plain = getattr(closed_form, name)
        names[name] = numba.njit(FunctionType(plain.__code__, names, name))
        for numbers in ((0.1, 2.0, 1.5, 140.0), (0.0, 2.0, 1.5, 140.0), (4.0, 2.0, 0.5, 10.0)):
            arguments = numbers[: plain.__code__.co_argcount]
            assert names[name](*arguments) == plain(*arguments), name
    assert names["weighted_mid2"](10, 1, 12, 3) == closed_form.weighted_mid2(10, 1, 12, 3) == 21.0


@given(start=scales, steps=st.lists(st.floats(0.01, 5.0), min_size=1, max_size=10))
def test_ewma_without_moves_only_fades(start: float, steps: list[float]) -> None:
    value = start
    for step in steps:
        value = closed_form.ewma_variance(value, 0.0, step, 3.0)
    assert value == pytest.approx(start * 0.5 ** (sum(steps) / 3.0))


def program(**changes: Any) -> Program:
    """Return the program of the paper, with changes."""
    base = {"sz": 1e6, "time": 5.0, "slices": 5, "sigma": 0.95, "eta": 2.5e-6}
    return Program(**{**base, "gamma": 2.5e-7, "epsilon": 0.0625, **changes})


@given(slices=st.integers(1, 50), sz=st.floats(-1e6, 1e6))
def test_no_aversion_is_linear(slices: int, sz: float) -> None:
    result = optimal_schedule(program(slices=slices, sz=sz), aversion=0.0)
    assert result.trades == pytest.approx(np.full(slices, sz / slices), rel=1e-9, abs=1e-9)
    assert math.isnan(result.half_life)


@given(aversion=st.floats(0.0, 1e3))
def test_schedule_sells_all_and_beats_equal_slices(aversion: float) -> None:
    result = optimal_schedule(program(), aversion=aversion)
    even = optimal_schedule(program(), aversion=0.0)
    assert result.holdings[0] == 1e6
    assert result.holdings[-1] == 0
    assert (result.trades >= 0).all()
    assert result.trades.sum() == pytest.approx(1e6)
    assert result.objective <= (even.cost + aversion * even.variance) * (1 + 1e-12)


def test_schedule_refuses_slices_too_long() -> None:
    with pytest.raises(ValueError, match="slice shorter"):
        optimal_schedule(program(gamma=1e-4), aversion=0.0)


@given(bid=st.integers(1, 30), ask=st.integers(1, 30))
def test_next_move_mirrors(bid: int, ask: int) -> None:
    up = next_move_up(bid_queue=bid, ask_queue=ask)
    assert up + next_move_up(bid_queue=ask, ask_queue=bid) == pytest.approx(1.0, abs=1e-12)


@given(bid=st.integers(1, 12), ask=st.integers(1, 12))
def test_next_move_is_harmonic(bid: int, ask: int) -> None:
    steps = ((1, 0), (-1, 0), (0, 1), (0, -1))
    near = [next_move_up(bid_queue=bid + x, ask_queue=ask + y) for x, y in steps]
    at = next_move_up(bid_queue=bid, ask_queue=ask)
    assert math.fsum(near) / 4 == pytest.approx(at, abs=1e-12)


def test_next_move_of_exhausted_queues() -> None:
    assert next_move_up(bid_queue=0, ask_queue=2) == 0.0
    assert next_move_up(bid_queue=2, ask_queue=0) == 1.0
    assert math.isnan(next_move_up(bid_queue=0, ask_queue=0))


@given(a=st.floats(0.1, 50.0), k=st.floats(0.05, 3.0))
def test_calibration_finds_what_made_the_counts(a: float, k: float) -> None:
    depths = np.linspace(0.1, 2.0, 8)
    result = calibrate(depths=depths, counts=a * np.exp(-k * depths) * 60, time=60.0)
    assert (result.k_ols, result.k_mle) == pytest.approx((k, k), rel=1e-8)
    assert (result.intensity_ols, result.intensity_mle) == pytest.approx((a, a), rel=1e-8)


@pytest.mark.parametrize("counts", [[0, 0, 0], [5, 0, 0], [0, 0, 5]])
def test_calibration_without_evidence_is_nan(counts: list[int]) -> None:
    result = calibrate(depths=[1, 2, 3], counts=counts, time=1.0)
    assert math.isnan(result.k_mle)
    assert math.isnan(result.k_ols)


def test_calibration_by_likelihood_allows_zeros() -> None:
    result = calibrate(depths=[1, 2, 3], counts=[9, 3, 0], time=1.0)
    assert result.k_mle > 1
    assert math.isnan(result.k_ols)


@given(units=st.integers(0, 200), mean=st.floats(0.01, 300.0))
def test_longer_queue_fills_less_often(units: int, mean: float) -> None:
    chance = queue_fill_chance(units_ahead=units, unit_rate=mean, tau=1.0)
    assert 0.0 <= chance <= 1.0
    longer = queue_fill_chance(units_ahead=units + 1, unit_rate=mean, tau=1.0)
    assert longer <= chance + 1e-12


def test_fill_chance_of_nobody() -> None:
    assert math.isnan(fill_chance(intensity=0.0, k=1.0, delta=1.0, tau=1.0).wait_mean)
    assert queue_fill_chance(units_ahead=0, unit_rate=0.0, tau=1.0) == 0.0


@given(factor=scales, sz=scales, volume=scales)
def test_square_root_impact_knows_only_the_share(factor: float, sz: float, volume: float) -> None:
    given_, scaled = (
        square_root_impact(coefficient=1.0, sigma=0.1, sz=sz * f, volume=volume * f).peak
        for f in (1.0, factor)
    )
    assert given_ == pytest.approx(scaled)
    assert math.isnan(square_root_impact(coefficient=1, sigma=1, sz=1, volume=0).peak)


@given(factor=scales)
def test_roll_scales_with_prices(factor: float) -> None:
    path = np.array([10.0, 11.0, 10.0, 10.5, 10.0, 11.0])
    assert roll_spread(factor * path).spread == pytest.approx(factor * roll_spread(path).spread)


def test_student_and_normal_distribution() -> None:
    assert normal_cdf(0.0) == 0.5
    assert student_cdf(1.0, 1.0) == pytest.approx(0.75, rel=1e-14)
    assert student_cdf(-math.sqrt(2.0), 2.0) == pytest.approx(0.5 - math.sqrt(0.125), rel=1e-13)
    assert student_cdf(1.5, 1e6) == pytest.approx(normal_cdf(1.5), rel=1e-6)
    for nu in (0.25, 1.0, 4.0, 50.0):
        assert student_cdf(0.7, nu) + student_cdf(-0.7, nu) == pytest.approx(1.0, rel=1e-15)


def test_still_prices_share_volume_evenly() -> None:
    shares = buy_shares([0.0, 0.0], sigma=0.0)
    assert shares.tolist() == [0.5, 0.5]
    assert vpin(shares, [3.0, 4.0], window=2).tolist() == [0.0]
    assert np.isnan(vpin(shares, [0.0, 0.0], window=2)).all()
    assert len(vpin(shares, [1.0, 1.0], window=3)) == 0
    assert volume_buckets([5, 5, 5, 5], [1, 1, 1], bucket=1.5).bought.tolist() == [0.75, 0.75]


def test_hawkes_without_jumps_is_poisson() -> None:
    fit = hawkes_fit([1.0, 2.5], end=4.0, base=0.5, jump=0.0, decay=1.0)
    assert fit.loglik == pytest.approx(2 * math.log(0.5) - 2.0)
    assert fit.residuals.tolist() == [0.5, 0.75]
    assert fit.rate == 0.5
    assert math.isnan(hawkes_fit([1.0], end=2.0, base=0.5, jump=2.0, decay=1.0).rate)


def test_kyle_without_evidence_is_nan() -> None:
    assert math.isnan(kyle_lambda(moves=[1.0, 2.0], signed_volume=[3.0, 3.0]).slope)
    assert math.isnan(kyle_lambda(moves=[], signed_volume=[]).slope)


@given(chance=st.floats(0.0, 1.0), adverse=st.floats(-5, 5), drift=st.floats(0, 5))
def test_routes_cost_the_same_at_break_even(chance: float, adverse: float, drift: float) -> None:
    cost = route_cost(Route(0.5, 4.5, 1.5, chance, adverse, drift))
    assume(0 <= cost.break_even <= 1)
    even = route_cost(Route(0.5, 4.5, 1.5, cost.break_even, adverse, drift))
    assert even.maker == pytest.approx(even.taker, abs=1e-9)


def test_routes_that_never_meet_have_no_break_even() -> None:
    cost = route_cost(Route(0.5, 4.5, 1.5, 0.5, 5.0, 1.0))
    assert math.isnan(cost.break_even)
    assert cost.choose == "taker"


@given(sz=st.floats(0.0, 20.0))
def test_sweep_mirrors(sz: float) -> None:
    asks = [(10.5, 2.0), (11.0, 3.0), (12.0, 5.0)]
    bids = [(20.0 - px, shown) for px, shown in asks]
    bought = sweep_book(asks, sz=sz, mid=10.0)
    sold = sweep_book(bids, sz=sz, mid=10.0, side=Side.SELL)
    assert bought.slippage == pytest.approx(sold.slippage, nan_ok=True)
    assert bought.filled + bought.unfilled == pytest.approx(sz)
    assert math.isnan(bought.vwap) == (bought.filled == 0)


def test_sweep_leaves_no_dust_for_the_next_level() -> None:
    swept = sweep_book([(1.0, 0.7), (2.0, 0.3), (3.0, 1.0)], sz=1.0, mid=1.0)
    assert swept.px_worst == 2.0
    assert swept.unfilled == 0.0


def test_simulation_is_its_seed() -> None:
    market, setting = Market(0.1, 2.0, 1.5, 140.0), Setting(100.0, 0.0, 0.2, 0.005, 200)
    one, two, other = (
        simulate_maker(market, setting, rule=Rule.INVENTORY, rng=np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert one == two
    assert one != other


NAN = math.nan


@pytest.mark.parametrize(
    "call",
    [
        lambda: roll_spread([1.0, NAN, 2.0]),
        lambda: order_flow_imbalance(bid_px=[1, NAN], bid_sz=[1, 1], ask_px=[2, 2], ask_sz=[1, 1]),
        lambda: order_flow_imbalance(bid_px=[1], bid_sz=[1, 1], ask_px=[2, 2], ask_sz=[1, 1]),
        lambda: queue_imbalance(bid_px=1, bid_sz=-1, ask_px=2, ask_sz=1),
        lambda: next_move_up(bid_queue=NAN, ask_queue=1),
        lambda: next_move_up(bid_queue=-1, ask_queue=1),
        lambda: asymptotic_quotes(Market(NAN, 1, 1, 1), inventories=[0], q_max=3),
        lambda: asymptotic_quotes(Market(0.1, 1, 1, 1), inventories=[0.5], q_max=3),
        lambda: asymptotic_quotes(Market(0.1, 1, 1, 1), inventories=[0], q_max=0),
        lambda: closed_form_quotes(Market(0.1, 1, 0, 1), inventories=[0]),
        lambda: reservation_quotes(Market(-0.1, 1, 1, 1), mid=1, q=0, time_left=1),
        lambda: fill_chance(intensity=1, k=1, delta=NAN, tau=1),
        lambda: queue_fill_chance(units_ahead=-1, unit_rate=1, tau=1),
        lambda: calibrate(depths=[1, 2], counts=[1, NAN], time=1),
        lambda: calibrate(depths=[1, 2], counts=[1, -1], time=1),
        lambda: square_root_impact(coefficient=1, sigma=NAN, sz=1, volume=1),
        lambda: kyle_lambda(moves=[NAN], signed_volume=[1]),
        lambda: hawkes_fit([2.0, 1.0], end=3, base=1, jump=0, decay=1),
        lambda: hawkes_fit([NAN], end=3, base=1, jump=0, decay=1),
        lambda: buy_shares([NAN], sigma=1),
        lambda: vpin([0.5], [-1.0], window=1),
        lambda: volume_buckets([1, 2], [NAN], bucket=1),
        lambda: route_cost(Route(0.5, 4.5, 1.5, 1.5, 0, 0)),
        lambda: route_cost(Route(0.5, 4.5, 1.5, NAN, 0, 0)),
        lambda: sweep_book([(1, 1)], sz=NAN, mid=1),
        lambda: sweep_book([(NAN, 1)], sz=1, mid=1),
        lambda: optimal_schedule(program(sigma=NAN), aversion=0),
    ],
)
def test_bad_numbers_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        call()
