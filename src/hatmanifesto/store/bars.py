"""Turns candles into rows: a BAR for the venue at each boundary, then the assumed best prices.

A candle is known when it is over. So both rows bear the stamp at which one bar ends and the next
begins; the BBO stands around the close of the bar that ended. Where bars are missing, the boundary
before the hole says that nothing begins, and a GAP stands before the first bar after it.
"""

from typing import NamedTuple

import numpy as np

from hatmanifesto.domain.asset import PX_DIGITS_MAX, Asset
from hatmanifesto.domain.candles import PARTICIPATION_PCT, SPREAD_ONE
from hatmanifesto.domain.enums import RowKind
from hatmanifesto.store.columns import Columns, Ints
from hatmanifesto.store.kinds import PX10, VOLUME6
from hatmanifesto.store.merge import GapMark, Rows, concatenate, take_rows


class Bars(NamedTuple):
    """Rows of one coin's candles, its holes, and how many prices were finer than its units."""

    rows: Rows
    gaps: list[GapMark]
    finer: int


class Units(NamedTuple):
    """Prices of candles in the coin's own units, rounded so that it never helps: shape (n,)."""

    open: Ints
    high: Ints
    low: Ints
    bid: Ints
    ask: Ints
    volume: Ints
    finer: int


def bars_of(
    slot: int, asset: Asset, candles: Columns, *, interval_ns: int, half_spread: int
) -> Bars:
    """Return the rows of candles of one length, in time order.

    Args:
        slot: of the coin.
        asset: its decimals.
        candles: columns of kind ``candle`` with a column ``session`` (index of the snapshot),
            opens rising.
        interval_ns: their length.
        half_spread: assumed [1e-8 of the price].
    """
    opens: Ints = candles["exch"]
    count = len(opens)
    ends = opens + interval_ns
    units = units_of(asset, candles, half_spread=half_spread)
    follows = np.append(opens[1:] == ends[:-1], False)
    after = np.append(np.arange(1, count), 0)
    begins = np.append(True, ~follows[:-1])[:count]  # bars with no bar right before them
    none = np.zeros(count, dtype=np.int64)
    ended = Rows(
        kind=np.full(count, int(RowKind.BAR), dtype=np.int64),
        coin=np.full(count, slot, dtype=np.int64),
        exch=ends,
        a=units.high,
        b=units.low,
        c=np.where(follows, units.open[after], 0),
        d=np.where(follows, units.volume[after], 0),
        ref=units.volume,
        source=np.arange(count, dtype=np.int64),
    )
    first = ended._replace(exch=opens, a=none, b=none, c=units.open, d=units.volume, ref=none)
    shown = np.maximum(units.volume * PARTICIPATION_PCT // 100, 1)
    quotes = ended._replace(
        kind=np.full(count, int(RowKind.BBO), dtype=np.int64),
        a=units.bid, b=shown, c=units.ask, d=shown, ref=none - 1,
    )  # fmt: skip
    rows = concatenate([take_rows(first, begins), ended, quotes])
    return Bars(rows, _gaps(slot, candles, ends), units.finer)


def _gaps(slot: int, candles: Columns, ends: Ints) -> list[GapMark]:
    """Return a hole for each place where the next bar does not begin where one ends."""
    opens, session = candles["exch"], candles["session"]
    return [
        GapMark(
            slot,
            int(ends[at]),
            int(opens[at + 1]),
            "silence" if session[at] == session[at + 1] else "session",
        )
        for at in np.flatnonzero(opens[1:] != ends[:-1]).tolist()
    ]


def units_of(asset: Asset, candles: Columns, *, half_spread: int) -> Units:
    """Return candles in units of the coin; prices that have finer ones are rounded against us.

    High down and low up, so that an order is not reached by the rounding; the open away from the
    close before it, so that no taker gains; the close both ways, outward.
    """
    unit = 10 ** (PX10 - asset.px_decimals)
    close: Ints = candles["close"]
    before = np.concatenate([close[:1], close[:-1]])
    opened: Ints = candles["open"]
    names = ("open", "high", "low", "close")
    finer = sum(int(np.count_nonzero(candles[name] % unit)) for name in names)
    px_one = 10**asset.px_decimals
    bid = (close // unit) * (SPREAD_ONE - half_spread) // SPREAD_ONE
    ask = _up(_up(close, unit) * (SPREAD_ONE + half_spread), SPREAD_ONE)
    step = grid_steps(ask, px_one)
    return Units(
        open=np.where(opened > before, _up(opened, unit), opened // unit),
        high=candles["high"] // unit,
        low=_up(candles["low"], unit),
        bid=bid - bid % grid_steps(bid, px_one),
        ask=_up(ask, step) * step,
        volume=_sizes(asset, candles["volume"]),
        finer=finer,
    )


def _up(values: Ints, unit: Ints | int) -> Ints:
    """Return the quotients rounded up."""
    return np.asarray(-(-values // unit), dtype=np.int64)


def _sizes(asset: Asset, volume: Ints) -> Ints:
    """Return volumes in size units, rounded down."""
    scale = VOLUME6 - asset.sz_decimals  # a perp has at most six decimals of size
    return volume // int(10**scale)


def grid_steps(px: Ints, px_one: int) -> Ints:
    """Return ``domain.asset.grid_step`` of each price."""
    steps = np.ones(len(px), dtype=np.int64)
    step, limit = 1, 10**PX_DIGITS_MAX
    while step < px_one:
        step *= 10
        steps[px >= limit] = step
        limit *= 10
    return steps
