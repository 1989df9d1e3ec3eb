"""Reads candles: Parquet bars of one coin or many, and recorded candleSnapshot answers.

Three shapes: `COIN-TF.parquet` and `_universe-TF.parquet` (columns date, open, high, low, close,
volume, and coin), the venue's own answer (t, T, s, i, o, c, h, l, v, n), and a document of rows
``[open ms, close ms, o, h, l, c, v]``. A bar's ``exch`` is the time it opened.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import NS_MS
from hatmanifesto.store.importers.checks import Mask
from hatmanifesto.store.importers.contract import BATCH_ROWS, Batch, Foreign
from hatmanifesto.store.importers.exact import Ints, stamps_from_iso
from hatmanifesto.store.importers.series_files import (
    PARQUET,
    base_name,
    parquet_batches,
    parquet_names,
    read_json,
    refuse,
)
from hatmanifesto.store.importers.sieve import Sieve, rows_of
from hatmanifesto.store.kinds import PX10, VOLUME6

MINUTE_MS = 60_000
INTERVALS_MS = {
    f"{count}{unit}": count * minutes * MINUTE_MS
    for unit, minutes, counts in (
        ("m", 1, (1, 3, 5, 15, 30)),
        ("h", 60, (1, 2, 4, 8, 12)),
        ("d", 1440, (1,)),
    )
    for count in counts
}
"""Intervals whose bars open on multiples of themselves, UTC. Source: PROTOCOL 4.2; the grid of
3d, 1w and 1M is not documented, so that such files are not recognised."""
NAME = re.compile(r"(?P<coin>_universe|[A-Za-z0-9]+)-(?P<interval>[0-9]+[mhd])(?P<rest>.*)")
PRICES = ("open", "high", "low", "close")
COLUMNS = ("date", *PRICES, "volume")
KEYS = ("t", "T", "s", "i", "o", "h", "l", "c", "v", "n")
ROW_FIELDS = 7
"""Fields of a bar in a document of rows."""


class Candles:
    """The importer of candles of the venue's perps."""

    name = "hl_candles"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = (
        "candles before 2023-02: venue back-fill",
        "close_time of Parquet bars: open + interval - 1 ms",
    )

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return what the file is by its name and its first rows or columns."""
        name = base_name(path)
        match = NAME.fullmatch(name)
        if match is None or match["interval"] not in INTERVALS_MS:
            return None
        coin = "" if match["coin"] == "_universe" else match["coin"]
        if match["rest"] == ".parquet" and head.startswith(PARQUET):
            names = parquet_names(path)
            is_alike = not names or len(set(COLUMNS) & set(names)) > len(COLUMNS) // 2
            return Foreign(path, self.name, "parquet", coin) if is_alike else None
        what = _document_kind(head) if name.endswith(".json") and coin else ""
        return Foreign(path, self.name, what, coin) if what else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the bars; see ``FileImporter``."""
        match = NAME.fullmatch(base_name(foreign.path))
        assert match is not None
        interval = match["interval"]
        if foreign.what == "parquet":
            yield from _parquet(foreign, INTERVALS_MS[interval])
            return
        document = read_json(foreign.path)
        read = _answer if foreign.what == "answer" else _rows
        yield from read(foreign, document, interval)


def _document_kind(head: bytes) -> str:
    if re.match(rb"\s*\[\s*\{", head):
        first = head.partition(b"}")[0]
        return "answer" if all(f'"{key}"'.encode() in first for key in "tTsiohlc") else ""
    keys = (b'"coin"', b'"interval"', b'"candles"')
    return "rows" if re.match(rb"\s*\{", head) and all(key in head for key in keys) else ""


def _parquet(foreign: Foreign, interval_ms: int) -> Iterator[Batch]:
    first = 0
    needed = COLUMNS if foreign.coin else ("coin", *COLUMNS)
    for batch in parquet_batches(foreign.path, needed):
        sieve = Sieve(foreign.path, first_row=first, count=batch.num_rows)
        coins = foreign.coin or sieve.coins(batch["coin"])
        sieve.stamps_arrow(batch["date"])
        numbers = {name: sieve.numbers(batch[name], decimals=PX10) for name in PRICES}
        volume = sieve.numbers(batch["volume"], decimals=VOLUME6)
        _judge(sieve, numbers, volume, interval_ms)
        yield sieve.batch(
            "candle",
            coins,
            _table(sieve, numbers, volume, interval_ms),
            source_rows=rows_of(batch),
        )
        first += batch.num_rows


def _answer(foreign: Foreign, document: Any, interval: str) -> Iterator[Batch]:
    """Yield the bars of a candleSnapshot answer; a bar of another coin is ``foreign``."""
    bars = _list_of(foreign, document, dict)
    if bars and (missing := [key for key in KEYS if key not in bars[0]]):
        raise refuse(foreign.path, "missing column", why=f"no {', '.join(missing)} in a bar")
    interval_ms = INTERVALS_MS[interval]
    for first in range(0, len(bars), BATCH_ROWS):
        part = bars[first : first + BATCH_ROWS]
        fields = {key: [bar.get(key) for bar in part] for key in KEYS}
        sieve = Sieve(foreign.path, first_row=first, count=len(part))
        sieve.aside(_differs(fields["s"], foreign.coin), "foreign")
        sieve.stamps_ms(fields["t"])
        sieve.aside(_differs(fields["i"], interval), "off_interval")
        sieve.aside(~_closes(sieve, fields["T"], interval_ms), "off_interval")
        yield _batch_of(sieve, foreign, fields, interval_ms, part)


def _rows(foreign: Foreign, document: Any, interval: str) -> Iterator[Batch]:
    """Yield the bars of a document of rows; a bar open when it was fetched is ``open_bar``."""
    told = (document.get("coin"), document.get("interval")) if isinstance(document, dict) else ()
    if told != (foreign.coin, interval):
        why = f"its name says {foreign.coin} {interval}, its contents {told}"
        raise refuse(foreign.path, "two truths", why=why)
    bars = _list_of(foreign, document.get("candles"), list)
    if any(len(bar) != ROW_FIELDS for bar in bars):
        raise refuse(foreign.path, "missing column", why=f"a bar has not {ROW_FIELDS} fields")
    interval_ms = INTERVALS_MS[interval]
    fetched, is_known = stamps_from_iso([_text(document.get("fetched_at_utc"))])
    for first in range(0, len(bars), BATCH_ROWS):
        part = bars[first : first + BATCH_ROWS]
        columns = dict(zip("tTohlcv", map(list, zip(*part, strict=True)), strict=True))
        sieve = Sieve(foreign.path, first_row=first, count=len(part))
        sieve.stamps_ms(columns["t"])
        sieve.aside(~_closes(sieve, columns["T"], interval_ms), "off_interval")
        if is_known[0]:
            sieve.aside(sieve.exch + interval_ms * NS_MS > fetched[0], "open_bar")
        yield _batch_of(sieve, foreign, columns, interval_ms, part)


def _batch_of(
    sieve: Sieve,
    foreign: Foreign,
    fields: Mapping[str, Sequence[object]],
    interval_ms: int,
    part: list[Any],
) -> Batch:
    numbers = {name: sieve.texts(fields[name[0]], decimals=PX10) for name in PRICES}
    volume = sieve.texts(fields["v"], decimals=VOLUME6)
    trades = sieve.texts(fields["n"], decimals=0) if "n" in fields else None
    _judge(sieve, numbers, volume, interval_ms)
    table = _table(sieve, numbers, volume, interval_ms)
    if trades is not None:
        table["trades"] = trades
    return sieve.batch("candle", foreign.coin, table, source_rows=rows_of(part))


def _judge(sieve: Sieve, numbers: Mapping[str, Ints], volume: Ints, interval_ms: int) -> None:
    """Set aside bars off the interval's grid, without a price, or high below low."""
    low, high = numbers["low"], numbers["high"]
    sieve.aside(sieve.exch % (interval_ms * NS_MS) != 0, "off_interval")
    sieve.aside(
        np.logical_or.reduce([values <= 0 for values in numbers.values()]) | (volume < 0),
        "non_positive",
    )
    bodies = (numbers["open"], numbers["close"])
    sieve.aside((low > np.minimum(*bodies)) | (high < np.maximum(*bodies)), "ohlc")


def _table(
    sieve: Sieve, numbers: Mapping[str, Ints], volume: Ints, interval_ms: int
) -> dict[str, Ints]:
    return {
        "interval_ms": np.full(sieve.count, interval_ms, dtype=np.int64),
        "close_time": sieve.exch + (interval_ms - 1) * NS_MS,
        **numbers,
        "volume": volume,
        "trades": np.full(sieve.count, -1, dtype=np.int64),
    }


def _closes(sieve: Sieve, values: Sequence[object], interval_ms: int) -> Mask:
    """Say where a told closing time is the one its opening time demands."""
    expected = (sieve.exch // NS_MS + interval_ms - 1).tolist()
    pairs = zip(values, expected, strict=True)
    return np.fromiter((told == due for told, due in pairs), dtype=np.bool_, count=sieve.count)


def _differs(values: Sequence[object], word: str) -> Mask:
    return np.fromiter((value != word for value in values), dtype=np.bool_, count=len(values))


def _list_of(foreign: Foreign, value: Any, kind: type) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise refuse(foreign.path, "no list of bars", why=f"expected a list of {kind.__name__}s")
    return value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
