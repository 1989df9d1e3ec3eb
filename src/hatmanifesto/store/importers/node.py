"""Reads what a node of the venue writes: fills, trades, order statuses, differences of books.

A line is an event, or a block `{local_time, block_time, block_number, events}` of events. Blocks
must follow each other: a hole is told as one row set aside (`missing_block`). In a block each trade
is two fills, buyer's and seller's; a fill without the other, or beyond the two, is set aside.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import NS_MS
from hatmanifesto.store.importers.contract import Batch, Foreign
from hatmanifesto.store.importers.fill_rows import UNTRADED, fill_row
from hatmanifesto.store.importers.node_rows import diff_row, status_row, trade_row
from hatmanifesto.store.importers.rowwise import (
    Builder,
    Line,
    SetAside,
    due,
    json_documents,
    json_lines,
    json_text,
    load_json,
    stamp_iso,
    text_lines,
    word,
)

BLOCKS = re.compile(
    rb'\s*\{"local_time": ?"[^"]+", ?"block_time": ?"[^"]+", ?"block_number": ?[0-9]+, ?"events": ?'
)
FILL = re.compile(rb'\s*\["0x[0-9a-fA-F]{40}", ?\{"coin": ?"')
SHAPES = {
    "book_diff": frozenset({"user", "oid", "coin", "side", "px", "raw_book_diff"}),
    "trade": frozenset({"coin", "side", "time", "px", "sz", "hash", "side_info"}),
    "order_status": frozenset({"time", "user", "status", "order"}),
}
"""Kind -> the keys by which an event is told. Source: PROTOCOL 17.2."""
KINDS_OF_NODE = ("fill", "trade", "order_status", "book_diff")


class Node:
    """The importer of node output, hour files by block or lines by event."""

    name = "hl_node"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = (
        "trades: no id told, negative ones made of second and row; users and hash not kept",
        "book differences outside a block carry no stamp: 0",
    )

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return blocks, or the kind of the first event."""
        if BLOCKS.match(head):
            return Foreign(path, self.name, "blocks")
        if FILL.match(head):
            return Foreign(path, self.name, "fill")
        kind = _kind_of(_first_document(head))
        return Foreign(path, self.name, kind) if kind else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the file's rows; see ``FileImporter``."""
        lines = _Lines(foreign.what)
        for line in _documents(foreign):
            lines.take(line)
            yield from due(lines.builders)
        yield from due(lines.builders, at_end=True)


def _documents(foreign: Foreign) -> Iterator[Line]:
    """Return lines of JSON, or JSON spread over lines where the first line is not whole."""
    if foreign.what not in ("blocks", "fill"):
        first, _ = next(text_lines(foreign.path), ("", True))
        if load_json(first) is None:
            return json_documents(foreign.path)
    return json_lines(foreign.path)


def _first_document(head: bytes) -> Any:
    try:
        text = head.decode("utf-8", errors="ignore").lstrip()
        return json.JSONDecoder().raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _kind_of(event: object) -> str:
    """Return the kind of an event that is an object, '' for none."""
    if isinstance(event, dict):
        for kind, keys in SHAPES.items():
            if keys <= set(event):
                return kind
    return ""


class _Block(NamedTuple):
    """Where an event stands: stamps [ns, 0 not told], number (0 outside a block)."""

    exch: int = 0
    recv: int = 0
    number: int = 0


class _Lines:
    """Sorts events into kinds; events are numbered through the whole file."""

    def __init__(self, what: str) -> None:
        self._by_kind = {kind: Builder(kind) for kind in KINDS_OF_NODE}
        self.builders = list(self._by_kind.values())
        self._what = what
        self._unknown = self._by_kind["fill" if what == "blocks" else what]
        self._row = 0
        self._newest = 0

    def take(self, line: Line) -> None:
        """Add the events of one line."""
        try:
            if line.value is None:
                raise SetAside("truncated")
            if self._what != "blocks":
                self._take_event(line.value, _Block(), None)
                return
            block, events = _opened(line.value)
        except SetAside as fault:
            self._reject(self._unknown, fault, line.text)
            return
        faults = self._order_faults(block, len(events)) or _pair_faults(events)
        for index, event in enumerate(events):
            self._take_event(event, block, faults.get(index))

    def _order_faults(self, block: _Block, count: int) -> dict[int, SetAside]:
        """Note a hole before ``block``; return a fault for each event when it is not newer."""
        if block.number <= self._newest:
            why = f"block {block.number} after {self._newest}"
            return {index: SetAside("backward", why) for index in range(count)}
        if self._newest and block.number > self._newest + 1:
            span = {"missing_from": self._newest + 1, "missing_to": block.number - 1}
            self._unknown.reject(self._row, SetAside("missing_block"), json_text(span), block.exch)
        self._newest = block.number
        return {}

    def _take_event(self, event: Any, block: _Block, fault: SetAside | None) -> None:
        kind = "fill" if isinstance(event, list) else _kind_of(event)
        builder = self._by_kind.get(kind, self._unknown)
        try:
            if fault is not None:
                raise fault
            builder.accept(*_parse(kind, event, block, self._row))
            self._row += 1
        except SetAside as why:
            self._reject(builder, why, json_text(event), block.exch)

    def _reject(self, builder: Builder, fault: SetAside, text: str, exch: int = 0) -> None:
        builder.reject(self._row, fault, text, exch)
        self._row += 1


def _parse(kind: str, event: Any, block: _Block, row: int) -> tuple[str, dict[str, int | str]]:
    if kind == "fill":
        if len(event) != 2 or not isinstance(event[0], str) or not isinstance(event[1], dict):
            raise SetAside("null")
        coin, columns = fill_row(event[0], event[1], row=row, recv=block.recv, block=block.number)
        if block.number and columns["exch"] != block.exch // NS_MS * NS_MS:
            raise SetAside("bad_stamp", "its time is not its block's")
        return coin, columns
    if kind == "trade":
        return trade_row(event, row=row, recv=block.recv)
    if kind == "order_status":
        return status_row(event, row=row, recv=block.recv)
    if kind == "book_diff":
        return diff_row(event, row=row, recv=block.recv, exch=block.exch)
    raise SetAside("foreign", "no event of a node")


def _opened(value: Any) -> tuple[_Block, list[Any]]:
    """Return a block line's block and its events; ``SetAside`` when it is none."""
    if not isinstance(value, dict):
        raise SetAside("foreign", "no block")
    unknown = sorted(set(value) - {"local_time", "block_time", "block_number", "events"})
    if unknown:
        raise SetAside("unknown_field", f"unknown {', '.join(unknown)}")
    number, events = value.get("block_number"), value.get("events")
    if type(number) is not int or number <= 0 or not isinstance(events, list):
        raise SetAside("null")
    exch, recv = stamp_iso(value.get("block_time")), stamp_iso(value.get("local_time"))
    return _Block(exch, recv, number), events


def _pair_faults(events: list[Any]) -> dict[int, SetAside]:
    """Return the faults of fills that are not the two sides of one trade, by place in the block.

    Of each trade id the first fill of each side stands; rows that never have a counterpart
    (``UNTRADED``, id 0) are left alone.
    """
    faults = {}
    first: dict[int, dict[str, int]] = defaultdict(dict)
    for index, event in enumerate(events):
        fill = event[1] if isinstance(event, list) and len(event) == 2 else None
        if not isinstance(fill, dict) or not isinstance(fill.get("tid"), int) or not fill["tid"]:
            continue
        if word(fill.get("dir")) in UNTRADED:
            continue
        sides, side = first[fill["tid"]], word(fill.get("side"))
        if side in sides:
            faults[index] = SetAside("repeated_id")
        else:
            sides[side] = index
    for sides in first.values():
        if len(sides) == 1:
            faults |= dict.fromkeys(sides.values(), SetAside("one_sided"))
    return faults
