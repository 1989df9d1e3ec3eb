"""Builds batches row by row: exact numbers, stamps, and lines of text that may be cut short.

For files of up to some million rows whose rows are objects rather than columns. A fault of one row
is a ``SetAside`` with its reason; a fault of the file is a ``DataError``.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hatmanifesto.domain.errors import DataError
from hatmanifesto.domain.units import NS_MS, NS_S, parse_fixed
from hatmanifesto.store.containers import open_stream
from hatmanifesto.store.importers.checks import STAMP_MS_MAX, STAMP_MS_MIN
from hatmanifesto.store.importers.contract import BATCH_ROWS, Batch, Rejected, Table
from hatmanifesto.store.kinds import KINDS

LINE_BYTES_MAX = 1 << 26
"""64 MiB; a line of the node's busiest recorded block has 0.1 MiB."""
DOCUMENT_BYTES_MAX = 1 << 24
"""16 MiB: objects written over several lines are examples, not archives."""
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.ASCII)
INT64_MAX = 2**63 - 1
ROUNDING = Context(prec=1_500, rounding=ROUND_HALF_EVEN)
SIDES = {"B": 1, "A": -1}
"""The venue's spelling of a side -> its sign. Source: PROTOCOL 1.3."""


class SetAside(Exception):  # noqa: N818 - it is an outcome, not an error
    """This row cannot be accepted; ``detail`` is said before the row's own text."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason)


def number_text(value: object) -> str:
    """Return the decimal text of a source's number; a float's shortest text names it uniquely.

    Raises:
        SetAside: ``null``, ``not_finite``, or ``off_grid`` when it is no number at all.
    """
    if value is None or value == "":
        raise SetAside("null")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SetAside("off_grid", "no number")
    text = value if isinstance(value, str) else repr(value)
    if NOT_FINITE.fullmatch(text):
        raise SetAside("not_finite")
    if not NUMBER.fullmatch(text):
        raise SetAside("off_grid", "no number")
    return text


def near(value: object, decimals: int) -> tuple[int, bool]:
    """Return ``value`` as an integer count of 10**-decimals, and whether that is exact.

    What is not exact is rounded to the nearest, half to even.

    Raises:
        SetAside: as ``number_text``; ``off_grid`` when 64 bits cannot hold it.
    """
    text = number_text(value)
    try:
        count, is_exact = parse_fixed(text, decimals=decimals), True
    except ValueError:  # an exponent, or too many decimals
        scaled = ROUNDING.scaleb(Decimal(text), decimals)
        whole = ROUNDING.to_integral_value(scaled)
        count, is_exact = int(whole), whole == scaled
    if abs(count) > INT64_MAX:
        raise SetAside("off_grid", "too large")
    return count, is_exact


def number(value: object, decimals: int) -> int:
    """Return ``value`` as an integer count of 10**-decimals, exactly.

    Raises:
        SetAside: as ``near``; ``off_grid`` when it has more decimals.
    """
    count, is_exact = near(value, decimals)
    if not is_exact:
        raise SetAside("off_grid")
    return count


def whole(value: object) -> int:
    """Return an integer of JSON or its text; ``SetAside`` when it is none."""
    return number(value, 0)


def side_of(word: object, words: Mapping[str, int] = SIDES) -> int:
    """Return the sign of a side's word; ``SetAside`` when it is none of ``words``."""
    side = words.get(word) if isinstance(word, str) else None
    if side is None:
        raise SetAside("bad_side")
    return side


def stamp_ms(value: object) -> int:
    """Return a stamp in milliseconds as nanoseconds; ``SetAside`` when it cannot be one."""
    try:
        stamp = whole(value)
    except SetAside as fault:
        raise SetAside("null" if fault.reason == "null" else "bad_stamp") from fault
    if not STAMP_MS_MIN <= stamp < STAMP_MS_MAX:
        raise SetAside("bad_stamp")
    return stamp * NS_MS


def stamp_iso(text: object) -> int:
    """Return an ISO stamp with up to nine decimals as nanoseconds; without a zone it is UTC."""
    match = ISO.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise SetAside("bad_stamp")
    moment, fraction, zone = match.groups()
    try:
        parsed = datetime.fromisoformat(moment + (zone or "Z").replace("Z", "+00:00"))
    except ValueError as error:
        raise SetAside("bad_stamp") from error
    seconds = int(parsed.astimezone(UTC).timestamp())
    if not STAMP_MS_MIN <= seconds * 1_000 < STAMP_MS_MAX:
        raise SetAside("bad_stamp")
    return seconds * NS_S + int((fraction or "0").ljust(9, "0"))


def made_id(exch: int, row: int) -> int:
    """Return a negative id for a row whose source tells none: its second, then its row.

    The same row of the same file has the same id always; files of other times have others.
    """
    return -(exch // NS_S * NS_S + row)


def json_text(value: object) -> str:
    """Return compact JSON that keeps the order of keys."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def word(value: object) -> str:
    """Return a source's text, JSON of what is not text, and '' for null."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json_text(value)


class Builder:
    """Collects rows of one kind; rows in always equal accepted, merged and rejected."""

    def __init__(self, kind: str) -> None:
        self._kind = KINDS[kind]
        self._coins: list[str] = []
        self._rows: list[list[int | str]] = []
        self._rejected: list[Rejected] = []
        self._merged = 0

    @property
    def rows(self) -> int:
        """Source rows since the last batch."""
        return len(self._rows) + self._merged + len(self._rejected)

    @property
    def is_full(self) -> bool:
        """Whether the next batch is due."""
        return self.rows >= BATCH_ROWS

    def accept(self, coin: str, values: Mapping[str, int | str]) -> None:
        """Add a row: every column of the kind by name."""
        assert len(values) == len(self._kind.names), sorted(set(self._kind.names) ^ set(values))
        self._coins.append(coin)
        self._rows.append([values[name] for name in self._kind.names])

    def reject(self, row: int, fault: SetAside, text: str, exch: int = 0) -> None:
        """Set a source row aside with its own text."""
        said = f"{fault.detail}: {text}" if fault.detail else text
        self._rejected.append(Rejected(row, exch, fault.reason, said))

    def merge(self) -> None:
        """Count a source row as part of an accepted one."""
        self._merged += 1

    def batch(self) -> Batch:
        """Return what was collected, and begin anew."""
        table: Table = {}
        for index, column in enumerate(self._kind.columns):
            values = [row[index] for row in self._rows]
            dtype: type = np.object_ if column.type == "text" else np.int64
            table[column.name] = np.array(values, dtype=dtype)
        coins = np.array(self._coins, dtype=np.object_)
        made = Batch(self._kind.name, coins, table, self.rows, self._merged, tuple(self._rejected))
        self._coins, self._rows, self._rejected, self._merged = [], [], [], 0
        return made


def due(builders: Sequence[Builder], *, at_end: bool = False) -> Iterator[Batch]:
    """Yield the batches of builders that are full, at the end of all that hold rows."""
    for builder in builders:
        if builder.is_full or (at_end and builder.rows):
            yield builder.batch()


class Line(NamedTuple):
    """A line of JSON: its number from 0, its text, and its value; None when it cannot be read."""

    number: int
    text: str
    value: Any


def torn(path: Path, why: str) -> DataError:
    """Return the refusal of a file whose end is missing."""
    return DataError(
        f"{path.name} has a torn tail",
        why=why,
        fix="fetch the file again, or cut the last line off if you accept losing it",
    )


def text_lines(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield lines that are not blank, and whether each is the last.

    Raises:
        DataError: if a line is not UTF-8 or longer than ``LINE_BYTES_MAX``.
    """
    waiting: bytes | None = None
    with open_stream(path) as stream:
        while line := stream.readline(LINE_BYTES_MAX):
            if len(line) == LINE_BYTES_MAX:
                raise DataError(
                    f"{path.name} has a line of more than {LINE_BYTES_MAX} bytes",
                    fix="check that it is a file of lines",
                )
            if not line.strip():
                continue
            if waiting is not None:
                yield _decoded(waiting, path), False
            waiting = line
    if waiting is not None:
        yield _decoded(waiting, path), True


def _decoded(line: bytes, path: Path) -> str:
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name} is no text", why=str(error), fix="fetch the file again"
        ) from error


def load_json(text: str) -> Any:
    """Return the value of JSON text, None for none: NaN and Infinity are no JSON.

    A whole document ``null`` is no row of any file either.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def json_lines(path: Path, after: str = "") -> Iterator[Line]:
    """Yield the lines of a file of JSON lines.

    Args:
        path: of the file.
        after: when not '', JSON begins behind the first one in a line.

    Raises:
        DataError: if the last line is cut short; as ``text_lines``.
    """
    for index, (text, is_last) in enumerate(text_lines(path)):
        value = load_json(text.partition(after)[2] if after else text)
        if value is None and is_last:
            raise torn(path, f"its last line is no JSON: {text[:80]!r}")
        yield Line(index, text, value)


def json_documents(path: Path) -> Iterator[Line]:
    """Yield the JSON values of a small file, which may be written over several lines each.

    Raises:
        DataError: if the file is too large, or what follows a value is no value.
    """
    with open_stream(path) as stream:
        content = stream.read(DOCUMENT_BYTES_MAX + 1)
    if len(content) > DOCUMENT_BYTES_MAX:
        raise DataError(
            f"{path.name} has more than {DOCUMENT_BYTES_MAX} bytes and is not of one line a row",
            fix="write one JSON object a line",
        )
    text, at, index = _decoded(content, path), 0, 0
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    while rest := text[at:].lstrip():
        at = len(text) - len(rest)
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise torn(path, str(error)) from error
        yield Line(index, text[at:end], value)
        at, index = end, index + 1


class CsvRow(NamedTuple):
    """A row of a CSV file: its number from 0, cells by column, None when it has too few or many."""

    number: int
    text: str
    cells: dict[str, str] | None


def csv_rows(path: Path, header: Sequence[str]) -> Iterator[CsvRow]:
    """Yield the rows of a CSV file whose first line must be ``header``.

    Raises:
        DataError: if the header is another, the text is broken, or the last row is cut short.
    """
    with open_stream(path) as stream, io.TextIOWrapper(stream, "utf-8", newline="") as file:
        try:
            yield from _csv_rows(path, csv.reader(file, strict=True), list(header))
        except (csv.Error, UnicodeDecodeError) as error:
            raise torn(path, str(error)) from error


def _csv_rows(path: Path, reader: Iterator[list[str]], header: list[str]) -> Iterator[CsvRow]:
    found = next(reader, [])
    if found != header:
        raise DataError(f"{path.name} has other columns", why=f"expected {header}, was {found}")
    bad = ""
    for index, cells in enumerate(row for row in reader if row):
        bad = "" if len(cells) == len(header) else json_text(cells)
        values = None if bad else dict(zip(header, cells, strict=True))
        yield CsvRow(index, json_text(cells), values)
    if bad:
        raise torn(path, f"its last row has not {len(header)} cells: {bad[:80]!r}")


def has_header(head: bytes, header: Sequence[str]) -> bool:
    """Say whether a file's head begins with exactly this CSV header."""
    first = head.partition(b"\n")[0].rstrip(b"\r").removeprefix(b"\xef\xbb\xbf")
    return first == ",".join(header).encode()
