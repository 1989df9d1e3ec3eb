"""The replay: merges the venue's time and ours over one tape, deterministically.

Theory of operation. There are two clocks on one axis. The venue sees a row at its own stamp, the
engine sees it a feed delay later; a command reaches the venue an order delay after it was sent, and
its facts come back a feed delay after the block. At any time the earliest thing happens next; at
equal times the venue goes before the engine, and own actions go before rows. Both queues hold the
rows in one order, so a batch is a run of rows with one receive stamp.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import force_setattr

from hatmanifesto.domain.commands import Cancel, Command, Modify, Place
from hatmanifesto.domain.enums import Status
from hatmanifesto.domain.events import CancelRefused, Fact, MarginCalled, Refused
from hatmanifesto.domain.ports import Journal, Signer
from hatmanifesto.domain.records import Record, Snapshot
from hatmanifesto.domain.rows import EXCH, Chunk, Row, Tape
from hatmanifesto.engine.decider import FAR
from hatmanifesto.engine.engine import Engine
from hatmanifesto.engine.snapshot import engine_hash
from hatmanifesto.simex.blocks import BlockQueue
from hatmanifesto.simex.clearing import Clearing
from hatmanifesto.simex.latency import LatencySource, feed_stamps
from hatmanifesto.simex.matching import Matcher
from hatmanifesto.warden.policy import Warden

COMMANDS = (Modify, Place, Cancel)

SNAPSHOT_NS = 5 * 60 * 10**9
"""Every so often the journal notes the hash of the engine's whole content [ns]."""
SNAPSHOT_BARS = 24
"""Over candles it does so once in so many bars."""

TRADER = "trader"
"""Name of the account that the engine trades."""


class Legs(NamedTuple):
    """Latency of each leg: market data to us, commands to the venue, facts about orders to us."""

    feed: LatencySource
    order: LatencySource
    answer: LatencySource


class Outcome(NamedTuple):
    """How a replay ended: reason ('end' or 'margin'), counts, and the last stamp [ns]."""

    reason: str
    rows: int
    batches: int
    commands: int
    end_ns: int


class Replay:
    """Drives engine and clearing over a tape. Build it, then ``run`` it once."""

    def __init__(  # noqa: PLR0913  the wiring of a whole machine, one call site
        self,
        *,
        tape: Tape,
        engine: Engine,
        clearing: Clearing,
        matcher: Matcher,
        warden: Warden,
        signer: Signer,
        journal: Journal,
        legs: Legs,
        block_ns: int,
        snapshot_ns: int = SNAPSHOT_NS,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._tape = tape
        self._engine = engine
        self._clearing = clearing
        self._matcher = matcher
        self._warden = warden
        self._signer = signer
        self._journal = journal
        self._legs = legs
        self._actions = BlockQueue(block_ns)
        self._snapshot_ns = snapshot_ns
        self._facts: deque[tuple[int, Fact]] = deque()
        self._fact_exch = -1
        self._fact_recv = 0
        self._progress = progress
        self._rows: list[Row] = []
        self._recv: list[int] = []
        self._at = 0
        self._rows_done = 0
        self._batches = 0
        self._commands = 0
        self._called = False
        self._is_over = False
        self._snapshot_next = 0
        self._venue: list[Row] = []
        self._venue_exch: list[int] = []
        clearing.listen(TRADER, self.told)

    def told(self, fact: Fact) -> None:
        """Take a fact from the venue; it reaches the engine after the answer leg, in order."""
        self._warden.observe(fact)
        if fact.exch != self._fact_exch:  # what one block tells us travels together
            self._fact_exch = fact.exch
            self._fact_recv = max(fact.exch + self._legs.answer.one(), self._fact_recv)
        recv = self._fact_recv
        force_setattr(fact, "recv", recv)  # nobody has seen the fact before
        self._facts.append((recv, fact))
        if isinstance(fact, MarginCalled):
            self._called = True

    def run(self) -> Outcome:
        """Run the tape to its end, or to a margin call."""
        end = 0
        for chunk in self._tape.chunks():
            if not chunk.rows:
                continue
            end = chunk.rows[-1][EXCH]
            self._take(chunk)
            self._until(end)
            if self._progress is not None:
                self._progress(self._rows_done)
            if self._called:
                break
        if self._called:
            end = self._fact_exch
        else:
            self._clearing.finish(end)
        self._drain()
        reason = "margin" if self._called else "end"
        return Outcome(reason, self._rows_done, self._batches, self._commands, end)

    def _take(self, chunk: Chunk) -> None:
        """Add a chunk to both queues."""
        exch = np.fromiter((row[EXCH] for row in chunk.rows), dtype=np.int64, count=len(chunk.rows))
        last = self._recv[-1] if self._recv else 0
        recv = feed_stamps(exch, self._legs.feed, recv_last=last)
        self._rows = [*self._rows[self._at :], *chunk.rows]
        self._recv = [*self._recv[self._at :], *recv.tolist()]
        self._at = 0
        self._venue = chunk.rows
        self._venue_exch = exch.tolist()
        self._matcher.on_chunk(chunk)

    def _until(self, end: int) -> None:
        """Let everything happen, in order, that happens before the venue's rows run out.

        One flat loop over local names: it runs once per batch, the hottest place of a back-test.
        """
        rows, recv, facts, actions = self._rows, self._recv, self._facts, self._actions
        engine, on_public = self._engine, self._clearing.on_public
        venue, stamps = self._venue, self._venue_exch
        count, total = len(stamps), len(recv)
        v = at = 0
        while not self._called:
            now = recv[at] if at < total else FAR
            if facts and facts[0][0] < now:
                now = facts[0][0]
            if engine.next_wake < now:
                now = engine.next_wake
            block = actions.next_block
            if v < count:
                stop = now if now < block else block - 1
                told = len(facts)
                while v < count and stamps[v] <= stop:
                    on_public(venue[v])
                    v += 1
                    if len(facts) != told:
                        break
                if len(facts) != told:
                    continue
            if v == count and now > end and block > end:
                break
            if block <= now:
                self._execute(block)
                continue
            first = at
            while at < total and recv[at] == now:
                at += 1
            self._step(rows[first:at], now)
        self._at = at
        if self._called:  # the engine is told nothing that the venue had not seen
            del rows[total - count + v :], recv[total - count + v :]

    def _drain(self) -> None:
        """After the last row: deliver what was under way; the venue executes nothing more."""
        rows, recv = self._rows, self._recv
        self._is_over = True
        while True:
            now = recv[self._at] if self._at < len(recv) else FAR
            if self._facts:
                now = min(now, self._facts[0][0])
            now = min(now, self._engine.next_wake)
            if now == FAR:
                return
            first = self._at
            while self._at < len(recv) and recv[self._at] == now:
                self._at += 1
            self._step(rows[first : self._at], now)

    def _execute(self, block: int) -> None:
        while self._actions.next_block == block:
            self._clearing.execute(TRADER, self._actions.pop(), block)

    def _step(self, rows: list[Row], now: int) -> None:
        """Give the engine one batch; send what it lets out."""
        facts: Sequence[Fact] = ()
        queue = self._facts
        if queue and queue[0][0] == now:
            facts = [queue.popleft()[1]]
            while queue and queue[0][0] == now:
                facts.append(queue.popleft()[1])
        self._rows_done += len(rows)
        self._batches += 1
        records = self._engine.step((rows, facts), now)
        self._journal.mark(now, len(rows), facts)
        if records:
            self._journal.write(records)
            self._send(records, now)
        if now >= self._snapshot_next:
            self._snapshot_next = now - now % self._snapshot_ns + self._snapshot_ns
            self._journal.write([Snapshot(now, engine_hash(self._engine))])

    def _send(self, records: list[Record], now: int) -> None:
        for record in records:
            if isinstance(record, COMMANDS):
                self._commands += 1
                if self._is_over:
                    continue  # nobody answers any more, the gate neither
                refusal = self._warden.refusal(record)
                if refusal:
                    self.told(_turned_back(record, refusal, now))
                    continue
                self._signer.sign(record, now)
                self._actions.push(record, now + self._legs.order.one())


def _turned_back(command: Command, why: str, now: int) -> Fact:
    """Return what the engine is told of a command that the gate did not sign."""
    if isinstance(command, Cancel):
        return CancelRefused(command.target, now, now)
    return Refused(command.intent, Status.REJECTED, f"gate: {why}", now, now)
