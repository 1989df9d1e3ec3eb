"""Columns on disk: byte-deterministic Parquet by kind, hashes of values, chosen columns back."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.kinds import KINDS, LEVEL_FIELDS, LEVELS, Column, Kind

Ints = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]
"""Columns by name: int64, or object arrays of str for text columns; all of one length."""

COMPRESSION_LEVEL = 3
GROUP_BYTES = 32 << 20
"""A row group is written when this many bytes wait: memory of a writer is about twice that."""
SCAN_ROWS = 65_536
BUFFER_BYTES = 1 << 18
"""Read ahead of each column: what bounds memory when a file is scanned."""
LEVEL_NAMES = tuple(f"{field}_{level}" for level in range(LEVELS) for field in LEVEL_FIELDS)

QUARANTINE_KIND = Kind(
    "quarantine",
    (
        Column("source", "text"),
        Column("row"),
        Column("exch"),
        Column("kind", "text"),
        Column("coin", "text"),
        Column("reason", "text"),
        Column("text", "text"),
    ),
    "all",
    (),
)
"""Rows set aside: the source's name and row, its stamp [ns, 0 unknown], why, and its own words."""
UNHASHED = ("source",)
"""Columns that are no content: a file may be called anything."""


def kind_of(name: str) -> Kind:
    """Return the schema of a stored file."""
    return QUARANTINE_KIND if name == QUARANTINE_KIND.name else KINDS[name]


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


def take(columns: Columns, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Columns:
    """Return the columns at ``rows`` (indexes, a mask or a slice)."""
    return {name: values[rows] for name, values in columns.items()}


def join(parts: Sequence[Columns], kind: str, names: Sequence[str] = ()) -> Columns:
    """Return the parts one after the other; empty columns of ``kind`` when there are none."""
    chosen = [one for one in kind_of(kind).columns if not names or one.name in names]
    if not parts:
        types = {"int": np.int64, "text": np.object_}
        return {one.name: np.empty(0, dtype=types[one.type]) for one in chosen}
    if len(parts) == 1:
        return {one.name: parts[0][one.name] for one in chosen}
    return {one.name: np.concatenate([part[one.name] for part in parts]) for one in chosen}


def to_arrow(columns: Mapping[str, Any], kind: str) -> Any:
    """Return columns as an Arrow table of exactly the kind's columns; numbers are not copied."""
    import pyarrow as pa

    arrays = {
        one.name: pa.array(columns[one.name], type=pa.int64())
        if one.type == "int"
        else _texts(columns[one.name])
        for one in kind_of(kind).columns
    }
    return pa.table(arrays)


def _texts(values: Any) -> Any:
    """Return texts as UTF-8; half a surrogate pair, which has none, becomes its escape."""
    import pyarrow as pa

    try:
        return pa.array(values, type=pa.large_string())
    except UnicodeEncodeError:
        clean = [text.encode("utf-8", "backslashreplace").decode("utf-8") for text in values]
        return pa.array(clean, type=pa.large_string())


def from_arrow(table: Any) -> Columns:
    """Return an Arrow table or batch as columns: int64, or objects for texts."""
    import pyarrow as pa

    found: Columns = {}
    for name in table.schema.names:
        values = table.column(name)
        is_int = pa.types.is_integer(values.type)
        if isinstance(values, pa.ChunkedArray):
            array = values.to_numpy()
        else:
            array = values.to_numpy(zero_copy_only=False)
        found[name] = np.asarray(array, dtype=np.int64 if is_int else np.object_)
    return found


class ContentHash:
    """A hash of the values alone, column by column: equal for every writer and row grouping.

    A text column counts by the lengths of its texts in UTF-8 and by their bytes.
    """

    def __init__(self, kind: str) -> None:
        self._columns = [one for one in kind_of(kind).columns if one.name not in UNHASHED]
        self._values = [hashlib.sha256() for _ in self._columns]
        self._lengths = [hashlib.sha256() for _ in self._columns]
        self.rows = 0

    def add(self, table: Any) -> None:
        """Take the rows of an Arrow table in."""
        for batch in table.to_batches():
            self.rows += batch.num_rows
            for index, one in enumerate(self._columns):
                self._add(index, batch.column(one.name), is_text=one.type == "text")

    def _add(self, index: int, array: Any, *, is_text: bool) -> None:
        if not is_text:
            values = np.ascontiguousarray(array.to_numpy(), dtype="<i8")
            self._values[index].update(values.data)
            return
        import pyarrow as pa

        if array.type != pa.large_string():
            array = array.cast(pa.large_string())
        _, offset_buffer, text_buffer = array.buffers()
        offsets = np.frombuffer(offset_buffer, dtype="<i8")[array.offset :][: len(array) + 1]
        self._lengths[index].update(np.diff(offsets).astype("<i8").data)
        if text_buffer is not None:
            self._values[index].update(memoryview(text_buffer)[int(offsets[0]) : int(offsets[-1])])

    def hexdigest(self) -> str:
        """Return the hash as 64 hexadecimal digits."""
        digest = hashlib.sha256()
        for one, values, lengths in zip(self._columns, self._values, self._lengths, strict=True):
            digest.update(f"{one.name}:{one.type}:{self.rows};".encode("ascii"))
            digest.update(lengths.digest() + values.digest())
        return digest.hexdigest()


class Written(NamedTuple):
    """A finished file: its rows and the hash of its values."""

    rows: int
    content_sha256: str


class ColumnWriter:
    """Writes one Parquet file of a kind: delta-encoded, zstd, no time of writing.

    The same rows in the same portions give the same bytes.
    """

    def __init__(self, path: Path, kind: str) -> None:
        import pyarrow.parquet as pq

        self.kind = kind
        self._hash = ContentHash(kind)
        self._waiting: list[Any] = []
        self._bytes = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        empty = to_arrow(join([], kind), kind)
        texts = [one.name for one in kind_of(kind).columns if one.type == "text"]
        ints = [one.name for one in kind_of(kind).columns if one.type == "int"]
        self._writer = pq.ParquetWriter(
            path,
            empty.schema,
            compression="zstd",
            compression_level=COMPRESSION_LEVEL,
            use_dictionary=texts or False,
            column_encoding=dict.fromkeys(ints, "DELTA_BINARY_PACKED"),
            store_schema=False,
            write_statistics=False,
            data_page_version="2.0",
        )

    def add(self, columns: Columns) -> None:
        """Take rows in; the arrays must not be changed afterwards."""
        if not len(next(iter(columns.values()))):
            return
        table = to_arrow(columns, self.kind)
        self._hash.add(table)
        self._waiting.append(table)
        self._bytes += table.nbytes
        if self._bytes >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        table = pa.concat_tables(self._waiting)
        self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
        self._waiting, self._bytes = [], 0

    def close(self) -> Written:
        """Write what waits and end the file."""
        if self._waiting:
            self._flush()
        self._writer.close()
        return Written(self._hash.rows, self._hash.hexdigest())

    def abort(self) -> None:
        """Close the file as it is; it is not whole."""
        self._waiting = []
        self._writer.close()


def read_columns(path: Path, kind: str, names: Sequence[str] = ()) -> Columns:
    """Return chosen columns of one file, all when none is named.

    Raises:
        DataError: if the file is missing, damaged, or not of ``kind``.
    """
    return from_arrow(read_arrow(path, kind, names))


def read_arrow(path: Path, kind: str, names: Sequence[str] = ()) -> Any:
    """Return chosen columns of one file as an Arrow table; the file is mapped, not loaded.

    Raises:
        DataError: as ``read_columns``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = [one for one in kind_of(kind).names if not names or one in names]
    try:
        table = pq.read_table(path, columns=wanted, partitioning=None, memory_map=True)
        return table.select(wanted)
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise _unreadable(path, kind, error) from error


def scan_arrow(path: Path, kind: str, names: Sequence[str] = ()) -> Iterator[Any]:
    """Yield chosen columns of one file as Arrow tables of at most ``SCAN_ROWS`` rows.

    Raises:
        DataError: as ``read_columns``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = [one for one in kind_of(kind).names if not names or one in names]
    try:
        with pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
            if not set(wanted) <= set(file.schema_arrow.names):
                raise KeyError(str(sorted(set(wanted) - set(file.schema_arrow.names))))
            for batch in file.iter_batches(SCAN_ROWS, columns=wanted, use_threads=False):
                yield pa.Table.from_batches([batch])
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise _unreadable(path, kind, error) from error


def content_sha256(path: Path, kind: str) -> str:
    """Return the hash of a file's values, read piece by piece.

    Raises:
        DataError: as ``read_columns``.
    """
    digest = ContentHash(kind)
    for table in scan_arrow(path, kind):
        digest.add(table)
    return digest.hexdigest()


def _unreadable(path: Path, kind: str, error: Exception) -> DataError:
    return DataError(
        f"cannot read {path.name} as {kind} rows",
        why=f"{path}: {error}",
        fix="run `hat data check`, then import the source again",
    )
