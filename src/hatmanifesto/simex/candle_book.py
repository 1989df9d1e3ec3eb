"""CandleBook: own orders over candles, filled pessimistically; every rule of it is an assumption.

Theory of operation. A BAR row stands where one bar ends and the next begins. It settles the ended
bar for orders that rest, and says what the coming bar will give. Inside a bar own orders together,
taker and maker, get no more than a share of its volume, and nothing of a bar without volume. A
taker pays the worse of the last close and the coming open, half a spread worse, on the grid. A
resting order fills only when the bar went strictly through its price, at its price, in price and
time order, and only if it rested before a sixtieth of the bar had passed: a bar does not tell when
its extremes were, so an order that came later takes part from the next bar on. After missing bars
the first candle decides for the orders that rested over the hole: crossed ones are filled within
the share and marked, the others are kept. See docs/candles.md.
"""

from hatmanifesto.domain.candles import ask_over, bid_under, share_of
from hatmanifesto.domain.rows import Chunk, Row
from hatmanifesto.simex.matching import Match, Resting, best_of, insert_order

BBO, GAP, BAR = 1, 5, 6

EARLY_PART = 60
"""An order takes part in a bar if it rested before this fraction of it, 1/60, had passed."""

NONE: list[Match] = []


class CoinBars:
    """What the venue knows of one coin: assumed best prices, the bar under way, our orders."""

    __slots__ = ("ask", "asks", "begin", "bid", "bids", "gap_end", "left", "open")

    def __init__(self) -> None:
        self.bid = 0
        self.ask = 0
        self.open = 0
        self.begin = 0
        self.left = 0
        self.gap_end = 0
        self.bids: list[Resting] = []
        self.asks: list[Resting] = []


class CandleBook:
    """A Matcher over candles.

    Args:
        px_ones: px units per USDC, by coin slot.
        half_spread: assumed [1e-8 of the price].
    """

    __slots__ = ("_bars", "_half_spread", "_px_ones")

    def __init__(self, *, px_ones: list[int], half_spread: int) -> None:
        self._bars = [CoinBars() for _ in px_ones]
        self._px_ones = px_ones
        self._half_spread = half_spread

    def best(self, coin: int) -> tuple[int, int]:
        """Return best bid and ask px, our resting orders included; 0 for an empty side."""
        bars = self._bars[coin]
        return best_of(bars.bid, bars.ask, bars.bids, bars.asks)

    def resting(self, coin: int) -> list[Resting]:
        """Return all resting orders of ``coin``, bids then asks."""
        bars = self._bars[coin]
        return [*bars.bids, *bars.asks]

    def on_chunk(self, chunk: Chunk) -> None:
        """Do nothing: candles have no levels."""

    def on_public(self, row: Row) -> list[Match]:
        """Fold one public row; return what resting orders got in the bar that ended."""
        kind = row[0]
        bars = self._bars[row[1]]
        if kind == BBO:
            bars.bid, bars.ask = row[4], row[6]
        elif kind == BAR:
            matches = self._ended(bars, row) if row[4] and (bars.bids or bars.asks) else NONE
            if row[4]:
                bars.gap_end = 0
            bars.begin = row[2]
            bars.open = max(row[6], 0)
            bars.left = share_of(row[7]) if bars.open else 0
            return matches
        elif kind == GAP:
            bars.gap_end = row[5]
        return NONE

    def _ended(self, bars: CoinBars, row: Row) -> list[Match]:
        """Return the matches of the bar that ended, within what takers left of its share."""
        late = bars.begin + (row[2] - bars.begin) // EARLY_PART
        high, low = row[4], row[5]
        bids = [order for order in bars.bids if low < order.px and order.since <= late]
        asks = [order for order in bars.asks if high > order.px and order.since <= late]
        matches: list[Match] = []
        left = min(bars.left, share_of(row[8]))
        b = a = 0
        while left and (b < len(bids) or a < len(asks)):
            # Between the sides the older order goes first, so that buying and selling mirror.
            if a == len(asks) or (b < len(bids) and bids[b].oid < asks[a].oid):
                order = bids[b]
                b += 1
            else:
                order = asks[a]
                a += 1
            sz = min(left, order.sz - order.sz_filled)
            left -= sz
            is_gap = order.since < bars.gap_end
            matches.append(Match(order, order.px, sz, False, None, is_gap))
        return matches

    def take(self, order: Resting) -> list[Match]:
        """Match an aggressive order: better own orders, the bar's share, own orders to the limit.

        Own orders of one account are only named, for the clearing to cancel.
        """
        bars = self._bars[order.coin]
        matches: list[Match] = []
        left = order.sz - order.sz_filled
        own = list(bars.asks if order.side > 0 else bars.bids)
        px = self._taker_px(bars, order)
        for other in own[:] if px else []:
            if left and (other.px - px) * order.side < 0:
                left = _take_own(order, other, left, matches, own)
        if px and left and bars.left and (px - order.px) * order.side <= 0:
            sz = min(left, bars.left)
            matches.append(Match(order, px, sz, True))
            bars.left -= sz
            left -= sz
        for other in own[:]:
            if left and (other.px - order.px) * order.side <= 0:
                left = _take_own(order, other, left, matches, own)
        return matches

    def _taker_px(self, bars: CoinBars, order: Resting) -> int:
        """Return what a taker pays or gets; 0 where there is no price."""
        if not (bars.open and bars.bid and bars.ask):
            return 0
        px_one, half = self._px_ones[order.coin], self._half_spread
        if order.side > 0:
            return max(bars.ask, ask_over(bars.open, half_spread=half, px_one=px_one))
        return min(bars.bid, bid_under(bars.open, half_spread=half, px_one=px_one))

    def rest(self, order: Resting) -> None:
        """Put an order behind our own at its price."""
        bars = self._bars[order.coin]
        insert_order(bars.bids if order.side > 0 else bars.asks, order)

    def remove(self, order: Resting) -> None:
        """Take a resting order out."""
        bars = self._bars[order.coin]
        (bars.bids if order.side > 0 else bars.asks).remove(order)


def _take_own(
    order: Resting, other: Resting, left: int, matches: list[Match], own: list[Resting]
) -> int:
    """Match against one of our resting orders within the limit; return what is left."""
    own.remove(other)
    if (other.px - order.px) * order.side > 0:
        return left
    sz = min(left, other.sz - other.sz_filled)
    matches.append(Match(order, other.px, sz, True, other))
    return left if other.account == order.account else left - sz
