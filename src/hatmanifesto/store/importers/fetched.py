"""Reads the pages that `hat data fetch` keeps: one line a page, request and answer as they went."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.errors import DataError
from hatmanifesto.domain.units import NS_MS
from hatmanifesto.store.importers.candles import INTERVALS_MS
from hatmanifesto.store.importers.contract import Batch, Foreign
from hatmanifesto.store.importers.fill_rows import fill_row
from hatmanifesto.store.importers.rowwise import (
    Builder,
    SetAside,
    due,
    json_text,
    load_json,
    number,
    stamp_ms,
    text_lines,
    torn,
    whole,
)
from hatmanifesto.store.kinds import KINDS, NO_COIN

HEAD = b'{"request":'
FILE = "pages.jsonl"
KIND_OF = {
    "candleSnapshot": "candle",
    "fundingHistory": "funding",
    "userFillsByTime": "fill",
    "meta": "answer",
}
"""Request type -> kind of its rows."""

Values = tuple[str, dict[str, int | str]]


class Fetched:
    """The importer of fetched pages. Pages may repeat the rows at their seams."""

    name = "hl_fetched"
    version = 1
    evidence = Evidence.REP
    venue = "hyperliquid"
    assumed = (
        "fetched history: as the venue told it when it was asked",
        "trade ids that were not told: negative ones made of the row",
    )

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return what the file is by its name and its first line."""
        if path.name != FILE or not head.startswith(HEAD):
            return None
        found = [what for what in KIND_OF if f'"type":"{what}"'.encode() in head]
        return Foreign(path, self.name, found[0]) if found else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the rows of all pages; see ``FileImporter``."""
        builder = Builder(KIND_OF[foreign.what])
        row = 0
        for text, _ in text_lines(foreign.path):
            page = load_json(text)
            if not isinstance(page, dict) or set(page) != {"request", "response"}:
                raise torn(foreign.path, "a line holds no request and answer")
            request, answer = page["request"], page["response"]
            if request.get("type") != foreign.what:
                raise DataError(f"{foreign.path.name} mixes several walks")
            rows = answer if isinstance(answer, list) else [answer]
            for values in rows:
                try:
                    builder.accept(*_row(request, values, row))
                except SetAside as fault:
                    builder.reject(row, fault, json_text(values))
                row += 1
            yield from due([builder])
        yield from due([builder], at_end=True)


def _row(request: Mapping[str, Any], values: Mapping[str, Any], row: int) -> Values:
    kind = request["type"]
    if kind == "candleSnapshot":
        return _candle(request["req"], values, row)
    if kind == "fundingHistory":
        return _funding(request, values, row)
    if kind == "userFillsByTime":
        return fill_row(request["user"], _with_id(values), row=row)
    texts = {"name": kind, "request": json_text(request), "status": "200"}
    stamps = {"exch": 0, "recv": 0, "row": row}
    return NO_COIN, {**stamps, **texts, "response": json_text(values)}


def _with_id(fill: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a fill with a trade id; answers of 2023 tell none and get one made of the row."""
    if fill.get("tid") is not None:
        return fill
    digest = hashlib.sha256(json_text(fill).encode()).digest()
    return {**fill, "tid": -1 - (int.from_bytes(digest[:8], "big") >> 2)}


def _candle(asked: Mapping[str, Any], values: Mapping[str, Any], row: int) -> Values:
    interval_ms = INTERVALS_MS[asked["interval"]]
    if values.get("s") != asked["coin"] or values.get("i") != asked["interval"]:
        raise SetAside("foreign")
    exch = stamp_ms(values.get("t"))
    close_time = exch + (interval_ms - 1) * NS_MS
    if exch % (interval_ms * NS_MS) or stamp_ms(values.get("T")) != close_time:
        raise SetAside("off_interval")
    decimals = {column.name: column.decimals for column in KINDS["candle"].columns}
    prices = {
        name: number(values.get(name[0]), decimals[name])
        for name in ("open", "high", "low", "close")
    }
    volume = number(values.get("v"), decimals["volume"])
    if min(prices.values()) <= 0 or volume < 0:
        raise SetAside("non_positive")
    bodies = (prices["open"], prices["close"])
    if prices["low"] > min(bodies) or prices["high"] < max(bodies):
        raise SetAside("ohlc")
    return asked["coin"], {
        "exch": exch,
        "recv": 0,
        "row": row,
        "interval_ms": interval_ms,
        "close_time": close_time,
        **prices,
        "volume": volume,
        "trades": whole(values.get("n")),
    }


def _funding(asked: Mapping[str, Any], values: Mapping[str, Any], row: int) -> Values:
    if values.get("coin") != asked["coin"]:
        raise SetAside("foreign")
    decimals = {column.name: column.decimals for column in KINDS["funding"].columns}
    return asked["coin"], {
        "exch": stamp_ms(values.get("time")),
        "recv": 0,
        "row": row,
        "rate": number(values.get("fundingRate"), decimals["rate"]),
        "premium": number(values.get("premium"), decimals["premium"]),
        "has_premium": 1,
    }
