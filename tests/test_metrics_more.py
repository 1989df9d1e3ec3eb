"""Figures of shape, days, trades, exposure and shortfall: worked by hand, and unknown when thin."""

from fractions import Fraction

import msgspec
import numpy as np
import pytest

from hatmanifesto.analytics.attribution import attribute, paths_of
from hatmanifesto.analytics.equity import equity_of
from hatmanifesto.analytics.fold import fold
from hatmanifesto.analytics.markouts import markout_table
from hatmanifesto.analytics.metrics import Inputs, metrics_of
from hatmanifesto.analytics.metrics_returns import curve_of, midnights
from hatmanifesto.analytics.mids import Mids
from hatmanifesto.analytics.trades import trades_of
from hatmanifesto.domain.events import FundingUnknown
from hatmanifesto.domain.units import NS_HOUR, NS_S
from tests.analytics_world import FREE, T0, fill, payment, run_of, walk, with_fills

RATIOS = """
sharpe sharpe_se sharpe_se_hac sharpe_daily sharpe_daily_se sharpe_daily_se_hac sortino skew
kurtosis tail_ratio omega value_at_risk_95 expected_shortfall_95
""".split()
TRADES = "win_rate profit_factor expectancy win_mean loss_mean payoff sqn".split()
DAY = 24 * NS_HOUR


def figures_of(facts, mids, *, capital=10**9):
    attribution, _ = attribute(facts, mids)
    paths = paths_of(facts, mids)
    equity = equity_of(facts.fills, paths, funding=facts.funding)
    trades = trades_of(facts.fills, facts.funding)
    table = markout_table(facts.fills, paths)
    return metrics_of(Inputs(facts, attribution.total, equity, table, trades, capital, 7)), equity


@pytest.mark.slow
def test_there_are_many_figures_each_with_its_unit_and_sample():
    figures, _ = figures_of(*run_of(1))
    assert len(figures) >= 45
    assert all(metric.unit and metric.n >= 0 for metric in figures.values())
    annual = {name for name, metric in figures.items() if metric.annualisation}
    assert annual >= {"sharpe", "sharpe_daily", "sortino", "volatility", "growth_a_year", "calmar"}
    assert all("365 d" in figures[name].annualisation for name in annual)
    with_interval = [name for name, metric in figures.items() if metric.ci_low is not None]
    assert len(with_interval) >= 20


@pytest.mark.parametrize("fills", [0, 1, 3])
def test_thin_runs_have_unknowns_and_neither_zero_nor_infinity(fills):
    facts, mids = run_of(3, n=4, fills=0, coins=1)
    prices = mids[0]
    rows = [
        fill(int(prices.ts[k]) + 1, 1, int(prices.mid2[k]) // 2, 1, 0, 0, True, FREE, k)
        for k in range(fills)
    ]
    mids = {0: Mids(prices.ts[:4], prices.mid2[:4])}
    figures, equity = figures_of(with_fills(facts, rows), mids)
    assert len(equity.ts) < 300
    for name in [*TRADES, "sharpe_daily", "sharpe_daily_se", "calmar", "growth_a_year"]:
        assert figures[name].value is None, name
    if fills == 0:
        for name in [*RATIOS, "underwater_longest", "exposure_gross", "shortfall", "shortfall_bps"]:
            assert figures[name].value is None, name
    assert figures["funding_a_day"].value is None
    for metric in figures.values():
        if isinstance(metric.value, float):
            assert np.isfinite(metric.value)


def test_three_steps_say_nothing_of_shape():
    facts, mids = run_of(3, n=400, fills=1, coins=1)
    mids = {0: Mids(mids[0].ts[:4], mids[0].mid2[:4])}
    row = facts.fills[0]._replace(ts=int(mids[0].ts[0]) + 1)
    attribution, _ = attribute(with_fills(facts, [row]), mids)
    equity = equity_of([row], paths_of(facts, mids), step_ns=60 * NS_S)
    facts = with_fills(facts, [row])
    figures = metrics_of(Inputs(facts, attribution.total, equity, [], [], 10**9, 7))
    assert len(equity.ts) <= 5
    for name in ["skew", "kurtosis", "tail_ratio", "omega", "value_at_risk_95", "sharpe_se"]:
        assert figures[name].value is None, name
    assert figures["sharpe"].ci_low is None


@pytest.mark.slow
def test_a_ruined_account_has_no_ratios():
    facts, mids = run_of(4, fills=100)
    figures, _ = figures_of(facts, mids, capital=1)
    for name in [*RATIOS, "volatility", "ulcer", "exposure_gross", "exposure_net"]:
        assert figures[name].value is None, name
    assert figures["net_pnl"].value is not None


@pytest.mark.slow
def test_the_daily_sharpe_is_that_of_equity_at_midnight():
    days = 40
    facts, mids = run_of(5, n=24 * days, step_ns=NS_HOUR, fills=900, coins=1)
    figures, equity = figures_of(facts, mids)
    first = -(-int(equity.ts[0]) // DAY) * DAY
    at = [first + k * DAY for k in range(days + 1) if first + k * DAY <= int(equity.ts[-1])]
    level = [1_000 + int(equity.pnl[equity.ts <= when][-1]) / 2e6 for when in at]
    returns = np.diff(level) / np.array(level[:-1])
    assert (np.isin(np.array(at), equity.ts)).all(), "midnight is on the grid"
    expected = returns.mean() / returns.std(ddof=1) * np.sqrt(365)
    assert figures["sharpe_daily"].value == pytest.approx(expected, rel=1e-8)
    assert figures["sharpe_daily"].n == len(at) - 1 >= 30
    rule_of_thumb = np.sqrt((1 + expected**2 / 2 / 365) / len(returns) * 365)
    assert figures["sharpe_daily_se"].value == pytest.approx(rule_of_thumb, rel=0.5)
    low, high = figures["sharpe_daily"].ci_low, figures["sharpe_daily"].ci_high
    assert low < figures["sharpe_daily"].value < high


def test_midnights_within_a_hole_take_the_last_point_before():
    ts = np.array([DAY - 5, DAY, 2 * DAY - 100, 3 * DAY + 7])
    assert midnights(ts).tolist() == [1, 2, 2]
    assert midnights(np.array([DAY + 1, DAY + 9])).tolist() == []


def test_the_curve_of_a_run_without_capital_has_no_returns():
    _, equity = figures_of(*run_of(6, fills=30))
    assert len(curve_of(equity, 0).returns) == 0
    assert len(curve_of(equity, 10**9).returns) == len(equity.ts) - 1


def test_the_longest_time_under_water_is_told_in_hours():
    mids = {0: Mids(T0 + np.arange(7) * NS_HOUR, np.array([200, 220, 210, 190, 220, 230, 228]))}
    rows = [fill(T0 + 1, 1, 100, 1_000, 0, 0, True, FREE, 0)]
    facts = with_fills(fold([]), rows)
    paths = paths_of(facts, mids)
    equity = equity_of(rows, paths, step_ns=NS_HOUR)
    attribution, _ = attribute(facts, mids)
    figures = metrics_of(Inputs(facts, attribution.total, equity, [], [], 10**9, 1))
    # A grid on whole hours sees each move up to an hour late; the fall lasts three steps.
    assert figures["underwater_longest"].value == 3.0


def test_shortfall_is_exact_and_costs_are_positive():
    mids = {0: Mids(T0 + np.arange(9) * NS_S, np.full(9, 2_000))}
    known = fill(T0 + NS_S + 1, 1, 1_003, 70, 0, 0, True, FREE, 0)._replace(
        mid2_decision=1_999, fee=11
    )
    blind = fill(T0 + NS_S + 2, -1, 990, 50, 0, 0, True, FREE, 1)
    figures, _ = figures_of(with_fills(fold([]), [known, blind]), mids)
    by_hand = 70 * (Fraction(1_003) - Fraction(1_999, 2)) + 11
    assert Fraction(figures["shortfall"].value) * 10**6 == by_hand
    assert figures["shortfall"].n == 1
    bps = by_hand / (1_003 * 70) * 10_000
    assert figures["shortfall_bps"].value == pytest.approx(float(bps), rel=1e-8)
    assert figures["shortfall"].ci_low is None


@pytest.mark.slow
def test_funding_a_day_is_unknown_when_any_hour_is():
    facts, mids = run_of(7, n=24 * 12, step_ns=NS_HOUR, fills=40, coins=1)
    paid = [payment(T0 + k * NS_HOUR, 0, -1_000 - k) for k in range(1, 24 * 12)]
    facts = with_fills(facts, facts.fills, paid)
    figures, equity = figures_of(facts, mids)
    days = equity.covered_ns / DAY
    total = sum(event.usdc for event in paid) / 1e6
    found = figures["funding_a_day"]
    assert float(found.value) == pytest.approx(total / days, abs=1e-6)
    assert float(found.ci_low) < float(found.value) < float(found.ci_high) < 0
    hole = FundingUnknown(0, 1, T0 + NS_HOUR, T0 + NS_HOUR)
    unknown, _ = figures_of(msgspec.structs.replace(facts, funding_unknown=(hole,)), mids)
    assert unknown["funding_a_day"].value is None


def test_exposure_is_a_share_of_equity():
    rng = np.random.Generator(np.random.PCG64(1))
    flat = walk(rng, n=500, step_ns=60 * NS_S)
    mids = {0: Mids(flat.ts, np.full(500, 2_000_000))}
    rows = [fill(int(flat.ts[0]) + 1, -1, 1_000_000, 250, 0, 0, True, FREE, 0)]
    figures, _ = figures_of(with_fills(fold([]), rows), mids, capital=10**9)
    assert figures["exposure_gross"].value == pytest.approx(0.25, rel=5e-3)
    assert figures["exposure_net"].value == -figures["exposure_gross"].value


@pytest.mark.slow
def test_trade_figures_agree_with_their_identities():
    figures, _ = figures_of(*run_of(8, fills=400))
    wins, losses = figures["win_mean"], figures["loss_mean"]
    assert figures["payoff"].value == pytest.approx(
        float(wins.value) / -float(losses.value), rel=1e-3
    )
    assert float(wins.ci_low) < float(wins.value) < float(wins.ci_high)
    assert float(losses.value) < 0
    assert figures["sqn"].ci_low < figures["sqn"].value < figures["sqn"].ci_high
