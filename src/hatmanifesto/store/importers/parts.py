"""What an importer is, and what it hands over: exact columns of one file, and the rest."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.store.columns import Columns


class Source(NamedTuple):
    """A recognised file: ``kind`` is a key of ``columns.SCHEMA``."""

    path: Path
    kind: str
    coin: str
    importer: str


class Rejects(NamedTuple):
    """Source rows set aside, shape (n,) each: row in the source, stamp [ns, 0 unknown], reason."""

    row: NDArray[np.int64]
    exch: NDArray[np.int64]
    reason: NDArray[np.str_]


class Part(NamedTuple):
    """One file, read: accepted columns in source order, rejects, and the text of a source row.

    ``merged`` source rows became part of another row. ``texts`` gives source rows as JSON;
    ``texts_merged`` the same for an accepted row, with the source rows merged into it.
    """

    source: Source
    rows_in: int
    columns: Columns
    merged: int
    rejects: Rejects
    texts: Callable[[NDArray[np.int64]], list[str]]
    texts_merged: Callable[[NDArray[np.int64]], list[str]]


class Importer(Protocol):
    """Knows one family of foreign files. ``version`` rises when its output would change."""

    name: str
    version: int
    evidence: Evidence
    assumed: tuple[str, ...]

    def recognise(self, path: Path) -> Source | None:
        """Return what the file holds, or none when it is not of this family."""
        ...

    def read(self, source: Source, asset: Asset) -> Part:
        """Return the file's rows.

        Raises:
            DataError: if the file cannot be read at all.
        """
        ...
