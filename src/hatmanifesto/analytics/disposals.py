"""Realised disposals of an account by first in, first out or by average cost, exact in micro-USDC.

Theory of operation. Per coin over the whole account, strategies netted. A fill against the open
position disposes of it: a long is bought (basis), then sold (proceeds); a short is sold (proceeds),
then bought (basis). A fill that flips the position disposes of what was open and opens the rest.
Fees and funding stand beside the disposals. With K the cash of all fills and C the signed cost of
what is still open, the gains of any cost method sum to K + C; so two methods differ by the cost of
what is open, and by nothing else.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import NamedTuple

from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.books.ledger import Ledger

FIFO, AVERAGE = "fifo", "average"
METHODS = (FIFO, AVERAGE)


class Disposal(NamedTuple):
    """A position, or a part of one, that was closed. Money [micro-USDC], fees not in it.

    ``opened`` and ``closed`` [UTC ns]: under FIFO the fills of the lot, at average cost the fill
    that opened the position from flat, and the closing fill ``tid``. ``is_long``: bought first.
    """

    coin: int
    tid: int
    opened: int
    closed: int
    is_long: bool
    sz: int
    proceeds: int
    basis: int

    @property
    def gain(self) -> int:
        """Return proceeds less basis."""
        return self.proceeds - self.basis


class Disposed(NamedTuple):
    """Disposals in order of closing, and the signed cost of what is open at the end by coin."""

    disposals: list[Disposal]
    open_cost: dict[int, int]


class _Lot:
    """What is left of one opening fill."""

    __slots__ = ("opened", "px", "sz")

    def __init__(self, opened: int, px: int, sz: int) -> None:
        self.opened = opened
        self.px = px
        self.sz = sz


def disposed(fills: Sequence[FillRow], method: str) -> Disposed:
    """Return the disposals of ``fills``, which are in order of time, under one cost method."""
    assert method in METHODS
    return _fifo(fills) if method == FIFO else _average(fills)


def _fifo(fills: Sequence[FillRow]) -> Disposed:
    lots: dict[int, deque[_Lot]] = defaultdict(deque)
    sides: dict[int, int] = {}
    out: list[Disposal] = []
    for row in fills:
        left, mine = row.sz, lots[row.coin]
        while left and mine and sides[row.coin] != row.side:
            lot = mine[0]
            sz = min(left, lot.sz)
            out.append(_disposal(row, lot.opened, sz=sz, opening=lot.px * sz))
            left -= sz
            lot.sz -= sz
            if not lot.sz:
                mine.popleft()
        if left:
            sides[row.coin] = row.side
            mine.append(_Lot(row.ts, row.px, left))
    cost = {
        coin: sides[coin] * sum(lot.px * lot.sz for lot in mine)
        for coin, mine in sorted(lots.items())
    }
    return Disposed(out, cost)


def _average(fills: Sequence[FillRow]) -> Disposed:
    ledgers: dict[int, Ledger] = defaultdict(Ledger)
    opened: dict[int, int] = {}
    out: list[Disposal] = []
    for row in fills:
        ledger = ledgers[row.coin]
        before, realised = ledger.position, ledger.realised
        ledger.fill(side=row.side, px=row.px, sz=row.sz, fee=0)
        closing = min(row.sz, abs(before)) if before * row.side < 0 else 0
        if closing:
            gain = ledger.realised - realised
            opening = closing * row.px + row.side * gain  # what the closed part had cost
            out.append(_disposal(row, opened[row.coin], sz=closing, opening=opening))
        if closing < row.sz and closing == abs(before):
            opened[row.coin] = row.ts
    return Disposed(out, {coin: ledger.cost for coin, ledger in sorted(ledgers.items())})


def _disposal(row: FillRow, opened: int, *, sz: int, opening: int) -> Disposal:
    """Return what ``row`` closed; ``opening`` is the money of the opening fills."""
    closing, is_long = sz * row.px, row.side < 0
    proceeds, basis = (closing, opening) if is_long else (opening, closing)
    return Disposal(row.coin, row.tid, opened, row.ts, is_long, sz, proceeds, basis)


def ledger_cost(fills: Sequence[FillRow]) -> int:
    """Return the signed cost of what is open in the trade ledger, by strategy and coin, summed."""
    ledgers: dict[tuple[int, int], Ledger] = defaultdict(Ledger)
    for row in fills:
        ledgers[row.book, row.coin].fill(side=row.side, px=row.px, sz=row.sz, fee=0)
    return sum(ledger.cost for ledger in ledgers.values())
