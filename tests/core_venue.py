"""A clearing with two accounts, shadow books that follow its facts, and random plays on it."""

from functools import partial
from typing import Any, NamedTuple

from hypothesis import strategies as st

from hatmanifesto.books.blotter import Blotter
from hatmanifesto.books.ledger import Ledger
from hatmanifesto.domain.commands import Cancel, Command, Modify, Place
from hatmanifesto.domain.enums import Tif
from hatmanifesto.domain.events import (
    Closed,
    Fact,
    Filled,
    FundingPaid,
    Opened,
    Refused,
)
from hatmanifesto.domain.rows import Chunk, Row
from hatmanifesto.simex.clearing import Clearing, FeeSchedule
from hatmanifesto.simex.queue import parse_queue_model
from hatmanifesto.simex.replay_book import ReplayBook
from tests.core_world import BTC, ETH, HOUR, RICH, S, bbo, l2, matrix, trade

MID = 200_000
"""2000.00 USDC, the middle about which books are laid and sides are mirrored [px units]."""
LEVELS = [(MID - 10 * (n + 1), 10_000, MID + 10 * (n + 1), 10_000) for n in range(10)]
T0 = HOUR - 500 * S


class Venue:
    """A clearing with accounts a and b, and shadow books folded from the facts they are told."""

    def __init__(self, *, cash: int = RICH, fees: FeeSchedule = FeeSchedule()) -> None:  # noqa: B008
        self.book = ReplayBook(coins=2, queue=parse_queue_model("risk_averse"))
        self.clearing = Clearing(assets=(ETH, BTC), matcher=self.book, fees=fees)
        self.book.on_chunk(Chunk([], matrix([LEVELS])))
        self.facts: dict[str, list[Fact]] = {"a": [], "b": []}
        self.ledgers = {"a": Ledger(), "b": Ledger()}
        self.blotters = {"a": Blotter(2), "b": Blotter(2)}
        self.sides: dict[tuple[str, int], int] = {}
        self.guarded: set[tuple[str, int]] = set()
        self.now = T0
        self.deposits = 2 * cash
        for name in self.facts:
            self.clearing.open_account(name, cash=cash)
            self.clearing.listen(name, partial(self.told, name))
        self.show()

    def told(self, name: str, fact: Fact) -> None:
        self.facts[name].append(fact)
        blotter = self.blotters[name]
        if isinstance(fact, Opened):
            blotter.opened(fact)
        elif isinstance(fact, Filled):
            order = blotter.filled(fact)
            assert order is not None, "a fill is told once, of an order that is alive"
            if (name, fact.intent) in self.guarded:
                before = self.ledgers[name].position
                assert before * order.side < 0
                assert abs(before) >= fact.sz, "reduce-only never flips"
            self.ledgers[name].fill(side=order.side, px=fact.px, sz=fact.sz, fee=fact.fee)
        elif isinstance(fact, Closed):
            blotter.ended(fact)
        elif isinstance(fact, Refused):
            blotter.refused(fact)
        elif isinstance(fact, FundingPaid):
            self.ledgers[name].pay_funding(fact.usdc)

    def show(self) -> None:
        self.public(l2(self.tick(), LEVELS, ref=0))

    def tick(self) -> int:
        self.now += S
        return self.now

    def public(self, row: Row) -> None:
        self.clearing.on_public(row)

    def do(self, name: str, command: Command) -> list[Fact]:
        """Execute a command and return what its account was told."""
        before = len(self.facts[name])
        if not isinstance(command, Cancel):
            self.blotters[name].add(command)
            if command.reduce_only:
                self.guarded.add((name, command.intent))
        self.clearing.execute(name, command, self.tick())
        return self.facts[name][before:]

    def check(self) -> None:
        """Money and positions are conserved, and the trader's books agree with the venue's."""
        clearing = self.clearing
        assert clearing.money() == self.deposits
        for coin in (0, 1):
            assert sum(account.positions[coin] for account in clearing.accounts.values()) == 0
        for name, ledger in self.ledgers.items():
            account = clearing.accounts[name]
            assert ledger.position == account.positions[0]
            assert ledger.fees == account.fees
            assert ledger.funding == account.funding
            cash = self.deposits // 2 + ledger.cash - ledger.fees + ledger.funding
            assert cash == account.cash
            assert self.blotters[name].late == 0
        resting = {(order.account, order.intent) for order in self.book.resting(0)}
        alive = {(n, intent) for n, blotter in self.blotters.items() for intent in blotter.orders}
        assert resting == alive, "what rests at the venue is what the trader believes alive"


def place(
    intent: int, side: int, px: int, sz: int, tif: Tif, *, reduce_only: bool = False
) -> Place:
    return Place(intent, 0, 0, 0, side, px, sz, int(tif), reduce_only, 2 * MID, 0)


def statuses(facts: list[Fact]) -> list[str]:
    return [
        fact.status.value if isinstance(fact, Closed | Refused) else type(fact).__name__
        for fact in facts
    ]


class Step(NamedTuple):
    """One move of a random play; ``side`` and ``px`` (offset from MID) mirror."""

    kind: str
    name: str
    side: int
    offset: int
    sz: int
    tif: Tif
    reduce_only: bool
    target: int


steps_of = st.lists(
    st.builds(
        Step,
        st.sampled_from(["place"] * 4 + ["modify", "cancel", "trade", "trade", "bbo", "l2"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from([1, -1]),
        st.integers(-6, 6).map(lambda n: 10 * n),
        st.integers(1, 30).map(lambda n: 1_000 * n),
        st.sampled_from(list(Tif)),
        st.booleans(),
        st.integers(0, 8),
    ),
    min_size=1,
    max_size=25,
)


def play(venue: Venue, steps: list[Step], *, mirror: int = 1) -> list[Any]:
    """Play steps, sides and prices mirrored about MID when ``mirror`` is -1; return the fills."""
    for intent, step in enumerate(steps, start=1):
        side, px = mirror * step.side, MID + mirror * step.offset
        if step.kind == "place":
            command: Command = place(
                intent, side, px, step.sz, step.tif, reduce_only=step.reduce_only
            )
            venue.do(step.name, command)
        elif step.kind == "modify":
            target = max(intent - step.target, 0)
            venue.do(
                step.name,
                Modify(intent, target, 0, 0, 0, side, px, step.sz, int(step.tif), False, 0, 0),
            )
        elif step.kind == "cancel":
            venue.do(step.name, Cancel(max(intent - step.target, 0), 0, 0, 0, 0))
        elif step.kind == "trade":
            venue.public(trade(venue.tick(), px=px, sz=step.sz, side=side))
        elif step.kind == "bbo":
            near, far = (px - 10, px + 10)
            venue.public(bbo(venue.tick(), bid=near, bid_sz=step.sz, ask=far, ask_sz=step.sz))
        else:
            venue.show()
        venue.check()
    return [
        (name, (fact.px - MID) * mirror, fact.sz, fact.is_taker)
        for name in ("a", "b")
        for fact in venue.facts[name]
        if isinstance(fact, Filled)
    ]
