"""From a wanted position to orders: which side to take now, how much, and how far to pay up."""

import math

from hatmanifesto.domain.asset import NOTIONAL_MIN, grid_step
from hatmanifesto.domain.enums import Side, Tif
from hatmanifesto.strategies.contract import Slot, View

TAKER_SLOTS = (Slot("buy", Side.BUY, Tif.IOC), Slot("sell", Side.SELL, Tif.IOC))
"""Slots of a strategy that takes positions: each order is filled at once or dies."""

NOTIONAL_FLOOR = 10_500_000
"""Smallest position worth taking [micro-USDC]: the venue's minimum and room for one price move."""

ORDER_SHARE = 0.9
"""Largest order as a share of capital: dearer ones are cut, for limits are on the order's price."""


def quotes_to_target(v: View, target: int, slip_bps: float) -> tuple[int, int, int, int]:
    """Return (buy px, buy sz, sell px, sell sz) that bring the position to ``target``.

    At most one side is wanted, and never more than the gap. A position of the other sign is closed
    first; the next decision, which a fill brings at once, opens the rest. A large gap is cut into
    equal orders. What the venue's minimum forbids is not asked for, but a full close always is.

    Args:
        v: a book with both sides.
        target: wanted position, signed [sz units].
        slip_bps: how far beyond the touch a fill is still wanted, >= 0 [bps of mid].
    """
    held = v.position
    gap = target - held
    if gap == 0 or v.bid_px <= 0 or v.ask_px <= 0:
        return (0, 0, 0, 0)
    is_close = held != 0 and (target == 0 or (target > 0) != (held > 0))
    sz = abs(held) if is_close else abs(gap)
    distance = math.floor((v.bid_px + v.ask_px) * slip_bps * 0.5e-4)
    if gap > 0:
        px = v.ask_px + distance
        px -= px % grid_step(px, v.px_one)
    else:
        px = max(v.bid_px - distance, 1)
        step = grid_step(px, v.px_one)
        px = -(-px // step) * step
    if not is_close:
        sz = piece_of(sz, px, v.capital)
        if px * sz < NOTIONAL_MIN:
            return (0, 0, 0, 0)
    if gap > 0:
        return (px, sz, 0, 0)
    return (0, 0, px, sz)


def piece_of(sz: int, px: int, capital: int) -> int:
    """Return the first of the fewest equal orders of ``sz`` that stay below a share of capital.

    None is cut below what the venue takes.
    """
    most = ORDER_SHARE * capital
    if most <= 0.0:
        return sz
    pieces = min(math.ceil(px * sz / most), px * sz // NOTIONAL_FLOOR)
    if pieces > 1:
        return -(-sz // pieces)
    return sz


def units_of(v: View, notional: float) -> int:
    """Return the position worth ``notional`` at the mid, toward zero; 0 when below the minimum.

    Args:
        v: a book with both sides.
        notional: signed, finite [micro-USDC].
    """
    sz = int(2.0 * notional / (v.bid_px + v.ask_px))
    if abs(sz) * v.bid_px < NOTIONAL_FLOOR:
        return 0
    return sz


def banded(target: int, held: int, band_pct: float) -> int:
    """Return ``held`` when ``target`` is too near to be worth the cost of moving, else ``target``.

    The band is a share of the larger of the two; no target at all is always followed.

    Args:
        target, held: signed [sz units].
        band_pct: in [0, 100) [percent].

    Source: QUANT.md C.9.
    """
    if target != 0 and abs(target - held) <= 0.01 * band_pct * max(abs(target), abs(held)):
        return held
    return target


def half_spread_bps(v: View) -> float:
    """Return half the spread of the top of book [bps of mid]."""
    return 1e4 * (v.ask_px - v.bid_px) / (v.ask_px + v.bid_px)


def round_trip_bps(v: View, fee_bps: float) -> float:
    """Return what getting in and out again as a taker costs now [bps of notional].

    Args:
        v: a book with both sides.
        fee_bps: of one fill [bps of notional].
    """
    return 2.0 * (fee_bps + half_spread_bps(v))


def too_small(v: View, notional: float, what: str) -> str:
    """Return why a largest position of ``notional`` [micro-USDC] is too small, '' when it is not.

    ``what`` names where the notional comes from.
    """
    if notional >= NOTIONAL_FLOOR and units_of(v, notional) > 0:
        return ""
    return (
        f"the smallest position is {NOTIONAL_FLOOR / 1e6:.1f} USDC (the venue's minimum of 10 USDC "
        f"and room for one move) and one lot, and {what} of {v.capital / 1e6:.2f} USDC allows "
        f"{notional / 1e6:.2f} USDC"
    )
