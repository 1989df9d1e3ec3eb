"""The strategy contract: a function of parameters, view and memory that says what it wants to have.

``decide(p, v, m)`` stands at module level and uses integers, floats and ``math`` alone, so that the
engine calls it as plain Python and the kernel compiles the same source. It returns a flat tuple
``(px, sz)`` per slot, in slot order; size 0 wants nothing there. It never sees an order id.

A strategy of scope ``cross`` decides for all its coins at once: ``decide(p, views, m)`` gets a
tuple of views in coin order and returns the slots of the first coin, of the second, and so on. Its
memory holds ``memory`` shared cells and then ``memory_coin`` cells per coin.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

from hatmanifesto.domain.enums import Tif

Quotes = tuple[int, ...]
"""(px of slot 0, sz of slot 0, px of slot 1, ...)."""


class View(NamedTuple):
    """What a decision may know of one coin and its own sub-ledger. Integers only.

    now, exch: our time, and the venue's stamp of the book [ns].
    bid_px, bid_sz, ask_px, ask_sz: top of book [px and sz units].
    trade_px, trade_sz: the last print; sz is signed by its aggressor.
    position: of this strategy in this coin [sz units, signed].
    capital: allotted to this strategy and coin [micro-USDC].
    px_one, sz_one: units per USDC and per coin.
    mark, oracle: last told prices of margin and of funding [1e-10 USDC], 0 when unknown.
    funding_rate, funding_exch: of the last payment of this coin [1e-10 an hour], and its stamp
        [ns]; stamp 0 when none is known yet.
    premium, premium_exch: last told premium of the perp over its oracle [1e-10], and its stamp
        [ns]; stamp 0 when unknown.
    regime: market regime at this decision (``signals/regime.py``), 0 when unknown.
    """

    now: int
    exch: int
    bid_px: int
    bid_sz: int
    ask_px: int
    ask_sz: int
    trade_px: int
    trade_sz: int
    position: int
    capital: int
    px_one: int
    sz_one: int
    mark: int = 0
    oracle: int = 0
    funding_rate: int = 0
    funding_exch: int = 0
    premium: int = 0
    premium_exch: int = 0
    regime: int = 0


class Slot(NamedTuple):
    """One role: name, side, time in force, and whether it may only reduce the strategy's position.

    The engine cuts a reduce-only order to what the sub-ledger holds, and asks the venue for its
    reduce-only flag when the account's net position agrees.
    """

    name: str
    side: int
    tif: Tif
    reduce_only: bool = False


class SignalSpec(NamedTuple):
    """Where a decision leaves the value it acted on, and what that value is.

    ``cell`` counts within the memory of scope ``coin``, within a coin's own cells of ``cross``;
    ``unit`` says what the value is measured in, ``horizon_ns`` over which time it speaks [ns].
    """

    name: str
    unit: str
    horizon_ns: int
    cell: int


COIN, CROSS = "coin", "cross"
"""Scopes: one decision per coin, or one for all."""

NEEDS = ("funding", "oracle", "premium")
"""Series a strategy may be unable to do without."""


def says_nothing(_p: Any, _m: Any) -> str:
    """Return '': the strategy cannot say what it waits for."""
    return ""


class Strategy(NamedTuple):
    """A strategy as data: its function, parameters, slots and memory length.

    ``requote_ns`` is the least time between two decisions, but a fill lets the next one come
    at once; ``bounds`` is the allowed range of each parameter; ``needs`` names the series (out of
    ``NEEDS``) without which it refuses to run. ``why_too_small`` gets what ``decide`` gets: a view,
    or all of them when the scope is ``cross``. ``why_waiting`` gets parameters and memory after a
    run in which nothing filled, and returns what it waited for, '' when it knows of nothing.
    ``has_legs`` asks for every coin's second leg: the views then come in pairs, a perp and its leg.
    """

    name: str
    decide: Callable[[Any, Any, Any], Quotes]
    params: Any
    slots: tuple[Slot, ...]
    memory: int
    requote_ns: int
    why_too_small: Callable[[Any, Any], str]
    bounds: MappingProxyType[str, tuple[float, float]] = MappingProxyType({})
    scope: str = COIN
    memory_coin: int = 0
    signal: SignalSpec | None = None
    needs: tuple[str, ...] = ()
    has_legs: bool = False
    why_waiting: Callable[[Any, Any], str] = says_nothing
