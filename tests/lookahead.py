"""Looks for look-ahead: cuts a tape, changes what comes after, and compares what came before.

Theory of operation. A machine that knows only the past decides the same whatever follows. So a run
over the whole tape is recorded: every decision with what it saw, and every record of the journal.
For a cut at stamp T the run is made again over a tape whose rows after T are gone, and over one
where another day follows T. All that the engine did up to T plus the least feed delay must be the
same, for nothing stamped after T can have reached it by then. A scheme prepares each tape anew, so
that a planted leak sees whatever tape it is given, as a real one would.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from hatmanifesto.apps.compose import build
from hatmanifesto.apps.spec import RunSpec
from hatmanifesto.domain.commands import Cancel, Modify, Place
from hatmanifesto.domain.enums import RowKind
from hatmanifesto.domain.events import Filled, FundingUnknown
from hatmanifesto.domain.rows import EXCH, KIND, REF, A, B, C, Chunk, Row
from hatmanifesto.domain.units import NS_S
from hatmanifesto.store.columns import Ints
from hatmanifesto.store.tape import ArrayTape, ParquetTape
from hatmanifesto.strategies.contract import Strategy, View

OTHER_BAR = (1_234_500, 10**12)
"""Open [px units] and volume [sz units] of a bar that begins at a cut, another day's."""
PAUSE_NS = 1_000_000
"""Time between a cut and the first row of the other day."""
GAP_MARGIN_NS = 5 * NS_S
"""No cut lies this short before a hole, where there is no future to know."""


class Market(NamedTuple):
    """Market rows of some coins and the levels that their L2 rows refer to."""

    coins: tuple[str, ...]
    rows: list[Row]
    levels: Ints


class Log(NamedTuple):
    """What an engine did, in order: stamps of its clock [ns] and one entry for each."""

    stamps: list[int]
    entries: list[Any]

    def until(self, now: int) -> list[Any]:
        """Return the entries up to ``now``, included."""
        return self.entries[: bisect_right(self.stamps, now)]

    def count(self, *kinds: type) -> int:
        """Return how many entries are of one of ``kinds``."""
        return sum(isinstance(entry, kinds) for entry in self.entries)


Wrap = Callable[[int, Strategy], Strategy]
"""Makes the strategy at work on a coin slot from the shipped one."""
Scheme = Callable[[Market], tuple[Market, Wrap]]
"""Turns the tape of a run into what the run is given, and says what strategy works on it."""


class Setup(NamedTuple):
    """How to run: specification, scheme, least feed delay [ns], and rows of a chunk."""

    spec: RunSpec
    scheme: Scheme
    feed_ns_min: int
    chunk_rows: int = 1 << 30


class Verdict(NamedTuple):
    """What the cuts showed: all cuts, those that changed an earlier entry by how, and why."""

    cuts: int
    cut_short: int
    replaced: int
    either: int
    commands: int
    fills: int
    first: str

    def __str__(self) -> str:
        """Return one line for the log of the tests."""
        return (
            f"{self.commands} commands, {self.fills} fills, {self.cuts} cuts: "
            f"{self.cut_short} changed by a cut, {self.replaced} by another day, "
            f"{self.either} by either{'; ' + self.first if self.first else ''}"
        )


class ChunkedTape(ArrayTape):
    """An array tape in chunks of about ``chunk_rows`` rows, no stamp split over two."""

    def __init__(self, market: Market, *, chunk_rows: int) -> None:
        super().__init__(market.coins, market.rows, market.levels)
        self._chunk_rows = chunk_rows

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows; ``ref`` indexes the levels of the whole tape, given with each chunk."""
        rows, low = self._rows, 0
        while low < len(rows):
            high = min(low + self._chunk_rows, len(rows))
            while high < len(rows) and rows[high][EXCH] == rows[high - 1][EXCH]:
                high += 1
            yield Chunk(rows[low:high], self._levels)
            low = high


def market_of(tape: ParquetTape) -> Market:
    """Return the rows of a tape; ``ref`` of an L2 row indexes the levels of the whole."""
    rows: list[Row] = []
    levels: list[Ints] = []
    before = 0
    for chunk in tape.chunks():
        rows += [moved(row, shift=0, first=before) for row in chunk.rows]
        levels.append(chunk.levels)
        before += len(chunk.levels)
    return Market(tape.coins, rows, np.concatenate(levels))


def truncated(market: Market, cut: int) -> Market:
    """Return the market without what is stamped after ``cut``, and without the bar under way."""
    return market._replace(rows=_before(market, cut, begins=(0, 0)))


def replaced(market: Market, cut: int, other: Market) -> Market:
    """Return the market up to ``cut`` and then ``other``, its stamps moved to follow."""
    shift = cut + PAUSE_NS - other.rows[0][EXCH]
    first = len(market.levels)
    later = [moved(row, shift=shift, first=first) for row in other.rows]
    rows = _before(market, cut, begins=OTHER_BAR) + later
    return Market(market.coins, rows, np.concatenate([market.levels, other.levels]))


def _before(market: Market, cut: int, *, begins: tuple[int, int]) -> list[Row]:
    """Return the rows up to ``cut``; bars that begin then are others, for they are the future."""
    rows = market.rows[: _end(market, cut)]
    at = len(rows)
    while at and rows[at - 1][EXCH] == cut:
        at -= 1
    return rows[:at] + [
        (*row[:C], *begins, row[REF]) if row[KIND] == RowKind.BAR else row for row in rows[at:]
    ]


def _end(market: Market, cut: int) -> int:
    return bisect_right(market.rows, cut, key=_exch)


def _exch(row: Row) -> int:
    return row[EXCH]


def moved(row: Row, *, shift: int, first: int) -> Row:
    """Return ``row`` at a time ``shift`` [ns] later, its levels ``first`` places further on."""
    kind, coin, exch, recv, a, b, c, d, ref = row
    if kind == RowKind.GAP:
        a, b = a + shift, b + shift
    return (kind, coin, exch + shift, recv + shift, a, b, c, d, ref + first if ref >= 0 else -1)


class RecordingJournal:
    """A journal that keeps every record with the time of its batch."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._now = 0

    def mark(self, now: int, rows: int, facts: Sequence[Any]) -> None:
        """Keep how many rows came, and the facts but those that the end of the data tells."""
        self._now = now
        told = [fact for fact in facts if not isinstance(fact, FundingUnknown)]
        if rows or told:
            self.write([("batch", rows), *told])

    def write(self, records: Sequence[Any]) -> None:
        """Keep records."""
        self._log.entries.extend(records)
        self._log.stamps.extend([self._now] * len(records))


def run_log(setup: Setup, market: Market) -> Log:
    """Run the machines of the specification over ``market`` and return all they did."""
    given, wrap = setup.scheme(market)
    log = Log([], [])
    tape = ChunkedTape(given, chunk_rows=setup.chunk_rows)
    machines = build(
        setup.spec, cast(ParquetTape, tape), folder=Path(), journal=RecordingJournal(log)
    )
    for mind in machines.engine.minds:
        coin = mind.desks[0].coin
        mind.strategy = _recorded(coin, wrap(coin, mind.strategy), log)
    machines.replay.run()
    return log


def _recorded(coin: int, strategy: Strategy, log: Log) -> Strategy:
    """Return the strategy with each decision noted: what it saw, remembered and wanted."""
    decide = strategy.decide

    def noted(p: Any, v: Any, m: Any) -> tuple[int, ...]:
        quotes = decide(p, v, m)
        log.stamps.append((v if isinstance(v, View) else v[0]).now)
        log.entries.append(("decision", coin, v, tuple(m), quotes))
        return quotes

    return strategy._replace(decide=noted)


def draw_cuts(market: Market, log: Log, *, count: int, seed: int) -> list[int]:
    """Return ``count`` stamps of rows at which the strategy trades, drawn once each.

    They lie between the first and the last fill and not just before a hole.
    """
    fills = [entry.exch for entry in log.entries if isinstance(entry, Filled)]
    holes = [(row[A], row[B]) for row in market.rows if row[KIND] == RowKind.GAP]
    stamps = sorted({row[EXCH] for row in market.rows if fills[0] < row[EXCH] < fills[-1]})
    open_ = [
        stamp
        for stamp in stamps
        if not any(start - GAP_MARGIN_NS <= stamp < end for start, end in holes)
    ]
    rng = np.random.Generator(np.random.PCG64(seed))
    return sorted(int(stamp) for stamp in rng.choice(np.asarray(open_), count, replace=False))


def judge(setup: Setup, market: Market, other: Market, *, cuts: Sequence[int]) -> Verdict:
    """Return what ``cuts`` [ns] of a run over ``market`` showed; ``other`` is another day."""
    whole = run_log(setup, market)
    past = setup._replace(chunk_rows=1 << 30)
    cut_short = followed = either = 0
    first = ""
    for cut in cuts:
        before = whole.until(cut + setup.feed_ns_min)
        found = []
        for changed in (truncated(market, cut), replaced(market, cut, other)):
            again = run_log(past, changed).until(cut + setup.feed_ns_min)
            found.append(again != before)
            if found[-1] and not first:
                first = f"cut {cut}: {first_difference(before, again)}"
        cut_short += found[0]
        followed += found[1]
        either += any(found)
    commands, fills = whole.count(Place, Modify, Cancel), whole.count(Filled)
    return Verdict(len(cuts), cut_short, followed, either, commands, fills, first)


def first_difference(before: Sequence[Any], again: Sequence[Any]) -> str:
    """Return the first entry that is not the same, in words."""
    for number, (one, two) in enumerate(zip(before, again, strict=False)):
        if one != two:
            return f"entry {number}: {one!r}, then {two!r}"
    return f"{len(before)} entries, then {len(again)}"


def clean(market: Market) -> tuple[Market, Wrap]:
    """Give the tape as it is to the shipped strategy."""
    return market, lambda _, strategy: strategy
