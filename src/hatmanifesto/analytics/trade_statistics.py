"""Statistics of closed trades: a trade of exactly nothing counts, but neither wins nor loses."""

from math import fsum, nan, sqrt
from typing import NamedTuple

from hatmanifesto.analytics.ratios import SPREAD_MIN
from hatmanifesto.analytics.returns import Vector, finite_series


class TradeStatistics(NamedTuple):
    """Money in the unit given; NaN where undefined (no trade, no winner, no loser)."""

    n: int
    win_rate: float
    loss_rate: float
    profit_factor: float
    expectancy: float
    win_mean: float
    loss_mean: float
    payoff: float
    sqn: float


def trade_statistics(pnl: Vector) -> TradeStatistics:
    """Return the statistics of trades' profits, shape (n,).

    Raises:
        ValueError: on a profit that is not finite.

    Source: QUANT A.6.
    """
    values = finite_series("pnl", pnl)
    n = len(values)
    wins, losses = values[values > 0].tolist(), values[values < 0].tolist()
    gain, loss = fsum(wins), -fsum(losses)
    win_mean = gain / len(wins) if wins else nan
    loss_mean = -loss / len(losses) if losses else nan
    mean = fsum(values.tolist()) / n if n else nan
    spread = float(values.std(ddof=1)) if n > 1 else nan
    is_spread = n > 1 and spread > SPREAD_MIN * float(abs(values).max())
    return TradeStatistics(
        n=n,
        win_rate=len(wins) / n if n else nan,
        loss_rate=len(losses) / n if n else nan,
        profit_factor=gain / loss if losses else nan,
        expectancy=mean,
        win_mean=win_mean,
        loss_mean=loss_mean,
        payoff=win_mean / -loss_mean if losses else nan,
        sqn=sqrt(n) * mean / spread if is_spread else nan,
    )
