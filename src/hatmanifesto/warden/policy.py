"""The gate's own policy: a second, independent opinion before anything is signed.

It shares no code with the hats and keeps its own books from what it has signed and from fills, so
that a fault in the engine cannot talk it into an order. It knows no strategy and no price feed.
"""

import msgspec

from hatmanifesto.domain.commands import Cancel, Command, Modify, OrderCommand
from hatmanifesto.domain.events import Closed, Fact, Filled, Opened, Refused


class Policy(msgspec.Struct, frozen=True):
    """What the gate may sign: coin slots, and ceilings in micro-USDC and counts."""

    coins: frozenset[int]
    order_notional_max: int
    position_notional_max: int
    open_orders_max: int


class Warden:
    """Sans-I/O machine: ``refusal`` judges, ``observe`` keeps the books."""

    __slots__ = ("_net", "_open", "_policy", "_side_sz", "intent_last", "is_latched")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._open: dict[int, list[int]] = {}
        self._net: dict[int, int] = dict.fromkeys(policy.coins, 0)
        self._side_sz: dict[int, list[int]] = {coin: [0, 0] for coin in policy.coins}
        self.intent_last = 0
        self.is_latched = False

    def refusal(self, command: Command) -> str:
        """Return why ``command`` must not be signed, '' to sign it (and count it as open)."""
        if isinstance(command, Cancel):
            return "" if command.coin in self._policy.coins else "coin not allowed"
        coin, side, sz = command.coin, command.side, command.sz
        if coin not in self._policy.coins:
            return "coin not allowed"
        if command.intent <= self.intent_last:
            return "intent not rising"
        if command.px <= 0 or sz <= 0:
            return "no price or size"
        side_sz = self._side_sz[coin]
        exposed = side * self._net[coin] + side_sz[side < 0] + sz
        reason = self._over(command, exposed) if exposed > 0 else ""
        if not reason:
            self.intent_last = command.intent
            self._open[command.intent] = [coin, side, sz]
            side_sz[side < 0] += sz
        return reason

    def _over(self, command: OrderCommand, exposed: int) -> str:
        """Return which ceiling an order breaks that could leave ``exposed`` > 0 [sz units]."""
        policy = self._policy
        px, sz = command.px, command.sz
        if self.is_latched:
            return "latched"
        if px * sz > policy.order_notional_max:
            return "order notional over the gate's ceiling"
        if exposed * px > policy.position_notional_max:
            return "worst-case position over the gate's ceiling"
        if len(self._open) >= policy.open_orders_max + isinstance(command, Modify):
            return "open orders over the gate's ceiling"
        return ""

    def observe(self, fact: Fact) -> None:
        """Fold what the venue says of orders that were signed here."""
        if isinstance(fact, Opened):
            return
        if isinstance(fact, Filled):
            held = self._open.get(fact.intent)
            if held is not None:
                coin, side, _ = held
                self._net[coin] += side * fact.sz
                held[2] -= fact.sz
                self._side_sz[coin][side < 0] -= fact.sz
                if not held[2]:
                    del self._open[fact.intent]
        elif isinstance(fact, (Closed, Refused)):
            held = self._open.pop(fact.intent, None)
            if held is not None:
                self._side_sz[held[0]][held[1] < 0] -= held[2]


class NullSigner:
    """Signs nothing: back-tests send no bytes anywhere."""

    def sign(self, command: Command, now: int) -> bytes:
        """Return no bytes."""
        return b""
