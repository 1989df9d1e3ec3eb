"""Reads a recorder's CSV of ten levels a side with the coin's context, and prints between.

A row is a book with, or without, a context, or a print. Its stamp has whole seconds of the
recorder's local time. A context has no stamp of its own: of those told with one second's books the
first stands, equal ones are part of it, others are set aside as ``same_stamp``.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import NS_S
from hatmanifesto.store.importers.book_rows import Level, asset_of, levels_of, print_of
from hatmanifesto.store.importers.checks import STAMP_MS_MAX, STAMP_MS_MIN
from hatmanifesto.store.importers.contract import Batch, Foreign
from hatmanifesto.store.importers.rowwise import (
    Builder,
    CsvRow,
    SetAside,
    csv_rows,
    due,
    has_header,
    made_id,
    number,
    side_of,
)
from hatmanifesto.store.kinds import KINDS, STAMPS

DEPTH = range(1, 11)
SIDE_NAMES = ("Ask", "Bid")
CONTEXT = {
    "mark": "Mark Price",
    "oracle": "Oracle Price",
    "funding": "Funding Rate",
    "open_interest": "Open Interest",
    "day_notional": "24h Volume",
}
"""Column -> the file's name."""
DECIMALS = {column.name: column.decimals for column in KINDS["ctx"].columns}
PRINT = ("Trade Side", "Trade Price", "Trade Size")
HEADER = (
    "Last Update",
    "Coin",
    *(
        f"{side} L{level} {what}"
        for side in SIDE_NAMES
        for what in ("Price", "Size", "Cumulative BTC")
        for level in DEPTH
    ),
    *CONTEXT.values(),
    *PRINT,
)
SIDES = {"Buy (Bid)": 1, "Sell (Ask)": -1}
"""The aggressor's side: 4,299 of 5,053 recorded prints lie at or through the last book there."""
ZONE = timezone(timedelta(hours=5, minutes=30))
"""Trades of each hour lie in the venue's candle of that hour only with this zone."""
UNTOLD: dict[str, int | str] = {
    column.name: "" if column.type == "text" else 0
    for column in KINDS["ctx"].columns
    if column not in STAMPS and column.name not in CONTEXT
}
MISSING = ",".join(name for name, value in UNTOLD.items() if value == 0)
NO_LEVEL = ("", "")
SECONDS_HELD = 4_096
"""Contexts remembered for their repetition; stamps step back by three seconds at most."""

Cells = Mapping[str, str]


class CtxRecorder:
    """The importer of this recorder; a book with a context counts as a row of both kinds."""

    name = "hl_ctx_recorder"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = (
        "stamps: whole seconds of local time UTC+5:30",
        "contexts: the first told in a second stands for it",
        "trade ids: not told, negative ones made of second and row",
        "levels: ten a side; order counts not told",
    )

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return the file when it has exactly this header."""
        return Foreign(path, self.name, "rows") if has_header(head, HEADER) else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the file's rows; see ``FileImporter``."""
        rows = _Rows()
        for line in csv_rows(foreign.path, HEADER):
            rows.take(line)
            yield from due(rows.builders)
        yield from due(rows.builders, at_end=True)


class _Rows:
    """Sorts rows into books, contexts and prints."""

    def __init__(self) -> None:
        self.builders = [Builder("book"), Builder("ctx"), Builder("trade")]
        self._book, self._ctx, self._trade = self.builders
        self._told: dict[tuple[str, int], dict[str, int]] = {}

    def take(self, line: CsvRow) -> None:
        """Add one row of the file."""
        cells = line.cells
        if cells is None:
            self._book.reject(line.number, SetAside("truncated"), line.text)
            return
        is_print, is_book = (any(cells[name] for name in names) for names in (PRINT, HEADER[2:-3]))
        if is_print == is_book:
            fault = SetAside("foreign" if is_print else "null", "neither a book nor a print")
            self._book.reject(line.number, fault, line.text)
        elif is_print:
            self._add(self._trade, line, cells)
        else:
            self._add(self._book, line, cells)
            if any(cells[name] for name in CONTEXT.values()):
                self._add(self._ctx, line, cells)

    def _add(self, builder: Builder, line: CsvRow, cells: Cells) -> None:
        exch = 0
        try:
            asset = asset_of(cells["Coin"])
            exch = _stamp(cells["Last Update"])
            stamps = {"exch": exch, "recv": 0, "row": line.number}
            if builder is self._ctx:
                self._add_context(asset.coin, stamps, cells)
            elif builder is self._book:
                builder.accept(asset.coin, {**stamps, **levels_of(*_sides(cells), asset)})
            else:
                px, sz = print_of(cells["Trade Price"], cells["Trade Size"], asset)
                tid = made_id(exch, line.number)
                side = side_of(cells["Trade Side"], SIDES)
                columns = {"px": px, "sz": sz, "side": side, "tid": tid, "aside": 0}
                builder.accept(asset.coin, {**stamps, **columns})
        except SetAside as fault:
            builder.reject(line.number, fault, line.text, exch)

    def _add_context(self, coin: str, stamps: dict[str, int], cells: Cells) -> None:
        told = {column: number(cells[name], DECIMALS[column]) for column, name in CONTEXT.items()}
        if min(told["mark"], told["oracle"]) <= 0 or told["open_interest"] < 0:
            raise SetAside("non_positive")
        first = self._told.setdefault((coin, stamps["exch"]), told)
        if first is not told:
            if first != told:
                raise SetAside("same_stamp")
            self._ctx.merge()
            return
        if len(self._told) > SECONDS_HELD:
            del self._told[next(iter(self._told))]
        self._ctx.accept(coin, {**stamps, **told, **UNTOLD, "missing": MISSING})


def _sides(cells: Cells) -> tuple[list[Level], list[Level]]:
    """Return bids and asks of a row, best first, without the levels that are empty at the end."""
    sides: dict[str, list[Level]] = {}
    for side in SIDE_NAMES:
        levels = [(cells[f"{side} L{n} Price"], cells[f"{side} L{n} Size"]) for n in DEPTH]
        while levels and levels[-1] == NO_LEVEL:
            levels.pop()
        sides[side] = list(levels)
    return sides["Bid"], sides["Ask"]


@lru_cache(maxsize=64)
def _stamp(text: str) -> int:
    try:
        moment = datetime.strptime(text, "%m/%d/%Y, %I:%M:%S %p").replace(tzinfo=ZONE)
    except ValueError as error:
        raise SetAside("bad_stamp") from error
    seconds = int(moment.timestamp())
    if not STAMP_MS_MIN <= seconds * 1_000 < STAMP_MS_MAX:
        raise SetAside("bad_stamp")
    return seconds * NS_S
