"""All live orders, their phases, and what they could still do to the position.

Folds are idempotent: a fill is known by its trade id, an end by its order; facts on orders that are
already final change nothing and are counted in ``late``. Open size counts from the moment a command
is accepted (SENT) to the moment its order is final, both legs of a pending modify included.
"""

from hatmanifesto.books.lifecycle import CAUSE_OF, FINAL, NEXT, Cause, Phase, next_phase
from hatmanifesto.domain.commands import Modify, Place
from hatmanifesto.domain.enums import Status, Tif
from hatmanifesto.domain.events import Closed, Filled, Opened, Refused

ORDER_FIELDS = (
    "book",
    "coin",
    "filled",
    "filled_reported",
    "intent",
    "oid",
    "pending",
    "phase",
    "px",
    "reduce_only",
    "side",
    "slot",
    "sz",
    "tids",
    "tif",
)
"""Fields of an order, in the order in which `Order.dump` tells them."""


class Order:
    """One of our orders; ``pending`` is what is in flight on it: '', 'cancel' or 'modify'."""

    __slots__ = ORDER_FIELDS

    def __init__(self, command: Place | Modify) -> None:
        self.intent = command.intent
        self.book = command.book
        self.coin = command.coin
        self.slot = command.slot
        self.side = command.side
        self.px = command.px
        self.sz = command.sz
        self.tif = command.tif
        self.reduce_only = command.reduce_only
        self.phase = Phase.SENT
        self.filled = 0
        self.filled_reported = -1
        self.oid = -1
        self.pending = ""
        self.tids: tuple[int, ...] = ()

    @property
    def left(self) -> int:
        """Size that may still be filled."""
        return self.sz - self.filled

    def dump(self) -> list[object]:
        """Return the plain content, in the order of ``ORDER_FIELDS``."""
        values = [getattr(self, name) for name in ORDER_FIELDS]
        return [list(value) if isinstance(value, tuple) else value for value in values]


class Blotter:
    """Live orders by intent, and open size by coin and side; ``takers`` counts those that may take.

    Those are the orders that are not post-only.
    """

    __slots__ = ("closed", "late", "open_buy", "open_sell", "orders", "placed", "takers")

    def __init__(self, coins: int) -> None:
        self.orders: dict[int, Order] = {}
        self.open_buy = [0] * coins
        self.open_sell = [0] * coins
        self.late = 0
        self.placed = 0
        self.closed = 0
        self.takers = 0

    def add(self, command: Place | Modify) -> Order:
        """Take an accepted command as a SENT order."""
        assert command.intent not in self.orders, "an intent is used once"
        order = Order(command)
        self.orders[order.intent] = order
        self.placed += 1
        self.takers += order.tif != Tif.ALO
        if order.side > 0:
            self.open_buy[order.coin] += order.sz
        else:
            self.open_sell[order.coin] += order.sz
        return order

    def opened(self, fact: Opened) -> Order | None:
        """Fold an acknowledgement; return the order, None if late."""
        order = self.orders.get(fact.intent)
        if order is None:
            self.late += 1
            return None
        order.phase = NEXT[order.phase, Cause.OPENED]
        order.oid = fact.oid
        return order

    def filled(self, fact: Filled) -> Order | None:
        """Fold a fill; return the order, None if it was counted before or is late."""
        order = self.orders.get(fact.intent)
        if order is None or fact.tid in order.tids:
            self.late += 1
            return None
        assert fact.sz <= order.left, "a fill never exceeds what is left"
        order.tids = (*order.tids, fact.tid)
        order.filled += fact.sz
        self._release(order, fact.sz)
        if order.filled == order.sz:
            self._finish(order, Cause.FILLED_ALL)
        elif order.filled == order.filled_reported:
            self._finish(order, Cause.SETTLED)
        else:
            order.phase = next_phase(order.phase, Cause.FILLED_PART)
        return order

    def ended(self, fact: Closed) -> Order | None:
        """Fold the venue's word that an order is gone; final once the fills agree."""
        order = self.orders.get(fact.intent)
        if order is None:
            self.late += 1
            return None
        assert CAUSE_OF[Status(fact.status)] is Cause.ENDED, "this status is no end"
        if order.filled == fact.sz_filled:
            self._finish(order, Cause.SETTLED)
        else:
            order.phase = next_phase(order.phase, Cause.ENDED)
            order.filled_reported = fact.sz_filled
        return order

    def refused(self, fact: Refused) -> Order | None:
        """Fold a refusal."""
        order = self.orders.get(fact.intent)
        if order is None:
            self.late += 1
            return None
        self._finish(order, Cause.REFUSED)
        return order

    def touch(self, coin: int) -> tuple[int, int]:
        """Return the highest buy and the lowest sell price of our open orders, 0 for none."""
        buy = sell = 0
        for order in self.orders.values():
            if order.coin != coin:
                continue
            if order.side > 0:
                buy = max(buy, order.px)
            elif not sell or order.px < sell:
                sell = order.px
        return buy, sell

    def _finish(self, order: Order, cause: Cause) -> None:
        order.phase = next_phase(order.phase, cause)
        assert order.phase in FINAL, "only final orders leave the blotter"
        self._release(order, order.left)
        del self.orders[order.intent]
        self.takers -= order.tif != Tif.ALO
        self.closed += 1

    def _release(self, order: Order, sz: int) -> None:
        if order.side > 0:
            self.open_buy[order.coin] -= sz
        else:
            self.open_sell[order.coin] -= sz
