"""Our figures agree to 1e-9 with libraries that know nothing of ours: empyrical, scipy, pandas.

Traps of the libraries are named where they are stepped round: a year of 252 days, excess kurtosis,
infinities for what is undefined.
"""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from hatmanifesto.analytics import drawdown, ratios, returns, sharpe_error, student, summary, tails
from hatmanifesto.analytics.clustered import sum_of_groups
from hatmanifesto.analytics.trade_statistics import trade_statistics

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import empyrical
    import pandas as pd

TOLERANCE = 1e-9
YEAR = 365
HOURS = 8_760
MAR = 0.0004


def _ar(rng, n):
    noise = 0.01 * rng.standard_normal(n)
    out = np.empty(n)
    out[0] = noise[0]
    for t in range(1, n):
        out[t] = 0.6 * out[t - 1] + noise[t]
    return out


def series() -> dict[str, np.ndarray]:
    """Return seeded series, ordinary and awkward."""
    rng = np.random.Generator(np.random.PCG64(20240101))
    jumps = 0.002 * rng.standard_normal(700)
    jumps[[13, 200, 201, 650]] = [-0.35, 0.4, -0.2, 0.1]
    sparse = np.where(rng.random(400) < 0.9, 0.0, 0.03 * rng.standard_normal(400))
    return {
        "normal": 0.0006 + 0.02 * rng.standard_normal(500),
        "heavy": 0.01 * rng.standard_t(2.2, 1_000).clip(-60, 60),
        "autocorrelated": _ar(rng, 900),
        "jumps": jumps,
        "sparse": sparse,
        "short": np.array([0.01, -0.02, 0.005]),
        "two": np.array([-0.3, 0.5]),
        "losing": -0.004 + 0.003 * rng.standard_normal(250),
        "tiny": 1e-5 * rng.standard_normal(300),
        "near_ruin": np.concatenate([0.05 * rng.standard_normal(200), [-0.99], [0.2] * 20]),
        "one_sign_but_one": np.concatenate([np.full(60, 0.01), [-0.001]]),
    }


SERIES = series()
Figure = Callable[[np.ndarray], float]


def row(function, **options) -> Figure:
    """Return a figure of one series from a function of rows."""
    return lambda r: float(function(r[None, :], **options)[0])


def path(r):
    """Return wealth by pandas."""
    return pd.concat([pd.Series([1.0]), (1 + pd.Series(r)).cumprod()], ignore_index=True)


def pandas_depths(r):
    """Return depths by pandas' expanding maximum."""
    level = path(r)
    return 1 - level / level.expanding().max()


def underwater_by_scan(r):
    """Return the longest time below a high, by its definition, from pandas' path."""
    level = path(r).tolist()
    longest = 0
    for start in range(len(level)):
        if level[start] < max(level[: start + 1]):
            continue
        back = next((k for k in range(start + 1, len(level)) if level[k] >= level[start]), None)
        longest = max(longest, (len(level) - 1 if back is None else back) - start)
    return longest if (pandas_depths(r) > 0).any() else 0


def acerbi(r, alpha):
    """Return expected shortfall as the least of Rockafellar and Uryasev's function."""
    return min(c + np.maximum(-r - c, 0).mean() / alpha for c in -r)


PAIRS: dict[str, tuple[Figure, Figure]] = {
    "total return": (returns.total_return, empyrical.cum_returns_final),
    "growth a year, daily": (
        lambda r: returns.annual_growth(r, periods=YEAR),
        lambda r: empyrical.annual_return(r, annualization=YEAR),
    ),
    "last of the wealth path": (
        lambda r: returns.wealth(r)[-1],
        lambda r: empyrical.cum_returns(r, starting_value=1)[-1],
    ),
    "volatility, daily": (
        row(ratios.volatility, periods=YEAR),
        lambda r: empyrical.annual_volatility(r, annualization=YEAR),
    ),
    "volatility, hourly": (
        row(ratios.volatility, periods=HOURS),
        lambda r: empyrical.annual_volatility(r, annualization=HOURS),
    ),
    "sharpe, daily": (
        row(ratios.sharpe, periods=YEAR),
        lambda r: empyrical.sharpe_ratio(r, annualization=YEAR),
    ),
    "sharpe, hourly": (
        row(ratios.sharpe, periods=HOURS),
        lambda r: empyrical.sharpe_ratio(r, annualization=HOURS),
    ),
    "downside a period": (
        row(ratios.downside, mar=MAR),
        lambda r: empyrical.downside_risk(r, required_return=MAR, annualization=1),
    ),
    "sortino": (
        row(ratios.sortino, periods=YEAR),
        lambda r: empyrical.sortino_ratio(r, annualization=YEAR),
    ),
    "sortino against a least return": (
        row(ratios.sortino, periods=YEAR, mar=MAR),
        lambda r: empyrical.sortino_ratio(r, required_return=MAR, annualization=YEAR),
    ),
    "deepest drawdown": (
        lambda r: drawdown.deepest(returns.wealth(r)).depth,
        lambda r: -empyrical.max_drawdown(r),
    ),
    "calmar": (
        lambda r: summary.summarise(r).calmar,
        lambda r: empyrical.calmar_ratio(r, annualization=YEAR),
    ),
    "omega": (row(tails.omega), lambda r: empyrical.omega_ratio(r, annualization=1)),
    "omega at a level": (
        row(tails.omega, level=MAR),
        lambda r: empyrical.omega_ratio(r, required_return=MAR, annualization=1),
    ),
    "tail ratio": (row(tails.tail_ratio), empyrical.tail_ratio),
    "value at risk 5 %": (
        row(tails.value_at_risk),
        lambda r: -empyrical.value_at_risk(r, cutoff=0.05),
    ),
    "value at risk 1 %": (
        row(tails.value_at_risk, alpha=0.01),
        lambda r: -empyrical.value_at_risk(r, cutoff=0.01),
    ),
    "expected shortfall 5 %": (row(tails.expected_shortfall), lambda r: acerbi(r, 0.05)),
    "skew": (row(tails.skewness), lambda r: stats.skew(r, bias=True)),
    "kurtosis": (row(tails.kurtosis), lambda r: stats.kurtosis(r, fisher=False, bias=True)),
    "deviation": (row(ratios.deviation), lambda r: pd.Series(r).std()),
    "ulcer": (
        lambda r: drawdown.ulcer(returns.wealth(r)),
        lambda r: np.sqrt((pandas_depths(r)[1:] ** 2).mean()),
    ),
    "longest time under water": (
        lambda r: drawdown.longest_underwater(returns.wealth(r)),
        underwater_by_scan,
    ),
    "trough": (
        lambda r: drawdown.deepest(returns.wealth(r)).trough,
        lambda r: int(pandas_depths(r).idxmax()),
    ),
    "sharpe per period as a t-statistic": (
        lambda r: row(ratios.sharpe, periods=1)(r) * np.sqrt(len(r)),
        lambda r: stats.ttest_1samp(r, 0).statistic,
    ),
    "error of the mean by clusters of one": (
        lambda r: sum_of_groups(r, np.arange(len(r)), groups_min=2).error / len(r),
        stats.sem,
    ),
    "p-value of the mean": (
        lambda r: sum_of_groups(r, np.arange(len(r)), groups_min=2).p_value,
        lambda r: stats.ttest_1samp(r, 0).pvalue,
    ),
    "interval of the mean": (
        lambda r: sum_of_groups(r, np.arange(len(r)), groups_min=2).span()[0] / len(r),
        lambda r: stats.t.interval(0.95, len(r) - 1, r.mean(), stats.sem(r))[0],
    ),
    "expectancy of trades": (lambda r: trade_statistics(r).expectancy, stats.tmean),
    "quality of trades": (
        lambda r: trade_statistics(r).sqn,
        lambda r: stats.ttest_1samp(r, 0).statistic,
    ),
    "profit factor as omega": (
        lambda r: trade_statistics(r).profit_factor,
        lambda r: empyrical.omega_ratio(r, annualization=1),
    ),
    "win rate": (
        lambda r: trade_statistics(r).win_rate,
        lambda r: float((pd.Series(r) > 0).mean()),
    ),
    "mean win": (
        lambda r: trade_statistics(r).win_mean,
        lambda r: stats.tmean(r, limits=(0, None), inclusive=(False, True)),
    ),
    "mean loss": (
        lambda r: trade_statistics(r).loss_mean,
        lambda r: stats.tmean(r, limits=(None, 0), inclusive=(True, False)),
    ),
}


@pytest.mark.parametrize("name", sorted(SERIES))
@pytest.mark.parametrize("figure", sorted(PAIRS))
def test_a_figure_agrees_with_the_library(figure, name):
    ours, theirs = PAIRS[figure]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = float(theirs(SERIES[name].copy()))
    if not np.isfinite(expected):
        assert (figure, name) == ("tail ratio", "sparse"), "this series would prove nothing"
        expected = np.nan  # the library says infinity
    got = float(ours(SERIES[name]))
    assert got == pytest.approx(expected, rel=TOLERANCE, abs=1e-15, nan_ok=True)


def test_at_least_twenty_figures_are_compared():
    assert len(PAIRS) >= 20
    assert len(SERIES) >= 5


@pytest.mark.parametrize("lags", [1, 3, 10])
@pytest.mark.parametrize("name", ["normal", "heavy", "autocorrelated", "sparse"])
def test_autocorrelation_agrees_with_scipy(name, lags):
    r = SERIES[name]
    away = r - r.mean()
    whole = np.correlate(away, away, mode="full")[len(r) - 1 :]
    expected = whole[1 : lags + 1] / whole[0]
    assert sharpe_error.autocorrelations(r, lags=lags) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 30, 99])
def test_students_t_agrees_with_scipy(freedom):
    for score in (0.0, 0.3, 1.0, 2.5, 7.0):
        expected = 2 * stats.t.sf(score, freedom)
        assert student.two_sided(score, freedom) == pytest.approx(expected, rel=1e-9, abs=1e-13)
    for tail in (0.5, 0.05, 0.001):
        expected = stats.t.isf(tail / 2, freedom)
        assert student.critical(tail, freedom) == pytest.approx(expected, rel=1e-9)


def test_where_the_libraries_say_infinity_we_say_unknown():
    gains = np.full(50, 0.01)
    assert np.isinf(empyrical.sortino_ratio(gains)) or np.isnan(empyrical.sortino_ratio(gains))
    found = summary.summarise(gains)
    undefined = (found.sharpe, found.sortino, found.calmar, found.omega, found.skew, found.kurtosis)
    assert np.isnan(undefined).all()


@pytest.mark.parametrize("figure", sorted(PAIRS))
def test_a_figure_that_is_wrong_would_be_seen(figure):
    """The comparison bites: a figure of the negated series disagrees, but for even ones."""
    even = {
        "volatility, daily",
        "volatility, hourly",
        "kurtosis",
        "deviation",
        "error of the mean by clusters of one",
        "p-value of the mean",
    }
    ours, theirs = PAIRS[figure]
    r = SERIES["normal"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = float(theirs(r.copy()))
    agrees = float(ours(-r)) == pytest.approx(expected, rel=TOLERANCE)
    assert agrees == (figure in even)
