"""Reads a user's own table strictly: CSV, JSON lines or Parquet as columns, whole or refused."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hatmanifesto.store.importers.contract import BATCH_ROWS, Rejected
from hatmanifesto.store.importers.exact import as_texts
from hatmanifesto.store.importers.rowwise import text_lines
from hatmanifesto.store.importers.series_files import (
    csv_header,
    parquet_batches,
    parquet_names,
    refuse,
    require_columns,
)
from hatmanifesto.store.importers.sieve import rows_of

PARQUET = b"PAR1"
BOM = "\ufeff"
TORN_FIX = "fetch the file again; --allow-torn-tail leaves the last row out and counts it"


Source = Callable[[Sequence[int]], Sequence[object]]


class Rows(NamedTuple):
    """Some rows of a table: Arrow arrays by the file's own column names, and a torn last row."""

    first: int
    size: int
    columns: dict[str, Any]
    source: Source
    torn: tuple[Rejected, ...] = ()


def column_names(path: Path, head: bytes, separator: str = ",") -> tuple[str, ...]:
    """Return the columns a file seems to have; none when it is no table."""
    if head.startswith(PARQUET):
        return parquet_names(path)
    if head.lstrip().startswith(b"{"):
        first = _object(head.lstrip().partition(b"\n")[0].decode("utf-8", "replace"))
        return tuple(first or ())
    if separator != ",":
        head = head.partition(b"\n")[0].replace(separator.encode(), b",") + b"\n"
    return csv_header(head)


def read_rows(
    path: Path,
    head: bytes,
    *,
    needed: Sequence[str],
    separator: str = ",",
    allow_torn_tail: bool = False,
) -> Iterator[Rows]:
    """Yield the needed columns of a table in batches, mapped by name; other columns are ignored.

    Raises:
        DataError: if a column is missing or twice, a row has too few or too many fields, the last
            row is torn (unless allowed), there is no row, or it is no clean UTF-8 text.
    """
    if head.startswith(PARQUET):
        batches = _parquet(path, needed)
    elif head.lstrip().startswith(b"{"):
        batches = _json(path, needed, allow_torn_tail)
    else:
        batches = _csv(path, (needed, separator), allow_torn_tail)
    count = 0
    for rows in batches:
        count += rows.size
        yield rows
    if not count:
        raise refuse(path, "no rows", why="it is empty or holds nothing but its header")


def _parquet(path: Path, needed: Sequence[str]) -> Iterator[Rows]:
    first = 0
    _refuse_small_floats(path, needed)
    for batch in parquet_batches(path, needed):
        columns = {name: batch[name] for name in needed}
        yield Rows(first, batch.num_rows, columns, rows_of(batch))
        first += batch.num_rows


def _refuse_small_floats(path: Path, needed: Sequence[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        why = f"{error}; the footer is missing or cut"
        raise refuse(path, "damaged Parquet", why=why, fix="fetch the file again") from error
    for field in schema:
        if field.name in needed and field.type in (pa.float16(), pa.float32()):
            raise refuse(
                path,
                "rounded numbers",
                why=f"column {field.name} is {field.type}: it does not hold the digits of a price",
                fix="write prices as decimal, text or 64-bit numbers",
            )


def _csv(path: Path, shape: tuple[Sequence[str], str], allow_torn_tail: bool) -> Iterator[Rows]:
    needed, separator = shape
    lines = _Lines(path)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        header = next(reader, [])
        require_columns(path, header, needed)
        yield from _csv_rows(path, reader, (header, needed), (lines, allow_torn_tail))
    except csv.Error as error:
        raise refuse(path, "broken CSV", why=str(error), fix=TORN_FIX) from error


def _csv_rows(
    path: Path,
    reader: Iterator[list[str]],
    names: tuple[list[str], Sequence[str]],
    tail: tuple["_Lines", bool],
) -> Iterator[Rows]:
    (header, needed), (lines, allow_torn_tail) = names, tail
    pile = _Pile(needed)
    for cells in reader:
        if len(cells) == len(header):
            pile.add(dict(zip(header, cells, strict=True)))
        elif len(cells) < len(header) and lines.is_last and allow_torn_tail:
            pile.tear(",".join(cells))
        else:
            word = "torn tail" if lines.is_last else "torn row"
            why = f"row {pile.number} has {len(cells)} fields, the header {len(header)}"
            raise refuse(path, word, why=why, fix=TORN_FIX if lines.is_last else "")
        if pile.is_full:
            yield pile.rows()
    yield pile.rows()


def _json(path: Path, needed: Sequence[str], allow_torn_tail: bool) -> Iterator[Rows]:
    lines = _Lines(path)
    pile = _Pile(needed)
    for text in lines:
        value = _object(text)
        if value is not None:
            if pile.number == 0:
                require_columns(path, tuple(value), needed)
            pile.add(value)
        elif lines.is_last and allow_torn_tail:
            pile.tear(text)
        else:
            word = "torn tail" if lines.is_last else "a row that is no JSON object"
            why = f"row {pile.number}: {text[:80]!r}"
            raise refuse(path, word, why=why, fix=TORN_FIX if lines.is_last else "")
        if pile.is_full:
            yield pile.rows()
    yield pile.rows()


def _object(text: str) -> dict[str, Any] | None:
    """Return a JSON object whose numbers are their own texts, none if it is none."""
    try:
        value = json.loads(
            text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_once
        )
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


class _Lines:
    """Lines of clean text; ``is_last`` is true once the last one was handed out."""

    def __init__(self, path: Path) -> None:
        self.is_last = False
        self._path = path
        self._texts = text_lines(path)
        self._number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        text, self.is_last = next(self._texts)
        if "\0" in text:
            why = f"line {self._number + 1}: UTF-16, or a tail of zeros left by a crash"
            raise refuse(self._path, "NUL bytes", why=why, fix="fetch the file again")
        if self._number == 0:
            text = text.removeprefix(BOM)
        self._number += 1
        return text


class _Pile:
    """Rows as they are read, until a batch is full."""

    def __init__(self, needed: Sequence[str]) -> None:
        self.number = 0
        self._needed = needed
        self._waiting: list[dict[str, Any]] = []
        self._torn: list[Rejected] = []

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= BATCH_ROWS - 1  # one more place for a torn last row

    def add(self, row: dict[str, Any]) -> None:
        self._waiting.append(row)
        self.number += 1

    def tear(self, text: str) -> None:
        self._torn.append(Rejected(self.number, 0, "truncated", text))
        self.number += 1

    def rows(self) -> Rows:
        waiting, torn = self._waiting, tuple(self._torn)
        self._waiting, self._torn = [], []
        columns = {name: as_texts([row.get(name) for row in waiting]) for name in self._needed}
        first = self.number - len(waiting) - len(torn)
        return Rows(first, len(waiting), columns, lambda at: [waiting[i] for i in at], torn)
