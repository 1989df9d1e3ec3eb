"""A small world for tests of the core: rows, tapes in memory, scripts, wired machines."""

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.enums import RowKind, Tif
from hatmanifesto.domain.events import Fact
from hatmanifesto.domain.records import BatchMark, Record
from hatmanifesto.domain.rows import Chunk, Row
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.engine.engine import Assignment, Engine
from hatmanifesto.engine.panel import Panel
from hatmanifesto.hats.contract import Hat
from hatmanifesto.risk.allocator import AllocatorSpec
from hatmanifesto.simex.clearing import Clearing, FeeSchedule
from hatmanifesto.simex.latency import LatencySource, parse_latency
from hatmanifesto.simex.queue import parse_queue_model
from hatmanifesto.simex.replay import TRADER, Legs, Replay
from hatmanifesto.simex.replay_book import ReplayBook
from hatmanifesto.strategies.contract import Quotes, Slot, Strategy, View
from hatmanifesto.warden.policy import NullSigner, Policy, Warden

MS = 10**6
S = 10**9
HOUR = 1_767_618_000 * S
"""2026-01-05T13:00:00Z, a funding hour [ns]."""
ETH = PERPS["ETH"]
BTC = PERPS["BTC"]
RICH = 10**15
BASE_FEES = FeeSchedule()
DEPTH = 20

Levels = Sequence[tuple[int, int, int, int]]


def trade(exch: int, *, px: int, sz: int, side: int, coin: int = 0) -> Row:
    return (int(RowKind.TRADE), coin, exch, exch, px, sz, side, 1, -1)


def bbo(exch: int, *, bid: int, bid_sz: int, ask: int, ask_sz: int, coin: int = 0) -> Row:
    return (int(RowKind.BBO), coin, exch, exch, bid, bid_sz, ask, ask_sz, -1)


def l2(exch: int, levels: Levels, *, ref: int, coin: int = 0) -> Row:
    return (int(RowKind.L2), coin, exch, exch, *levels[0], ref)


def ctx(exch: int, *, mark: int = 0, oracle: int = 0, coin: int = 0) -> Row:
    return (int(RowKind.CTX), coin, exch, exch, mark, oracle, 0, 0, -1)


def funding(exch: int, *, rate: int, known: int = 1, coin: int = 0) -> Row:
    return (int(RowKind.FUNDING), coin, exch, exch, rate, known, 0, 0, -1)


def gap(start: int, end: int, *, coin: int = 0) -> Row:
    return (int(RowKind.GAP), coin, end, end, start, end, 2, 0, -1)


def matrix(books: Sequence[Levels]) -> NDArray[np.int64]:
    """Return books as the levels of a chunk, shape (n, DEPTH, 4), missing levels zero."""
    out = np.zeros((len(books), DEPTH, 4), dtype=np.int64)
    for at, levels in enumerate(books):
        out[at, : len(levels)] = levels
    return out


class MemoryTape:
    """A Tape over rows in memory, cut into chunks of at least ``chunk_rows``."""

    def __init__(
        self, rows: Sequence[Row], books: Sequence[Levels] = (), *, chunk_rows: int = 1 << 30
    ) -> None:
        self.rows = list(rows)
        self.levels = matrix(books)
        self.chunk_rows = chunk_rows
        self.coins = ("ETH", "BTC")

    def chunks(self) -> Iterator[Chunk]:
        """Yield rows; equal stamps are never split."""
        at = 0
        while at < len(self.rows):
            end = min(at + self.chunk_rows, len(self.rows))
            while end < len(self.rows) and self.rows[end][2] == self.rows[end - 1][2]:
                end += 1
            yield Chunk(self.rows[at:end], self.levels)
            at = end


class ListJournal:
    """A Journal that keeps its records, facts with the mark they came after."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def mark(self, now: int, rows: int, facts: Sequence[Fact]) -> None:
        """Keep the mark and its facts."""
        self.records.append(BatchMark(now, rows, len(facts)))
        self.records.extend(facts)

    def write(self, records: Sequence[Record]) -> None:
        """Keep records."""
        self.records.extend(records)

    def of(self, *kinds: type) -> list[Any]:
        """Return the records of these kinds in order."""
        return [record for record in self.records if isinstance(record, kinds)]


class Wish(NamedTuple):
    """``slot`` shall hold ``sz`` at ``px`` from ``start`` until ``end`` [ns]."""

    start: int
    end: int
    slot: int
    px: int
    sz: int


class Script(NamedTuple):
    """Parameters of a scripted strategy."""

    slots: int
    wishes: tuple[Wish, ...]


def follow_script(p: Script, v: View, m: Any) -> Quotes:
    """Return what the script wants now."""
    quotes = [0, 0] * p.slots
    for wish in p.wishes:
        if wish.start <= v.now < wish.end:
            quotes[2 * wish.slot : 2 * wish.slot + 2] = [wish.px, wish.sz]
    return tuple(quotes)


BOTH = (Slot("bid0", 1, Tif.ALO), Slot("ask0", -1, Tif.ALO))


def scripted(
    wishes: Sequence[Wish], *, slots: tuple[Slot, ...] = BOTH, requote_ns: int = 0
) -> Strategy:
    return Strategy(
        name="script",
        decide=follow_script,
        params=Script(len(slots), tuple(wishes)),
        slots=slots,
        memory=0,
        requote_ns=requote_ns,
        why_too_small=lambda p, v: "",
        bounds=MappingProxyType({}),
    )


class World(NamedTuple):
    """A wired run."""

    engine: Engine
    clearing: Clearing
    replay: Replay
    book: ReplayBook


def wire(
    tape: MemoryTape,
    strategy: Strategy | Sequence[Assignment],
    journal: Any,
    *,
    hats: Sequence[Hat] = (),
    cash: int = 1_000 * 10**6,
    latency: str = "fixed:10ms",
    queue: str = "risk_averse",
    seed: int = 7,
    block_ns: int = MS,
    fees: FeeSchedule = BASE_FEES,
    policy: Policy | None = None,
    coins: tuple[int, ...] = (0,),
    allocator: AllocatorSpec | None = None,
) -> World:
    """Return a run over ETH and BTC with all three legs of the same latency model.

    Several strategies come as assignments; ``coins`` is for a single one.
    """
    assets = (ETH, BTC)
    if isinstance(strategy, Strategy):
        assignments: Sequence[Assignment] = [Assignment(strategy, coins, cash)]
    else:
        assignments = strategy
    engine = Engine(
        assets=assets,
        assignments=assignments,
        panel=Panel(hats),
        capital=cash,
        allocator=allocator,
    )
    book = ReplayBook(coins=2, queue=parse_queue_model(queue))
    clearing = Clearing(assets=assets, matcher=book, fees=fees)
    clearing.open_account(TRADER, cash=cash)
    model = parse_latency(latency)

    def leg(n: int) -> LatencySource:
        return LatencySource(model, np.random.Generator(np.random.PCG64([seed, n])))

    replay = Replay(
        tape=tape,
        engine=engine,
        clearing=clearing,
        matcher=book,
        warden=Warden(policy or Policy(frozenset({0, 1}), RICH, RICH, 1_000)),
        signer=NullSigner(),
        journal=journal,
        legs=Legs(leg(1), leg(2), leg(3)),
        block_ns=block_ns,
    )
    return World(engine, clearing, replay, book)
