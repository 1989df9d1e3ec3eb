"""Lets minds decide: builds their views, calls the strategy, and stops one that fails."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hatmanifesto.books.state import State
from hatmanifesto.domain.records import Record, StrategyFailed
from hatmanifesto.engine.desk import Desk, Mind
from hatmanifesto.signals.regime import RegimeTrack
from hatmanifesto.strategies.contract import View

FAR = 1 << 62
"""A time later than any other [ns]."""

NOTHING = (0, 0)
"""What is wanted in a slot when nothing is."""

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
        if mind.is_cross:
            self._decide_cross(mind, out)
            return
        desk = mind.desks[0]
        state = self.state
        top = state.tops[desk.coin]
        if not (top[4] and top[6]):
            desk.quotes = NOTHING * len(desk.slots)
            return
        now = state.now
        mind.decide_next = now + mind.requote_ns
        mind.decisions += 1
        desk.signal = 0
        if now >= self.regimes[desk.coin].next:
            self._observe(desk.coin, top[4] + top[6])
        view = self.view_of(desk)
        mind.views = (view,)
        try:
            quotes: Any = mind.decide(mind.params, view, mind.memory)
            if (
                not isinstance(quotes, tuple)
                or len(quotes) != mind.width
                or sum(quotes).__class__ is not int
            ):
                _refuse(quotes, mind.width)
        except Exception as error:  # noqa: BLE001  a strategy's fault must stay its own
            self._stop(mind, error, out)
            return
        desk.quotes = quotes

    def _decide_cross(self, mind: Mind, out: list[Record]) -> None:
        """Let a mind decide once for all its coins."""
        now = self.state.now
        mind.decide_next = now + mind.requote_ns
        mind.decisions += 1
        for desk in mind.desks:
            desk.signal = 0
            top = self.state.tops[desk.coin]
            if top[4] and top[6] and now >= self.regimes[desk.coin].next:
                self._observe(desk.coin, top[4] + top[6])
        mind.views = tuple([self.view_of(desk) for desk in mind.desks])
        try:
            quotes: Any = mind.decide(mind.params, mind.views, mind.memory)
            if (
                not isinstance(quotes, tuple)
                or len(quotes) != mind.width
                or sum(quotes).__class__ is not int
            ):
                _refuse(quotes, mind.width)
        except Exception as error:  # noqa: BLE001  a strategy's fault must stay its own
            self._stop(mind, error, out)
            return
        width = 2 * len(mind.strategy.slots)
        for at, desk in enumerate(mind.desks):
            desk.quotes = quotes[at * width : (at + 1) * width]

    def _observe(self, coin: int, mid2: int) -> None:
        track = self.regimes[coin]
        before = track.label
        label = track.observe(self.state.now, mid2)
        if label != before:
            self.state.tell_regime(coin, label)

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
                desk.quotes = NOTHING * len(desk.slots)
                desk.has_news = True

    def view_of(self, desk: Desk) -> View:
        """Return what the desk's strategy may know now."""
        state = self.state
        coin = desk.coin
        top = state.tops[coin]
        last = state.prints[coin]
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
            )
            + state.told[coin]
        )


def _refuse(quotes: Any, width: int) -> None:
    """Raise on what is no decision: a tuple of a price and a size, whole numbers, for each slot.

    A list could be changed behind our back after the decision.
    """
    if not isinstance(quotes, tuple) or len(quotes) != width:
        raise ValueError(f"expected a tuple of {width} numbers, was {quotes!r}")
    raise TypeError(f"expected whole numbers, was {quotes!r}")
