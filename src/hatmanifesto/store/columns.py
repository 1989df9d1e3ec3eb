"""Integer columns on disk: the schema of each kind, byte-deterministic Parquet, content hashes."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.errors import DataError

Ints = NDArray[np.int64]
Columns = dict[str, Ints]

LEVELS = 20
"""Levels a side in a book row. Source: PROTOCOL, l2Book: at most 20 levels a side."""
LEVEL_FIELDS = ("bid_px", "bid_sz", "ask_px", "ask_sz")
COMPRESSION_LEVEL = 9

LEVEL_NAMES = tuple(f"{field}_{level}" for level in range(LEVELS) for field in LEVEL_FIELDS)
SCHEMA: dict[str, tuple[str, ...]] = {
    "book": ("exch", "recv", "row", *LEVEL_NAMES),
    "bbo": ("exch", "recv", "row", *LEVEL_FIELDS),
    "trade": ("exch", "recv", "row", "px", "sz", "side", "tid", "aside"),
}
"""Columns by kind, all int64. ``exch`` and ``recv`` in ns (``recv`` 0: not recorded); ``row`` is
the row in the source; px and sz in the coin's units; ``aside`` 1: kept, not replayed (backlog)."""


def levels_of(columns: Columns) -> Ints:
    """Return book columns as levels, shape (n, 20, 4): bid px, bid sz, ask px, ask sz."""
    rows = len(columns["exch"])
    levels = np.empty((rows, LEVELS, len(LEVEL_FIELDS)), dtype=np.int64)
    flat = levels.reshape(rows, -1)
    for index, name in enumerate(LEVEL_NAMES):
        flat[:, index] = columns[name]
    return levels


def columns_of_levels(levels: Ints) -> Columns:
    """Return levels of shape (n, 20, 4) as the 80 level columns of a book."""
    flat = levels.reshape(len(levels), -1)
    return {name: np.ascontiguousarray(flat[:, index]) for index, name in enumerate(LEVEL_NAMES)}


def take(columns: Columns, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Columns:
    """Return the columns at ``rows`` (indexes or a mask)."""
    return {name: values[rows] for name, values in columns.items()}


def join(parts: Sequence[Columns], kind: str) -> Columns:
    """Return the parts one after the other; empty columns of ``kind`` when there are none."""
    if not parts:
        return {name: np.empty(0, dtype=np.int64) for name in SCHEMA[kind]}
    return {name: np.concatenate([part[name] for part in parts]) for name in SCHEMA[kind]}


def columns_sha256(columns: Columns, kind: str) -> str:
    """Return a hash of the numbers alone: equal for every writer version and compression."""
    digest = hashlib.sha256()
    for name in SCHEMA[kind]:
        values = np.ascontiguousarray(columns[name], dtype="<i8")
        digest.update(f"{name}:{len(values)};".encode("ascii"))
        digest.update(values.tobytes())
    return digest.hexdigest()


def write_columns(path: Path, columns: Columns, kind: str) -> None:
    """Write one file of ``kind``: delta-encoded, zstd, no dictionary, no time of writing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = SCHEMA[kind]
    table = pa.table({name: pa.array(columns[name], type=pa.int64()) for name in names})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        use_dictionary=False,
        column_encoding=dict.fromkeys(names, "DELTA_BINARY_PACKED"),
        store_schema=False,
        write_statistics=False,
        data_page_version="2.0",
    )


def read_columns(path: Path, kind: str) -> Columns:
    """Return all columns of one file.

    Raises:
        DataError: if the file is missing, damaged, or not of ``kind``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=list(SCHEMA[kind]), partitioning=None)
        columns = {name: table[name].to_numpy().astype(np.int64) for name in SCHEMA[kind]}
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise DataError(
            f"cannot read {path.name} as {kind} rows",
            why=f"{path}: {error}",
            fix="run `hat data check`, then import the source again",
        ) from error
    return columns


def write_text_columns(path: Path, columns: Mapping[str, Sequence[str | int]]) -> None:
    """Write mixed text and integer columns, byte-deterministic: the quarantine."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(
        pa.table({name: list(values) for name, values in columns.items()}),
        path,
        compression="zstd",
        use_dictionary=False,
        store_schema=False,
        write_statistics=False,
    )
