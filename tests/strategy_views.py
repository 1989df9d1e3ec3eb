"""Views for tests of strategies that take positions, and a market that fills what they want."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hatmanifesto.strategies.contract import Quotes, View

DAY_S = 86_400
NS = 10**9
START = 20_000 * DAY_S * NS
"""A midnight [ns]."""


def view(*, mid: int = 200_000, half: int = 10, position: int = 0, **changes: int) -> View:
    """Return a view with both sides of a book around ``mid``; one sz unit is worth 0.2 USDC."""
    fields = {
        "now": START,
        "bid_px": mid - half,
        "bid_sz": 10_000,
        "ask_px": mid + half,
        "ask_sz": 10_000,
        "trade_px": 0,
        "trade_sz": 0,
        "position": position,
        "capital": 1_000 * 10**6,
        "px_one": 100,
        "sz_one": 10_000,
    }
    fields |= changes
    return View(**{"exch": fields["now"], **fields})


def bought(quotes: Quotes) -> int:
    """Return the signed size that a taker's quotes trade when they fill."""
    assert quotes[1] == 0 or quotes[3] == 0
    return quotes[1] - quotes[3]


def settle(
    decide: Callable[[Any, View, Any], Quotes], p: Any, v: View, m: Any, *, most: int = 50
) -> View:
    """Decide and fill again and again, as the engine does, until nothing is wanted."""
    for _ in range(most):
        traded = bought(decide(p, v, m))
        if not traded:
            return v
        v = v._replace(position=v.position + traded)
    raise AssertionError("never satisfied")


def walk(
    decide: Callable[[Any, View, Any], Quotes], p: Any, views: Iterable[View], m: Any
) -> list[int]:
    """Return the position after each view, everything wanted being filled."""
    held = 0
    path = []
    for v in views:
        held = settle(decide, p, v._replace(position=held), m).position
        path.append(held)
    return path


def settle_all(
    decide: Callable[[Any, Sequence[View], Any], Quotes], p: Any, views: Sequence[View], m: Any
) -> list[int]:
    """Return the positions of all coins once a cross strategy wants nothing more."""
    for _ in range(20):
        quotes = decide(p, views, m)
        traded = [bought(quotes[4 * i : 4 * i + 4]) for i in range(len(views))]
        if not any(traded):
            return [v.position for v in views]
        views = [
            v._replace(position=v.position + one) for v, one in zip(views, traded, strict=True)
        ]
    raise AssertionError("never satisfied")
