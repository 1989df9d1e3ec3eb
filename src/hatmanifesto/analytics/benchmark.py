"""What doing nothing clever would have brought: holding the run's coins, and holding cash.

Hold: the capital is cut into equal shares, one for each coin of the run; a share buys its coin at
the first mid the run sees of it, and is cash until then; at the end all is sold at the last mid.
Both ways pay the taker fee. Shares are never rebalanced, and no funding is paid or received.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.bootstrap import intervals
from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.metric import Metric, usdc_text
from hatmanifesto.analytics.mids import MidPath, tick_at
from hatmanifesto.analytics.ratios import drawdown_depth
from hatmanifesto.domain.units import MICRO, RATE_ONE

Float64 = NDArray[np.float64]

TAKER_RATE = 4_500_000
"""Taker fee of the base tier [1e-10]. Source: PROTOCOL 12.1."""
HALF = 2 * MICRO


class Benchmark(NamedTuple):
    """Hold and cash on the grid of the run's equity; money in USDC.

    ``hold`` shape (n,): profit of holding; ``excess`` the run's net less hold's, with its paired
    95 % interval, None with too few steps. Cash earns ``cash`` = 0, so the run's net is its excess
    over cash. ``n`` steps.
    """

    hold: Float64
    hold_net: float
    hold_drawdown: float
    cash: float
    excess: float
    excess_interval: tuple[float, float] | None
    coins: int
    n: int


def benchmark_of(
    equity: Equity | None,
    paths: Mapping[int, MidPath],
    *,
    capital: int,
    seed: int,
    taker_rate: int = TAKER_RATE,
) -> Benchmark | None:
    """Return the benchmark of a run, None without a mid or without capital.

    Args:
        equity: of the run.
        paths: by coin slot: all coins of the run.
        capital: at the start [micro-USDC].
        seed: of the interval.
        taker_rate: paid on the way in and out [1e-10 of notional].
    """
    if equity is None or not paths or capital <= 0:
        return None
    share = capital / MICRO / len(paths)
    fee = taker_rate / RATE_ONE
    hold = np.zeros(len(equity.ts))
    for _, path in sorted(paths.items()):
        value = share / (1 + fee) * path.mid2[tick_at(path, equity.ts)] / float(path.mid2[0])
        is_bought = equity.ts >= path.ts[0]
        hold += np.where(is_bought, value - share, 0.0)
        hold[-1] -= fee * value[-1]
    own = equity.pnl.astype(np.float64) / HALF
    excess = np.diff(own - hold, prepend=0.0)
    span = intervals(excess, {"net": lambda x: x.sum(axis=1)}, seed=seed)["net"]
    return Benchmark(
        hold=hold,
        hold_net=float(hold[-1]),
        hold_drawdown=float(drawdown_depth(np.diff(hold, prepend=0.0)[None, :])[0]),
        cash=0.0,
        excess=float(own[-1] - hold[-1]),
        excess_interval=span,
        coins=len(paths),
        n=len(excess),
    )


def benchmark_figures(found: Benchmark | None) -> dict[str, Metric]:
    """Return hold's profit and fall, and the run's excess over it, as figures of the run."""
    if found is None:
        names = ("hold_pnl", "hold_max_drawdown", "excess_over_hold")
        return {name: Metric(None, None, None, 0, "USDC") for name in names}
    span = found.excess_interval
    low, high = (None, None) if span is None else (usdc_text(span[0]), usdc_text(span[1]))
    n = found.n
    return {
        "hold_pnl": Metric(usdc_text(found.hold_net), None, None, n, "USDC"),
        "hold_max_drawdown": Metric(usdc_text(found.hold_drawdown), None, None, n, "USDC"),
        "excess_over_hold": Metric(usdc_text(found.excess), low, high, n, "USDC"),
    }
