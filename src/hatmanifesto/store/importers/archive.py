"""Reads the venue's archive of books: one snapshot a line, by coin and hour, plain or lz4."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.store.importers.book_rows import book_row
from hatmanifesto.store.importers.contract import Batch, Foreign
from hatmanifesto.store.importers.rowwise import Builder, SetAside, due, json_lines, stamp_iso

HEAD = re.compile(
    rb'\s*\{"time": ?"[0-9T:.-]+", ?"ver_num": ?[0-9]+, ?"raw": ?\{"channel": ?"l2Book"'
)
VERSION = 1
"""The only ``ver_num`` recorded; another may mean something else. Source: PROTOCOL 17.2."""


class Archive:
    """The importer of archived books; the outer time is the archive's receive stamp."""

    name = "hl_archive"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = (
        "recv: the archive's stamp, UTC",
        "levels beyond 20 a side and order counts of levels: not kept",
    )

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return the file as books when its first line begins like one."""
        return Foreign(path, self.name, "book") if HEAD.match(head) else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the file's rows; see ``FileImporter``."""
        builder = Builder("book")
        for line in json_lines(foreign.path):
            try:
                data, recv = _opened(line.value)
                builder.accept(*book_row(data, recv=recv, row=line.number))
            except SetAside as fault:
                builder.reject(line.number, fault, line.text)
            yield from due([builder])
        yield from due([builder], at_end=True)


def _opened(value: Any) -> tuple[Any, int]:
    """Return the book inside an archive line, and its receive stamp [ns]."""
    if value is None:
        raise SetAside("truncated")
    if not isinstance(value, dict) or not isinstance(raw := value.get("raw"), dict):
        raise SetAside("null")
    if value.get("ver_num") != VERSION or raw.get("channel") != "l2Book":
        raise SetAside("foreign", f"no l2Book line of version {VERSION}")
    return raw.get("data"), stamp_iso(value.get("time"))
