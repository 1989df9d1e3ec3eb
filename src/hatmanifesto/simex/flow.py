"""A seeded generator of one coin's plausible books, best prices and trades (evidence SYN).

Theory of operation. Time runs in blocks of about 75 ms. A fair value walks at random in ticks and
is pushed by trades. Aggressors arrive in exponential time, keep to one side for a while, lean
towards the fair value (so that resting orders suffer adverse selection), and have heavy-tailed
sizes; each takes from the best level on and is printed at the prices it met. In a block without
trades the two ladders of resting size drift after the fair value, lose and gain size, and never
cross. A bbo row follows whenever the best level changed, a book of 20 levels every seventh block;
rows of one block bear one stamp and agree. Inside the hole nothing is recorded.

Only integers, uniforms, normals and exponentials are drawn and only square roots are taken, and
the state is integers, so that a seed gives the same rows on every machine.
"""

from math import floor, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.asset import Asset, is_on_grid, tick_of
from hatmanifesto.domain.units import NS_MS, NS_S

Ints = NDArray[np.int64]

LEVELS = 20
DEPTH = 26
"""Levels kept a side; more than shown, so that a book is full after a sweep."""
BLOCK_MS_MIN = 70
BLOCK_MS_SPREAD = 11
"""A block lasts 70 to 80 ms."""
BOOK_EVERY = 7
"""Blocks from book to book: about 0.5 s, as the venue sends them."""
MILLI = 1000
CUT_MILLI = 550
"""How often a print is cut in two."""
WIDE_MILLI = 60
"""How often a new quote leaves a tick free."""
LATE_MILLI = 400
"""How often the quotes miss a block, so that stale ones get hit."""
PRINTS_MAX = 6
"""Most prints an aggressor is cut into at one level."""


class FlowShape(NamedTuple):
    """How a coin trades: ``px`` [px units], sizes [sz units], ``milli`` 1e-3 of ticks or of one.

    ``volatility_milli`` is the step of the fair value in a block, ``impact_milli`` its push by a
    trade and by each level swept [ticks]; quotes follow once the fair value strays more than
    ``stray_milli`` from the middle. ``persistence_milli`` and ``informed_milli`` are the chances
    that an aggressor keeps the side of the last one, or takes that of the fair value.
    """

    px: int
    level_sz: int
    trade_sz: int
    wait_ms: int = 625
    volatility_milli: int = 800
    impact_milli: int = 350
    persistence_milli: int = 800
    informed_milli: int = 350
    stray_milli: int = 1600


class Session(NamedTuple):
    """Generated rows as columns; shapes (n, 5), (n, 5), (n,), (n, 20, 4), int64.

    ``trades``: exch, px, sz, side, trade id. ``bbo``: exch, bid px, bid sz, ask px, ask sz.
    ``levels`` belong to ``book_exch``: bid px, bid sz, ask px, ask sz. Stamps rise.
    """

    trades: Ints
    bbo: Ints
    book_exch: Ints
    levels: Ints


class Ladder:
    """Sizes of one side on consecutive ticks: ``sizes[i]`` rests at ``best - sign * i``.

    Args:
        draws: where sizes come from.
        best: best price [ticks].
        sign: +1 for bids, -1 for asks.
        level_sz: mean size of a level [sz units].
    """

    def __init__(self, draws: np.random.Generator, *, best: int, sign: int, level_sz: int) -> None:
        self._draws = draws
        self._level_sz = level_sz
        self.best = best
        self.sign = sign
        self.sizes: list[int] = []
        self.refill()

    def refill(self) -> None:
        """Add sizes at the far end until the ladder is full."""
        missing = DEPTH - len(self.sizes)
        if missing > 0:
            self.sizes += self._sizes(missing)

    def _sizes(self, count: int) -> list[int]:
        drawn = self._draws.standard_exponential(count) * self._level_sz
        return [1 + floor(size) for size in drawn.tolist()]

    def move_to(self, best: int) -> None:
        """Quote up to ``best`` [ticks]: new levels in front when better, cancelled when worse."""
        steps = (best - self.best) * self.sign
        if steps > 0:
            self.sizes = (self._sizes(min(steps, DEPTH)) + self.sizes)[:DEPTH]
        elif steps < 0:
            del self.sizes[:-steps]
        self.best = best
        self.refill()

    def churn(self, level: int) -> None:
        """Add to one level or cancel a part of it; it never empties."""
        change = floor(self._draws.standard_normal() * (self._level_sz // 4))
        self.sizes[level] = max(self.sizes[level] + change, 1 + self._level_sz // 50)

    def take(self, sz: int) -> list[tuple[int, int]]:
        """Fill an aggressor of ``sz`` > 0 and return (price [ticks], size) from the best level on.

        What the visible levels cannot fill is dropped.
        """
        taken = []
        while sz > 0 and len(self.sizes) > LEVELS:
            part = min(sz, self.sizes[0])
            taken.append((self.best, part))
            self.sizes[0] -= part
            sz -= part
            if not self.sizes[0]:
                del self.sizes[0]
                self.best -= self.sign
        return taken


class Flow:
    """The market of one coin; ``step`` advances it by a block."""

    def __init__(self, draws: np.random.Generator, asset: Asset, shape: FlowShape) -> None:
        assert is_on_grid(shape.px, px_decimals=asset.px_decimals)
        self._draws = draws
        self._shape = shape
        self.tick = tick_of(shape.px, px_decimals=asset.px_decimals)
        best = shape.px // self.tick
        self._fair_milli = best * MILLI + MILLI // 2
        self.bids = Ladder(draws, best=best, sign=1, level_sz=shape.level_sz)
        self.asks = Ladder(draws, best=best + 1, sign=-1, level_sz=shape.level_sz)
        self._side = 1
        self._wait_ms = self._next_wait_ms()

    def _next_wait_ms(self) -> int:
        return 1 + floor(self._draws.standard_exponential() * self._shape.wait_ms)

    def _happens(self, milli: int) -> bool:
        """Say yes ``milli`` times in a thousand."""
        return int(self._draws.integers(0, MILLI)) < milli

    def step(self, block_ms: int) -> list[tuple[int, int, int]]:
        """Advance one block and return its prints: px [px units], sz [sz units], aggressor side."""
        step = self._draws.standard_normal() * self._shape.volatility_milli
        self._fair_milli += floor(step)
        self._wait_ms -= block_ms
        prints: list[tuple[int, int, int]] = []
        while self._wait_ms <= 0:
            self._wait_ms += self._next_wait_ms()
            prints += self._aggress()
        if not prints:
            self._requote()
        return prints

    def _aggress(self) -> list[tuple[int, int, int]]:
        shape = self._shape
        if self._happens(shape.informed_milli):
            self._side = 1 if self._fair_milli > self._middle_milli() else -1
        elif not self._happens(shape.persistence_milli):
            self._side = -self._side
        tail = sqrt(1 - self._draws.random())
        sz = min(1 + int(shape.trade_sz // (tail * sqrt(tail))), shape.level_sz * 12)
        ladder = self.asks if self._side > 0 else self.bids
        before = ladder.best
        taken = ladder.take(sz)
        swept = abs(ladder.best - before)
        self._fair_milli += self._side * shape.impact_milli * (1 + swept)
        return [
            (px * self.tick, part, self._side) for px, size in taken for part in self._cut(size)
        ]

    def _middle_milli(self) -> int:
        return (self.bids.best + self.asks.best) * MILLI // 2

    def _cut(self, sz: int) -> list[int]:
        """Return ``sz`` as the sizes of the resting orders it met."""
        parts: list[int] = []
        while len(parts) < PRINTS_MAX - 1 and sz > 1 and self._happens(CUT_MILLI):
            parts.append(1 + floor(self._draws.random() * (sz - 1)))
            sz -= parts[-1]
        return [*parts, sz]

    def _requote(self) -> None:
        bid = self._fair_milli // MILLI
        ask = bid + (2 if self._happens(WIDE_MILLI) else 1)
        strayed = abs(self._fair_milli - self._middle_milli())
        widened = (self.asks.best - self.bids.best - 1) * MILLI
        if not self._happens(LATE_MILLI) and max(strayed, widened) > self._shape.stray_milli:
            if bid > self.bids.best:  # the side in the way moves first
                self.asks.move_to(max(ask, self.bids.best + 1))
                self.bids.move_to(bid)
            else:
                self.bids.move_to(min(bid, self.asks.best - 1))
                self.asks.move_to(ask)
        for ladder in (self.bids, self.asks):
            rank = self._draws.random() * self._draws.random() * self._draws.random()
            ladder.refill()
            ladder.churn(floor(rank * LEVELS))

    def top(self) -> tuple[int, int, int, int]:
        """Return bid px, bid sz, ask px, ask sz."""
        tick = self.tick
        return (
            self.bids.best * tick,
            self.bids.sizes[0],
            self.asks.best * tick,
            self.asks.sizes[0],
        )

    def book(self) -> list[tuple[int, int, int, int]]:
        """Return the 20 visible levels."""
        tick, bid, ask = self.tick, self.bids.best, self.asks.best
        pairs = zip(self.bids.sizes[:LEVELS], self.asks.sizes[:LEVELS], strict=True)
        return [
            ((bid - i) * tick, bid_sz, (ask + i) * tick, ask_sz)
            for i, (bid_sz, ask_sz) in enumerate(pairs)
        ]


def generate_session(
    draws: np.random.Generator,
    *,
    asset: Asset,
    shape: FlowShape,
    start_ns: int,
    minutes: int,
    hole_s: tuple[int, int] = (0, 0),
) -> Session:
    """Return ``minutes`` of one coin's market, a pure function of the state of ``draws``.

    Args:
        draws: seeded by the caller.
        asset: decimals of the coin.
        shape: how it trades; ``shape.px`` on the grid.
        start_ns: stamp of the first book [ns].
        minutes: length.
        hole_s: nothing is recorded from the first to the second second after the start.
    """
    assert minutes > 0
    flow = Flow(draws, asset, shape)
    stamps = _block_stamps(draws, minutes)
    trades: list[tuple[int, int, int, int, int]] = []
    bbo: list[tuple[int, int, int, int, int]] = []
    books: list[list[tuple[int, int, int, int]]] = []
    book_exch: list[int] = []
    shown = (0, 0, 0, 0)
    before = 0
    for block, since in enumerate(stamps):
        prints = flow.step(since - before) if block else []
        before = since
        if hole_s[0] * 1000 < since < hole_s[1] * 1000:
            continue
        exch = start_ns + since * NS_MS
        trades += [(exch, *one, block * 1000 + i) for i, one in enumerate(prints, start=1)]
        if flow.top() != shown:
            shown = flow.top()
            bbo.append((exch, *shown))
        if block % BOOK_EVERY == 0:
            book_exch.append(exch)
            books.append(flow.book())
    return Session(
        trades=np.asarray(trades, dtype=np.int64).reshape(len(trades), 5),
        bbo=np.asarray(bbo, dtype=np.int64).reshape(len(bbo), 5),
        book_exch=np.asarray(book_exch, dtype=np.int64),
        levels=np.asarray(books, dtype=np.int64).reshape(len(books), LEVELS, 4),
    )


def _block_stamps(draws: np.random.Generator, minutes: int) -> list[int]:
    """Return the blocks' stamps [ms after the start], the first 0."""
    length_ms = minutes * 60 * NS_S // NS_MS
    count = length_ms // BLOCK_MS_MIN + 1
    steps = BLOCK_MS_MIN + draws.integers(0, BLOCK_MS_SPREAD, size=count)
    stamps = np.concatenate([[0], np.cumsum(steps)])
    kept: list[int] = stamps[stamps < length_ms].tolist()
    return kept
