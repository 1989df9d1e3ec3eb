"""The figures of a return series at a glance; undefined is NaN, never 0 and never infinite."""

from math import nan
from typing import NamedTuple

from hatmanifesto.analytics import drawdown, ratios, tails
from hatmanifesto.analytics.drawdown import Drawdown
from hatmanifesto.analytics.returns import (
    DAYS_A_YEAR,
    Vector,
    annual_growth,
    finite_series,
    total_return,
    until_ruin,
    wealth,
)


class Summary(NamedTuple):
    """Figures of one series. Rates and deviations are fractions, a year where the name says so.

    ``downside`` is per period; ``fall`` the deepest drawdown of wealth from 1, start included;
    ``underwater`` in periods. Ratios are NaN without variance, without a loss or without a fall.
    """

    total: float
    growth: float
    volatility: float
    sharpe: float
    downside: float
    sortino: float
    calmar: float
    skew: float
    kurtosis: float
    tail_ratio: float
    omega: float
    ulcer: float
    fall: Drawdown
    underwater: int


def summarise(returns: Vector, *, periods: float = DAYS_A_YEAR, mar: float = 0.0) -> Summary:
    """Return the figures of simple returns per period.

    Args:
        returns: shape (n,); after a return of -1 or less nothing counts, wealth stays 0.
        periods: a year.
        mar: least return per period that Sortino asks for.

    Raises:
        ValueError: on a return that is not finite.
    """
    series = finite_series("returns", returns)
    alive = until_ruin(series)[None, :]
    path = wealth(series)
    fall = drawdown.deepest(path)
    growth = annual_growth(series, periods=periods)
    return Summary(
        total=total_return(series),
        growth=growth,
        volatility=float(ratios.volatility(alive, periods=periods)[0]),
        sharpe=float(ratios.sharpe(alive, periods=periods)[0]),
        downside=float(ratios.downside(alive, mar=mar)[0]),
        sortino=float(ratios.sortino(alive, periods=periods, mar=mar)[0]),
        calmar=growth / fall.depth if fall.depth > 0 else nan,
        skew=float(tails.skewness(alive)[0]),
        kurtosis=float(tails.kurtosis(alive)[0]),
        tail_ratio=float(tails.tail_ratio(alive)[0]),
        omega=float(tails.omega(alive)[0]),
        ulcer=drawdown.ulcer(path),
        fall=fall,
        underwater=drawdown.longest_underwater(path),
    )
