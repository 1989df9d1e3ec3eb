"""ReplayBook: recorded books and prints, with our resting orders at an estimated queue place.

Theory of operation. The recording knows nothing of us, so our orders stand beside it. An order
that comes to rest has the level's public size before it. Prints at its price eat that size first
and then the order; a print beyond its price reaches it at once; each print's volume is handed out
once, over our orders in price and time order. A new public size at its level moves the place by the
queue model. When the public book crosses the order's price, what is left is filled. Liquidity that
we take is gone until the public size of that level is told again. Levels deeper than the recording
are unknown: an order there has an unreachable front until its level is seen.
"""

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.rows import Chunk, Row
from hatmanifesto.simex.matching import Match, Resting, best_of, insert_order
from hatmanifesto.simex.queue import QueueModel, front_after_depth, front_after_trade

UNSEEN = 1e15
"""Front of an order whose level has never been shown [sz units]."""

TRADE, BBO, L2, GAP = 0, 1, 2, 5

NONE: list[Match] = []

Levels = tuple[list[int], list[int]]
"""Prices and sizes of one side, best first; price 0 where there is no level."""


class CoinBook:
    """Public top and levels of one coin, and our resting orders best first."""

    __slots__ = (
        "ask_levels",
        "asks",
        "bid_levels",
        "bids",
        "gap",
        "has_levels",
        "is_snapshot",
        "taken",
        "top",
    )

    def __init__(self) -> None:
        self.top: Row | None = None
        self.bids: list[Resting] = []
        self.asks: list[Resting] = []
        self.bid_levels: Levels = ([], [])
        self.ask_levels: Levels = ([], [])
        self.has_levels = -1
        self.is_snapshot = False
        self.taken: dict[tuple[int, int], int] = {}
        self.gap = False

    def forget_levels(self) -> None:
        """Drop the last snapshot: what it showed before a hole says nothing of what is there."""
        self.bid_levels = ([], [])
        self.ask_levels = ([], [])
        self.has_levels = -1


class ReplayBook:
    """A Matcher over recorded rows."""

    __slots__ = ("_books", "_levels", "_queue")

    def __init__(self, *, coins: int, queue: QueueModel) -> None:
        self._books = [CoinBook() for _ in range(coins)]
        self._queue = queue
        self._levels: NDArray[np.int64] | None = None

    def best(self, coin: int) -> tuple[int, int]:
        """Return best bid and ask px, our resting orders included; 0 for an empty side."""
        book = self._books[coin]
        top = book.top
        bid, ask = (top[4], top[6]) if top is not None else (0, 0)
        return best_of(bid, ask, book.bids, book.asks)

    def resting(self, coin: int) -> list[Resting]:
        """Return all resting orders of ``coin``, bids then asks."""
        book = self._books[coin]
        return [*book.bids, *book.asks]

    def on_chunk(self, chunk: Chunk) -> None:
        """Keep the level matrix that the coming L2 rows refer to."""
        for book in self._books:
            self._load_levels(book)
            book.has_levels = -1
        self._levels = chunk.levels

    def on_public(self, row: Row) -> list[Match]:
        """Fold one public row; return matches of resting orders."""
        kind = row[0]
        book = self._books[row[1]]
        if kind == TRADE:
            px = row[4]
            if row[6] < 0:
                if book.bids and book.bids[0].px >= px:
                    return self._print(book.bids, px, row[5])
            elif book.asks and book.asks[0].px <= px:
                return self._print(book.asks, px, row[5])
            return NONE
        if kind > L2:
            if kind == GAP:
                book.gap = True
                book.forget_levels()
            return NONE
        book.top = row
        book.is_snapshot = kind == L2
        if kind == L2:
            book.has_levels = row[8]
            if book.taken:
                book.taken.clear()
        elif book.taken:
            book.taken.pop((1, row[4]), None)
            book.taken.pop((-1, row[6]), None)
        if book.gap:
            return self._after_gap(book, row)
        bids = book.bids
        asks = book.asks
        bid, ask = row[4], row[6]
        matches = NONE
        if bids and (bid <= bids[0].px or kind == L2):
            matches = self._on_book(book, bids, best=bid, size=row[5], far=ask)
        if asks and (ask >= asks[0].px or not ask or kind == L2):
            found = self._on_book(book, asks, best=ask, size=row[7], far=bid)
            matches = [*matches, *found] if matches else found
        return matches

    def _on_book(
        self, book: CoinBook, orders: list[Resting], *, best: int, size: int, far: int
    ) -> list[Match]:
        """Fold a new book into our orders of one side; return those that it crosses.

        Args:
            orders: best first.
            best, size: the public best of their side, 0 when there is none.
            far: the public best of the other side, 0 when there is none.
        """
        matches = NONE
        side = orders[0].side
        for order in orders:
            px = order.px
            if px == best:
                if size != order.shown or order.traded:
                    self._depth(order, size)
            elif far and (px - far) * side >= 0:
                matches = [*matches, Match(order, px, order.sz - order.sz_filled, False)]
            elif not best or (px - best) * side > 0:
                self._depth(order, 0)
            elif book.is_snapshot:
                shown = self._shown(book, side, px)
                if shown >= 0 and (shown != order.shown or order.traded):
                    self._depth(order, shown)
        return matches

    def _depth(self, order: Resting, shown: int) -> None:
        """Move an order's place by the newly shown public size of its level."""
        if order.shown < 0:
            order.front = min(order.front, float(shown))
        elif shown != order.shown or order.traded:
            order.front = front_after_depth(
                order.front,
                shown_before=order.shown,
                shown=shown,
                traded=order.traded,
                model=self._queue,
            )
        order.shown = shown
        order.traded = 0

    def _print(self, orders: list[Resting], px: int, volume: int) -> list[Match]:
        """Hand a print's volume out once, over our orders in price and time order."""
        matches: list[Match] = []
        left = volume
        ours = 0
        for order in orders:
            wanted = order.sz - order.sz_filled
            if order.px == px:
                front = front_after_trade(order.front, left)
                order.front = max(front, 0.0)
                order.traded += left
                sz = min(wanted, int(-front) - ours) if front < 0 else 0
                ours += max(sz, 0)
            elif (order.px - px) * order.side > 0:
                sz = min(wanted, left)
                left -= sz
            else:
                break
            if sz > 0:
                matches.append(Match(order, order.px, sz, False))
            if sz < wanted and order.px != px:
                break
        return matches

    def _after_gap(self, book: CoinBook, row: Row) -> list[Match]:
        """Settle what the hole left unknown: crossed orders are filled, others go to the back."""
        book.gap = False
        matches = [
            Match(order, order.px, order.sz - order.sz_filled, False, None, True)
            for order in [*book.bids, *book.asks]
            if (0 < row[6] <= order.px if order.side > 0 else row[4] >= order.px)
        ]
        filled = {match.order.oid for match in matches}
        for order in [*book.bids, *book.asks]:
            if order.oid not in filled:
                self._join(book, order)
        return matches

    def take(self, order: Resting) -> list[Match]:
        """Walk the public levels and our own resting orders, best price first."""
        book = self._books[order.coin]
        matches: list[Match] = []
        left = order.sz - order.sz_filled
        own = list(book.asks if order.side > 0 else book.bids)
        for px, size in self._public_levels(book, order.side):
            for other in own[:]:
                if (other.px - px) * order.side < 0 and left:
                    left = self._take_own(order, other, left, matches, own)
            if not left or (px - order.px) * order.side > 0:
                break
            key = (-order.side, px)
            sz = min(left, size - book.taken.get(key, 0))
            if sz > 0:
                matches.append(Match(order, px, sz, True))
                book.taken[key] = book.taken.get(key, 0) + sz
                left -= sz
        for other in own[:]:
            if left and (other.px - order.px) * order.side <= 0:
                left = self._take_own(order, other, left, matches, own)
        return matches

    def _take_own(
        self, order: Resting, other: Resting, left: int, matches: list[Match], own: list[Resting]
    ) -> int:
        """Match against one of our resting orders; of the same account it is only named."""
        own.remove(other)
        if (other.px - order.px) * order.side > 0:
            return left
        sz = min(left, other.sz - other.sz_filled)
        matches.append(Match(order, other.px, sz, True, other))
        return left if other.account == order.account else left - sz

    def rest(self, order: Resting) -> None:
        """Put an order behind what its level shows and behind our own at that price."""
        book = self._books[order.coin]
        insert_order(book.bids if order.side > 0 else book.asks, order)
        self._join(book, order)

    def _join(self, book: CoinBook, order: Resting) -> None:
        order.traded = 0
        top = book.top
        if top is None:
            shown = -1
        else:
            best, size = (top[4], top[5]) if order.side > 0 else (top[6], top[7])
            if order.px == best:
                shown = size
            elif not best or (order.px - best) * order.side > 0:
                shown = 0
            else:
                shown = self._shown(book, order.side, order.px)
        order.shown = shown
        order.front = float(shown) if shown >= 0 else UNSEEN

    def remove(self, order: Resting) -> None:
        """Take a resting order out."""
        book = self._books[order.coin]
        (book.bids if order.side > 0 else book.asks).remove(order)

    def _load_levels(self, book: CoinBook) -> None:
        """Unpack the last snapshot, once and only when somebody asks."""
        if book.has_levels >= 0 and self._levels is not None:
            bid_px, bid_sz, ask_px, ask_sz = self._levels[book.has_levels].T.tolist()
            book.bid_levels = (bid_px, bid_sz)
            book.ask_levels = (ask_px, ask_sz)
            book.has_levels = -1

    def _shown(self, book: CoinBook, side: int, px: int) -> int:
        """Return the size of the last snapshot at ``px``; 0 inside its range, -1 outside it."""
        if book.has_levels >= 0:
            self._load_levels(book)
        prices, sizes = book.bid_levels if side > 0 else book.ask_levels
        if px in prices:
            return sizes[prices.index(px)]
        last = next((price for price in reversed(prices) if price), 0)
        return -1 if not last or (last - px) * side > 0 else 0

    def _public_levels(self, book: CoinBook, side: int) -> list[tuple[int, int]]:
        """Return (px, sz) an order of ``side`` can reach, best first: top, then snapshot."""
        top = book.top
        if top is None:
            return []
        self._load_levels(book)
        best, size = (top[6], top[7]) if side > 0 else (top[4], top[5])
        if not best:
            return []
        levels = zip(*(book.ask_levels if side > 0 else book.bid_levels), strict=True)
        return [(best, size), *((px, sz) for px, sz in levels if px and (px - best) * side > 0)]
