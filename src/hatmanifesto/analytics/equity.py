"""Equity, drawdown and inventory of a run on a fixed time grid, exact in half micro-USDC."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.analytics.mids import Int64, MidPath, Span, merge_spans, tick_at
from hatmanifesto.analytics.places import places_of
from hatmanifesto.domain.events import FundingPaid
from hatmanifesto.domain.units import NS_S

STEPS_S = (3600, 60, 10, 1)
"""Grids tried, coarsest first."""
STEPS_MIN = 200
"""The coarsest grid with at least this many steps is taken, else the finest."""
BOUND = 2**62


class Equity(NamedTuple):
    """Profit and loss on a grid; every array has shape (n,), n >= 2.

    ``ts`` [ns]: the first point lies before the first fill, the last is the end of the run, so the
    last step may be short. ``pnl`` and ``drawdown`` (>= 0, from the highest pnl so far, start
    included), ``notional`` (gross) and ``net_notional`` (signed) in half micro-USDC.
    ``position`` by coin slot [sz units].
    """

    step_ns: int
    ts: Int64
    pnl: Int64
    drawdown: Int64
    notional: Int64
    net_notional: Int64
    position: dict[int, Int64]

    @property
    def covered_ns(self) -> int:
        """Return the time on the grid; a step over a hole counts as one step."""
        return int(np.minimum(np.diff(self.ts), self.step_ns).sum())


def step_of(duration_ns: int) -> int:
    """Return the grid step [ns] for a run of this length."""
    for seconds in STEPS_S:
        if duration_ns >= STEPS_MIN * seconds * NS_S:
            return seconds * NS_S
    return STEPS_S[-1] * NS_S


def grid_of(start: int, end: int, step_ns: int) -> Int64:
    """Return start, the whole multiples of the step between (UTC), and the end.

    First and last step may be short; where the step divides a day, midnight is on the grid.
    """
    assert end > start, f"expected an end after {start}, was {end}"
    inner = np.arange((start // step_ns + 1) * step_ns, end, step_ns, dtype=np.int64)
    return np.concatenate([[np.int64(start)], inner, [np.int64(end)]]).astype(np.int64)


def equity_of(
    fills: Sequence[FillRow],
    paths: Mapping[int, MidPath],
    *,
    funding: Sequence[FundingPaid] = (),
    step_ns: int | None = None,
) -> Equity | None:
    """Return the series from the first mid (or just before the first fill) to the last mid or fact.

    No grid point lies inside a hole of all coins: a hole of any length is one step.
    A coin is marked at its last mid at or before each grid point, through holes as well. None when
    there is no mid at all.
    """
    if not paths:
        return None
    facts = [row.ts for row in fills] + [event.exch for event in funding]
    start = min([int(path.ts[0]) for path in paths.values()] + [ts - 1 for ts in facts])
    end = max([int(path.ts[-1]) for path in paths.values()] + facts)
    end = max(end, start + NS_S)
    covered = end - start - _silent_ns(paths, start, end)
    step = step_of(covered) if step_ns is None else step_ns
    grid = _outside_holes(grid_of(start, end, step), paths)
    pnl, net_notional, notional = (np.zeros(len(grid), dtype=np.int64) for _ in range(3))
    position: dict[int, Int64] = {}
    places = places_of(fills)
    for coin, path in sorted(paths.items()):
        rows = [fills[i] for i in places[coin].tolist()] if coin in places else []
        held, cash = flows_of(rows, grid)
        value = held * path.mid2[tick_at(path, grid)]
        pnl += value + cash
        net_notional += value
        notional += np.abs(value)
        position[coin] = held
    pnl += paid_by(funding, grid)
    drawdown = np.maximum(np.maximum.accumulate(pnl), 0) - pnl
    return Equity(step, grid, pnl, drawdown, notional, net_notional, position)


def _common_holes(paths: Mapping[int, MidPath]) -> list[Span]:
    """Return the times [ns] in which every coin is inside a hole."""
    common: list[Span] | None = None
    for path in paths.values():
        mine = list(zip(path.gap_start.tolist(), path.gap_end.tolist(), strict=True))
        if common is None:
            common = mine
            continue
        common = _overlaps(common, mine)
    return merge_spans(common or [])


def _overlaps(left: list[Span], right: list[Span]) -> list[Span]:
    """Return what two ordered lists of spans without overlaps have in common."""
    out: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            out.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return out


def _silent_ns(paths: Mapping[int, MidPath], start: int, end: int) -> int:
    spans = _common_holes(paths)
    return sum(max(0, min(high, end) - max(low, start)) for low, high in spans)


def _outside_holes(grid: Int64, paths: Mapping[int, MidPath]) -> Int64:
    """Return the grid without the points inside a hole of all coins; first and last stay."""
    keep = np.ones(len(grid), dtype=np.bool_)
    for low, high in _common_holes(paths):
        keep &= ~((grid > low) & (grid < high))
    keep[[0, -1]] = True
    return grid[keep]


def flows_of(rows: Sequence[FillRow], grid: Int64) -> tuple[Int64, Int64]:
    """Return position and twice the cash (fees included) at each grid point."""
    flow = [-2 * row.side * row.notional - 2 * row.fee for row in rows]
    assert sum(map(abs, flow)) < BOUND, "expected a turnover that fits 64 bits"
    ts = np.array([row.ts for row in rows], dtype=np.int64)
    szi = np.array([0] + [row.szi for row in rows], dtype=np.int64)
    cash = np.array([0, *flow], dtype=np.int64)
    index = np.searchsorted(ts, grid, side="right")
    return np.cumsum(szi)[index], np.cumsum(cash)[index]


def paid_by(funding: Sequence[FundingPaid], grid: Int64) -> Int64:
    """Return the funding received up to each grid point [half micro-USDC]."""
    events = sorted(funding, key=lambda event: event.exch)
    ts = np.array([event.exch for event in events], dtype=np.int64)
    usdc = np.array([0] + [2 * event.usdc for event in events], dtype=np.int64)
    out: Int64 = np.cumsum(usdc)[np.searchsorted(ts, grid, side="right")]
    return out
