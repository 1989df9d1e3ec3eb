"""Reads `orderbooks_C`, `prices_C` and `trades_C` Parquet files of the websocket recorder.

Columns and known defects are described in docs/data.md. Floats are the shortest text of the venue's
decimals, so that conversion to integers is exact or the row is off the grid.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.errors import DataError
from hatmanifesto.domain.units import NS_MS
from hatmanifesto.domain.universe import perp_of
from hatmanifesto.store.columns import Columns
from hatmanifesto.store.importers.checks import (
    Mask,
    bad_stamps,
    first_reason,
    fixed_from_floats,
    on_grid,
    rank_within,
)
from hatmanifesto.store.importers.contract import BATCH_ROWS, Batch, Foreign, Rejected
from hatmanifesto.store.intake import unknown_decimals
from hatmanifesto.store.kinds import LEVELS

STEMS = {"orderbooks": "book", "prices": "bbo", "trades": "trade"}
BOOK_NAMES = tuple(
    f"{side}_{what}_{level}"
    for level in range(LEVELS)
    for side in ("bid", "ask")
    for what in ("price", "size")
)
NEEDED = {
    "book": ("exchange_timestamp", *BOOK_NAMES),
    "bbo": ("exchange_timestamp", "price", "size", "side"),
    "trade": ("exchange_timestamp", "price", "size", "side", "trade_id"),
}
BUFFER_BYTES = 1 << 18
"""Read ahead of each column: what bounds memory when a file is one huge row group."""
PAIRS_MAX = 1024
"""More bbo updates than this with one stamp cannot be told apart; they would be one-sided."""


class Recorder:
    """The importer of recorder files; evidence REP, no mark, oracle or funding in them."""

    name = "hl_recorder"
    version = 2
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = ("mark: book mid", "oracle: book mid", "funding: unknown")

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return the kind and coin by the file's name and its columns."""
        stem, _, coin = path.stem.partition("_")
        kind = STEMS.get(stem)
        if kind is None or not coin or path.suffix != ".parquet":
            return None
        names = _column_names(path)
        return Foreign(path, self.name, kind, coin) if set(NEEDED[kind]) <= names else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the rows of one file; see ``FileImporter``."""
        import pyarrow as pa

        asset = perp_of(foreign.coin)
        if asset is None:
            raise unknown_decimals(foreign.coin)
        reader = {"book": _read_books, "bbo": _read_bbo, "trade": _read_trades}[foreign.what]
        try:
            yield from reader(foreign, asset)
        except (OSError, pa.ArrowException) as error:
            raise DataError(
                f"cannot read {foreign.path.name} as {foreign.what} rows",
                why=str(error),
                fix="check that the file is whole, numbers are numbers and side is text",
            ) from error


def _column_names(path: Path) -> set[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return set(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"cannot read {path.name} as Parquet",
            why=f"{path}: {error}",
            fix="fetch the file again; it may be truncated",
        ) from error


def _portions(foreign: Foreign) -> Iterator["_Portion"]:
    """Yield a file in portions of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = 0
    with pq.ParquetFile(foreign.path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
        for batch in file.iter_batches(BATCH_ROWS):
            numbers = np.arange(first, first + batch.num_rows, dtype=np.int64)
            yield _Portion(pa.Table.from_batches([batch]), numbers)
            first += batch.num_rows


class _Portion:
    """Some rows of a recorder file: floats with NaN for null, integers with a null mask.

    Args:
        table: an Arrow table.
        numbers: of its rows in the file, shape (n,).
    """

    def __init__(self, table: Any, numbers: NDArray[np.int64]) -> None:
        self.table = table
        self.numbers = numbers
        self.rows = len(numbers)
        self.stamps_ms, self.is_null = self.integers("exchange_timestamp")
        self.exch = np.where(bad_stamps(self.stamps_ms), 0, self.stamps_ms) * NS_MS

    def floats(self, name: str) -> NDArray[np.float64]:
        """Return a column as doubles."""
        import pyarrow as pa

        column = self.table[name]
        if column.type != pa.float64():
            column = column.cast(pa.float64())
        return np.asarray(column.to_numpy(), dtype=np.float64)

    def integers(self, name: str) -> tuple[NDArray[np.int64], Mask]:
        """Return an integer column with 0 for null, and where it was null."""
        import pyarrow as pa

        column = self.table[name].cast(pa.int64())
        null = np.asarray(column.is_null().to_numpy(), dtype=np.bool_)
        return np.asarray(column.fill_null(0).to_numpy(), dtype=np.int64), null

    def equals(self, name: str, word: str) -> Mask:
        """Say where a text column is ``word``; null is not."""
        import pyarrow.compute as pc

        return np.asarray(pc.fill_null(pc.equal(self.table[name], word), False), dtype=np.bool_)

    def received(self) -> NDArray[np.int64]:
        """Return our receive stamps [ns, whole microseconds], 0 where not recorded."""
        if "timestamp" not in self.table.column_names:
            return np.zeros(self.rows, dtype=np.int64)
        seconds = self.floats("timestamp")
        micros = np.where(np.isfinite(seconds), np.rint(seconds * 1e6), 0.0)
        return micros.astype(np.int64) * 1000

    def stamps(self) -> Columns:
        """Return the columns every kind has."""
        return {"exch": self.exch, "recv": self.received(), "row": self.numbers}

    def rejected(self, at: NDArray[np.intp], reason: NDArray[np.str_]) -> list[Rejected]:
        """Return the rows at these places with their reasons and their own words as JSON."""
        words = (
            json.dumps(row, sort_keys=True, default=str) for row in self.table.take(at).to_pylist()
        )
        columns = (self.numbers[at].tolist(), self.exch[at].tolist(), reason[at].tolist(), words)
        return [Rejected(*row) for row in zip(*columns, strict=True)]

    def batch(self, foreign: Foreign, columns: Columns, reason: NDArray[np.str_]) -> Batch:
        """Return the rows without a reason as columns, the others as rejects."""
        good = reason == ""
        if not good.all():
            columns = {name: values[good] for name, values in columns.items()}
        rejected = self.rejected(np.flatnonzero(~good), reason)
        return Batch(foreign.what, foreign.coin, columns, self.rows, 0, rejected)


class _Numbers:
    """Exact prices or sizes of one column, and the faults found so far, shape (n,) each."""

    def __init__(self, portion: _Portion, asset: Asset) -> None:
        self._portion = portion
        self._asset = asset
        self.is_null = portion.is_null.copy()
        self.is_not_positive = np.zeros(portion.rows, dtype=np.bool_)
        self.is_off_grid = np.zeros(portion.rows, dtype=np.bool_)

    def px(self, name: str) -> NDArray[np.int64]:
        """Return a column of prices [px units]."""
        fixed = self._fixed(name, self._asset.px_decimals)
        self.is_off_grid |= ~on_grid(fixed, px_decimals=self._asset.px_decimals)
        return fixed

    def sz(self, name: str) -> NDArray[np.int64]:
        """Return a column of sizes [sz units]."""
        return self._fixed(name, self._asset.sz_decimals)

    def _fixed(self, name: str, decimals: int) -> NDArray[np.int64]:
        values = self._portion.floats(name)
        fixed, exact = fixed_from_floats(values, decimals=decimals)
        if not exact.all():
            self.is_null |= ~np.isfinite(values)
            self.is_off_grid |= ~exact
        self.is_not_positive |= values <= 0
        return fixed

    def faults(self) -> list[tuple[str, Mask]]:
        """Return the faults every kind can have, in order of precedence."""
        return [
            ("null", self.is_null),
            ("bad_stamp", self._portion.exch == 0),
            ("non_positive", self.is_not_positive),
            ("off_grid", self.is_off_grid),
        ]


def _read_books(foreign: Foreign, asset: Asset) -> Iterator[Batch]:
    for portion in _portions(foreign):
        numbers = _Numbers(portion, asset)
        columns = portion.stamps()
        is_mixed_up = np.zeros(portion.rows, dtype=np.bool_)
        for level in range(LEVELS):
            for side, sign in (("bid", 1), ("ask", -1)):
                px = numbers.px(f"{side}_price_{level}")
                columns[f"{side}_px_{level}"] = px
                columns[f"{side}_sz_{level}"] = numbers.sz(f"{side}_size_{level}")
                if level:
                    better = columns[f"{side}_px_{level - 1}"]
                    is_mixed_up |= px >= better if sign > 0 else px <= better
        bid, ask = columns["bid_px_0"], columns["ask_px_0"]
        reason = first_reason(
            [
                *numbers.faults(),
                ("non_monotonic", is_mixed_up),
                ("crossed", bid > ask),
                ("locked", bid == ask),
            ]
        )
        yield portion.batch(foreign, columns, reason)


def _read_trades(foreign: Foreign, asset: Asset) -> Iterator[Batch]:
    for portion in _portions(foreign):
        numbers = _Numbers(portion, asset)
        px, sz = numbers.px("price"), numbers.sz("size")
        ids, id_null = portion.integers("trade_id")
        buy, sell = portion.equals("side", "buy"), portion.equals("side", "sell")
        reason = first_reason([("null", id_null), *numbers.faults(), ("bad_side", ~(buy | sell))])
        columns = {
            **portion.stamps(),
            "px": px,
            "sz": sz,
            "side": buy.astype(np.int64) - sell.astype(np.int64),
            "tid": ids,
            "aside": np.zeros(portion.rows, dtype=np.int64),
        }
        yield portion.batch(foreign, columns, reason)


def _read_bbo(foreign: Foreign, asset: Asset) -> Iterator[Batch]:
    """Yield best quotes. A half whose other half is not in its portion waits for the next one."""
    import pyarrow as pa

    waiting: _Portion | None = None
    for portion in _portions(foreign):
        if waiting is not None:
            joined = pa.concat_tables([waiting.table, portion.table])
            first_new = waiting.rows
            portion = _Portion(joined, np.concatenate([waiting.numbers, portion.numbers]))
        else:
            first_new = 0
        pairs = _Pairs(portion, asset)
        late = np.flatnonzero(pairs.is_single)
        late = late[late >= first_new]
        waiting = _Portion(portion.table.take(late), portion.numbers[late]) if len(late) else None
        yield pairs.batch(foreign, without=late)
    if waiting is not None:
        none = np.empty(0, dtype=np.intp)
        yield _Pairs(waiting, asset).batch(foreign, without=none)


class _Pairs:
    """Bids and asks of a portion, paired by stamp: the k-th bid of a stamp meets its k-th ask."""

    def __init__(self, portion: _Portion, asset: Asset) -> None:
        self._portion = portion
        numbers = _Numbers(portion, asset)
        self._px, self._sz = numbers.px("price"), numbers.sz("size")
        is_bid, is_ask = portion.equals("side", "bid"), portion.equals("side", "ask")
        self._bid, self._ask = _pairs(portion.stamps_ms, is_bid, is_ask)
        self._reason = first_reason([*numbers.faults(), ("bad_side", ~(is_bid | is_ask))])
        paired = np.zeros(portion.rows, dtype=np.bool_)
        paired[self._bid], paired[self._ask] = True, True
        self.is_single = (self._reason == "") & ~paired
        """Sound rows without their other half."""

    def batch(self, foreign: Foreign, *, without: NDArray[np.intp]) -> Batch:
        """Return the pairs as rows, and the rejects, leaving out rows that wait."""
        bid, ask = self._bid, self._ask
        reason = np.where(self.is_single, "bbo_one_side", self._reason)
        bad = (reason[bid] != "") | (reason[ask] != "")
        for rows in (bid, ask):  # the sound half of a broken pair is one-sided
            reason[rows] = np.where(bad & (reason[rows] == ""), "bbo_one_side", reason[rows])
        crossed = ~bad & (self._px[bid] > self._px[ask])
        locked = ~bad & (self._px[bid] == self._px[ask])
        for rows in (bid, ask):
            reason[rows] = np.where(crossed, "crossed", np.where(locked, "locked", reason[rows]))
        good = ~bad & ~crossed & ~locked
        bid, ask = bid[good], ask[good]
        columns = {name: values[bid] for name, values in self._portion.stamps().items()}
        columns |= {"bid_px": self._px[bid], "bid_sz": self._sz[bid]}
        columns |= {"ask_px": self._px[ask], "ask_sz": self._sz[ask]}
        waits = np.zeros(self._portion.rows, dtype=np.bool_)
        waits[without] = True
        rejected = self._portion.rejected(np.flatnonzero((reason != "") & ~waits), reason)
        rows_in = 2 * len(bid) + len(rejected)
        assert rows_in == self._portion.rows - len(without)
        return Batch(foreign.what, foreign.coin, columns, rows_in, len(bid), rejected)


def _pairs(
    stamps: NDArray[np.int64], is_bid: Mask, is_ask: Mask
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of bids and of their asks: the k-th bid of a stamp meets its k-th ask."""
    sides = []
    for mask in (is_bid, is_ask):
        rows = np.flatnonzero(mask)
        rows = rows[np.argsort(stamps[rows], kind="stable")]
        rank = np.minimum(rank_within(stamps[rows]), PAIRS_MAX - 1)
        sides.append((rows, stamps[rows] * PAIRS_MAX + rank))
    (bids, bid_keys), (asks, ask_keys) = sides
    _, at_bid, at_ask = np.intersect1d(bid_keys, ask_keys, return_indices=True)
    bid, ask = bids[at_bid], asks[at_ask]
    order = np.argsort(bid, kind="stable")
    return bid[order].astype(np.int64), ask[order].astype(np.int64)
