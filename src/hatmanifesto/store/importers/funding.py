"""Reads hourly funding rates: Parquet of one coin or all, fundingHistory answers, and CSV.

A rate is of its one settlement, positive: longs pay. Stamps are kept as they are: 99 % of the
recorded ones lie within 0.44 s after the hour, a few settlements of outages up to 24 minutes; the
first weeks of 2023 settled every 8 hours.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.store.importers.contract import BATCH_ROWS, Batch, Foreign
from hatmanifesto.store.importers.series_files import (
    PARQUET,
    base_name,
    csv_batches,
    csv_header,
    parquet_batches,
    parquet_names,
    read_json,
    refuse,
)
from hatmanifesto.store.importers.sieve import Sieve, rows_of
from hatmanifesto.store.kinds import RATE12

PARQUET_NAME = re.compile(r"(?P<coin>_universe|[A-Za-z0-9]+)-1h-funding\.parquet")
JSON_NAME = re.compile(r"(?P<coin>[A-Za-z0-9]+)_fundingHistory.*\.json")
CSV_NAME = re.compile(r"(?P<coin>[A-Za-z0-9]+)_funding.*\.csv")
COLUMNS = ("coin", "time", "funding_rate")
FIELDS = ("coin", "fundingRate", "premium", "time")


class Funding:
    """The importer of funding rates of the venue's perps."""

    name = "hl_funding"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = ("funding stamps: as recorded, after the hour",)

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return what the file is by its name and its first rows or columns."""
        name = base_name(path)
        if (match := PARQUET_NAME.fullmatch(name)) and head.startswith(PARQUET):
            names = parquet_names(path)
            is_alike = not names or len(set(COLUMNS) & set(names)) > 1
            coin = "" if match["coin"] == "_universe" else match["coin"]
            return Foreign(path, self.name, "parquet", coin) if is_alike else None
        if match := JSON_NAME.fullmatch(name):
            first = head.partition(b"}")[0]
            is_answer = re.match(rb"\s*\[\s*\{", head) and b'"fundingRate"' in first
            return Foreign(path, self.name, "answer", match["coin"]) if is_answer else None
        if match := CSV_NAME.fullmatch(name):
            is_table = {"coin", "fundingRate", "premium"} <= set(csv_header(head))
            return Foreign(path, self.name, "csv", match["coin"]) if is_table else None
        return None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the rates; see ``FileImporter``."""
        yield from {"parquet": _parquet, "answer": _answer, "csv": _csv}[foreign.what](foreign)


def _parquet(foreign: Foreign) -> Iterator[Batch]:
    first = 0
    for batch in parquet_batches(foreign.path, COLUMNS):
        sieve = Sieve(foreign.path, first_row=first, count=batch.num_rows)
        coins = sieve.coins(batch["coin"])
        if foreign.coin:
            sieve.aside(np.asarray(coins != foreign.coin, dtype=np.bool_), "foreign")
        sieve.stamps_arrow(batch["time"])
        rate = sieve.numbers(batch["funding_rate"], decimals=RATE12)
        none = np.zeros(batch.num_rows, dtype=np.int64)
        table = {"rate": rate, "premium": none, "has_premium": none}
        yield sieve.batch("funding", coins, table, source_rows=rows_of(batch))
        first += batch.num_rows


def _answer(foreign: Foreign) -> Iterator[Batch]:
    rows = read_json(foreign.path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise refuse(foreign.path, "no list of rates", why="expected a list of objects")
    if rows and (missing := [field for field in FIELDS if field not in rows[0]]):
        raise refuse(foreign.path, "missing column", why=f"no {', '.join(missing)} in a row")
    for first in range(0, len(rows), BATCH_ROWS):
        part = rows[first : first + BATCH_ROWS]
        sieve = Sieve(foreign.path, first_row=first, count=len(part))
        fields = {field: [row.get(field) for row in part] for field in FIELDS}
        sieve.aside(np.array([coin != foreign.coin for coin in fields["coin"]]), "foreign")
        sieve.stamps_ms(fields["time"])
        yield _batch_of(sieve, foreign, fields, part)


def _csv(foreign: Foreign) -> Iterator[Batch]:
    first = 0
    for batch in csv_batches(foreign.path, FIELDS):
        sieve = Sieve(foreign.path, first_row=first, count=batch.num_rows)
        coins = batch["coin"].to_pylist()
        sieve.aside(np.array([coin != foreign.coin for coin in coins], dtype=np.bool_), "foreign")
        sieve.stamps_iso(batch["time"])
        fields = {field: batch[field] for field in FIELDS}
        yield _batch_of(sieve, foreign, fields, batch)
        first += batch.num_rows


def _batch_of(sieve: Sieve, foreign: Foreign, fields: dict[str, Any], source: Any) -> Batch:
    rate = sieve.texts(fields["fundingRate"], decimals=RATE12)
    premium, told = sieve.optional(fields["premium"], decimals=RATE12)
    table = {"rate": rate, "premium": premium, "has_premium": told.astype(np.int64)}
    return sieve.batch("funding", foreign.coin, table, source_rows=rows_of(source))
