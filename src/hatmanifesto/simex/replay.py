"""The replay: merges the venue's time and ours over one tape, deterministically.

Theory of operation. There are two clocks on one axis. The venue sees a row at its own stamp, the
engine sees it a feed delay later; a command reaches the venue an order delay after it was sent, and
its facts come back a feed delay after the block. At any time the earliest thing happens next; at
equal times the venue goes before the engine, and own actions go before rows. Both queues hold the
rows in one order, so a batch is a run of rows with one receive stamp.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np

from hatmanifesto.domain.commands import Cancel, Modify, Place
from hatmanifesto.domain.enums import Status
from hatmanifesto.domain.events import Fact, MarginCalled, Refused
from hatmanifesto.domain.ports import Journal, Signer
from hatmanifesto.domain.records import Record
from hatmanifesto.domain.rows import EXCH, Chunk, Row, Tape
from hatmanifesto.engine.engine import FAR, Engine
from hatmanifesto.simex.blocks import BlockQueue
from hatmanifesto.simex.clearing import Clearing
from hatmanifesto.simex.latency import LatencySource, feed_stamps
from hatmanifesto.simex.matching import Matcher
from hatmanifesto.warden.policy import Warden

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
        self._facts: deque[tuple[int, Fact]] = deque()
        self._fact_recv = 0
        self._progress = progress
        self._rows: list[Row] = []
        self._recv: list[int] = []
        self._at = 0
        self._now = 0
        self._rows_done = 0
        self._batches = 0
        self._commands = 0
        self._called = False
        self._venue: list[Row] = []
        self._venue_exch: list[int] = []
        self._venue_at = 0
        clearing.listen(TRADER, self.told)

    def told(self, fact: Fact) -> None:
        """Take a fact from the venue; it reaches the engine after the answer leg, in order."""
        self._warden.observe(fact)
        recv = max(fact.exch + self._legs.answer.one(), self._fact_recv)
        self._fact_recv = recv
        msgspec.structs.force_setattr(fact, "recv", recv)  # nobody has seen the fact before
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
        if not self._called:
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
        self._venue_at = 0
        self._matcher.on_chunk(chunk)

    def _until(self, end: int) -> None:
        """Let everything happen that happens before the venue's rows run out."""
        stamps = self._venue_exch
        count = len(stamps)
        actions = self._actions
        while not self._called:
            limit = self._next_engine()
            block = actions.next_block
            if self._venue_at < count:
                stop = limit if limit < block else block - 1
                if stamps[self._venue_at] <= stop and self._publish(stop):
                    continue
                if self._venue_at == count and limit > end and block > end:
                    return
            elif limit > end and block > end:
                return
            if block <= limit:
                self._execute(block)
            else:
                self._step(limit)

    def _publish(self, stop: int) -> bool:
        """Give the venue its rows up to ``stop``; say whether one of them brought us a fact."""
        rows, stamps = self._venue, self._venue_exch
        on_public = self._clearing.on_public
        facts = self._facts
        before = len(facts)
        at = self._venue_at
        count = len(stamps)
        while at < count and stamps[at] <= stop:
            on_public(rows[at])
            at += 1
            if len(facts) != before:
                self._venue_at = at
                return True
        self._venue_at = at
        return False

    def _drain(self) -> None:
        """After the last row: deliver what was under way; the venue executes nothing more."""
        while (now := self._next_engine()) < FAR:
            self._step(now)

    def _next_engine(self) -> int:
        """Return when the engine has something to do next."""
        now = self._recv[self._at] if self._at < len(self._recv) else FAR
        if self._facts and self._facts[0][0] < now:
            now = self._facts[0][0]
        wake = self._engine.next_wake
        return wake if wake < now else now

    def _execute(self, block: int) -> None:
        while self._actions.next_block == block:
            self._clearing.execute(TRADER, self._actions.pop(), block)

    def _step(self, now: int) -> None:
        """Give the engine one batch; send what it lets out."""
        self._now = now
        at = end = self._at
        recv = self._recv
        count = len(recv)
        while end < count and recv[end] == now:
            end += 1
        facts: list[Fact] = []
        while self._facts and self._facts[0][0] == now:
            facts.append(self._facts.popleft()[1])
        self._at = end
        self._rows_done += end - at
        self._batches += 1
        records = self._engine.step((self._rows[at:end], facts), now)
        self._journal.mark(now, end - at, facts)
        if records:
            self._journal.write(records)
            self._send(records, now)

    def _send(self, records: list[Record], now: int) -> None:
        for record in records:
            if isinstance(record, Place | Modify | Cancel):
                self._commands += 1
                refusal = self._warden.refusal(record)
                if refusal:
                    intent = record.target if isinstance(record, Cancel) else record.intent
                    fact = Refused(intent, Status.REJECTED, f"gate: {refusal}", now, now)
                    self.told(fact)
                    continue
                self._signer.sign(record, now)
                self._actions.push(record, now + self._legs.order.one())
