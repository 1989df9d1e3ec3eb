"""Reads what a tape plays: ticks or bars of each coin, contexts, funding, and where holes are."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from hatmanifesto.domain.enums import RowKind
from hatmanifesto.domain.legs import base_of
from hatmanifesto.domain.rows import NEVER_AGAIN
from hatmanifesto.domain.units import NS_HOUR
from hatmanifesto.store.bars import bars_of
from hatmanifesto.store.columns import Columns, Ints, join, take
from hatmanifesto.store.context_rows import CTX_COLUMNS, FUNDING_COLUMNS, ctx_rows, funding_rows
from hatmanifesto.store.dataset import TICK_KINDS, Dataset
from hatmanifesto.store.draft import TICK, interval_ns
from hatmanifesto.store.index_leg import index_candles, premiums_of
from hatmanifesto.store.merge import GapMark, Rows, concatenate, rows_of, take_rows
from hatmanifesto.store.warehouse import Snapshot

TICK_ROWS = {RowKind.TRADE: "trade", RowKind.BBO: "bbo", RowKind.L2: "book"}
ENDED_NS = 24 * NS_HOUR
"""A coin whose bars end this much before those of the others is taken as delisted."""
BAR_COLUMNS = ("exch", "interval_ms", "open", "high", "low", "close", "volume")


class Played(NamedTuple):
    """What a tape plays, unordered.

    ``market`` are the rows that can be traded against, ``told`` contexts and funding, ``books``
    the book columns by coin slot that L2 rows refer to, ``finer`` how many prices of candles had to
    be rounded to the units of their coin, ``ended`` the last stamp [ns] of coins that end before
    the others do.
    """

    market: Rows
    told: Rows
    books: dict[int, Columns]
    marks: list[GapMark]
    finer: int
    ended: dict[int, int]


class Window(NamedTuple):
    """Half-open span [UTC ns]."""

    start: int
    end: int

    def of(self, rows: Rows) -> Rows:
        """Return the rows that lie in it."""
        return take_rows(rows, (rows.exch >= self.start) & (rows.exch < self.end))


def load_ticks(dataset: Dataset, coins: Sequence[str], window: Window) -> Played:
    """Return books, best quotes and trades as recorded, and what else is told of the coins."""
    books: dict[int, Columns] = {}
    parts: list[Rows] = []
    for slot, coin in enumerate(coins):
        for kind, name in TICK_ROWS.items():
            columns = join([one.columns(name, coin) for one in dataset.snapshots], name)
            parts.append(rows_of(kind, slot, columns))
            if kind is RowKind.L2:
                books[slot] = columns
    market = window.of(concatenate(parts))
    marks = _tick_holes(dataset, coins)
    for slot, coin in enumerate(coins):
        marks += _pauses(slot, _sessions(dataset, coin), market.exch[market.coin == slot])
    return Played(market, _told(dataset, coins, window, market), books, marks, 0, {})


def load_bars(
    dataset: Dataset, coins: Sequence[str], window: Window, *, interval: str, half_spread: int
) -> Played:
    """Return candles of one length as rows, and what else is told of the coins."""
    parts, marks, finer = [], [], 0
    for slot, coin in enumerate(coins):
        bars = bars_of(
            slot,
            dataset.asset(coin),
            _candles(dataset, coin, interval_ns(interval)),
            interval_ns=interval_ns(interval),
            half_spread=half_spread,
        )
        parts.append(bars.rows)
        marks += bars.gaps
        finer += bars.finer if base_of(coin) is None else 0
    whole = concatenate(parts)
    ended = mark_ended(whole)
    market = window.of(whole)
    told = _told(dataset, coins, window, market)
    return Played(market, told, {}, marks, finer, ended)


def mark_ended(rows: Rows) -> dict[int, int]:
    """Mark the last BAR row of every coin that ends before the others; return slot to stamp [ns].

    What ended a day and more before the others is taken as delisted: the venue knows that nothing
    of it follows, and nobody else. A shorter difference is that of two downloads.
    """
    is_bar = rows.kind == RowKind.BAR
    last = int(rows.exch.max(initial=0))
    ended = {}
    for slot in np.unique(rows.coin).tolist():
        mine = np.flatnonzero(is_bar & (rows.coin == slot))
        at = int(mine[np.argmax(rows.exch[mine])])
        if rows.exch[at] + ENDED_NS < last:
            rows.c[at] = NEVER_AGAIN
            ended[slot] = int(rows.exch[at])
    return ended


def _candles(dataset: Dataset, coin: str, length_ns: int) -> Columns:
    """Return the bars of one length in time order, with the number of their snapshot.

    Those of a second leg are made of its perp's.
    """
    base = base_of(coin)
    if base is not None:
        bars = _candles(dataset, base, length_ns)
        hours, premiums = premiums_of(dataset, base)
        return index_candles(bars, hours, premiums, length_ns=length_ns)
    parts = []
    for number, snapshot in enumerate(dataset.snapshots):
        columns = snapshot.columns("candle", coin, BAR_COLUMNS)
        columns = take(columns, columns["interval_ms"] * 10**6 == length_ns)
        columns["session"] = np.full(len(columns["exch"]), number, dtype=np.int64)
        parts.append(columns)
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return take(joined, np.argsort(joined["exch"], kind="stable"))


def _told(dataset: Dataset, coins: Sequence[str], window: Window, market: Rows) -> Rows:
    """Return contexts up to the last market row, and the payments of the hours before it.

    A payment comes after its hour. One whose hour had begun when the market rows ended is kept,
    though it bears a later stamp; that of an hour which begins as they end is beyond the run.
    """
    parts = []
    for slot, coin in enumerate(coins):
        for snapshot in dataset.snapshots:
            parts.append(ctx_rows(slot, snapshot.columns("ctx", coin, CTX_COLUMNS)))
            parts.append(funding_rows(slot, snapshot.columns("funding", coin, FUNDING_COLUMNS)))
    rows = window.of(concatenate(parts))
    if not len(market.exch):
        return rows
    end = market.exch.max()
    paid = (rows.kind == RowKind.FUNDING) & (rows.exch // NS_HOUR * NS_HOUR < end)
    told = (rows.kind == RowKind.CTX) & (rows.exch <= end)
    return take_rows(rows, (rows.exch >= market.exch.min()) & (paid | told))


def _tick_holes(dataset: Dataset, coins: Sequence[str]) -> list[GapMark]:
    """Return the holes inside the sessions, of the chosen coins."""
    slots = {coin: slot for slot, coin in enumerate(coins)}
    return [
        GapMark(slots[hole.coin], hole.start, hole.end, hole.reason)
        for one in dataset.manifests
        for hole in one.gaps
        if hole.coin in slots and hole.kind == TICK
    ]


def _sessions(dataset: Dataset, coin: str) -> list[int]:
    """Return the first stamps [ns] of the snapshots that hold ticks of the coin, in time order."""
    return sorted(start for one in dataset.snapshots if (start := _first_tick(one, coin)))


def _first_tick(snapshot: Snapshot, coin: str) -> int:
    coverage = snapshot.manifest.coverage
    starts = [one.start for one in coverage if one.coin == coin and one.kind in TICK_KINDS]
    return min(starts, default=0)


def _pauses(slot: int, sessions: list[int], stamps: Ints) -> list[GapMark]:
    """Return the holes of one coin between its sessions."""
    marks = []
    for _, start in pairwise(sessions):
        before, after = stamps[stamps < start], stamps[stamps >= start]
        if len(before) and len(after):
            marks.append(GapMark(slot, int(before.max()), int(after.min()), "session"))
    return marks
