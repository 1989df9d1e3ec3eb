"""Joins the parts of one kind and coin: order, repeats, backlog, and what they leave behind."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.store.columns import Columns, Ints, join, take
from hatmanifesto.store.gaps import GAP_S_MIN, Silence, Streams, backlog_mask, find_silences
from hatmanifesto.store.importers.checks import (
    backward,
    first_reason,
    repeated_ids,
    repeated_neighbours,
)
from hatmanifesto.store.importers.parts import Part


class Reject(NamedTuple):
    """A source row set aside; ``text`` is the row as JSON."""

    source: str
    row: int
    exch: int
    reason: str
    text: str


class Table(NamedTuple):
    """Rows of one kind and coin ready to be stored, and their account."""

    kind: str
    coin: str
    columns: Columns
    rows_in: int
    merged: int
    quarantined: dict[str, int]
    set_aside: dict[str, int]


def source_name(part: Part) -> str:
    """Return the last two parts of a source's path: enough to recognise it, no private folders."""
    return "/".join(part.source.path.parts[-2:])


def assemble(parts: Sequence[Part]) -> tuple[Table, list[Reject]]:
    """Return the table of ``parts``, which hold one kind and coin, and everything set aside.

    Parts are taken in order of their first stamp. Books and bbo rows must not go back in time nor
    repeat their neighbour; a trade id counts once, then trades are sorted by stamp (stable).
    """
    kind, coin = parts[0].source.kind, parts[0].source.coin
    ordered = sorted(parts, key=_first_stamp)
    columns = join([part.columns for part in ordered], kind)
    origin = np.repeat(np.arange(len(ordered)), [len(part.columns["exch"]) for part in ordered])
    rejects = [reject for part in ordered for reject in _own_rejects(part)]
    reason = _reasons(columns, kind)
    bad = np.flatnonzero(reason != "")
    rejects += _late_rejects(ordered, columns, origin, bad, reason)
    good = np.flatnonzero(reason == "")
    if kind == "trade":
        good = good[np.argsort(columns["exch"][good], kind="stable")]
    merged = sum(part.merged for part in parts)
    table = Table(
        kind=kind,
        coin=coin,
        columns=take(_numbered(columns, origin, ordered), good),
        rows_in=sum(part.rows_in for part in parts),
        merged=merged,
        quarantined=count_reasons([reject.reason for reject in rejects]),
        set_aside={},
    )
    assert table.rows_in == len(good) + merged + len(rejects)
    return table, rejects


def count_reasons(reasons: Sequence[str]) -> dict[str, int]:
    """Return how often each reason occurs, by name."""
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


def _first_stamp(part: Part) -> tuple[int, str]:
    stamps = part.columns["exch"]
    return (int(stamps[0]) if len(stamps) else 0, str(part.source.path))


def _reasons(columns: Columns, kind: str) -> NDArray[np.str_]:
    if kind == "trade":
        return first_reason([("repeated_id", repeated_ids(columns["tid"]))])
    values = [column for name, column in columns.items() if name not in ("recv", "row")]
    return first_reason(
        [("backward", backward(columns["exch"])), ("repeated", repeated_neighbours(values))]
    )


def _numbered(columns: Columns, origin: Ints, parts: Sequence[Part]) -> Columns:
    """Number source rows through all parts, so that ``row`` keeps their order."""
    offsets = np.cumsum([0, *(part.rows_in for part in parts)])[:-1]
    return {**columns, "row": columns["row"] + offsets.astype(np.int64)[origin]}


def _own_rejects(part: Part) -> list[Reject]:
    rejects = part.rejects
    rows = zip(
        rejects.row.tolist(),
        rejects.exch.tolist(),
        rejects.reason.tolist(),
        part.texts(rejects.row),
        strict=True,
    )
    return [Reject(source_name(part), *row) for row in rows]


def _late_rejects(
    parts: Sequence[Part],
    columns: Columns,
    origin: Ints,
    bad: NDArray[np.intp],
    reason: NDArray[np.str_],
) -> list[Reject]:
    rejects = []
    for index, part in enumerate(parts):
        mine = bad[origin[bad] == index]
        rows = columns["row"][mine]
        for row, at, text in zip(
            rows.tolist(), mine.tolist(), part.texts_merged(rows), strict=True
        ):
            stamp = int(columns["exch"][at])
            rejects.append(Reject(source_name(part), row, stamp, str(reason[at]), text))
    return rejects


def streams_of(tables: Sequence[Table], coin: str) -> Streams:
    """Return the stamps of one coin by kind."""
    found = {table.kind: table.columns["exch"] for table in tables if table.coin == coin}
    empty = np.empty(0, dtype=np.int64)
    return Streams(*(found.get(kind, empty) for kind in Streams._fields))


def mark_backlog(
    tables: Sequence[Table],
    coin: str,
    *,
    boundaries: Sequence[int],
    gap_s_min: int = GAP_S_MIN,
) -> tuple[list[Table], tuple[Silence, ...]]:
    """Return the tables of ``coin`` with backlog trades marked, and the coin's holes."""
    streams = streams_of(tables, coin)
    silences = find_silences(streams, boundaries=boundaries, gap_s_min=gap_s_min)
    aside = backlog_mask(streams, silences)
    marked = []
    for table in tables:
        if table.coin == coin and table.kind == "trade":
            count = int(aside.sum())
            columns = {**table.columns, "aside": aside.astype(np.int64)}
            set_aside = {"backlog": count} if count else {}
            table = table._replace(columns=columns, set_aside=set_aside)
        if table.coin == coin:
            marked.append(table)
    return marked, silences
