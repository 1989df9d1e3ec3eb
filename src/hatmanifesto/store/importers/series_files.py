"""Opens the files of public series: exact JSON, bounded batches of CSV and Parquet.

Whatever is wrong with a file as a whole is a ``DataError`` that names it.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.importers.contract import BATCH_ROWS
from hatmanifesto.store.importers.exact import write_out

DOCUMENT_BYTES_MAX = 256 << 20
"""A JSON document is read as a whole; a longer one is refused [bytes, decompressed]."""
BLOCK_BYTES = 1 << 20
HEADER_BYTES_MAX = 1 << 16
GZIP, LZ4, ZSTD, PARQUET = b"\x1f\x8b", b"\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd", b"PAR1"


def refuse(path: Path, what: str, *, why: str = "", fix: str = "") -> DataError:
    """Return the error that refuses a whole file."""
    return DataError(f"{what} in {path.name}", why=why or str(path), fix=fix)


def base_name(path: Path) -> str:
    """Return the file's name without the ending of its container."""
    name = path.name
    for ending in (".gz", ".lz4", ".zst"):
        name = name.removesuffix(ending)
    return name


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that may be gzip, lz4 or zstd, by its first bytes.

    Raises:
        DataError: here or while it is read, if it is missing, damaged or truncated.
    """
    import pyarrow as pa

    try:
        with path.open("rb") as raw:
            magic = raw.read(4)
            raw.seek(0)
            if magic[:2] == GZIP:
                with gzip.open(raw) as stream:
                    yield stream  # type: ignore[misc]
            elif magic in (LZ4, ZSTD):
                codec = "lz4" if magic == LZ4 else "zstd"
                with pa.CompressedInputStream(raw, codec) as stream:
                    yield stream
            else:
                yield raw
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise refuse(
            path, "damaged or truncated contents", why=str(error), fix="fetch the file again"
        ) from error


def read_json(
    path: Path,
    *,
    fraction: Callable[[str], object] = write_out,
    constant: Callable[[str], object] = str,
) -> Any:
    """Return a JSON document, by default with its fractions as texts, digit by digit as written.

    Args:
        path: of the file, which may be compressed.
        fraction: makes the value of a number with a point or an exponent; a ValueError refuses it.
        constant: the same for NaN and the infinities.

    Raises:
        DataError: if it is no JSON, names a key twice, or is longer than ``DOCUMENT_BYTES_MAX``.
    """
    with opened(path) as stream:
        content = stream.read(DOCUMENT_BYTES_MAX + 1)
    if len(content) > DOCUMENT_BYTES_MAX:
        raise refuse(
            path,
            "too long a document",
            why=f"more than {DOCUMENT_BYTES_MAX} bytes once unpacked",
            fix="split it into files of fewer rows",
        )
    try:
        document = json.loads(
            content.decode("utf-8-sig"),
            parse_float=fraction,
            parse_constant=constant,
            object_pairs_hook=_without_repeats,
        )
        if b"\\ud" in content.lower():
            json.dumps(document, ensure_ascii=False).encode("utf-8")  # half a surrogate pair fails
    except (ValueError, RecursionError) as error:
        raise refuse(
            path, "no sound JSON", why=str(error), fix="fetch the file again; it may be truncated"
        ) from error
    return document


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key named twice: {next(n for n in names if names.count(n) > 1)!r}")
    return found


def require_columns(path: Path, names: Sequence[str], needed: Sequence[str]) -> None:
    """Check that every needed column is there and no column is there twice.

    Raises:
        DataError: naming the columns at fault.
    """
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise refuse(path, "duplicate column", why=f"named twice: {', '.join(twice)}")
    missing = [name for name in needed if name not in names]
    if missing:
        raise refuse(
            path,
            "missing column",
            why=f"expected {', '.join(needed)}; not there: {', '.join(missing)}",
            fix="name the columns as the source does, or import with a mapping file",
        )


def csv_header(head: bytes) -> tuple[str, ...]:
    """Return the column names of a CSV file from its first bytes; empty if it has no first line."""
    line, newline, _ = head.partition(b"\n")
    if not newline:
        return ()
    try:
        return tuple(next(csv.reader([line.decode("utf-8-sig").rstrip("\r")]), ()))
    except (UnicodeDecodeError, csv.Error):
        return ()


def csv_batches(path: Path, needed: Sequence[str]) -> Iterator[Any]:
    """Yield a CSV file as Arrow record batches of text columns, all of the file's columns.

    Raises:
        DataError: if a column is missing or twice, a row has more or fewer fields, or the last
            row has no end: a cut number would look like a whole one.
    """
    import pyarrow as pa
    from pyarrow import csv as pa_csv

    with opened(path) as stream:
        names = csv_header(stream.read(HEADER_BYTES_MAX))
    require_columns(path, names, needed)
    with opened(path) as stream:
        tail = _Tail(stream)
        reader = pa_csv.open_csv(
            tail,
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
        for batch in reader:
            yield from _sliced(batch)
    if tail.last not in (b"\n", b"\r"):
        raise refuse(
            path,
            "torn tail",
            why="the last row has no end of line",
            fix="fetch the file again, or end the row if it is whole",
        )


class _Tail:
    """A stream that remembers the last byte it gave."""

    closed = False

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes; nothing at the end."""
        content = self._stream.read(size)
        self.last = content[-1:] or self.last
        return content

    def close(self) -> None:
        """Say that no more is read; who opened the stream closes it."""
        self.closed = True


def parquet_names(path: Path) -> tuple[str, ...]:
    """Return a Parquet file's column names; empty if it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(pq.read_schema(path).names)
    except (OSError, pa.ArrowException):
        return ()


def parquet_batches(path: Path, needed: Sequence[str]) -> Iterator[Any]:
    """Yield the needed columns of a Parquet file as Arrow record batches.

    Raises:
        DataError: if it is damaged, or a column is missing or twice.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            require_columns(path, file.schema_arrow.names, needed)
            for batch in file.iter_batches(BATCH_ROWS, columns=list(needed), use_threads=False):
                yield from _sliced(batch)
    except (OSError, pa.ArrowException) as error:
        raise refuse(
            path,
            "damaged or truncated contents",
            why=str(error),
            fix="fetch the file again; it may be truncated",
        ) from error


def _sliced(batch: Any) -> Iterator[Any]:
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)
