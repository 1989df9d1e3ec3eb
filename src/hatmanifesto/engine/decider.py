"""Lets minds decide: builds their views, calls the strategy, and stops one that fails."""

from collections.abc import Callable, Sequence
from functools import partial

from hatmanifesto.books.state import State
from hatmanifesto.domain.records import Record, StrategyFailed
from hatmanifesto.engine.desk import Desk, Mind
from hatmanifesto.signals.regime import RegimeTrack
from hatmanifesto.strategies.contract import CROSS, View

FAR = 1 << 62
"""A time later than any other [ns]."""

ERROR_CHARS_MAX = 400
"""Of the text of an exception that stopped a strategy."""

new_view: Callable[[tuple[int, ...]], View] = partial(tuple.__new__, View)
"""Builds a View from its fields in order, at a third of the cost of calling the class."""


class Decider:
    """Views, regimes and capital of all desks; one call of ``decide`` is one decision."""

    __slots__ = ("minds", "regimes", "state")

    def __init__(self, state: State, minds: list[Mind]) -> None:
        self.state = state
        self.minds = minds
        self.regimes = [RegimeTrack() for _ in state.assets]

    def tell_capital(self, capitals: Sequence[int]) -> None:
        """Give every desk its equal share of its book's capital [micro-USDC]."""
        desks = [desk for mind in self.minds for desk in mind.desks]
        for book, capital in enumerate(capitals):
            mine = [desk for desk in desks if desk.book == book]
            for desk in mine:
                desk.capital = capital // len(mine)

    def decide(self, mind: Mind, out: list[Record]) -> None:
        """Let a mind say what it wants; one that cannot is stopped."""
        mind.is_dirty = False
        strategy = mind.strategy
        desks = mind.desks
        state = self.state
        if strategy.scope != CROSS:
            top = state.tops[desks[0].coin]
            if not (top[4] and top[6]):
                desks[0].quotes = (0, 0) * len(desks[0].slots)
                return
        mind.decide_next = state.now + strategy.requote_ns
        mind.decisions += 1
        for desk in desks:
            desk.signal = 0
            top = state.tops[desk.coin]
            if top[4] and top[6]:
                self.regimes[desk.coin].observe(state.now, top[4] + top[6])
        mind.views = tuple([self.view_of(desk) for desk in desks])
        try:
            if strategy.scope == CROSS:
                quotes = strategy.decide(strategy.params, mind.views, mind.memory)
            else:
                quotes = strategy.decide(strategy.params, mind.views[0], mind.memory)
            _check_quotes(quotes, len(desks) * len(strategy.slots))
        except Exception as error:  # noqa: BLE001  a strategy's fault must stay its own
            self._stop(mind, error, out)
            return
        if len(desks) == 1:
            desks[0].quotes = quotes
            return
        width = 2 * len(strategy.slots)
        for at, desk in enumerate(desks):
            desk.quotes = quotes[at * width : (at + 1) * width]

    def _stop(self, failed: Mind, error: Exception, out: list[Record]) -> None:
        """Stop a strategy for good: its orders are withdrawn, its positions stay."""
        text = repr(error)[:ERROR_CHARS_MAX]
        coin = failed.desks[0].coin if len(failed.desks) == 1 else -1
        out.append(StrategyFailed(failed.book, coin, text, self.state.now))
        for mind in self.minds:
            if mind.book != failed.book:
                continue
            mind.is_stopped = True
            mind.is_dirty = False
            mind.decide_next = FAR
            mind.has_news = True
            for desk in mind.desks:
                desk.quotes = (0, 0) * len(desk.slots)
                desk.has_news = True

    def view_of(self, desk: Desk) -> View:
        """Return what the desk's strategy may know now."""
        state = self.state
        coin = desk.coin
        top = state.tops[coin]
        last = state.prints[coin]
        context = state.contexts[coin]
        payment = state.payments[coin]
        premium, premium_exch = state.premiums[coin]
        return new_view(
            (
                state.now,
                top[2],
                top[4],
                top[5],
                top[6],
                top[7],
                last[4],
                last[5] * last[6],
                desk.ledger.position,
                desk.capital,
                desk.px_one,
                desk.sz_one,
                context[4],
                context[5],
                payment[4],
                payment[2],
                premium,
                premium_exch,
                self.regimes[coin].label,
            )
        )


def _check_quotes(quotes: tuple[int, ...], slots: int) -> None:
    """Refuse what is no decision: a price and a size, whole numbers, for each slot."""
    if len(quotes) != 2 * slots:
        raise ValueError(f"expected {2 * slots} numbers for {slots} slots, was {len(quotes)}")
    for value in quotes:
        if type(value) is not int:
            raise TypeError(f"expected whole numbers, was {value!r}")
