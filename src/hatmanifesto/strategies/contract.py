"""The strategy contract: a function of parameters, view and memory that says what it wants to have.

``decide(p, v, m)`` stands at module level and uses integers, floats and ``math`` alone, so that the
engine calls it as plain Python and the kernel compiles the same source. It returns a flat tuple
``(px, sz)`` per slot, in slot order; size 0 wants nothing there. It never sees an order id.
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


class Slot(NamedTuple):
    """One role: name, side, time in force, and whether it may only reduce the net position."""

    name: str
    side: int
    tif: Tif
    reduce_only: bool = False


class Strategy(NamedTuple):
    """A strategy as data: its function, parameters, slots and memory length.

    ``requote_ns`` is the least time between two decisions, but a fill lets the next one come
    at once; ``bounds`` is the allowed range of each parameter.
    """

    name: str
    decide: Callable[[Any, View, Any], Quotes]
    params: Any
    slots: tuple[Slot, ...]
    memory: int
    requote_ns: int
    why_too_small: Callable[[Any, View], str]
    bounds: MappingProxyType[str, tuple[float, float]] = MappingProxyType({})
