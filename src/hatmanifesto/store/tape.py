"""Tapes: recorded market rows in venue order, in chunks, from the warehouse or from a list."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.candles import HALF_SPREAD
from hatmanifesto.domain.enums import Evidence, RowKind
from hatmanifesto.domain.errors import DataError, EmptyResultError
from hatmanifesto.domain.rows import COIN as SLOT
from hatmanifesto.domain.rows import EXCH, KIND, A, C, Chunk, Row
from hatmanifesto.domain.units import NS_HOUR, NS_S
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.store.assumed import assumptions_of
from hatmanifesto.store.columns import Ints
from hatmanifesto.store.dataset import Dataset, evidence_of
from hatmanifesto.store.merge import (
    NO_LEVELS,
    TIES,
    GapMark,
    Rows,
    concatenate,
    gap_rows_of,
    gather_levels,
    in_venue_order,
    take_rows,
)
from hatmanifesto.store.playing import Played, Window, load_bars, load_ticks
from hatmanifesto.store.series import TICKS, choose_interval, playable
from hatmanifesto.store.warehouse import Snapshot

Bools = NDArray[np.bool_]
CHUNK_ROWS = 16_384
STAMP_MAX = 2**62


class ParquetTape:
    """Rows of one or several snapshots; a ``domain.rows.Tape``.

    The merge happens once, on opening. Each call of ``chunks`` starts from the first row. Stamps
    that are equal never lie in two chunks. ``recv`` of a row is its ``exch``: feed latency is
    applied by whoever replays.

    Args:
        dataset: what ``apps.data.open_dataset`` returned, or one snapshot.
        coins: names, in slot order; none means all that have ticks or candles, by name.
        start_ns, end_ns: replay rows with start <= exch < end.
        ties: order of rows with one stamp, ``pessimistic`` or ``optimistic``.
        repeat: play the recording this often, each time shifted by its span rounded up to the next
            whole second, with a ``session`` hole between (for benchmarks).
        chunk_rows: aim of a chunk's length.
        interval: length of the candles to play, ``TICKS`` for ticks; None chooses.
        half_spread: assumed about the closes of candles [1e-8 of the price].

    Raises:
        DataError: if a coin is not in the dataset, or its files are damaged.
        UsageError: if the coins have no one kind of market rows in common.
        EmptyResultError: if no row lies between ``start_ns`` and ``end_ns``.
    """

    def __init__(  # noqa: PLR0913  one keyword for each choice of a run
        self,
        dataset: Dataset | Snapshot,
        *,
        coins: Sequence[str] = (),
        start_ns: int = 0,
        end_ns: int = STAMP_MAX,
        ties: str = "pessimistic",
        repeat: int = 1,
        chunk_rows: int = CHUNK_ROWS,
        interval: str | None = None,
        half_spread: int = HALF_SPREAD,
    ) -> None:
        assert ties in TIES
        assert repeat >= 1
        assert chunk_rows >= 1
        opened = dataset if isinstance(dataset, Dataset) else Dataset((dataset,))
        self.coins = tuple(coins) or playable(opened)
        assert len(set(self.coins)) == len(self.coins)
        self.assets: tuple[Asset, ...] = tuple(opened.asset(coin) for coin in self.coins)
        self.interval = choose_interval(opened, self.coins) if interval is None else interval
        self.dataset_hash = opened.dataset_hash
        self.evidence: Evidence = evidence_of(opened, interval=self.interval)
        self.ties = ties
        self.repeat = repeat
        self._chunk_rows = chunk_rows
        window = Window(start_ns, end_ns)
        if self.interval == TICKS:
            played = load_ticks(opened, self.coins, window)
        else:
            played = load_bars(
                opened, self.coins, window, interval=self.interval, half_spread=half_spread
            )
        if not len(played.market.exch):
            raise EmptyResultError(
                f"no row of {', '.join(self.coins)} in the chosen time",
                why=f"{opened.spec} holds {opened.manifests[0].start} to "
                f"{opened.manifests[-1].end} [ns]",
                fix="widen --from and --to",
            )
        self.assumed = assumptions_of(
            opened, self.coins, played, interval=self.interval, half_spread=half_spread
        )
        self._first, self._levels = self._ordered(played)
        self._market = self._first.kind != RowKind.CTX
        self._market &= self._first.kind != RowKind.FUNDING
        stamps = self._first.exch
        unit = NS_S if self.interval == TICKS and self._market.all() else NS_HOUR
        self.shift_ns = (int(stamps[-1] - stamps[0]) // unit + 1) * unit
        self._again = self._with_seams() if repeat > 1 else self._first

    def _ordered(self, played: Played) -> tuple[Rows, Ints]:
        """Return all rows in venue order, and the levels that they refer to."""
        gaps = gap_rows_of(played.marks, played.market)
        rows = in_venue_order(concatenate([played.market, played.told, gaps]), ties=self.ties)
        return gather_levels(played.books, rows)

    def _with_seams(self) -> Rows:
        """Return the rows of a repetition: the same, with a hole before each coin's first row."""
        seams = []
        for slot in range(len(self.coins)):
            mine = self._first.exch[(self._first.coin == slot) & self._market]
            if len(mine):
                seams.append(_gap_row(slot, int(mine[-1]) - self.shift_ns, int(mine[0])))
        return in_venue_order(concatenate([self._first, *seams]), ties=self.ties)

    @property
    def rows_total(self) -> int:
        """Return how many rows ``chunks`` yields in all."""
        return len(self._first.exch) + (self.repeat - 1) * len(self._again.exch)

    @property
    def start_ns(self) -> int:
        """Return the stamp of the first row."""
        return int(self._first.exch[0])

    @property
    def end_ns(self) -> int:
        """Return the stamp of the last row."""
        return int(self._first.exch[-1]) + (self.repeat - 1) * self.shift_ns

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows once, in venue order, with equal stamps never split over two chunks."""
        for turn in range(self.repeat):
            rows = self._first if turn == 0 else self._again
            yield from self._chunks_of(rows, shift=turn * self.shift_ns)

    def _chunks_of(self, rows: Rows, *, shift: int) -> Iterator[Chunk]:
        bounds = _bounds(rows.exch, self._chunk_rows)
        books_before = np.concatenate([[0], np.cumsum(rows.kind == RowKind.L2)])
        for low, high in pairwise(bounds):
            first, last = int(books_before[low]), int(books_before[high])
            part = take_rows(rows, slice(low, high))
            yield Chunk(_tuples(part, shift, first), self._levels[first:last])

    def mids(self, slot: int, *, rows_max: int | None = None) -> tuple[Ints, Ints]:
        """Return stamps [ns] and bid plus ask [px units], shape (n,), of a coin's BBO and L2 rows.

        Rows with a missing side are left out; with ``rows_max`` also all but the tape's first ones:
        a run that ended early saw no more.
        """
        rows, where = self._first, self._quoted(slot, rows_max)
        stamps, mid2 = rows.exch[where], rows.a[where] + rows.c[where]
        turns = np.repeat(np.arange(self.repeat), len(stamps)) * self.shift_ns
        return np.tile(stamps, self.repeat) + turns, np.tile(mid2, self.repeat)

    def spreads(self, slot: int, *, rows_max: int | None = None) -> Ints | None:
        """Return ask less bid [px units] at the stamps of ``mids``; None where it is assumed."""
        if self.interval != TICKS:
            return None
        rows, where = self._first, self._quoted(slot, rows_max)
        return np.tile(rows.c[where] - rows.a[where], self.repeat)

    def _quoted(self, slot: int, rows_max: int | None) -> Bools:
        """Return which rows have both sides of a coin's book."""
        rows = self._first
        quoted = (rows.kind == RowKind.BBO) | (rows.kind == RowKind.L2)
        where: Bools = quoted & (rows.coin == slot) & (rows.a > 0) & (rows.c > 0)
        if rows_max is not None and rows_max < self.rows_total:
            assert self.repeat == 1, "a repetition has no rows left out"
            where[rows_max:] = False
        return where

    def told(self, slot: int) -> frozenset[str]:
        """Return which series the data tell of a coin: funding, oracle, premium."""
        rows = self._first
        mine = rows.coin == slot
        paid = mine & (rows.kind == RowKind.FUNDING)
        context = mine & (rows.kind == RowKind.CTX)
        is_told = {
            "funding": (paid & (rows.b > 0)).any(),
            "oracle": (context & (rows.b > 0)).any(),
            "premium": ((paid | context) & (rows.d > 0)).any()
            or (context & (rows.a > 0) & (rows.b > 0)).any(),
        }
        return frozenset(name for name, found in is_told.items() if found)

    def gap_rows(self) -> list[Row]:
        """Return the GAP rows of the whole tape, in order."""
        found = []
        for turn in range(self.repeat):
            rows = self._first if turn == 0 else self._again
            part = take_rows(rows, rows.kind == RowKind.GAP)
            found += _tuples(part, turn * self.shift_ns, 0)
        return found


def _gap_row(slot: int, start: int, end: int) -> Rows:
    """Return one GAP row between two sessions."""
    fake = Rows(*(np.asarray([value, value]) for value in (0, slot, start, 0, 0, 0, 0, -1, 0)))
    fake.exch[1] = end
    return gap_rows_of([GapMark(slot, start, end, "session")], fake)


def _bounds(exch: Ints, chunk_rows: int) -> list[int]:
    """Return chunk limits, 0 to n, every one of them where the stamp changes."""
    count = len(exch)
    cuts = np.append(np.flatnonzero(exch[1:] != exch[:-1]) + 1, count)
    targets = np.arange(chunk_rows, count, chunk_rows)
    chosen = np.unique(cuts[np.searchsorted(cuts, targets, side="left")])
    return [0, *chosen[chosen < count].tolist(), count]


def _tuples(part: Rows, shift: int, books_before: int) -> list[Row]:
    """Return columns as row tuples, stamps shifted, ``ref`` counted from the chunk's start."""
    exch = (part.exch + shift).tolist()
    is_gap = part.kind == RowKind.GAP
    is_book = part.kind == RowKind.L2
    a, b = part.a, part.b
    if shift and is_gap.any():
        a, b = a + is_gap * shift, b + is_gap * shift
    ref = part.ref - is_book * books_before
    columns = (part.kind, part.coin, exch, exch, a, b, part.c, part.d, ref)
    lists = [one if isinstance(one, list) else one.tolist() for one in columns]
    return list(zip(*lists, strict=True))


class ArrayTape:
    """A tape of rows given as a list, for tests and hand-made scenarios; one chunk.

    Args:
        coins: names, in slot order; each in ``domain.universe.PERPS``.
        rows: in venue order.
        levels: shape (n_l2, 20, 4); ``ref`` of an L2 row indexes it.
    """

    dataset_hash = ""
    evidence: Evidence = Evidence.SYN
    assumed: tuple[str, ...] = ()
    repeat = 1
    interval = TICKS

    def __init__(self, coins: Sequence[str], rows: Sequence[Row], levels: Ints = NO_LEVELS) -> None:
        unknown = [coin for coin in coins if coin not in PERPS]
        if unknown:
            raise DataError(f"the decimals of {', '.join(unknown)} are not known")
        assert all(x[EXCH] <= y[EXCH] for x, y in pairwise(rows))
        self.coins = tuple(coins)
        self.assets = tuple(PERPS[coin] for coin in coins)
        self._rows = list(rows)
        self._levels = levels

    @property
    def rows_total(self) -> int:
        """Return how many rows there are."""
        return len(self._rows)

    @property
    def start_ns(self) -> int:
        """Return the stamp of the first row, 0 when there is none."""
        return self._rows[0][EXCH] if self._rows else 0

    @property
    def end_ns(self) -> int:
        """Return the stamp of the last row, 0 when there is none."""
        return self._rows[-1][EXCH] if self._rows else 0

    def chunks(self) -> Iterator[Chunk]:
        """Yield all rows as one chunk."""
        if self._rows:
            yield Chunk(list(self._rows), self._levels)

    def mids(self, slot: int) -> tuple[Ints, Ints]:
        """Return what ``ParquetTape.mids`` returns."""
        quotes = [
            (row[EXCH], row[A] + row[C])
            for row in self._rows
            if row[KIND] in (RowKind.BBO, RowKind.L2) and row[SLOT] == slot and row[A] and row[C]
        ]
        table = np.asarray(quotes, dtype=np.int64).reshape(len(quotes), 2)
        return table[:, 0].copy(), table[:, 1].copy()

    def gap_rows(self) -> list[Row]:
        """Return the GAP rows, in order."""
        return [row for row in self._rows if row[KIND] == RowKind.GAP]
