"""What an importer is: it recognises files of one family and reads them in bounded batches."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.enums import Evidence

BATCH_ROWS = 65_536
"""Rows of one batch at most, so that memory stays bounded."""

Texts = NDArray[np.object_]
Table = dict[str, NDArray[Any]]
"""Columns by name: int64, or object arrays of str for text columns; all of one length."""


class Foreign(NamedTuple):
    """A recognised file. ``what`` is the importer's own word for it; ``coin`` '' when rows tell."""

    path: Path
    importer: str
    what: str
    coin: str = ""


class Rejected(NamedTuple):
    """A source row set aside: its number, stamp [ns, 0 unknown], reason, and its own text."""

    row: int
    exch: int
    reason: str
    text: str


class Batch(NamedTuple):
    """Rows of one kind.

    ``coins`` names each accepted row's coin, shape (n,), or one text for all; ``table`` holds the
    kind's columns, shape (n,) each. ``rows_in`` source rows became ``n`` accepted rows, ``merged``
    more that are part of an accepted row, and the rejects: the four always balance.
    """

    kind: str
    coins: Texts | str
    table: Table
    rows_in: int
    merged: int
    rejected: Sequence[Rejected]


class FileImporter(Protocol):
    """Knows one family of foreign files. ``version`` rises when its output would change."""

    name: str
    version: int
    evidence: Evidence
    venue: str
    assumed: tuple[str, ...]

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return what the file is, None when it is not of this family.

        Args:
            path: of the file.
            head: its first 4,096 bytes, decompressed when the file is gzip, lz4 or zstd.
        """
        ...

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the file's rows in source order.

        Raises:
            DataError: if the file as a whole must be refused; nothing of it is then imported.
        """
        ...
