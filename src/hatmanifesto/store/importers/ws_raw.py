"""Reads raw websocket frames with the receive stamp before each: `<ns> <frame as JSON>`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import NS_MS
from hatmanifesto.store.importers.book_rows import asset_of, book_row, print_of
from hatmanifesto.store.importers.checks import STAMP_MS_MAX, STAMP_MS_MIN
from hatmanifesto.store.importers.contract import Batch, Foreign
from hatmanifesto.store.importers.rowwise import (
    Builder,
    Line,
    SetAside,
    due,
    json_lines,
    json_text,
    side_of,
    stamp_ms,
    whole,
)
from hatmanifesto.store.kinds import NO_COIN

HEAD = re.compile(rb'[0-9]{19} \{"channel": ?"[A-Za-z0-9]+"')


class WsRaw:
    """The importer of raw frames; a print of a trades frame is a row of its own."""

    name = "hl_ws_raw"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = (
        "recv: the recorder's stamp before the frame",
        "exch of frames kept as they came: their receive stamp",
        "levels beyond 20 a side and order counts of levels: not kept",
    )

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return the file as frames when its first line begins like one."""
        return Foreign(path, self.name, "frames") if HEAD.match(head) else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the file's rows; see ``FileImporter``."""
        frames = _Frames()
        for line in json_lines(foreign.path, after=" "):
            frames.take(line)
            yield from due(frames.builders)
        yield from due(frames.builders, at_end=True)


class _Frames:
    """Sorts frames into kinds; rows are numbered through all of them."""

    def __init__(self) -> None:
        self.builders = [Builder("book"), Builder("trade"), Builder("frame")]
        self._book, self._trade, self._frame = self.builders
        self._row = 0

    def take(self, line: Line) -> None:
        """Add the rows of one line."""
        frame = line.value
        try:
            recv = _received(line.text.partition(" ")[0])
            if frame is None:
                raise SetAside("truncated")
            if not isinstance(frame, dict) or not isinstance(frame.get("channel"), str):
                raise SetAside("foreign", "a frame without a channel")
        except SetAside as fault:
            self._frame.reject(self._row, fault, line.text)
            self._row += 1
            return
        if frame["channel"] == "l2Book":
            self._take_book(frame.get("data"), recv, line.text)
        elif frame["channel"] == "trades" and isinstance(frame.get("data"), list):
            for trade in frame["data"]:
                self._take_trade(trade, recv)
        else:
            stamps = {"exch": recv, "recv": recv, "row": self._row}
            self._frame.accept(
                NO_COIN,
                {**stamps, "channel": frame["channel"], "text": line.text.partition(" ")[2]},
            )
            self._row += 1

    def _take_book(self, book: Any, recv: int, text: str) -> None:
        try:
            self._book.accept(*book_row(book, recv=recv, row=self._row))
        except SetAside as fault:
            self._book.reject(self._row, fault, text)
        self._row += 1

    def _take_trade(self, trade: Any, recv: int) -> None:
        try:
            self._trade.accept(*_trade_row(trade, recv=recv, row=self._row))
        except SetAside as fault:
            self._trade.reject(self._row, fault, json_text(trade))
        self._row += 1


def _received(text: str) -> int:
    recv = whole(text)
    if not STAMP_MS_MIN <= recv // NS_MS < STAMP_MS_MAX:
        raise SetAside("bad_stamp")
    return recv


def _trade_row(trade: Any, *, recv: int, row: int) -> tuple[str, dict[str, int | str]]:
    if not isinstance(trade, dict):
        raise SetAside("null")
    asset = asset_of(trade.get("coin"))
    exch = stamp_ms(trade.get("time"))
    px, sz = print_of(trade.get("px"), trade.get("sz"), asset)
    return asset.coin, {
        "exch": exch,
        "recv": recv,
        "row": row,
        "px": px,
        "sz": sz,
        "side": side_of(trade.get("side")),
        "tid": whole(trade.get("tid")),
        "aside": 0,
    }
