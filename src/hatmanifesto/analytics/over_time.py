"""Profit of a run cut by time and by strategy, exact in half micro-USDC."""

from collections.abc import Mapping, Sequence

import numpy as np

from hatmanifesto.analytics.allot import funding_shares
from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.analytics.mids import Int64, MidPath, tick_at
from hatmanifesto.domain.events import FundingPaid


def bucket_profit(equity: Equity, *, size_ns: int) -> tuple[Int64, Int64]:
    """Return the starts [ns] of the buckets with steps and the profit of each, both (n_buckets,).

    A step belongs to the bucket in which it ends (its end excluded), so the parts sum to the whole;
    a step over a hole counts where the hole ends.
    """
    steps = np.diff(equity.pnl)
    keys, place = np.unique((equity.ts[1:] - 1) // size_ns, return_inverse=True)
    sums = np.zeros(len(keys), dtype=np.int64)
    np.add.at(sums, place, steps)
    return keys * size_ns, sums


def profit_by_book(
    fills: Sequence[FillRow],
    funding: Sequence[FundingPaid],
    paths: Mapping[int, MidPath],
    grid: Int64,
) -> dict[int, Int64]:
    """Return the profit of each book at each time of ``grid``, shape (n,), funding included.

    Positions are marked at the last mid at or before the time. The books sum to the account.
    """
    by_key: dict[tuple[int, int], list[FillRow]] = {}
    for row in fills:
        by_key.setdefault((row.coin, row.book), []).append(row)
    out: dict[int, Int64] = {book: np.zeros(len(grid), dtype=np.int64) for book in _books(by_key)}
    mids: dict[int, Int64] = {}
    for (coin, book), rows in sorted(by_key.items()):
        if coin not in mids:
            mids[coin] = paths[coin].mid2[tick_at(paths[coin], grid)]
        flow = [-2 * row.side * row.notional - 2 * row.fee for row in rows]
        index = np.searchsorted(np.array([row.ts for row in rows]), grid, side="right")
        held = np.cumsum(np.array([0] + [row.szi for row in rows], dtype=np.int64))[index]
        cash = np.cumsum(np.array([0, *flow], dtype=np.int64))[index]
        out[book] += held * mids[coin] + cash
    for event, shares in funding_shares(funding, fills):
        later = grid >= event.exch
        for book, usdc in shares.items():
            series = out.setdefault(book, np.zeros(len(grid), dtype=np.int64))
            series[later] += 2 * usdc
    return dict(sorted(out.items()))


def _books(by_key: Mapping[tuple[int, int], object]) -> list[int]:
    return sorted({book for _, book in by_key})


def depth_of(profit: Int64) -> int:
    """Return the deepest fall of a profit series from its high so far, start included (>= 0)."""
    high = np.maximum(np.maximum.accumulate(profit), 0)
    return int((high - profit).max(initial=0))
