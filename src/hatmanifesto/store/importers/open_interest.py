"""Reads hourly open interest of one coin: CSV of open, high, low, close, or JSON of one value.

The CSV's fractions have the ten decimals of the venue's own sums; the kind holds them all.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import NS_HOUR
from hatmanifesto.store.importers.contract import BATCH_ROWS, Batch, Foreign
from hatmanifesto.store.importers.exact import Ints
from hatmanifesto.store.importers.series_files import (
    base_name,
    csv_batches,
    csv_header,
    read_json,
    refuse,
)
from hatmanifesto.store.importers.sieve import Sieve, rows_of
from hatmanifesto.store.kinds import OI10

NAME = re.compile(r"(?P<coin>[A-Za-z0-9]+)_open_interest_1h.*\.(?P<ending>csv|json)")
COLUMNS = ("t", "o", "h", "l", "c")
VALUES = {"open": "o", "high": "h", "low": "l", "close": "c"}


class OpenInterest:
    """The importer of hourly open interest of the venue's perps."""

    name = "hl_open_interest"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = ("open interest told once an hour: open, high, low and close alike",)

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return what the file is by its name and its header or first keys."""
        match = NAME.fullmatch(base_name(path))
        if match is None:
            return None
        if match["ending"] == "csv":
            is_alike = {"t", "o", "c"} <= set(csv_header(head))
        else:
            is_alike = head.lstrip().startswith(b"{") and b'"rows"' in head and b'"coin"' in head
        return Foreign(path, self.name, match["ending"], match["coin"]) if is_alike else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the hours; see ``FileImporter``."""
        yield from _csv(foreign) if foreign.what == "csv" else _json(foreign)


def _csv(foreign: Foreign) -> Iterator[Batch]:
    first = 0
    for batch in csv_batches(foreign.path, COLUMNS):
        sieve = Sieve(foreign.path, first_row=first, count=batch.num_rows)
        sieve.stamps_iso(batch["t"])
        table = {name: sieve.texts(batch[column], decimals=OI10) for name, column in VALUES.items()}
        yield _batch_of(sieve, foreign.coin, table, batch)
        first += batch.num_rows


def _json(foreign: Foreign) -> Iterator[Batch]:
    document = read_json(foreign.path)
    coin = document.get("coin") if isinstance(document, dict) else None
    if coin != foreign.coin:
        why = f"its name says {foreign.coin}, its contents {coin}"
        raise refuse(foreign.path, "two truths", why=why)
    rows = document.get("rows")
    if not isinstance(rows, list) or any(not isinstance(row, list) for row in rows):
        raise refuse(foreign.path, "no list of rows", why="expected rows: [[ms, open interest]]")
    if any(len(row) != 2 for row in rows):
        raise refuse(foreign.path, "missing column", why="a row has not 2 fields")
    for first in range(0, len(rows), BATCH_ROWS):
        part = rows[first : first + BATCH_ROWS]
        sieve = Sieve(foreign.path, first_row=first, count=len(part))
        sieve.stamps_ms([row[0] for row in part])
        values = sieve.texts([row[1] for row in part], decimals=OI10)
        yield _batch_of(sieve, foreign.coin, dict.fromkeys(VALUES, values), part)


def _batch_of(sieve: Sieve, coin: str, table: dict[str, Ints], source: Any) -> Batch:
    """Set aside hours off the hour, below zero, or with a high below their low."""
    sieve.aside(sieve.exch % NS_HOUR != 0, "off_interval")
    sieve.aside(np.logical_or.reduce([values < 0 for values in table.values()]), "non_positive")
    bodies = (table["open"], table["close"])
    low, high = table["low"], table["high"]
    sieve.aside((low > np.minimum(*bodies)) | (high < np.maximum(*bodies)), "ohlc")
    return sieve.batch("oi", coin, table, source_rows=rows_of(source))
