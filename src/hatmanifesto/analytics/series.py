"""Profit over time of parts of a run: what a set of fills and payments earned, step by step."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from hatmanifesto.analytics.allot import Share
from hatmanifesto.analytics.equity import flows_of
from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.analytics.mids import Int64, MidPath, tick_at


def profits_by(
    keys: Sequence[int],
    fills: Sequence[FillRow],
    paths: Mapping[int, MidPath],
    *,
    grid: Int64,
    shares: Sequence[Share],
) -> dict[int, Int64]:
    """Return the profit so far of each key at every grid point [half micro-USDC].

    Each key is a book of its own: its fills at the mid, its share of the funding. Over all keys
    they sum to the account's profit at every point.
    """
    groups: dict[tuple[int, int], list[FillRow]] = defaultdict(list)
    for key, row in zip(keys, fills, strict=True):
        groups[key, row.coin].append(row)
    out: dict[int, Int64] = defaultdict(lambda: np.zeros(len(grid), dtype=np.int64))
    marks: dict[int, Int64] = {}
    for (key, coin), rows in sorted(groups.items()):
        if coin not in marks:
            marks[coin] = paths[coin].mid2[tick_at(paths[coin], grid)]
        held, cash = flows_of(rows, grid)
        out[key] += held * marks[coin] + cash
    for key, paid in sorted(_paid(shares, grid).items()):
        out[key] += paid
    return dict(sorted(out.items()))


def _paid(shares: Sequence[Share], grid: Int64) -> dict[int, Int64]:
    """Return the funding of each key up to every grid point [half micro-USDC]."""
    stamps: dict[int, list[int]] = defaultdict(list)
    amounts: dict[int, list[int]] = defaultdict(lambda: [0])
    for event, split in shares:
        for key, usdc in split.items():
            stamps[key].append(event.exch)
            amounts[key].append(2 * usdc)
    return {
        key: np.cumsum(np.array(amounts[key], dtype=np.int64))[
            np.searchsorted(np.array(ts, dtype=np.int64), grid, side="right")
        ]
        for key, ts in stamps.items()
    }


def depth_of(profit: Int64) -> int:
    """Return the deepest fall of a profit series from its high so far, start included (>= 0)."""
    high = np.maximum(np.maximum.accumulate(profit), 0)
    return int((high - profit).max(initial=0))
