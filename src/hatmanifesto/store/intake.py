"""Takes batches of rows in: counts every one, keeps the good by partition, settles each in turn.

Theory of operation. A batch is split by coin. Rows of a rising kind go through a filter straight to
their final files (``RisingLane``) while few coins do so; all others wait in a ``Spool`` by
partition, in memory first, then on disk. When every source was read, each partition is settled on
its own: identity, order, holes. Memory is bounded by the open row groups and the largest partition
of a kind that must be sorted. Everything set aside goes to the quarantine with its reason.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.columns import Columns, take
from hatmanifesto.store.importers.contract import Batch, Rejected
from hatmanifesto.store.intake_lane import Lane, RisingLane, period_of, periods_of
from hatmanifesto.store.intake_quarantine import Quarantine
from hatmanifesto.store.intake_spool import Partition, Spool
from hatmanifesto.store.kinds import KINDS, NO_COIN, PX_OWN
from hatmanifesto.store.manifest import MarketDecimals

DIRECT_MAX = 4
"""Series that may have a final file open while sources are read; each may hold a row group."""
COIN_CHARACTERS_MAX = 64
OWN_UNITS = frozenset(
    kind.name for kind in KINDS.values() if any(one.decimals == PX_OWN for one in kind.columns)
)
QUOTES = frozenset({"book", "bbo", "diff", "depth", "quote"})
"""Kinds whose rows prove that the recorder was listening to a coin."""


class SourceId(NamedTuple):
    """A file that rows come from: shown name, SHA-256, importer, what it holds, coin or ''."""

    name: str
    sha256: str
    importer: str
    what: str
    coin: str = ""


class Count:
    """Rows of one source, or of one kind and coin."""

    def __init__(self) -> None:
        self.rows_in = 0
        self.rows_out = 0
        self.merged = 0
        self.quarantined: Counter[str] = Counter()
        self.set_aside: Counter[str] = Counter()

    def is_balanced(self) -> bool:
        """Say whether every row in came out, was merged, or was set aside."""
        return self.rows_in == self.rows_out + self.merged + sum(self.quarantined.values())


class Series(Count):
    """Rows of one kind and coin.

    Source rows are numbered through all sources that have some of its rows: ``offsets`` are the
    first numbers, ``origins`` the sources, ``firsts`` their first stamps [ns].
    """

    def __init__(self) -> None:
        super().__init__()
        self.offsets: list[int] = []
        self.origins: list[int] = []
        self.firsts: list[int] = []
        self.lasts: dict[int, int] = {}

    def origin_of(self, row: int) -> tuple[int, int]:
        """Return the source of a numbered row, and its row there."""
        at = bisect_right(self.offsets, row) - 1
        return self.origins[at], row - self.offsets[at]


class UnsortedError(Exception):
    """Sources came in another order than the time of their rows; the intake must start anew."""


class Intake:
    """Fills an empty folder with the partitions of a snapshot.

    Args:
        folder: where final files go; must exist and be empty.
        spool: a folder for rows that wait; made when needed.
        is_strict: raise ``UnsortedError`` when a source begins before an earlier one of a series.
    """

    def __init__(self, folder: Path, spool: Path, *, is_strict: bool = False) -> None:
        self.folder = folder
        self.quarantine = Quarantine(folder)
        self.spool = Spool(spool)
        self.sources: list[SourceId] = []
        self.counts: list[Count] = []
        self.series: dict[tuple[str, str], Series] = {}
        self.lanes: dict[tuple[str, str], RisingLane] = {}
        self.decimals: dict[str, MarketDecimals] = {}
        self._known: Mapping[str, MarketDecimals] = {}
        self._is_strict = is_strict
        self._rows_max = 0
        self._spans: dict[tuple[str, str], int] = {}

    def begin(self, source: SourceId, decimals: Mapping[str, MarketDecimals]) -> None:
        """Say whose batches come now, and the units of coins as far as they are known."""
        self._end_source()
        self.sources.append(source)
        self.counts.append(Count())
        self._known = decimals

    def take(self, batch: Batch) -> None:
        """Take in rows of the source that was begun last.

        Raises:
            DataError: if a coin's units are not known.
        """
        count = len(batch.table["exch"])
        names = KINDS[batch.kind].names
        assert tuple(sorted(batch.table)) == tuple(sorted(names)), f"{batch.kind}: wrong columns"
        assert all(len(values) == count for values in batch.table.values())
        assert batch.rows_in == count + batch.merged + len(batch.rejected), "a row was lost"
        mine = self.counts[-1]
        mine.rows_in += batch.rows_in
        mine.merged += batch.merged
        mine.rows_out += count
        self._rows_max = max(self._rows_max, mine.rows_in)
        self._account(batch)
        for coin, columns in _by_coin(batch):
            self._accept(batch.kind, coin, columns)

    def _account(self, batch: Batch) -> None:
        """Count what is not accepted; rejects of several coins belong to none."""
        coin = batch.coins if isinstance(batch.coins, str) else NO_COIN
        if not batch.rejected and not batch.merged:
            return
        series = self._series_of(batch.kind, coin)
        series.rows_in += batch.merged + len(batch.rejected)
        series.merged += batch.merged
        self._reject(batch.kind, coin, len(self.sources) - 1, batch.rejected)

    def _reject(self, kind: str, coin: str, origin: int, rejected: Sequence[Rejected]) -> None:
        self.quarantine.add(self.sources[origin].name, kind, coin, rejected)
        reasons = Counter(one.reason for one in rejected)
        self.counts[origin].quarantined += reasons
        self._series_of(kind, coin).quarantined += reasons

    def _series_of(self, kind: str, coin: str) -> Series:
        """Return a series, with the source at work entered in it."""
        series = self.series.setdefault((kind, coin), Series())
        origin = len(self.sources) - 1
        if not series.origins or series.origins[-1] != origin:
            series.origins.append(origin)
            series.offsets.append(self._spans.get((kind, coin), 0))
        return series

    def _accept(self, kind: str, coin: str, columns: Columns) -> None:
        _check_coin(coin)
        if kind in OWN_UNITS and coin not in self.decimals:
            self.decimals[coin] = self._decimals_of(coin)
        series = self._series_of(kind, coin)
        exch = columns["exch"]
        series.rows_in += len(exch)
        series.rows_out += len(exch)
        self._note_stamps(series, exch)
        self._rows_max = max(self._rows_max, int(columns["row"].max()) + 1)
        if series.offsets[-1]:
            columns = {**columns, "row": columns["row"] + series.offsets[-1]}
        if not KINDS[kind].rising:
            self._spool_by_period(kind, coin, columns)
        elif (kind, coin) in self.lanes or self._may_open(kind, coin):
            self.lanes[kind, coin].take(columns)
        else:
            self.spool.append(Partition(kind, coin, ""), columns)

    def _decimals_of(self, coin: str) -> MarketDecimals:
        if coin not in self._known:
            raise unknown_decimals(coin)
        return self._known[coin]

    def _note_stamps(self, series: Series, exch: NDArray[np.int64]) -> None:
        if len(series.firsts) < len(series.origins):
            missing = len(series.origins) - len(series.firsts)
            series.firsts += [int(exch[0])] * missing
            if self._is_strict and sorted(series.firsts) != series.firsts:
                raise UnsortedError
        origin = series.origins[-1]
        series.lasts[origin] = max(series.lasts.get(origin, 0), int(exch.max()))

    def _may_open(self, kind: str, coin: str) -> bool:
        """Open a lane if few are open and no row of the series waits in the spool."""
        if len(self.lanes) >= DIRECT_MAX or self.spool.has(Partition(kind, coin, "")):
            return False
        self.lanes[kind, coin] = self.new_lane(kind, coin)
        return True

    def new_lane(self, kind: str, coin: str) -> RisingLane:
        """Return a lane to the final files of a rising series."""

        def late(columns: Columns, reason: NDArray[np.str_]) -> None:
            self.set_late(kind, coin, columns, reason)

        return RisingLane(Lane(self.folder, kind=kind, coin=coin), late)

    def _spool_by_period(self, kind: str, coin: str, columns: Columns) -> None:
        numbers = periods_of(columns["exch"], kind)
        for number in np.unique(numbers):
            where = numbers == number
            part = columns if where.all() else take(columns, where)
            period = period_of(int(part["exch"][0]), kind)
            self.spool.append(Partition(kind, coin, period), part)

    def set_late(self, kind: str, coin: str, columns: Columns, reason: NDArray[np.str_]) -> None:
        """Set rows aside that an importer accepted; their text is what was made of them."""
        series = self.series[kind, coin]
        series.rows_out -= len(reason)
        for index in range(len(reason)):
            row = {name: values[index] for name, values in columns.items()}
            origin, number = series.origin_of(int(row["row"]))
            self.counts[origin].rows_out -= 1
            words = self.quarantine.words_of(row)
            late = Rejected(number, int(row["exch"]), str(reason[index]), words)
            self._reject_late(kind, coin, origin, late)

    def _reject_late(self, kind: str, coin: str, origin: int, late: Rejected) -> None:
        self.quarantine.add(self.sources[origin].name, kind, coin, [late])
        self.counts[origin].quarantined[late.reason] += 1
        self.series[kind, coin].quarantined[late.reason] += 1

    def _end_source(self) -> None:
        """Number the next source's rows after this one's."""
        if not self.sources:
            return
        origin = len(self.sources) - 1
        for key, series in self.series.items():
            if series.origins[-1] == origin:
                self._spans[key] = series.offsets[-1] + self._rows_max
        self._rows_max = 0

    def end(self) -> None:
        """Close the lanes: no batch comes any more."""
        self._end_source()
        for lane in self.lanes.values():
            lane.lane.close()

    def abort(self) -> None:
        """Close every open file; nothing of this intake will be used."""
        for lane in self.lanes.values():
            lane.lane.abort()
        self.quarantine.abort()


def unknown_decimals(coin: str) -> DataError:
    """Return the refusal of a coin whose units nobody knows."""
    return DataError(
        f"the decimals of {coin} are not known",
        why="prices and sizes of books and trades are counted in the coin's own units",
        fix="leave the coin out, or import it with a mapping that names its decimals",
    )


def _check_coin(coin: str) -> None:
    """Refuse a name that can be neither a coin nor part of a folder's name."""
    if 0 < len(coin) <= COIN_CHARACTERS_MAX and coin.isprintable():
        return
    raise DataError(
        f"{coin[:COIN_CHARACTERS_MAX]!r} cannot be a coin",
        why=f"a coin has 1 to {COIN_CHARACTERS_MAX} printable characters",
        fix="check the column that names the coin",
    )


def _by_coin(batch: Batch) -> Iterator[tuple[str, Columns]]:
    """Yield each coin's rows, by name, in source order."""
    if not len(batch.table["exch"]):
        return
    if isinstance(batch.coins, str):
        yield batch.coins, batch.table
        return
    import pyarrow as pa

    encoded = pa.array(batch.coins, type=pa.large_string()).dictionary_encode()
    names, codes = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
    if len(names) == 1:
        yield names[0], batch.table
        return
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for index in sorted(range(len(names)), key=names.__getitem__):
        rows = order[bounds[index] : bounds[index + 1]]
        yield names[index], take(batch.table, rows)
