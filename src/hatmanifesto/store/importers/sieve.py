"""Judges the rows of one batch: each keeps its first fault, the sound ones become a table."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.errors import DataError
from hatmanifesto.domain.units import NS_MS
from hatmanifesto.store.importers.checks import (
    REASON_TYPE,
    STAMP_MS_MAX,
    STAMP_MS_MIN,
    Mask,
)
from hatmanifesto.store.importers.contract import Batch, Texts
from hatmanifesto.store.importers.exact import (
    Ints,
    as_texts,
    from_floats,
    from_texts,
    is_stamp,
    rejects,
    rounded_from_texts,
    stamps_from_iso,
    stamps_from_ms,
    written_out,
)
from hatmanifesto.store.importers.series_files import refuse
from hatmanifesto.store.kinds import KINDS

SourceRows = Callable[[Sequence[int]], Sequence[object]]

UNITS_MS = {"seconds": 1e3, "microseconds": 1e-3, "nanoseconds": 1e-6}
"""Milliseconds in each unit that stamps are mistaken for."""
SHIFTS = (1e-9, 1e-6, 1e-3, 1e3, 1e6, 1e9)
COIN = r"^[@#A-Za-z0-9][A-Za-z0-9:#/_-]{0,39}\z"


def rows_of(source: Any) -> SourceRows:
    """Return what gives the rows of a list, or of an Arrow record batch, at some positions.

    Times of a batch come as whole numbers: nanoseconds have no Python value of their own.
    """
    if isinstance(source, list):
        return lambda at: [source[index] for index in at]
    return lambda at: _plain(source.take(at)).to_pylist()


def _plain(batch: Any) -> Any:
    import pyarrow as pa

    columns = {}
    for field in batch.schema:
        is_time = pa.types.is_timestamp(field.type)
        column = batch[field.name]
        columns[field.name] = column.cast(pa.int64()) if is_time else column
    return pa.table(columns)


class Sieve:
    """Rows ``first_row`` and on of a file; reasons are given in the order of the calls."""

    def __init__(self, path: Path, *, first_row: int, count: int) -> None:
        self.path = path
        self.first_row = first_row
        self.count = count
        self.exch: Ints = np.zeros(count, dtype=np.int64)
        self.reason = np.full(count, "", dtype=REASON_TYPE)

    def aside(self, mask: Mask, reason: str | NDArray[np.str_]) -> None:
        """Set rows aside that have no reason yet; ``reason`` may differ by row."""
        free = mask & (self.reason == "")
        self.reason[free] = reason if isinstance(reason, str) else reason[free]

    def texts(self, values: Any, *, decimals: int) -> Ints:
        """Return exact counts of 10**-decimals from decimal texts, exponents allowed.

        Raises:
            DataError: if a number is ambiguous.
        """
        fixed, ok, reason = from_texts(written_out(values), decimals=decimals)
        self._refuse_ambiguous(values, reason)
        self.aside(~ok, reason)
        return fixed

    def optional(self, values: Any, *, decimals: int) -> tuple[Ints, Mask]:
        """Return ``texts`` with 0 for null and empty, and where a number was told."""
        texts, told = _told(values)
        return self.texts(texts, decimals=decimals), told

    def rounded(self, values: Any, *, decimals: int) -> tuple[Ints, Mask, Mask]:
        """Return ``optional`` with finer decimals rounded, and where that was done."""
        texts, told = _told(values)
        fixed, ok, reason, finer = rounded_from_texts(written_out(texts), decimals=decimals)
        self._refuse_ambiguous(texts, reason)
        self.aside(~ok, reason)
        return fixed, told, finer

    def numbers(self, column: Any, *, decimals: int) -> Ints:
        """Return exact counts from an Arrow column of doubles, integers, decimals or texts."""
        import pyarrow as pa

        if not pa.types.is_floating(column.type):
            try:
                return self.texts(as_texts(column), decimals=decimals)
            except pa.ArrowException as error:
                raise refuse(self.path, "a column without numbers", why=str(error)) from error
        self.aside(np.asarray(column.is_null(), dtype=np.bool_), "null")
        values = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
        self.aside(~np.isfinite(values), "not_finite")
        fixed, exact = from_floats(values, decimals=decimals)
        self.aside(~exact, "off_grid")
        return fixed

    def stamps_ms(self, values: Sequence[object]) -> None:
        """Take the rows' stamps from whole milliseconds; ``bad_stamp`` where there is none.

        Raises:
            DataError: if most stamps are in another unit.
        """
        found = np.fromiter((_whole(value) for value in values), dtype=np.int64, count=self.count)
        self.exch, ok = stamps_from_ms(found)
        for name, factor in UNITS_MS.items():
            self._refuse_unit(found.astype(np.float64) * factor, ok, f"{name}, not milliseconds")
        self.aside(~ok, "bad_stamp")

    def stamps_iso(self, values: Any) -> None:
        """Take the rows' stamps from RFC 3339 texts.

        Raises:
            DataError: if most texts are none.
        """
        self.exch, ok = stamps_from_iso(values)
        if 2 * int((~ok).sum()) > self.count:
            raise _wrong_unit(self.path, "most times are no RFC 3339 text with a zone, 2020 on")
        self.aside(~ok, "bad_stamp")

    def stamps_arrow(self, column: Any) -> None:
        """Take the rows' stamps from an Arrow column: times with a zone, or milliseconds.

        Raises:
            DataError: if it is neither, or most stamps are in another unit.
        """
        import pyarrow as pa

        if pa.types.is_integer(column.type):
            return self.stamps_ms(column.to_pylist())
        if not pa.types.is_timestamp(column.type) or column.type.tz is None:
            why = f"expected times with a zone or milliseconds, was {column.type}"
            raise _wrong_unit(self.path, why)
        try:
            stamps = column.cast(pa.timestamp("ns", "UTC")).cast(pa.int64()).fill_null(0)
        except pa.ArrowException as error:
            raise _wrong_unit(self.path, str(error)) from error
        found = np.asarray(stamps, dtype=np.int64)
        ok = is_stamp(found)
        for shift in SHIFTS:
            self._refuse_unit(found / NS_MS * shift, ok, f"they would fit times {shift:g}")
        self.exch = np.where(ok, found, 0)
        self.aside(~ok, "bad_stamp")
        return None

    def coins(self, values: Any) -> Texts:
        """Return the rows' coins as objects; ``unknown_coin`` where it is no name of one."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_dictionary(values.type):
            encoded = values
        else:
            encoded = as_texts(values).dictionary_encode()
        names = as_texts(encoded.dictionary)
        sound = np.append(np.asarray(pc.match_substring_regex(names, COIN), dtype=np.bool_), False)
        indices = np.asarray(encoded.indices.fill_null(len(names)), dtype=np.int64)
        self.aside(~sound[indices], "unknown_coin")
        return np.array([*names.to_pylist(), ""], dtype=np.object_)[indices]

    def batch(
        self,
        kind: str,
        coins: Texts | str,
        table: Mapping[str, NDArray[Any]],
        *,
        source_rows: SourceRows,
    ) -> Batch:
        """Return the rows without a reason as a table, the others as rejects.

        Args:
            kind: of the table.
            coins: of the rows, shape (n,), or of all.
            table: the kind's columns but ``exch``, ``recv`` and ``row``, shape (n,).
            source_rows: gives the source's own rows at some positions, for the quarantine.
        """
        good = self.reason == ""
        rows = np.arange(self.first_row, self.first_row + self.count, dtype=np.int64)
        whole = {"exch": self.exch, "recv": np.zeros(self.count, dtype=np.int64), "row": rows}
        whole |= table
        return Batch(
            kind=kind,
            coins=coins if isinstance(coins, str) else coins[good],
            table={name: whole[name][good] for name in KINDS[kind].names},
            rows_in=self.count,
            merged=0,
            rejected=rejects(
                self.reason,
                exch=self.exch,
                first_row=self.first_row,
                texts=lambda at: [_as_json(row) for row in source_rows(at)],
            ),
        )

    def _refuse_ambiguous(self, values: Any, reason: NDArray[np.str_]) -> None:
        bad = np.flatnonzero(reason == "ambiguous")
        if len(bad):
            text = as_texts(values)[int(bad[0])].as_py()
            raise refuse(
                self.path,
                "ambiguous number",
                why=f"row {self.first_row + int(bad[0])}: {text[:40]!r} is no plain decimal",
                fix="write numbers as plain decimals: no separators, signs or blanks",
            )

    def _refuse_unit(self, millis: NDArray[np.float64], ok: Mask, why: str) -> None:
        fits = ~ok & (millis >= STAMP_MS_MIN) & (millis < STAMP_MS_MAX)
        if 2 * int(fits.sum()) > self.count:
            raise _wrong_unit(self.path, why)


def _told(values: Any) -> tuple[Any, Mask]:
    """Return texts with 0 for null and empty, and where there was a text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = as_texts(values)
    told = np.array(pc.fill_null(pc.not_equal(texts, ""), False), dtype=np.bool_)
    return pc.if_else(pa.array(told), texts, "0"), told


def _wrong_unit(path: Path, why: str) -> DataError:
    return refuse(path, "wrong unit of time", why=why, fix="see docs/data.md for the unit expected")


def _whole(value: object) -> int:
    """Return an integer that fits 64 bits, 0 for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    return 0


def _as_json(row: object) -> str:
    return json.dumps(row, sort_keys=True, separators=(",", ":"), default=str)
