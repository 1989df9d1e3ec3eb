"""What an order costs: resting against taking, and taking through the levels of a book."""

import math
from collections.abc import Sequence

import msgspec

from hatmanifesto.domain.enums import Side

BPS = 1e4
DUST = 1e-12
"""Share of an order that is rounding of the subtractions, not a size left to fill."""


class Route(msgspec.Struct, frozen=True):
    """What is believed of an order, [bps of notional] but for ``fill_chance`` in [0, 1].

    Args:
        half_spread: from mid to touch, >= 0.
        taker_fee, maker_fee: positive = we pay.
        fill_chance: of a resting order within its time.
        adverse: move against us after a maker fill.
        drift: move away from us when the order does not fill and is then taken.
    """

    half_spread: float
    taker_fee: float
    maker_fee: float
    fill_chance: float
    adverse: float
    drift: float


class RouteCost(msgspec.Struct, frozen=True):
    """Expected costs [bps] and the fill chance at which they are equal.

    ``break_even`` outside [0, 1] means that one route is better at any chance; NaN that the two
    differ by the same at every chance. ``choose`` is "maker" only when strictly cheaper.
    """

    taker: float
    maker: float
    break_even: float
    choose: str


def route_cost(route: Route) -> RouteCost:
    """Return the expected cost of taking at once and of resting first.

    Maker: p (-s/2 + f_m + a) + (1-p) (s/2 + f_t + d); equal at p = d / (s + f_t - f_m - a + d).

    Raises:
        ValueError: on a value that is not finite or out of its range.

    Source: QUANT D.11.
    """
    for name in route.__struct_fields__:
        value = getattr(route, name)
        if not math.isfinite(value):
            raise ValueError(f"expected {name} to be finite, was {value!r}")
    if not 0 <= route.fill_chance <= 1:
        raise ValueError(f"expected fill_chance in [0, 1], was {route.fill_chance!r}")
    if route.half_spread < 0:
        raise ValueError(f"expected half_spread >= 0, was {route.half_spread!r}")
    taker = route.half_spread + route.taker_fee
    filled = -route.half_spread + route.maker_fee + route.adverse
    missed = taker + route.drift
    maker = route.fill_chance * filled + (1.0 - route.fill_chance) * missed
    gain = missed - filled
    return RouteCost(
        taker=taker,
        maker=maker,
        break_even=route.drift / gain if gain != 0 else math.nan,
        choose="maker" if maker < taker else "taker",
    )


class Sweep(msgspec.Struct, frozen=True):
    """Result of taking through levels; vwap, worst price and slippage are NaN when nothing filled.

    Units: ``filled``, ``unfilled`` [size]; ``vwap``, ``px_worst`` [price]; ``slippage`` [bps of the
    mid, positive = worse].
    """

    filled: float
    unfilled: float
    vwap: float
    px_worst: float
    slippage: float


def sweep_book(
    levels: Sequence[Sequence[float]], *, sz: float, mid: float, side: Side = Side.BUY
) -> Sweep:
    """Return what an order of ``sz`` gets from ``levels``.

    Args:
        levels: (price, size) of the other side, best first.
        sz: to fill, >= 0 [size].
        mid: slippage is measured from, > 0 [price].
        side: of the order.

    Raises:
        ValueError: on a value that is not finite or out of its range.
    """
    if not (math.isfinite(sz) and sz >= 0):
        raise ValueError(f"expected a size >= 0, was {sz!r}")
    if not (math.isfinite(mid) and mid > 0):
        raise ValueError(f"expected a mid > 0, was {mid!r}")
    left, paid, taken, worst = float(sz), [0.0], [0.0], math.nan
    for px, shown in levels:
        if not (math.isfinite(px) and math.isfinite(shown) and px > 0 and shown >= 0):
            raise ValueError(f"expected a level of price > 0 and size >= 0, was {(px, shown)!r}")
        take = min(left, shown)
        if take > 0:
            paid.append(take * px)
            taken.append(take)
            worst = float(px)
            left -= take
            left = left if left > DUST * sz else 0.0
    filled = math.fsum(taken)
    vwap = math.fsum(paid) / filled if filled > 0 else math.nan
    return Sweep(
        filled=filled,
        unfilled=left,
        vwap=vwap,
        px_worst=worst,
        slippage=BPS * int(side) * (vwap - mid) / mid,
    )
