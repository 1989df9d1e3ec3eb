"""Figures: published worked values, undefined stays unknown, intervals repeat and cover."""

import numpy as np
import pytest

from hatmanifesto.analytics.attribution import attribute, paths_of
from hatmanifesto.analytics.bootstrap import block_length, intervals, stationary_index
from hatmanifesto.analytics.equity import equity_of, grid_of, step_of
from hatmanifesto.analytics.fold import fold
from hatmanifesto.analytics.markouts import clustered_mean, markout_bps, markout_table
from hatmanifesto.analytics.metrics import Inputs, Metric, edge_of, metrics_of
from hatmanifesto.analytics.mids import Mids, path_of
from hatmanifesto.analytics.ratios import drawdown_depth, sharpe, sortino, volatility
from hatmanifesto.analytics.trades import fill_states, trades_of
from hatmanifesto.domain.commands import Place
from hatmanifesto.domain.events import Filled, FundingPaid
from hatmanifesto.domain.units import NS_S

S = NS_S
BACON = (
    "0.003 0.026 0.011 -0.01 0.015 0.025 0.016 0.067 -0.014 0.04 -0.005 0.081 0.04 -0.037 "
    "-0.061 0.017 -0.049 -0.022 0.07 0.058 -0.065 0.024 -0.005 -0.009"
)


def fills_of(rows, *, book=0, coin=0):
    """Return a folded run of fills (ts, side, px, sz, fee, taker)."""
    records = []
    for intent, (ts, side, px, sz, fee, taker) in enumerate(rows):
        records.append(Place(intent, book, coin, 0, side, px, sz, 0, False, 2 * px, ts - 1))
        records.append(Filled(intent, intent, px, sz, fee, taker, False, ts, ts))
    return records


def mids_of(pairs):
    ts, mid2 = zip(*pairs, strict=True)
    return Mids(np.array(ts, dtype=np.int64), np.array(mid2, dtype=np.int64))


def test_ratios_reproduce_the_published_portfolio():
    """Bacon's 24 months; reference case A-01 of the project's quant notes, first four figures."""
    returns = np.array([[float(text) for text in BACON.split()]])
    assert volatility(returns, periods=12)[0] == pytest.approx(0.13700015867969229, rel=1e-12)
    assert sharpe(returns, periods=12)[0] == pytest.approx(0.7883202548144859, rel=1e-12)
    down = np.sqrt((np.minimum(returns, 0) ** 2).mean())
    expected = returns.mean() * np.sqrt(12) / down
    assert sortino(returns, periods=12)[0] == pytest.approx(expected, rel=1e-12)


def test_ratios_without_variance_are_undefined():
    flat = np.full((1, 50), 0.01)
    assert np.isnan(sharpe(flat, periods=365)).all()
    assert np.isnan(sortino(flat, periods=365)).all()
    assert np.isnan(sharpe(np.zeros((1, 50)), periods=365)).all()
    assert np.isnan(sharpe(np.ones((1, 1)), periods=365)).all()


def test_drawdown_starts_from_nothing():
    assert drawdown_depth(np.array([[-3.0, 1.0, 5.0, -4.0]])).tolist() == [4.0]
    assert drawdown_depth(np.array([[-3.0, 1.0]])).tolist() == [3.0]


def test_block_length_equals_the_reference_implementation():
    """Reference cases B-31 and B-32: an AR(1) series, and white noise, which is floored at one."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(1000)
    series = np.empty(1000)
    series[0] = noise[0]
    for t in range(1, 1000):
        series[t] = 0.5 * series[t - 1] + noise[t]
    assert block_length(series) == pytest.approx(11.444488938075182, rel=1e-6)
    assert block_length(np.random.default_rng(2).standard_normal(500)) == 1.0


def test_resampling_keeps_blocks_and_wraps():
    rng = np.random.Generator(np.random.PCG64(3))
    index = stationary_index(rng, n=200, count=50, block=20.0)
    assert index.shape == (50, 200)
    follows = (np.diff(index, axis=1) % 200) == 1
    assert 0.93 < follows.mean() < 0.97  # 1 - 1/20, and chance neighbours


def test_intervals_repeat_with_the_seed_and_cover_the_truth():
    total = {"sum": lambda x: x.sum(axis=1)}
    hits = 0
    for seed in range(40):
        draw = np.random.Generator(np.random.PCG64(1000 + seed)).standard_normal(120)
        span = intervals(draw, total, seed=seed)["sum"]
        assert span == intervals(draw, total, seed=seed)["sum"]
        hits += span[0] <= 0 <= span[1]
    assert hits >= 34  # 95 % nominal
    assert intervals(np.ones(29), total, seed=1)["sum"] is None


def test_trade_figures_follow_the_definition():
    rows = [
        (1, 1, 100, 10, 1, True),
        (2, -1, 110, 4, 0, True),
        (3, -1, 120, 6, 2, True),  # closes: 40 + 120 - 3
        (4, -1, 100, 5, 0, True),
        (5, 1, 103, 8, 8, True),  # closes 5 with 5 of the fee, flips to +3
        (6, -1, 103, 3, 0, True),  # closes: -3
        (7, 1, 100, 1, 0, True),  # left open
    ]
    facts = fold([*fills_of(rows), FundingPaid(0, 6, 0, 0, -7, 3, 3)])
    trades = trades_of(facts.fills, facts.funding)
    assert [trade.pnl for trade in trades] == [157 - 7, -15 - 5, -3]
    assert [(trade.opened, trade.closed) for trade in trades] == [(1, 3), (4, 5), (5, 6)]
    states = fill_states(facts.fills, facts.funding)
    assert [state.position for state in states] == [10, 6, 0, -5, 3, 0, 1]
    assert [state.realised for state in states] == [0, 40, 120, 0, -15, 0, 0]
    assert states[-1].balance == 145 - 11 - 7


def test_grid_is_declared_and_closes_at_the_end():
    minute = 60 * S
    assert step_of(20 * minute) == S
    assert step_of(35 * minute) == 10 * S
    assert step_of(24 * 60 * minute) == minute
    assert grid_of(0, 25, 10).tolist() == [0, 10, 20, 25]


def test_equity_is_cash_and_position_at_the_mid():
    facts = fold(fills_of([(2 * S, 1, 100, 10, 3, True), (4 * S, -1, 104, 4, 1, True)]))
    paths = paths_of(facts, {0: mids_of([(0, 200), (3 * S, 210), (5 * S, 190)])})
    equity = equity_of(facts.fills, paths, step_ns=S)
    assert equity.pnl.tolist() == [0, 0, -6, 94, 94 + 832 - 2 - 4 * 210, 832 - 2008 + 6 * 190]
    assert equity.position[0].tolist() == [0, 0, 10, 10, 6, 6]
    assert equity.drawdown.tolist() == [0, 0, 6, 0, 10, 130]


def test_markouts_follow_the_reference_case():
    """Case A-17; its 30 s fill comes 1 ns later here, because our mid is strictly before."""
    table = [(0, 100_000), (1, 100_100), (2, 100_050), (5, 100_200), (11, 100_300), (12, 100_250),
             (20, 100_100), (30, 99_900), (61, 100_400), (62, 100_500), (75, 100_450),
             (100, 100_600)]  # fmt: skip
    mids = mids_of([(t * S, 2 * px) for t, px in table])
    rows = [(1_500_000_000, 1, 100_080, 2_000, 0, False),
            (11_200_000_000, -1, 100_330, 1_500, 0, False),
            (30 * S + 1, 1, 99_930, 1_000, 0, False),
            (62_500_000_000, -1, 100_470, 3_000, 0, False)]  # fmt: skip
    facts = fold(fills_of(rows))
    paths = paths_of(facts, {0: mids})
    one = markout_bps(facts.fills, paths, horizon_ns=S)
    ten = markout_bps(facts.fills, paths, horizon_ns=10 * S)
    sixty = markout_bps(facts.fills, paths, horizon_ns=60 * S)
    assert one == pytest.approx([-2.997003, 7.976072, -3.003003, -2.985075], abs=1e-6)
    assert ten == pytest.approx([21.978022, 22.931206, -3.003003, -2.985075], abs=1e-6)
    assert sixty[:3] == pytest.approx([31.968032, -16.949153, 52.052052], abs=1e-6)
    assert np.isnan(sixty[3])
    row = next(m for m in markout_table(facts.fills, paths) if m.horizon_s == 60)
    assert (row.liquidity, row.n, row.n_left_out) == ("maker", 3, 1)


def test_clustered_errors_need_two_clusters():
    values, weights = np.array([1.0, 3.0]), np.array([1.0, 1.0])
    assert clustered_mean(values, weights, np.array([5, 5])) == (2.0, None)
    assert clustered_mean(values, weights, np.array([5, 6])) == (2.0, pytest.approx(1.0))
    assert clustered_mean(values[:0], weights[:0], np.array([], dtype=np.int64)) == (None, None)


def run(rows, pairs, *, capital=10**9, spacing_ns=0):
    facts = fold(fills_of(rows))
    mids = {0: mids_of(pairs)}
    attribution, _ = attribute(facts, mids)
    paths = paths_of(facts, mids)
    equity = equity_of(facts.fills, paths)
    trades = trades_of(facts.fills, facts.funding)
    table = markout_table(facts.fills, paths)
    return metrics_of(
        Inputs(facts, attribution.total, equity, table, trades, capital, 7, spacing_ns)
    )


def test_a_run_without_fills_has_unknowns_and_no_invented_zeros():
    figures = run([], [(t * S, 200) for t in range(100)])
    assert figures["net_pnl"].value == "0"
    unknown = "sharpe sortino win_rate profit_factor expectancy maker_share spread_bps"
    for name in [*unknown.split(), "markout_5s_maker_bps", "fill_ratio", "growth_a_year", "calmar"]:
        assert figures[name].value is None, name
    assert not edge_of(figures["net_pnl"]).is_shown
    assert len(figures) >= 25


def test_markouts_of_seconds_are_unknown_where_mids_come_hourly():
    rows = [(t * 3_600 * S, 1, 100, 10, 0, False) for t in range(1, 9)]
    pairs = [(t * 3_600 * S, 200 + t % 3) for t in range(20)]
    assert run(rows, pairs)["markout_5s_maker_bps"].value is not None
    coarse = run(rows, pairs, spacing_ns=3_600 * S)["markout_5s_maker_bps"]
    assert (coarse.value, coarse.ci_low, coarse.ci_high) == (None, None, None)
    assert coarse.unit == "bps of notional; not measured: mids come every 1 hour"
    close = run(rows, pairs, spacing_ns=5 * S)["markout_5s_maker_bps"]
    assert close.unit == "bps of notional"


def test_profit_without_a_loss_has_no_profit_factor():
    figures = run(
        [(S, 1, 100, 10, 0, True), (2 * S, -1, 101, 10, 0, True)], [(0, 200), (9 * S, 200)]
    )
    assert figures["profit_factor"].value is None
    assert figures["win_rate"].value == 1.0
    assert figures["expectancy"].value == "0.00001"


def test_the_verdict_reads_the_interval():
    def verdict(low, high):
        return edge_of(Metric("1", low, high, 99, "USDC")).text

    assert verdict("0.1", "2") == "shown"
    assert verdict("-0.1", "2") == "not shown"
    assert verdict("-3", "-0.1") == "not shown (loss)"
    assert verdict(None, None) == "not shown (too few observations)"


@pytest.mark.parametrize("evidence", ["SYN", "ASSUMED", "REP", ""])
def test_no_edge_is_shown_on_prices_that_nobody_recorded(evidence):
    edge = edge_of(Metric("1", "0.5", "2", 99, "USDC"), evidence=evidence)
    is_proof = evidence in ("REP", "")
    assert edge.is_shown is is_proof
    assert edge.text.startswith("shown" if is_proof else "not shown (above zero, on ")
    loss = edge_of(Metric("-1", "-2", "-0.5", 99, "USDC"), evidence=evidence)
    assert loss.text == "not shown (loss)"


def test_a_hole_of_all_coins_is_one_step_and_no_time() -> None:
    hole = (100 * NS_S, 40_000 * NS_S)
    ts = np.array([0, 100 * NS_S, 40_000 * NS_S, 40_100 * NS_S], dtype=np.int64)
    path = path_of(Mids(ts, np.array([200, 200, 260, 262], dtype=np.int64)), [hole])
    found = equity_of([], {0: path}, step_ns=10 * NS_S)
    assert found is not None
    assert not ((found.ts > hole[0]) & (found.ts < hole[1])).any()
    assert found.covered_ns <= 210 * NS_S
    other = path_of(Mids(ts, np.array([200, 200, 260, 262], dtype=np.int64)), [])
    both = equity_of([], {0: path, 1: other}, step_ns=10 * NS_S)
    assert both is not None
    assert ((both.ts > hole[0]) & (both.ts < hole[1])).any(), "one coin was still heard"
