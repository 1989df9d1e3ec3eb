"""Reads `orderbooks_C`, `prices_C` and `trades_C` Parquet files of the websocket recorder.

Columns and known defects are described in docs/data.md. Floats are the shortest text of the venue's
decimals, so that conversion to integers is exact or the row is off the grid.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.errors import DataError
from hatmanifesto.domain.units import NS_MS
from hatmanifesto.store.columns import LEVELS, Columns, columns_of_levels
from hatmanifesto.store.importers.checks import (
    Mask,
    bad_stamps,
    first_reason,
    fixed_from_floats,
    on_grid,
    rank_within,
)
from hatmanifesto.store.importers.parts import Part, Rejects, Source

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
PAIRS_MAX = 1024
"""More bbo updates than this with one stamp cannot be told apart; they would be one-sided."""


class Recorder:
    """The importer of recorder files; evidence REP, no mark, oracle or funding in them."""

    name = "hl_recorder"
    version = 1
    evidence: Evidence = Evidence.REP
    assumed: tuple[str, ...] = ("mark: book mid", "oracle: book mid", "funding: unknown")

    def recognise(self, path: Path) -> Source | None:
        """Return the kind and coin by the file's name and its columns."""
        stem, _, coin = path.stem.partition("_")
        kind = STEMS.get(stem)
        if kind is None or not coin or path.suffix != ".parquet":
            return None
        names = _column_names(path)
        return Source(path, kind, coin, self.name) if set(NEEDED[kind]) <= names else None

    def read(self, source: Source, asset: Asset) -> Part:
        """Return the rows of one file; see ``Importer``."""
        import pyarrow as pa

        try:
            return READERS[source.kind](_Table(source), asset)
        except pa.ArrowException as error:
            raise DataError(
                f"cannot read {source.path.name} as {source.kind} rows",
                why=str(error),
                fix="check that the file is a recorder file: numbers as numbers, side as text",
            ) from error


def _column_names(path: Path) -> set[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return set(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"cannot read {path.name} as Parquet",
        why=f"{path}: {error}",
        fix="fetch the file again; it may be truncated",
    )


class _Table:
    """A recorder file in memory: floats with NaN for null, integers with a null mask."""

    def __init__(self, source: Source) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.source = source
        try:
            self._table: Any = pq.read_table(source.path, partitioning=None)
        except (OSError, pa.ArrowException) as error:
            raise _unreadable(source.path, error) from error
        self.rows: int = self._table.num_rows
        self.stamps_ms, self.is_null = self.integers("exchange_timestamp")
        self.exch = np.where(bad_stamps(self.stamps_ms), 0, self.stamps_ms) * NS_MS

    def floats(self, name: str) -> NDArray[np.float64]:
        """Return a column as doubles."""
        import pyarrow as pa

        values = self._table[name].cast(pa.float64()).to_numpy()
        return np.asarray(values, dtype=np.float64)

    def integers(self, name: str) -> tuple[NDArray[np.int64], Mask]:
        """Return an integer column with 0 for null, and where it was null."""
        import pyarrow as pa

        column = self._table[name].cast(pa.int64())
        null = np.asarray(column.is_null().to_numpy(), dtype=np.bool_)
        return np.asarray(column.fill_null(0).to_numpy(), dtype=np.int64), null

    def equals(self, name: str, word: str) -> Mask:
        """Say where a text column is ``word``; null is not."""
        import pyarrow.compute as pc

        return np.asarray(pc.fill_null(pc.equal(self._table[name], word), False), dtype=np.bool_)

    def received(self) -> NDArray[np.int64]:
        """Return our receive stamps [ns, whole microseconds], 0 where not recorded."""
        if "timestamp" not in self._table.column_names:
            return np.zeros(self.rows, dtype=np.int64)
        seconds = self.floats("timestamp")
        micros = np.where(np.isfinite(seconds), np.rint(seconds * 1e6), 0.0)
        return micros.astype(np.int64) * 1000

    def texts(self, rows: NDArray[np.int64]) -> list[str]:
        """Return source rows as JSON text, for the quarantine."""
        return [
            json.dumps(row, sort_keys=True, default=str)
            for row in self._table.take(rows).to_pylist()
        ]

    def stamps(self) -> Columns:
        """Return the columns every kind has."""
        rows = np.arange(self.rows, dtype=np.int64)
        return {"exch": self.exch, "recv": self.received(), "row": rows}

    def part(self, columns: Columns, reason: NDArray[np.str_], merged: int = 0) -> Part:
        """Return the rows without a reason as columns, the others as rejects."""
        bad = np.flatnonzero(reason != "").astype(np.int64)
        good = reason[columns["row"]] == ""
        return Part(
            source=self.source,
            rows_in=self.rows,
            columns={name: values[good] for name, values in columns.items()},
            merged=merged,
            rejects=Rejects(bad, self.exch[bad], reason[bad]),
            texts=self.texts,
            texts_merged=self.texts,
        )


class _Numbers:
    """Exact prices and sizes of a file, shape (n,) or (n, levels), and where they are at fault."""

    def __init__(self, px: NDArray[np.float64], sz: NDArray[np.float64], asset: Asset) -> None:
        self.px, px_exact = fixed_from_floats(px, decimals=asset.px_decimals)
        self.sz, sz_exact = fixed_from_floats(sz, decimals=asset.sz_decimals)
        self.is_null = _any(~np.isfinite(px) | ~np.isfinite(sz))
        self.is_not_positive = _any((px <= 0) | (sz <= 0))
        grid = px_exact & sz_exact & on_grid(self.px, px_decimals=asset.px_decimals)
        self.is_off_grid = _any(~grid)

    def faults(self, table: _Table) -> list[tuple[str, Mask]]:
        """Return the faults every kind can have, in order of precedence."""
        return [
            ("null", self.is_null | table.is_null),
            ("bad_stamp", table.exch == 0),
            ("non_positive", self.is_not_positive),
            ("off_grid", self.is_off_grid),
        ]


def _any(mask: Mask) -> Mask:
    return np.asarray(mask.reshape(len(mask), -1).any(axis=1), dtype=np.bool_)


def _read_book(table: _Table, asset: Asset) -> Part:
    flat = np.empty((table.rows, len(BOOK_NAMES)), dtype=np.float64)
    for index, name in enumerate(BOOK_NAMES):
        flat[:, index] = table.floats(name)
    numbers = _Numbers(flat[:, 0::2], flat[:, 1::2], asset)
    bid, ask = numbers.px[:, 0::2], numbers.px[:, 1::2]
    reason = first_reason(
        [
            *numbers.faults(table),
            ("non_monotonic", _any(np.diff(bid) >= 0) | _any(np.diff(ask) <= 0)),
            ("crossed", bid[:, 0] > ask[:, 0]),
            ("locked", bid[:, 0] == ask[:, 0]),
        ]
    )
    levels = np.stack([bid, numbers.sz[:, 0::2], ask, numbers.sz[:, 1::2]], axis=2)
    return table.part({**table.stamps(), **columns_of_levels(levels)}, reason)


def _read_trades(table: _Table, asset: Asset) -> Part:
    numbers = _Numbers(table.floats("price"), table.floats("size"), asset)
    ids, id_null = table.integers("trade_id")
    buy, sell = table.equals("side", "buy"), table.equals("side", "sell")
    reason = first_reason([("null", id_null), *numbers.faults(table), ("bad_side", ~(buy | sell))])
    columns = {
        **table.stamps(),
        "px": numbers.px,
        "sz": numbers.sz,
        "side": buy.astype(np.int64) - sell.astype(np.int64),
        "tid": ids,
        "aside": np.zeros(table.rows, dtype=np.int64),
    }
    return table.part(columns, reason)


def _read_bbo(table: _Table, asset: Asset) -> Part:
    numbers = _Numbers(table.floats("price"), table.floats("size"), asset)
    is_bid, is_ask = table.equals("side", "bid"), table.equals("side", "ask")
    reason = first_reason([*numbers.faults(table), ("bad_side", ~(is_bid | is_ask))])
    bid, ask = _pairs(table.exch // NS_MS, is_bid, is_ask)
    paired = np.zeros(table.rows, dtype=np.bool_)
    paired[bid], paired[ask] = True, True
    reason = np.where((reason == "") & ~paired, "bbo_one_side", reason)
    bad = (reason[bid] != "") | (reason[ask] != "")
    for rows in (bid, ask):  # the sound half of a broken pair is one-sided
        reason[rows] = np.where(bad & (reason[rows] == ""), "bbo_one_side", reason[rows])
    crossed = ~bad & (numbers.px[bid] > numbers.px[ask])
    locked = ~bad & (numbers.px[bid] == numbers.px[ask])
    for rows in (bid, ask):
        reason[rows] = np.where(crossed, "crossed", np.where(locked, "locked", reason[rows]))
    stamps = table.stamps()
    columns = {name: values[bid] for name, values in stamps.items()}
    columns |= {"bid_px": numbers.px[bid], "bid_sz": numbers.sz[bid]}
    columns |= {"ask_px": numbers.px[ask], "ask_sz": numbers.sz[ask]}
    merged = int((~bad & ~crossed & ~locked).sum())
    ask_of = dict(zip(bid.tolist(), ask.tolist(), strict=True))
    return table.part(columns, reason, merged=merged)._replace(
        texts_merged=lambda rows: _texts_of_pairs(table, rows, ask_of)
    )


def _texts_of_pairs(table: _Table, rows: NDArray[np.int64], ask_of: dict[int, int]) -> list[str]:
    asks = np.asarray([ask_of[row] for row in rows.tolist()], dtype=np.int64)
    pairs = zip(table.texts(rows), table.texts(asks), strict=True)
    return [f"[{bid}, {ask}]" for bid, ask in pairs]


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


READERS = {"book": _read_book, "bbo": _read_bbo, "trade": _read_trades}
