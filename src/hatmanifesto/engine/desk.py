"""A desk: one strategy instance at work on one coin, with its slots and memory."""

import msgspec

from hatmanifesto.books.blotter import Order
from hatmanifesto.books.ledger import Ledger
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.records import Veto
from hatmanifesto.strategies.contract import Slot, Strategy

REJECT_BACKOFF_NS = 100_000_000
REJECT_BACKOFF_NS_MAX = 10_000_000_000


class SlotState:
    """What happens in one slot: the order there, the one it replaces, and refusals remembered.

    ``veto`` is the last refusal, ``vetoed`` the desire it met with its inputs, and ``veto_count``
    how often the very same one was then not proposed again.
    """

    __slots__ = ("backoff_until", "old", "order", "rejects", "slot", "veto", "veto_count", "vetoed")

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
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


class Desk:
    """Strategy, coin, sub-ledger, slots, memory, and when to decide next."""

    __slots__ = (
        "book",
        "capital",
        "coin",
        "decide_next",
        "decisions",
        "has_news",
        "is_dirty",
        "ledger",
        "memory",
        "px_one",
        "quotes",
        "slots",
        "strategy",
        "sz_one",
    )

    def __init__(
        self,
        *,
        book: int,
        coin: int,
        asset: Asset,
        strategy: Strategy,
        ledger: Ledger,
        capital: int,
    ) -> None:
        self.book = book
        self.coin = coin
        self.strategy = strategy
        self.ledger = ledger
        self.capital = capital
        self.px_one = 10**asset.px_decimals
        self.sz_one = 10**asset.sz_decimals
        self.memory = [0.0] * strategy.memory
        self.slots = [SlotState(slot) for slot in strategy.slots]
        self.quotes: tuple[int, ...] = (0, 0) * len(strategy.slots)
        self.decide_next = 0
        self.decisions = 0
        self.is_dirty = False
        self.has_news = False
