"""A desk: one strategy instance at work on one coin. A mind: what decides for one desk or more."""

import msgspec

from hatmanifesto.books.blotter import Order
from hatmanifesto.books.ledger import Ledger
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.records import Veto
from hatmanifesto.strategies.contract import CROSS, Slot, Strategy, View

REJECT_BACKOFF_NS = 100_000_000
REJECT_BACKOFF_NS_MAX = 10_000_000_000


class SlotState:
    """What happens in one slot: the order there, the one it replaces, and refusals remembered.

    ``veto`` is the last refusal, ``vetoed`` the desire it met with its inputs, and ``veto_count``
    how often the very same one was then not proposed again.
    """

    __slots__ = (
        "backoff_until",
        "old",
        "order",
        "reduce_only",
        "rejects",
        "slot",
        "veto",
        "veto_count",
        "vetoed",
    )

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.reduce_only = slot.reduce_only
        self.order: Order | None = None
        self.old: Order | None = None
        self.vetoed: tuple[int, ...] | None = None
        self.veto: Veto | None = None
        self.veto_count = 0
        self.rejects = 0
        self.backoff_until = 0

    def tally(self) -> Veto | None:
        """Return the last refusal with its silent count, once; None when nothing was silent."""
        if not self.veto_count or self.veto is None:
            return None
        tally = msgspec.structs.replace(self.veto, count=self.veto_count)
        self.veto_count = 0
        return tally

    def back_off(self, now: int) -> None:
        """Wait longer after each refusal in a row."""
        wait = min(REJECT_BACKOFF_NS << min(self.rejects, 10), REJECT_BACKOFF_NS_MAX)
        self.rejects += 1
        self.backoff_until = now + wait


class Mind:
    """One run of a decision: its desks, memory, and when it decides next.

    A strategy of scope ``coin`` has a mind per coin, one of scope ``cross`` a single one. ``views``
    are what the last decision saw, ``width`` is how many numbers it returns, ``is_stopped`` says
    that a decision failed and none follows.
    """

    __slots__ = (
        "_strategy",
        "book",
        "decide",
        "decide_next",
        "decisions",
        "desks",
        "has_news",
        "has_signal",
        "is_cross",
        "is_dirty",
        "is_stopped",
        "mask",
        "memory",
        "params",
        "requote_ns",
        "views",
        "width",
    )

    def __init__(self, *, book: int, strategy: Strategy, cells: int) -> None:
        self.book = book
        self.strategy = strategy
        self.desks: list[Desk] = []
        self.is_cross = strategy.scope == CROSS
        self.has_signal = strategy.signal is not None
        self.mask = 0
        self.width = 0
        self.memory = [0.0] * cells
        self.views: tuple[View, ...] = ()
        self.decide_next = 0
        self.decisions = 0
        self.is_dirty = False
        self.has_news = False
        self.is_stopped = False

    @property
    def strategy(self) -> Strategy:
        """Return the strategy at work."""
        return self._strategy

    @strategy.setter
    def strategy(self, strategy: Strategy) -> None:
        """Take a strategy; what every decision asks of it is kept at hand."""
        self._strategy = strategy
        self.decide = strategy.decide
        self.params = strategy.params
        self.requote_ns = strategy.requote_ns

    def seat(self, desk: "Desk") -> None:
        """Take a desk; its place is its turn in the order of the views."""
        desk.place = len(self.desks)
        self.desks.append(desk)
        self.mask |= 1 << desk.coin
        self.width += 2 * len(self.strategy.slots)

    def wake(self) -> None:
        """Decide at once at the next step, however short ago the last decision was."""
        if not self.is_stopped:
            self.is_dirty = True
            self.decide_next = 0


class Desk:
    """Coin, sub-ledger, slots and what is wanted in them; its mind decides.

    ``proposed`` is what was last compared with what rests, and ``is_settled`` says that nothing
    was left to do then.
    """

    __slots__ = (
        "book",
        "capital",
        "coin",
        "has_news",
        "is_settled",
        "ledger",
        "mind",
        "place",
        "proposed",
        "px_one",
        "quotes",
        "signal",
        "slots",
        "sz_one",
    )

    def __init__(
        self,
        *,
        coin: int,
        asset: Asset,
        mind: Mind,
        ledger: Ledger,
        capital: int,
    ) -> None:
        self.book = mind.book
        self.coin = coin
        self.mind = mind
        self.ledger = ledger
        self.capital = capital
        self.px_one = 10**asset.px_decimals
        self.sz_one = 10**asset.sz_decimals
        self.slots = [SlotState(slot) for slot in mind.strategy.slots]
        self.quotes: tuple[int, ...] = (0, 0) * len(self.slots)
        self.signal = 0
        self.place = 0
        self.has_news = False
        self.proposed = self.quotes
        self.is_settled = False
        mind.seat(self)

    @property
    def strategy(self) -> Strategy:
        """Return the strategy at work here."""
        return self.mind.strategy

    @property
    def memory(self) -> list[float]:
        """Return the memory of the mind."""
        return self.mind.memory

    @property
    def decisions(self) -> int:
        """Return how often the mind has decided."""
        return self.mind.decisions
