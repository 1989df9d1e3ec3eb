"""Two runs against each other, step by step on the time that they share.

Markets move both alike, so the difference of profit on one grid says more than two intervals side
by side: what is common cancels. Its interval is a block bootstrap of the paired steps.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hatmanifesto.analytics.bootstrap import intervals
from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.fold import RunFacts
from hatmanifesto.analytics.mids import Int64, MidPath
from hatmanifesto.analytics.series import profits_by
from hatmanifesto.domain.units import MICRO

HALF = 2 * MICRO


class Paired(NamedTuple):
    """Profit of two runs over their common time. Money in half micro-USDC, ``interval`` in USDC.

    ``ts`` shape (n + 1,) [ns]; ``left`` and ``right`` the profit of each from its first point on;
    ``difference`` left less right; ``interval`` at 95 %, None with too few steps ``n``.
    """

    ts: Int64
    left: Int64
    right: Int64
    difference: int
    interval: tuple[float, float] | None
    n: int


class Side(NamedTuple):
    """One of the two runs."""

    facts: RunFacts
    paths: Mapping[int, MidPath]
    equity: Equity


def paired(left: Side, right: Side, *, seed: int) -> Paired | None:
    """Return the comparison, None when the two share no time."""
    grid = common_grid(left.equity.ts, right.equity.ts)
    if grid is None:
        return None
    profits = [_profit(side, grid) for side in (left, right)]
    steps = np.diff(profits[0] - profits[1])
    usdc = steps.astype(np.float64) / HALF
    interval = intervals(usdc, {"net": lambda x: x.sum(axis=1)}, seed=seed)["net"]
    return Paired(grid, profits[0], profits[1], sum(steps.tolist()), interval, len(steps))


def common_grid(left: Int64, right: Int64) -> Int64 | None:
    """Return the points that both grids have, within the time that both cover, bounds included.

    Grids lie on whole steps of time, so a coarse one is a part of a fine one.
    """
    start, end = max(int(left[0]), int(right[0])), min(int(left[-1]), int(right[-1]))
    if start >= end:
        return None
    inner = np.intersect1d(left, right)
    inner = inner[(inner > start) & (inner < end)]
    return np.concatenate([[start], inner, [end]]).astype(np.int64)


def _profit(side: Side, grid: Int64) -> Int64:
    """Return the profit from the first grid point on."""
    shares = [(event, {0: event.usdc}) for event in side.facts.funding]
    fills = side.facts.fills
    found = profits_by([0] * len(fills), fills, side.paths, grid=grid, shares=shares)
    profit = found.get(0, np.zeros(len(grid), dtype=np.int64))
    out: Int64 = profit - profit[0]
    return out
