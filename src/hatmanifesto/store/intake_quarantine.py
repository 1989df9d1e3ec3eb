"""The quarantine of an import: every row set aside, written as it comes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hatmanifesto.store.atomic import sha256_file
from hatmanifesto.store.columns import QUARANTINE_KIND, ColumnWriter
from hatmanifesto.store.importers.contract import Rejected
from hatmanifesto.store.manifest import StoredFile

QUARANTINE = "quarantine.parquet"
WAITING_MAX = 4_096
"""Rows that wait before they are written."""


class Quarantine:
    """Writes ``quarantine.parquet`` of a snapshot; there is one even when it is empty."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / QUARANTINE
        self._writer = ColumnWriter(self._path, QUARANTINE_KIND.name)
        self._waiting: list[tuple[str, int, int, str, str, str, str]] = []

    def add(self, source: str, kind: str, coin: str, rejected: Sequence[Rejected]) -> None:
        """Take rows of one source, kind and coin in."""
        for one in rejected:
            self._waiting.append((source, one.row, one.exch, kind, coin, one.reason, one.text))
        if len(self._waiting) >= WAITING_MAX:
            self._flush()

    def _flush(self) -> None:
        columns: dict[str, Any] = {}
        for one, values in zip(
            QUARANTINE_KIND.columns, zip(*self._waiting, strict=True), strict=True
        ):
            columns[one.name] = np.asarray(values, dtype=np.int64 if one.type == "int" else object)
        self._writer.add(columns)
        self._waiting = []

    @staticmethod
    def words_of(row: Mapping[str, Any]) -> str:
        """Return a row of columns as JSON, for rows whose own text is no longer at hand."""
        plain = {
            name: value if isinstance(value, str) else int(value) for name, value in row.items()
        }
        return json.dumps(plain, sort_keys=True)

    def close(self) -> StoredFile:
        """Write what waits and return the file's entry."""
        if self._waiting:
            self._flush()
        written = self._writer.close()
        return StoredFile(
            path=QUARANTINE,
            kind=QUARANTINE_KIND.name,
            coin="",
            rows=written.rows,
            sha256=sha256_file(self._path),
            content_sha256=written.content_sha256,
        )

    def abort(self) -> None:
        """Close the file as it is."""
        self._writer.abort()
