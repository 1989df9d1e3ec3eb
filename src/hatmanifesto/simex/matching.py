"""Words between the clearing and its matchers: a resting order, a match, and the Matcher port."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from hatmanifesto.domain.rows import Chunk, Row


class Resting:
    """An order in a matcher, with its estimated place.

    ``front`` is the public size before it, ``shown`` the level's last public size (-1 unknown),
    ``traded`` what printed at its price since then; ``open_sz`` the account's open size by coin on
    its side, ``sz_asked`` what was asked before a reduce-only cut [sz units]; ``since`` the block
    in which it came [ns].
    """

    __slots__ = (
        "account",
        "coin",
        "front",
        "intent",
        "oid",
        "open_sz",
        "px",
        "reduce_only",
        "shown",
        "side",
        "since",
        "sz",
        "sz_asked",
        "sz_filled",
        "traded",
    )

    def __init__(  # noqa: PLR0913  one call site, all keywords
        self, *, account: str, intent: int, oid: int, coin: int, side: int, px: int, sz: int,
        reduce_only: bool,
    ) -> None:  # fmt: skip
        self.account = account
        self.intent = intent
        self.oid = oid
        self.coin = coin
        self.side = side
        self.px = px
        self.sz = sz
        self.sz_asked = sz
        self.sz_filled = 0
        self.reduce_only = reduce_only
        self.since = 0
        self.front = 0.0
        self.shown = -1
        self.traded = 0
        self.open_sz: list[int] = []


class Match(NamedTuple):
    """``order`` gets ``sz`` at ``px`` from ``resting``, or from the background when None."""

    order: Resting
    px: int
    sz: int
    is_taker: bool
    resting: Resting | None = None
    is_gap: bool = False


def best_of(
    bid: int, ask: int, bids: Sequence[Resting], asks: Sequence[Resting]
) -> tuple[int, int]:
    """Return the best prices of a public book with our resting orders in it; 0 for an empty side.

    Args:
        bid, ask: the public best prices, 0 for none.
        bids, asks: our orders, best first.
    """
    if bids and bids[0].px > bid:
        bid = bids[0].px
    if asks and not 0 < ask <= asks[0].px:
        ask = asks[0].px
    return bid, ask


def insert_order(orders: list[Resting], order: Resting) -> None:
    """Put an order among ours of its side, best first, behind those at its price."""
    at = len(orders)
    while at and (order.px - orders[at - 1].px) * order.side > 0:
        at -= 1
    orders.insert(at, order)


class Matcher(Protocol):
    """What the clearing needs of a book."""

    def best(self, coin: int) -> tuple[int, int]:
        """Return best bid and ask px, our resting orders included; 0 for an empty side."""
        ...

    def take(self, order: Resting) -> list[Match]:
        """Match an aggressive order against what it can reach; the rest is the caller's."""
        ...

    def rest(self, order: Resting) -> None:
        """Let an order rest at the back of its level."""
        ...

    def remove(self, order: Resting) -> None:
        """Take a resting order out."""
        ...

    def on_chunk(self, chunk: Chunk) -> None:
        """Learn where the levels of the coming rows lie."""
        ...

    def on_public(self, row: Row) -> list[Match]:
        """Fold a public row; return the matches of resting orders it brings."""
        ...


def crosses(order: Resting, best: tuple[int, int]) -> bool:
    """Say whether an order meets the best bid and ask px, 0 for an empty side."""
    bid, ask = best
    return 0 < ask <= order.px if order.side > 0 else 0 < order.px <= bid
