"""Runs importers over one file and counts what comes out, for the tests of the importers."""

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hatmanifesto.store.containers import peek
from hatmanifesto.store.importers.account import Account
from hatmanifesto.store.importers.archive import Archive
from hatmanifesto.store.importers.contract import FileImporter, Foreign, Rejected
from hatmanifesto.store.importers.ctx_recorder import CtxRecorder
from hatmanifesto.store.importers.node import Node
from hatmanifesto.store.importers.trades_2023 import Trades2023
from hatmanifesto.store.importers.vaults import Vaults
from hatmanifesto.store.importers.ws_raw import WsRaw
from hatmanifesto.store.kinds import KINDS

IMPORTERS: tuple[FileImporter, ...] = (
    Account(),
    Vaults(),
    Trades2023(),
    Node(),
    WsRaw(),
    Archive(),
    CtxRecorder(),
)


class Rows(NamedTuple):
    """All rows of one kind of one file."""

    rows_in: int
    merged: int
    coins: list[str]
    columns: dict[str, list[Any]]
    rejected: list[Rejected]

    @property
    def accepted(self) -> int:
        """Accepted rows."""
        return len(self.coins)

    @property
    def reasons(self) -> dict[str, int]:
        """Rejected rows by reason."""
        return dict(Counter(reject.reason for reject in self.rejected))


def claims(path: Path) -> list[tuple[FileImporter, Foreign]]:
    """Return who recognises the file."""
    head = peek(path)
    found = [(importer, importer.recognise(path, head)) for importer in IMPORTERS]
    return [(importer, foreign) for importer, foreign in found if foreign is not None]


def read(path: Path) -> dict[str, Rows]:
    """Return the file's rows by kind; exactly one importer must know it, and every sum hold."""
    ((importer, foreign),) = claims(path)
    rows: dict[str, Rows] = {}
    for batch in importer.batches(foreign):
        kind = KINDS[batch.kind]
        assert tuple(batch.table) == kind.names
        count = len(batch.table["row"])
        assert batch.rows_in == count + batch.merged + len(batch.rejected)
        for column in kind.columns:
            values = batch.table[column.name]
            assert values.shape == (count,)
            assert values.dtype == (np.object_ if column.type == "text" else np.int64)
        coins = [batch.coins] * count if isinstance(batch.coins, str) else batch.coins.tolist()
        old = rows.get(batch.kind, Rows(0, 0, [], {name: [] for name in kind.names}, []))
        rows[batch.kind] = Rows(
            old.rows_in + batch.rows_in,
            old.merged + batch.merged,
            old.coins + coins,
            {name: old.columns[name] + batch.table[name].tolist() for name in kind.names},
            old.rejected + list(batch.rejected),
        )
    return rows


def write(path: Path, lines: Sequence[str], *, end: str = "\n") -> Path:
    """Write lines of text, gzipped when the name says so."""
    content = ("\n".join(lines) + end).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def compact(value: object) -> str:
    """Return JSON as the venue writes it."""
    return json.dumps(value, separators=(",", ":"))
