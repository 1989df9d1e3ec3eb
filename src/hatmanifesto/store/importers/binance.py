"""Reads recordings of Binance: USD-M stream lines, and spot snapshot, updates and trades as JSON.

A source row of kind ``diff`` is one price level of an update or snapshot, so that rows in and out
balance; an update with a faulty level is set aside whole, and its ids are then missed as a hole.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NamedTuple

import msgspec
import numpy as np

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.errors import DataError
from hatmanifesto.domain.units import NS_MS, NS_S
from hatmanifesto.store.containers import open_stream
from hatmanifesto.store.importers.checks import STAMP_MS_MAX, STAMP_MS_MIN
from hatmanifesto.store.importers.contract import BATCH_ROWS, Batch, Foreign, Rejected
from hatmanifesto.store.importers.rowwise import LINE_BYTES_MAX, SetAside, number, torn
from hatmanifesto.store.kinds import KINDS, PX10, SZ8
from hatmanifesto.store.sequence import NOT_TOLD

WHOLE_BYTES_MAX = 256 << 20
"""A JSON array must be read at once; a longer one is refused."""
HEADS = (
    (re.compile(rb'\d{13,19} \{\s*"(stream"\s*:\s*"|lastUpdateId"\s*:)'), "stream"),
    (re.compile(rb'\[\s*\{\s*"e"\s*:\s*"depthUpdate"'), "array"),
    (re.compile(rb'\[\s*\{\s*"e"\s*:\s*"aggTrade"'), "array"),
    (re.compile(rb'\{\s*"lastUpdateId"\s*:'), "snapshot"),
)
NAME = re.compile(r"_([a-z0-9]+)_(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)_snapshot")
SYMBOL = re.compile(r"[A-Z0-9_]{2,40}")
STAMP_FORMAT = "%Y-%m-%dT%H-%M-%S"

Level = tuple[str, str]
Stamp = Annotated[int, msgspec.Meta(ge=0, le=STAMP_MS_MAX)]
Id = Annotated[int, msgspec.Meta(ge=NOT_TOLD, le=2**63 - 1)]


class _Depth(msgspec.Struct, tag_field="e", tag="depthUpdate"):
    symbol: str = msgspec.field(name="s")
    event_ms: Stamp = msgspec.field(name="E")
    first_id: Id = msgspec.field(name="U")
    last_id: Id = msgspec.field(name="u")
    bids: list[Level] = msgspec.field(name="b")
    asks: list[Level] = msgspec.field(name="a")
    done_ms: Stamp | None = msgspec.field(name="T", default=None)
    previous_id: Id = msgspec.field(name="pu", default=NOT_TOLD)


class _Ticker(msgspec.Struct, tag_field="e", tag="bookTicker"):
    symbol: str = msgspec.field(name="s")
    update_id: Id = msgspec.field(name="u")
    bid_px: str = msgspec.field(name="b")
    bid_sz: str = msgspec.field(name="B")
    ask_px: str = msgspec.field(name="a")
    ask_sz: str = msgspec.field(name="A")
    done_ms: Stamp = msgspec.field(name="T")


class _Trade(msgspec.Struct, tag_field="e", tag="trade"):
    symbol: str = msgspec.field(name="s")
    tid: Id = msgspec.field(name="t")
    px: str = msgspec.field(name="p")
    sz: str = msgspec.field(name="q")
    done_ms: Stamp = msgspec.field(name="T")
    is_maker_buyer: bool = msgspec.field(name="m")


class _Joined(msgspec.Struct, tag_field="e", tag="aggTrade"):
    symbol: str = msgspec.field(name="s")
    tid: Id = msgspec.field(name="a")
    px: str = msgspec.field(name="p")
    sz: str = msgspec.field(name="q")
    done_ms: Stamp = msgspec.field(name="T")
    is_maker_buyer: bool = msgspec.field(name="m")


class _Snapshot(msgspec.Struct):
    last_id: Id = msgspec.field(name="lastUpdateId")
    bids: list[Level]
    asks: list[Level]
    done_ms: Stamp | None = msgspec.field(name="T", default=None)


Event = _Depth | _Ticker | _Trade | _Joined


class _Framed(msgspec.Struct):
    data: Event


class _Here(NamedTuple):
    """Where a row stands: its number, our stamp [ns, 0 unknown], the venue's [ms], its coin."""

    row: int
    recv: int
    stamp_ms: int
    coin: str


class Binance:
    """The importer of Binance recordings; prices are not on this venue's grid."""

    name = "binance"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "binance"
    assumed: tuple[str, ...] = ("spot snapshot stamp and coin: from the file's name",)

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return the file's shape by its first bytes."""
        for pattern, what in HEADS:
            if pattern.match(head):
                return Foreign(path, self.name, what)
        return None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield levels as ``diff``, best quotes as ``quote``, trades as ``print``.

        Raises:
            DataError: if the file ends within a row, or a snapshot cannot be placed.
        """
        rows = _Rows()
        with open_stream(foreign.path) as stream:
            yield from READERS[foreign.what](stream, foreign.path, rows)
        yield from rows.flush(least=1)


class _Rows:
    """Collects rows by kind and hands them over in batches."""

    def __init__(self) -> None:
        self._accepted: dict[str, list[tuple[int, ...]]] = {}
        self._coins: dict[str, list[str]] = {}
        self._rejected: dict[str, list[Rejected]] = {}

    def accept(self, kind: str, coin: str, rows: list[tuple[int, ...]]) -> None:
        self._accepted.setdefault(kind, []).extend(rows)
        self._coins.setdefault(kind, []).extend([coin] * len(rows))

    def reject(self, kind: str, rows: list[Rejected]) -> None:
        self._rejected.setdefault(kind, []).extend(rows)

    def flush(self, *, least: int) -> Iterator[Batch]:
        """Yield what has reached ``least`` rows, in batches of at most ``BATCH_ROWS``."""
        for kind in sorted({*self._accepted, *self._rejected}):
            while self._size(kind) >= least:
                yield self._batch(kind)

    def _size(self, kind: str) -> int:
        return len(self._accepted.get(kind, ())) + len(self._rejected.get(kind, ()))

    def _batch(self, kind: str) -> Batch:
        names = KINDS[kind].names
        rows = self._accepted.get(kind, [])
        coins = self._coins.get(kind, [])
        rejected = self._rejected.get(kind, [])[: BATCH_ROWS // 2]
        count = BATCH_ROWS - len(rejected)
        table = np.array(rows[:count], dtype=np.int64).reshape(-1, len(names))
        batch = Batch(
            kind=kind,
            coins=np.array(coins[:count], dtype=np.object_),
            table={name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(names)},
            rows_in=len(table) + len(rejected),
            merged=0,
            rejected=rejected,
        )
        del rows[:count], coins[:count]
        self._rejected[kind] = self._rejected.get(kind, [])[len(rejected) :]
        return batch


def _read_stream(stream: BinaryIO, path: Path, rows: _Rows) -> Iterator[Batch]:
    decode = msgspec.json.Decoder(_Framed).decode
    decode_snapshot = msgspec.json.Decoder(_Snapshot).decode
    coins: set[str] = set()
    for row, line in enumerate(_lines(stream, path)):
        stamp, _, body = line.partition(b" ")
        try:
            if not (stamp.isdigit() and len(stamp) == 19):
                raise SetAside("bad_stamp")
            recv = int(stamp)
            if body.startswith(b'{"stream"'):
                event = decode(body).data
                coins.add(event.symbol)
                _take_event(event, rows, row, recv)
            else:
                _take_snapshot(decode_snapshot(body), rows, row, (recv, coins))
        except (msgspec.DecodeError, SetAside) as error:
            if not line.endswith(b"\n"):
                raise torn(path, f"line {row + 1} is no whole frame") from error
            rows.reject("print", [Rejected(row, 0, _reason(error), _text(line))])
        yield from rows.flush(least=BATCH_ROWS)


def _lines(stream: BinaryIO, path: Path) -> Iterator[bytes]:
    while line := stream.readline(LINE_BYTES_MAX):
        if len(line) == LINE_BYTES_MAX:
            raise DataError(f"{path.name} has a line of {len(line)} bytes or more")
        yield line


def _reason(error: Exception) -> str:
    if isinstance(error, SetAside):
        return error.reason
    return "foreign" if isinstance(error, msgspec.ValidationError) else "truncated"


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\n")


def _read_array(stream: BinaryIO, path: Path, rows: _Rows) -> Iterator[Batch]:
    raws = _decoded(_whole(stream, path), list[msgspec.Raw], path)
    decode: Any = msgspec.json.Decoder(Event).decode
    for row, raw in enumerate(raws):
        try:
            _take_event(decode(raw), rows, row, 0)
        except msgspec.DecodeError as error:
            rows.reject("print", [Rejected(row, 0, _reason(error), _text(bytes(raw)))])
        yield from rows.flush(least=BATCH_ROWS)


def _read_snapshot(stream: BinaryIO, path: Path, rows: _Rows) -> Iterator[Batch]:
    snapshot = _decoded(_whole(stream, path), _Snapshot, path)
    coin, stamp_ms = _told_by_name(path)
    snapshot.done_ms = snapshot.done_ms or stamp_ms
    _take_snapshot(snapshot, rows, 0, (0, {coin}))
    yield from ()


def _told_by_name(path: Path) -> tuple[str, int]:
    """Return the coin and the stamp [ms] that a snapshot's answer does not tell."""
    found = NAME.search(path.name)
    try:
        if found is None:
            raise ValueError("no coin and time")
        stamp = datetime.strptime(found[2], STAMP_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise DataError(
            f"{path.name} does not say of which coin and time it is",
            why="the answer of the venue names neither, and its name has another form",
            fix="name it *_COIN_YYYY-MM-DDTHH-MM-SS_snapshot*",
        ) from error
    return found[1].upper(), int(stamp.timestamp()) * (NS_S // NS_MS)


def _whole(stream: BinaryIO, path: Path) -> bytes:
    content = stream.read(WHOLE_BYTES_MAX + 1)
    if len(content) > WHOLE_BYTES_MAX:
        raise DataError(f"{path.name} is one JSON value of more than {WHOLE_BYTES_MAX} bytes")
    return content


def _decoded(content: bytes, shape: Any, path: Path) -> Any:
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.DecodeError as error:
        raise DataError(
            f"cannot read {path.name} as JSON of Binance",
            why=str(error),
            fix="fetch the file again; it may be truncated",
        ) from error


def _take_event(event: Event, rows: _Rows, row: int, recv: int) -> None:
    if isinstance(event, _Depth):
        stamp_ms = event.event_ms if event.done_ms is None else event.done_ms
        ids = (event.first_id, event.last_id, event.previous_id, 0)
        here = _Here(row, recv, stamp_ms, event.symbol)
        _take_levels(rows, here, (event.bids, event.asks), ids)
        return
    here = _Here(row, recv, event.done_ms, event.symbol)
    kind = "quote" if isinstance(event, _Ticker) else "print"
    try:
        values = _quote(event) if isinstance(event, _Ticker) else _print(event)
        rows.accept(kind, here.coin, [(*_stamps(here), *values)])
    except SetAside as error:
        text = msgspec.json.encode(event).decode()
        rows.reject(kind, [Rejected(row, here.stamp_ms * NS_MS, error.reason, text)])


def _take_snapshot(
    snapshot: _Snapshot, rows: _Rows, row: int, origin: tuple[int, set[str]]
) -> None:
    recv, coins = origin
    if len(coins) != 1:
        raise SetAside("unknown_coin")
    here = _Here(row, recv, snapshot.done_ms or 0, next(iter(coins)))
    ids = (snapshot.last_id, snapshot.last_id, NOT_TOLD, 1)
    _take_levels(rows, here, (snapshot.bids, snapshot.asks), ids)


def _take_levels(
    rows: _Rows, here: _Here, sides: tuple[list[Level], list[Level]], ids: tuple[int, ...]
) -> None:
    """Accept every level of an update, or set all of them aside."""
    levels = [(side, level) for side, some in zip((1, -1), sides, strict=True) for level in some]
    try:
        stamps = _stamps(here)
        accepted = []
        for side, (px, sz) in levels:
            numbers = (_fixed(px, PX10), _fixed(sz, SZ8))
            if numbers[0] <= 0 or numbers[1] < 0:
                raise SetAside("non_positive")
            accepted.append((*stamps, side, *numbers, *ids))
        rows.accept("diff", here.coin, accepted)
    except SetAside as error:
        exch, reason = here.stamp_ms * NS_MS, error.reason
        rows.reject(
            "diff",
            [Rejected(here.row, exch, reason, f"{side} {px} {sz}") for side, (px, sz) in levels],
        )


def _stamps(here: _Here) -> tuple[int, int, int]:
    if not STAMP_MS_MIN <= here.stamp_ms < STAMP_MS_MAX:
        raise SetAside("bad_stamp")
    if not SYMBOL.fullmatch(here.coin):
        raise SetAside("unknown_coin")
    return here.stamp_ms * NS_MS, here.recv, here.row


def _quote(event: _Ticker) -> tuple[int, ...]:
    bid, ask = _fixed(event.bid_px, PX10), _fixed(event.ask_px, PX10)
    sizes = _fixed(event.bid_sz, SZ8), _fixed(event.ask_sz, SZ8)
    if min(bid, ask, *sizes) <= 0:
        raise SetAside("non_positive")
    if bid >= ask:
        raise SetAside("locked" if bid == ask else "crossed")
    return bid, sizes[0], ask, sizes[1], event.update_id


def _print(event: _Trade | _Joined) -> tuple[int, ...]:
    px, sz = _fixed(event.px, PX10), _fixed(event.sz, SZ8)
    if min(px, sz) <= 0:
        raise SetAside("non_positive")
    return px, sz, -1 if event.is_maker_buyer else 1, event.tid


_fixed = lru_cache(maxsize=BATCH_ROWS)(number)
"""Prices and sizes of a book come back again and again."""

READERS = {"stream": _read_stream, "array": _read_array, "snapshot": _read_snapshot}
