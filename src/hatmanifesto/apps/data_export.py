"""Writes one kind of one coin of a dataset as CSV or Parquet for other programs, exactly.

Integers that stand for decimals come out as decimals: text in CSV, decimal128 in Parquet. What a
source did not tell comes out empty.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hatmanifesto.domain.errors import DataError, UsageError
from hatmanifesto.domain.units import format_fixed
from hatmanifesto.store.columns import QUARANTINE_KIND, kind_of
from hatmanifesto.store.dataset import resolve
from hatmanifesto.store.kinds import KINDS, PX_OWN, SZ_OWN, Column
from hatmanifesto.store.unknown import unknown_mask
from hatmanifesto.store.warehouse import Snapshot

EXPORTS = "exports"
FORMATS = ("csv", "parquet")
FORMULA = "^[=+\\-@\t\r]"
"""Beginnings of a text that a spreadsheet would run as a formula; such a text gets a quote."""
DECIMAL_DIGITS = 38


def export_dataset(
    spec: str, home: Path, *, kind: str, coin: str, form: str, out: str
) -> dict[str, Any]:
    """Write the rows of one kind and coin below HOME/exports, replacing an older export.

    Args:
        spec: the dataset.
        home: the home folder.
        kind: of the rows; ``quarantine`` (with coin '') for what was set aside.
        coin: of the rows.
        form: ``csv`` or ``parquet``.
        out: a path below HOME/exports.

    Returns:
        ``{"path", "rows", "columns", "dataset_hash"}``.

    Raises:
        UsageError: if ``out`` lies elsewhere, or ``kind`` or ``form`` is unknown.
        DataError: if the dataset has no such rows.
    """
    if form not in FORMATS:
        raise UsageError(f"unknown format {form!r}", fix=f"use one of {', '.join(FORMATS)}")
    if kind not in (*KINDS, QUARANTINE_KIND.name):
        raise UsageError(f"unknown kind {kind!r}", fix=f"use one of {', '.join(KINDS)}")
    opened = resolve(spec, home)
    if not any(snapshot.files_of(kind, coin) for snapshot in opened.snapshots):
        raise DataError(
            f"{opened.spec} has no {kind} rows of {coin or 'no coin'}",
            fix="see what there is: hat data show NAME",
        )
    path = export_path(home, out)
    path.parent.mkdir(parents=True, exist_ok=True)
    tables = (table for one in opened.snapshots for table in _tables(one, kind, coin, form))
    texts = [one.name for one in kind_of(kind).columns if one.type == "text"]
    if form == "csv":
        tables = (_harmless(table, texts) for table in tables)
    rows = _write(path, tables, form)
    names = list(kind_of(kind).names)
    return {
        "path": str(path),
        "rows": rows,
        "columns": names,
        "dataset_hash": opened.dataset_hash,
    }


def export_path(home: Path, out: str) -> Path:
    """Return where an export goes.

    Raises:
        UsageError: if that is not a file below HOME/exports.
    """
    root = (home / EXPORTS).resolve()
    path = (root / out).resolve()
    if not out or path == root or not path.is_relative_to(root) or path.is_dir():
        raise UsageError(
            f"cannot export to {out!r}",
            why=f"exports are files below {root}",
            fix="give a name, e.g. --out btc.csv",
        )
    return path


def _tables(snapshot: Snapshot, kind: str, coin: str, form: str) -> Iterator[Any]:
    """Yield the rows file by file, with decimals as decimals."""
    import pyarrow as pa

    columns = kind_of(kind).columns
    places = [_places(snapshot, coin, one) for one in columns]
    for table in snapshot.arrow(kind, coin):
        arrays = [
            _told(table, kind, one.name, _decimals(table.column(one.name), digits, form))
            for one, digits in zip(columns, places, strict=True)
        ]
        yield pa.table(dict(zip((one.name for one in columns), arrays, strict=True)))


def _told(table: Any, kind: str, name: str, values: Any) -> Any:
    """Return ``values`` with null where the source told nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    unknown = unknown_mask(table, kind, name)
    return values if unknown is None else pc.if_else(unknown, pa.scalar(None, values.type), values)


def _places(snapshot: Snapshot, coin: str, one: Column) -> int:
    if one.decimals == PX_OWN:
        return snapshot.decimals(coin).px_decimals
    if one.decimals == SZ_OWN:
        return snapshot.decimals(coin).sz_decimals
    return one.decimals


def _decimals(column: Any, places: int, form: str) -> Any:
    """Return counts of 10**-places as plain text for CSV, else as decimal128 of the same integers.

    Arrow writes small decimals with an exponent, which many programs misread.
    """
    import pyarrow as pa

    if not places:
        return column.combine_chunks()
    if form == "csv":
        return pa.array([format_fixed(value, decimals=places) for value in column.to_pylist()])
    values = np.asarray(column.to_numpy(), dtype=np.int64)
    wide = np.stack([values, values >> 63], axis=1).astype("<i8")
    buffers = [None, pa.py_buffer(wide.tobytes())]
    return pa.Array.from_buffers(pa.decimal128(DECIMAL_DIGITS, places), len(values), buffers)


def _write(path: Path, tables: Iterator[Any], form: str) -> int:
    """Write tables aside, then put the file in its place; return the rows."""
    import pyarrow.parquet as pq
    from pyarrow import csv

    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    writer: Any = None
    rows = 0
    try:
        for table in tables:
            if writer is None:
                make = csv.CSVWriter if form == "csv" else pq.ParquetWriter
                writer = make(temporary, table.schema)
            writer.write_table(table)
            rows += table.num_rows
        writer.close()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return rows


def _harmless(table: Any, texts: Sequence[str]) -> Any:
    """Return a table of whose ``texts`` a spreadsheet runs none; numbers stay as they are."""
    import pyarrow.compute as pc

    for name in texts:
        column = table.column(name)
        quoted = pc.binary_join_element_wise("'", column, "")
        escaped = pc.if_else(pc.match_substring_regex(column, FORMULA), quoted, column)
        table = table.set_column(table.schema.get_field_index(name), name, escaped)
    return table
