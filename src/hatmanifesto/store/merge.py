"""Merges the columns of several coins and kinds into one venue order, in NumPy, once."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.enums import RowKind
from hatmanifesto.domain.rows import GAP_REASONS
from hatmanifesto.store.columns import Columns, Ints, levels_of
from hatmanifesto.store.kinds import LEVELS

FIXED = {RowKind.GAP: -2, RowKind.BAR: -1, RowKind.CTX: 3, RowKind.FUNDING: 4}
"""A hole ends before the first row after it; what the venue tells at the hour comes after books."""
TIES = {
    "pessimistic": {RowKind.TRADE: 0, RowKind.BBO: 1, RowKind.L2: 2, **FIXED},
    "optimistic": {RowKind.BBO: 0, RowKind.L2: 1, RowKind.TRADE: 2, **FIXED},
}
"""Order of rows with one stamp."""
NO_LEVELS = np.empty((0, LEVELS, 4), dtype=np.int64)


class Rows(NamedTuple):
    """Market rows as columns, shape (n,) each; the columns of ``domain.rows`` without ``recv``.

    ``source`` orders rows of one coin, kind and stamp.
    """

    kind: Ints
    coin: Ints
    exch: Ints
    a: Ints
    b: Ints
    c: Ints
    d: Ints
    ref: Ints
    source: Ints


class GapMark(NamedTuple):
    """A hole to be shown on the tape [ns]; ``reason`` in ``domain.rows.GAP_REASONS``."""

    coin: int
    start: int
    end: int
    reason: str


def rows_of(kind: RowKind, coin: int, columns: Columns) -> Rows:
    """Return one kind of one coin as rows; ``ref`` of a book counts its rows from 0.

    Trades that were set aside as backlog are left out.
    """
    if kind is RowKind.TRADE:
        columns = {name: values[columns["aside"] == 0] for name, values in columns.items()}
        fields = [columns[name] for name in ("px", "sz", "side", "tid")]
    else:
        suffix = "_0" if kind is RowKind.L2 else ""
        names = ("bid_px", "bid_sz", "ask_px", "ask_sz")
        fields = [columns[name + suffix] for name in names]
    count = len(columns["exch"])
    a, b, c, d = fields
    none = np.full(count, -1, dtype=np.int64)
    return Rows(
        kind=np.full(count, int(kind), dtype=np.int64),
        coin=np.full(count, coin, dtype=np.int64),
        exch=columns["exch"],
        a=a,
        b=b,
        c=c,
        d=d,
        ref=np.arange(count, dtype=np.int64) if kind is RowKind.L2 else none,
        source=columns["row"],
    )


def concatenate(parts: Sequence[Rows]) -> Rows:
    """Return the parts one after the other."""
    return Rows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def take_rows(rows: Rows, where: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Rows:
    """Return the rows at ``where`` (indexes, a mask or a slice)."""
    return Rows(*(column[where] for column in rows))


def in_venue_order(rows: Rows, *, ties: str) -> Rows:
    """Return the rows sorted by stamp, kind (by ``ties``), coin slot and source row."""
    table = np.zeros(len(RowKind), dtype=np.int64)
    for kind, rank in TIES[ties].items():
        table[kind] = rank
    order = np.lexsort((rows.source, rows.coin, table[rows.kind], rows.exch))
    return take_rows(rows, order)


def gap_rows_of(marks: Sequence[GapMark], rows: Rows) -> Rows:
    """Return a GAP row for each mark that has rows of its coin on both sides.

    It bears the stamp of the coin's first row at or after the hole's end, where it will stand.
    """
    stamps = {mark.coin: np.sort(rows.exch[rows.coin == mark.coin]) for mark in marks}
    found = []
    for index, mark in enumerate(marks):
        mine = stamps[mark.coin]
        at = int(np.searchsorted(mine, mark.end, side="left"))
        if 0 < at < len(mine):
            reason = GAP_REASONS.index(mark.reason)
            stamp = int(mine[at])
            kind = int(RowKind.GAP)
            found.append((kind, mark.coin, stamp, mark.start, mark.end, reason, 0, -1, index))
    table = np.asarray(found, dtype=np.int64).reshape(len(found), len(Rows._fields))
    return Rows(*(np.ascontiguousarray(column) for column in table.T))


def gather_levels(books: Mapping[int, Columns], rows: Rows) -> tuple[Rows, Ints]:
    """Return the levels of the L2 rows in their order, shape (n_l2, 20, 4), and rows that say so.

    Args:
        books: book columns by coin slot; ``ref`` of an L2 row indexes its coin's.
        rows: in venue order.
    """
    at = np.flatnonzero(rows.kind == RowKind.L2)
    if not len(at):
        return rows, NO_LEVELS
    levels = np.empty((len(at), LEVELS, 4), dtype=np.int64)
    for coin, columns in books.items():
        mine = rows.coin[at] == coin
        levels[mine] = levels_of(columns)[rows.ref[at[mine]]]
    ref = rows.ref.copy()
    ref[at] = np.arange(len(at))
    return rows._replace(ref=ref), levels
