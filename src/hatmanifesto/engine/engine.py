"""The engine: one synchronous, deterministic step from facts to commands.

Theory of operation. A step takes all events with one receive time, folds them into State, lets
each mind with news decide (at most once per its requote time), compares what is wanted with what
rests, and puts every resulting command before the panel. A command that passes is folded into State
as SENT before the next is judged. A decision that raises stops its strategy and no other. The
engine reads no clock, file, socket or random source.
"""

from collections.abc import Sequence
from typing import NamedTuple

from hatmanifesto.books.allot import allot
from hatmanifesto.books.blotter import Order
from hatmanifesto.books.lifecycle import FINAL, Phase
from hatmanifesto.books.state import State
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.commands import Cancel, Command, Modify, Place
from hatmanifesto.domain.events import (
    CancelRefused,
    Closed,
    Fact,
    Filled,
    FundingPaid,
    Opened,
    Refused,
)
from hatmanifesto.domain.ports import Batch
from hatmanifesto.domain.records import GapSeen, Record
from hatmanifesto.domain.rows import Row
from hatmanifesto.engine.decider import FAR, Decider
from hatmanifesto.engine.desk import Desk, Mind, SlotState
from hatmanifesto.engine.panel import Panel
from hatmanifesto.engine.signals import memory_cells, signal_of
from hatmanifesto.execution.diff import CANCEL, KEEP, MODIFY, PLACE, plan_slot
from hatmanifesto.risk.allocator import Allocator, AllocatorSpec
from hatmanifesto.strategies.contract import CROSS, Strategy, View

TRADE, L2, CTX, FUNDING, GAP = 0, 2, 3, 4, 5

Proposal = tuple[int, Desk, SlotState, int, int, int, int]
"""rank, desk, slot state, slot index, plan, px, sz. Ranks: cancel 0, reduce 1, modify 2, open 3."""


class Assignment(NamedTuple):
    """One sub-ledger: a strategy, the coin slots it works on, and its capital [micro-USDC]."""

    strategy: Strategy
    coins: tuple[int, ...]
    capital: int


class Engine:
    """Folds batches, decides, and emits what the panel lets pass."""

    def __init__(
        self,
        *,
        assets: tuple[Asset, ...],
        assignments: Sequence[Assignment],
        panel: Panel,
        capital: int,
        allocator: AllocatorSpec | None = None,
    ) -> None:
        self.state = State(assets=assets, books=len(assignments), capital=capital)
        self.panel = panel
        self.next_wake = FAR
        self.allocator: Allocator | None = None
        if allocator is not None:
            self.allocator = Allocator(allocator, [one.capital for one in assignments])
        self.minds = [
            mind
            for book, assignment in enumerate(assignments)
            for mind in _seated(book, assignment, self.state)
        ]
        self.desks = [desk for mind in self.minds for desk in mind.desks]
        self.decider = Decider(self.state, self.minds)
        self._desk_of = {(desk.book, desk.coin): desk for desk in self.desks}

    def step(self, batch: Batch, now: int) -> list[Record]:
        """Fold ``batch``, decide, and return what came of it: gaps, vetoes, signals, commands."""
        rows, facts = batch
        state = self.state
        assert now >= state.now, "time never runs backward"
        state.now = now
        out: list[Record] = []
        touched = self._fold_rows(rows, out) if rows else 0
        for fact in facts:
            self._fold_fact(fact)
        if self.allocator is not None and now >= self.allocator.due:
            allocation = self.allocator.observe(state)
            if allocation is not None:
                out.append(allocation)
                self.decider.tell_capital(self.allocator.capitals)
        if not touched and not facts and now < self.next_wake:
            return out
        proposals: list[Proposal] = []
        wake = FAR
        for mind in self.minds:
            if mind.is_dirty or touched & mind.mask:
                if now >= mind.decide_next:
                    self.decider.decide(mind, out)
                    for desk in mind.desks:
                        self._propose(desk, proposals)
                    continue
                mind.is_dirty = True
                if mind.decide_next < wake:
                    wake = mind.decide_next
            if mind.has_news:
                mind.has_news = False
                for desk in mind.desks:
                    if desk.has_news:
                        self._propose(desk, proposals)
        self.next_wake = wake
        if proposals:
            self._judge(proposals, out)
        return out

    def finish(self) -> list[Record]:
        """Return the last records of a run: how often remembered refusals were met in silence."""
        return [record for desk in self.desks for record in _tallies(desk.slots)]

    def _fold_rows(self, rows: Sequence[Row], out: list[Record]) -> int:
        state = self.state
        tops = state.tops
        prints = state.prints
        touched = 0
        for row in rows:
            kind = row[0]
            coin = row[1]
            if kind == TRADE:
                prints[coin] = row
            elif kind <= L2:
                tops[coin] = row
            elif kind == GAP:
                out.append(GapSeen(coin, row[4], row[5], row[6]))
            elif kind == CTX:
                state.tell_context(row)
            elif kind == FUNDING:
                state.tell_payment(row)
                if not row[7]:
                    continue  # a payment alone is no news to act on at once; a premium is
            else:
                continue  # a bar: what it says is for the venue alone
            touched |= 1 << coin
        state.rows += len(rows)
        return touched

    def view_of(self, desk: Desk) -> View:
        """Return what the desk's strategy may know now."""
        return self.decider.view_of(desk)

    def _propose(self, desk: Desk, proposals: list[Proposal]) -> None:
        """Compare what the desk wants with what rests, slot by slot.

        A desk that wants what it wanted, where all of it rests or is under way, has no news.
        """
        quotes = desk.quotes
        if desk.is_settled and not desk.has_news and quotes == desk.proposed:
            return
        desk.has_news = False
        desk.proposed = quotes
        desk.is_settled = True
        state = self.state
        at = 0
        for index, slot in enumerate(desk.slots):
            px = quotes[at]
            sz = quotes[at + 1]
            at += 2
            if slot.reduce_only:
                desk.is_settled = False  # what it may close depends on the other books as well
                if sz > 0 and not _holds_alone(desk, self.state):
                    sz = min(sz, max(0, -desk.ledger.position * slot.slot.side))
            order = slot.order
            if slot.old is not None or (
                order is not None and (order.pending or order.phase != Phase.OPEN)
            ):
                continue  # the answer will be news
            plan = plan_slot(order, px=px, sz=sz)
            if plan == KEEP:
                continue
            desk.is_settled = False
            if plan == CANCEL:
                proposals.append((0, desk, slot, index, plan, px, sz))
                continue
            if state.now < slot.backoff_until:
                continue
            if slot.vetoed is not None and slot.vetoed == self._desire(desk, px, sz):
                slot.veto_count += 1
                continue
            rank = 2 if plan == MODIFY else 3
            if state.net[desk.coin] * slot.slot.side < 0:
                rank = 1
            proposals.append((rank, desk, slot, index, plan, px, sz))

    def _desire(self, desk: Desk, px: int, sz: int) -> tuple[int, ...]:
        """Return a desire and the inputs of a refusal: the same ones are not proposed again."""
        state = self.state
        coin = desk.coin
        blotter = state.blotter
        top = state.tops[coin]
        return (
            px,
            sz,
            top[4],
            top[6],
            state.net[coin],
            blotter.open_buy[coin],
            blotter.open_sell[coin],
            len(blotter.orders),
            state.mode,
            *blotter.touch(coin),
        )

    def _judge(self, proposals: list[Proposal], out: list[Record]) -> None:
        """Put each proposal before the panel; fold what passes before the next is judged."""
        if len(proposals) > 1:
            proposals.sort(key=_by_rank)
        state = self.state
        state.mark_peak()
        for _, desk, slot, index, plan, px, sz in proposals:
            command = self._command(desk, slot, index, plan, px, sz)
            refusal = self.panel.judge(command, state)
            if slot.veto_count:
                out.extend(_tallies([slot]))
            if refusal is not None:
                out.append(refusal)
                slot.veto = refusal
                if plan != CANCEL:
                    slot.vetoed = self._desire(desk, px, sz)
                continue
            slot.vetoed = None
            if not desk.signal and plan != CANCEL and desk.mind.has_signal:
                self._signal(desk, out)
            self._fold_command(command, slot)
            out.append(command)

    def _signal(self, desk: Desk, out: list[Record]) -> None:
        """Write down what the desk's decision acted on, once, before its first command."""
        signal = signal_of(desk, self.state.signal_next, self.state.now)
        desk.signal = signal.id
        self.state.signal_next += 1
        out.append(signal)

    def _command(
        self, desk: Desk, slot: SlotState, index: int, plan: int, px: int, sz: int
    ) -> Command:
        state = self.state
        coin = desk.coin
        order = slot.order
        if plan == CANCEL:
            assert order is not None
            return Cancel(order.intent, desk.book, coin, index, state.now)
        spec = slot.slot
        top = state.tops[coin]
        intent = state.intent_next
        mid2 = top[4] + top[6]
        signal = desk.signal
        if not signal and desk.mind.has_signal:
            signal = state.signal_next
        reduce_only = spec.reduce_only
        if reduce_only and not _holds_alone(desk, self.state):
            net = state.net[coin]
            reduce_only = net * spec.side < 0 and sz <= abs(net)
        if plan == PLACE:
            return Place(
                intent, desk.book, coin, index, spec.side, px, sz, spec.tif, reduce_only,
                mid2, state.now, signal,
            )  # fmt: skip
        assert order is not None
        return Modify(
            intent, order.intent, desk.book, coin, index, spec.side, px, sz, spec.tif,
            reduce_only, mid2, state.now, signal,
        )  # fmt: skip

    def _fold_command(self, command: Command, slot: SlotState) -> None:
        """Fold an accepted command into State: its order is SENT, its target pending."""
        if isinstance(command, Cancel):
            assert slot.order is not None
            slot.order.pending = "cancel"
            return
        self.state.intent_next = command.intent + 1
        if isinstance(command, Modify):
            assert slot.order is not None
            slot.order.pending = "modify"
            slot.old = slot.order
        slot.order = self.state.blotter.add(command)

    def _fold_fact(self, fact: Fact) -> None:
        """Fold one fact about our orders or account."""
        blotter = self.state.blotter
        order: Order | None = None
        if isinstance(fact, Opened):
            order = blotter.opened(fact)
        elif isinstance(fact, Filled):
            order = blotter.filled(fact)
            if order is not None:
                self.state.note_hour(order.coin, fact.exch)
                self.state.fill(
                    book=order.book,
                    coin=order.coin,
                    side=order.side,
                    px=fact.px,
                    sz=fact.sz,
                    fee=fact.fee,
                )
                # what was wanted before a fill must not be traded again
                self._desk_of[order.book, order.coin].mind.wake()
        elif isinstance(fact, Closed):
            order = blotter.ended(fact)
        elif isinstance(fact, Refused):
            order = blotter.refused(fact)
        elif isinstance(fact, CancelRefused):
            order = blotter.orders.get(fact.intent)
            if order is not None:
                order.pending = ""
        elif isinstance(fact, FundingPaid):
            self._fold_funding(fact)
        if order is not None:
            self._news(order, reject=isinstance(fact, Refused))

    def _news(self, order: Order, *, reject: bool) -> None:
        """Release the slot of an order that is final, and let its desk compare again."""
        desk = self._desk_of[order.book, order.coin]
        slot = desk.slots[order.slot]
        desk.has_news = True
        desk.mind.has_news = True
        if reject:
            slot.back_off(self.state.now)
        elif order is slot.order and order.phase == Phase.OPEN:
            slot.rejects = 0
        if order.phase not in FINAL:
            return
        if order is slot.old:
            slot.old = None
        elif order is slot.order:
            slot.order = slot.old
            slot.old = None
            if slot.order is not None:
                slot.order.pending = ""

    def _fold_funding(self, fact: FundingPaid) -> None:
        """Allot a payment over the sub-ledgers that held the coin at its hour."""
        state = self.state
        if fact.exch <= state.funded[fact.coin]:
            state.blotter.late += 1  # told twice
            return
        state.funded[fact.coin] = fact.exch
        weights = dict(enumerate(state.charged(fact.coin, fact.exch)))
        for book, share in allot(fact.usdc, weights).items():
            state.pay_funding(book=book, coin=fact.coin, usdc=share)


def _seated(book: int, assignment: Assignment, state: State) -> list[Mind]:
    """Return the minds of one strategy with their desks: one per coin, or one for all coins."""
    strategy, coins, capital = assignment
    cells = memory_cells(strategy, len(coins))
    count = 1 if strategy.scope == CROSS else len(coins)
    minds = [Mind(book=book, strategy=strategy, cells=cells) for _ in range(count)]
    for at, coin in enumerate(coins):
        Desk(
            coin=coin,
            asset=state.assets[coin],
            mind=minds[at % count],
            ledger=state.ledgers[book][coin],
            capital=capital // len(coins),
        )
    return minds


def _holds_alone(desk: Desk, state: State) -> bool:
    """Say whether the account's position is this book's, so that the venue's own flag is right.

    Where books net, a book's close is cut to what it holds by us, and is reduce-only for the venue
    only when it lowers the account's position as well.
    """
    return desk.ledger.position == state.net[desk.coin]


def _tallies(slots: Sequence[SlotState]) -> list[Record]:
    return [tally for slot in slots if (tally := slot.tally()) is not None]


def _by_rank(proposal: Proposal) -> int:
    return proposal[0]
