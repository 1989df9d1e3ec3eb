"""Fold of a run's records into the facts that analytics and reports stand on."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from hatmanifesto.domain.commands import Cancel, Modify, Place
from hatmanifesto.domain.enums import Status
from hatmanifesto.domain.events import (
    CancelRefused,
    Closed,
    Filled,
    FundingPaid,
    FundingUnknown,
    MarginCalled,
    Opened,
    Refused,
)
from hatmanifesto.domain.legs import base_of
from hatmanifesto.domain.records import (
    Allocation,
    BatchMark,
    Began,
    Ended,
    GapSeen,
    Record,
    Signal,
    StrategyFailed,
    Veto,
)

SENT = "sent"
"""Status of an order whose answer the run did not live to see."""


class FillRow(NamedTuple):
    """One fill, joined with its order. Times [ns], px and sz in the coin's units.

    ``fee`` [micro-USDC] positive was paid; ``mid2_decision`` is bid plus ask when the order was
    decided, 0 when unknown; ``placed_now`` the time of that decision; ``sz_order`` and ``px_order``
    the order's size and limit; ``signal`` the id of the signal it acted on and ``regime`` the label
    at that decision, 0 when there is none.
    """

    ts: int
    recv: int
    intent: int
    tid: int
    book: int
    coin: int
    slot: int
    side: int
    px: int
    sz: int
    fee: int
    is_taker: bool
    is_gap: bool
    mid2_decision: int
    placed_now: int
    sz_order: int
    px_order: int
    signal: int = 0
    regime: int = 0

    @property
    def szi(self) -> int:
        """Return the signed size."""
        return self.side * self.sz

    @property
    def notional(self) -> int:
        """Return px times sz [micro-USDC]."""
        return self.px * self.sz


class VetoCount(NamedTuple):
    """How often one hat gave one reason: aloud (with a record each) and in silence after that."""

    hat: str
    reason: str
    loud: int
    silent: int
    example: str


class RunFacts(msgspec.Struct, frozen=True):
    """What happened in a run. Fills and payments are in order of the venue's stamps.

    ``signals`` are those that orders acted on; ``allocations`` and ``failed`` in order of time.
    ``statuses`` counts orders by their last known status ("sent" when none came), ``refusals`` by
    the venue's refusal status; ``gaps`` are deduplicated. ``start`` and ``end`` are the first and
    last batch times [ns], 0 when the run had no batch; ``rested`` has by order the venue's stamp at
    which it came to rest; ``hedged`` are the books and coin slots of perps held against a second
    leg, and of these legs.
    """

    header: str
    fills: tuple[FillRow, ...]
    orders: int
    cancels: int
    cancels_refused: int
    statuses: tuple[tuple[str, int], ...]
    refusals: tuple[tuple[str, int], ...]
    vetoes: tuple[VetoCount, ...]
    funding: tuple[FundingPaid, ...]
    funding_unknown: tuple[FundingUnknown, ...]
    gaps: tuple[GapSeen, ...]
    margin_called: MarginCalled | None
    ended: str
    rows: int
    start: int
    end: int
    signals: tuple[Signal, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    failed: tuple[StrategyFailed, ...] = ()
    rested: dict[int, int] = {}
    hedged: frozenset[tuple[int, int]] = frozenset()


class _Fold:
    """Accumulates one pass over the records."""

    def __init__(self) -> None:
        self.header = ""
        self.placed: dict[int, Place | Modify] = {}
        self.status: dict[int, str] = {}
        self.rested: dict[int, int] = {}
        self.fills: dict[Filled, FillRow] = {}
        self.sz_filled: Counter[int] = Counter()
        self.cancels = 0
        self.cancels_refused = 0
        self.refusals: Counter[str] = Counter()
        self.loud: Counter[tuple[str, str]] = Counter()
        self.silent: Counter[tuple[str, str]] = Counter()
        self.example: dict[tuple[str, str], str] = {}
        self.funding: dict[FundingPaid, None] = {}
        self.funding_unknown: dict[FundingUnknown, None] = {}
        self.gaps: dict[GapSeen, None] = {}
        self.signals: dict[int, Signal] = {}
        self.allocations: list[Allocation] = []
        self.failed: list[StrategyFailed] = []
        self.margin_called: MarginCalled | None = None
        self.ended = ""
        self.rows = 0
        self.start = 0
        self.end = 0

    def take(self, record: Record) -> None:
        """Fold one record; a fact told twice in the same words counts once."""
        match record:
            case BatchMark():
                self.start = self.start or record.now
                self.end = record.now
                self.rows += record.rows
            case Place() | Modify():
                self.placed[record.intent] = record
                self.status.setdefault(record.intent, SENT)
            case Cancel():
                self.cancels += 1
            case Signal():
                self.signals[record.id] = record
            case Filled():
                self._fill(record)
            case Opened():
                if self._known(record.intent) == SENT:
                    self.status[record.intent] = Status.OPEN
                self.rested.setdefault(record.intent, record.exch)
            case Closed():
                self._known(record.intent)
                self.status[record.intent] = str(record.status)
            case Refused():
                self._known(record.intent)
                self.status[record.intent] = str(record.status)
                self.refusals[str(record.status)] += 1
            case _:
                self._rare(record)

    def _rare(self, record: Record) -> None:
        match record:
            case Veto():
                self._veto(record)
            case CancelRefused():
                self.cancels_refused += 1
            case FundingPaid():
                self.funding[record] = None
            case FundingUnknown():
                self.funding_unknown[record] = None
            case GapSeen():
                self.gaps[record] = None
            case MarginCalled():
                self.margin_called = record
            case Began():
                self.header = record.header
            case Ended():
                self.ended = record.reason
            case Allocation():
                self.allocations.append(record)
            case StrategyFailed():
                self.failed.append(record)
            case _:  # a Snapshot says nothing about what happened
                return

    def _known(self, intent: int) -> str:
        assert intent in self.placed, f"expected a placed intent, was {intent}"
        return self.status[intent]

    def _veto(self, record: Veto) -> None:
        key = (record.hat, str(record.reason))
        if record.count:
            self.silent[key] += record.count
        else:
            self.loud[key] += 1
        self.example.setdefault(key, record.detail)

    def _fill(self, record: Filled) -> None:
        self._known(record.intent)
        if record in self.fills:
            return
        order = self.placed[record.intent]
        signal = self.signals.get(order.signal)
        regime = signal.regime if signal is not None else 0
        self.fills[record] = _join(record, order, regime=regime)
        self.sz_filled[record.intent] += record.sz
        if self.sz_filled[record.intent] >= order.sz:
            self.status[record.intent] = Status.FILLED


def _join(fill: Filled, order: Place | Modify, *, regime: int) -> FillRow:
    return FillRow(
        ts=fill.exch,
        recv=fill.recv,
        intent=fill.intent,
        tid=fill.tid,
        book=order.book,
        coin=order.coin,
        slot=order.slot,
        side=order.side,
        px=fill.px,
        sz=fill.sz,
        fee=fill.fee,
        is_taker=fill.is_taker,
        is_gap=fill.is_gap,
        mid2_decision=order.mid2,
        placed_now=order.now,
        sz_order=order.sz,
        px_order=order.px,
        signal=order.signal,
        regime=regime,
    )


def fold(records: Iterable[Record]) -> RunFacts:
    """Return the facts of a run from its records in journal order.

    Raises:
        AssertionError: if a fact names an intent that was never placed.
    """
    state = _Fold()
    for record in records:
        state.take(record)
    keys = sorted(set(state.loud) | set(state.silent))
    return RunFacts(
        header=state.header,
        fills=tuple(sorted(state.fills.values(), key=lambda row: row.ts)),
        orders=len(state.placed),
        cancels=state.cancels,
        cancels_refused=state.cancels_refused,
        statuses=tuple(sorted(Counter(str(s) for s in state.status.values()).items())),
        refusals=tuple(sorted(state.refusals.items())),
        vetoes=tuple(
            VetoCount(*key, state.loud[key], state.silent[key], state.example[key]) for key in keys
        ),
        funding=tuple(sorted(state.funding, key=lambda event: event.exch)),
        funding_unknown=tuple(sorted(state.funding_unknown, key=lambda event: event.exch)),
        gaps=tuple(sorted(state.gaps, key=lambda gap: (gap.coin, gap.start, gap.end))),
        margin_called=state.margin_called,
        ended=state.ended,
        rows=state.rows,
        start=state.start,
        end=state.end,
        signals=tuple(state.signals.values()),
        allocations=tuple(state.allocations),
        failed=tuple(state.failed),
        rested=state.rested,
        hedged=hedged_of(state.header),
    )


def hedged_of(header: str) -> frozenset[tuple[int, int]]:
    """Return book and coin slot of every perp with a second leg beside it, and of the leg.

    Args:
        header: text of the journal's first record, '' for none.
    """
    if not header:
        return frozenset()
    spec = msgspec.json.decode(header).get("spec", {})
    slots = {name: slot for slot, name in enumerate(spec.get("coins", ()))}
    found = set()
    for book, work in enumerate(spec.get("works", ())):
        for name in work["coins"]:
            base = base_of(name)
            if base is not None:
                found |= {(book, slots[name]), (book, slots[base])}
    return frozenset(found)
