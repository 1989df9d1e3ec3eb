"""The market maker: quotes both sides around a micro-price and leans against its inventory."""

import math
from types import MappingProxyType
from typing import Any, NamedTuple

from hatmanifesto.domain.asset import PX_DIGITS_MAX, grid_step
from hatmanifesto.domain.enums import Side, Tif
from hatmanifesto.signals.closed_form import (
    ewma_variance,
    glft_half_spread,
    glft_skew,
    weighted_mid2,
)
from hatmanifesto.strategies.contract import Quotes, SignalSpec, Slot, Strategy, View

NOTIONAL_FLOOR = 10_500_000
"""Smallest quote [micro-USDC]: the venue's minimum of 10 USDC and room for one price move."""

PX_WHOLE = 10**PX_DIGITS_MAX
"""Prices from so many grid steps on lie on the next coarser grid."""

SIGNAL = 4
MEMORY = 5
"""Memory cells: last mid2, time of it [s], variance [USDC^2/s], observations, signal [bps]."""


class Params(NamedTuple):
    """Parameters of the maker.

    half_spread_bps: distance of a quote from the micro-price when flat [bps of mid].
    lean: share of the half spread by which both quotes move when inventory is at its maximum.
    size_pct: size of one quote [percent of capital at leverage 1].
    inventory_pct: largest inventory [percent of capital at leverage 1].
    micro_weight: 0 quotes around the mid, 1 around the size-weighted mid.
    use_glft: 1 takes half spread and lean from the closed form of Gueant, Lehalle and
        Fernandez-Tapia, with gamma per USDC of inventory notional and the fitted intensity.
    gamma, intensity_k, intensity_a: GLFT risk aversion [1/USDC], decay [1/USDC], rate [1/s].
    half_life_s: of the variance estimate [s].
    requote_ms: least time between decisions [ms].
    """

    half_spread_bps: float = 1.0
    lean: float = 1.0
    size_pct: float = 20.0
    inventory_pct: float = 60.0
    micro_weight: float = 1.0
    use_glft: int = 0
    gamma: float = 0.01
    intensity_k: float = 0.3
    intensity_a: float = 0.9
    half_life_s: float = 60.0
    requote_ms: int = 500


BOUNDS = MappingProxyType(
    {
        "half_spread_bps": (0.0, 500.0),
        "lean": (0.0, 20.0),
        "size_pct": (0.01, 1000.0),
        "inventory_pct": (0.01, 2000.0),
        "micro_weight": (0.0, 1.0),
        "use_glft": (0, 1),
        "gamma": (1e-9, 1e3),
        "intensity_k": (1e-9, 1e6),
        "intensity_a": (1e-9, 1e6),
        "half_life_s": (0.1, 86_400.0),
        "requote_ms": (1, 3_600_000),
    }
)


def decide(p: Params, v: View, m: Any) -> Quotes:
    """Return (bid px, bid sz, ask px, ask sz) wanted now; size 0 wants no quote on that side.

    Args:
        p: parameters.
        v: top of book and own inventory of one coin.
        m: MEMORY floats, kept between decisions.
    """
    bid_px = v.bid_px
    ask_px = v.ask_px
    mid2 = bid_px + ask_px
    mid = 0.5 * mid2
    px_one = float(v.px_one)
    micro = mid + p.micro_weight * (0.5 * weighted_mid2(bid_px, v.bid_sz, ask_px, v.ask_sz) - mid)
    capital_px = 0.01 * v.capital / mid
    sz_max = int(capital_px * p.inventory_pct)
    sz = int(capital_px * p.size_pct)
    sz_floor = NOTIONAL_FLOOR // bid_px + 1
    if sz < sz_floor:
        sz = sz_floor
    if sz_max < sz:
        return (0, 0, 0, 0)

    position = v.position
    if p.use_glft:
        if m[3] > 0.0:
            move = (mid2 - m[0]) * 0.5 / px_one
            m[2] = ewma_variance(m[2], move, v.now * 1e-9 - m[1], p.half_life_s)
        m[0] = float(mid2)
        m[1] = v.now * 1e-9
        m[3] += 1.0
        lot = sz / v.sz_one
        sigma = math.sqrt(m[2])
        gamma = p.gamma * lot
        half = glft_half_spread(gamma, sigma, p.intensity_k, p.intensity_a) * px_one
        lean = glft_skew(gamma, sigma, p.intensity_k, p.intensity_a) * px_one * position / sz
    else:
        half = mid * p.half_spread_bps * 1e-4
        lean = half * p.lean * position / sz_max

    step = grid_step(bid_px, v.px_one)
    centre = micro - lean
    m[SIGNAL] = 1e4 * (centre - mid) / mid
    bid = math.floor((centre - half) / step) * step
    ask = math.ceil((centre + half) / step) * step
    if bid >= ask_px:
        bid = ask_px - step
    if ask <= bid_px:
        ask = bid_px + step
    if ask <= bid:
        ask = bid + step
    if ask >= PX_WHOLE * step and step < v.px_one:  # beyond a power of ten the grid is coarser
        step *= 10
        ask = -(-ask // step) * step
        if bid >= PX_WHOLE * step // 10:
            bid = bid // step * step
    bid_sz = sz if position + sz <= sz_max and bid > 0 else 0
    ask_sz = sz if sz - position <= sz_max else 0
    return (bid, bid_sz, ask, ask_sz)


def why_too_small(p: Params, v: View) -> str:
    """Return why the capital of this desk is too small to quote at all, '' when it is not."""
    mid = 0.5 * (v.bid_px + v.ask_px)
    lot = max(v.capital * p.size_pct / 100.0, math.ceil(NOTIONAL_FLOOR / v.bid_px) * mid)
    inventory = v.capital * p.inventory_pct / 100.0
    if math.floor(inventory / mid) >= math.floor(lot / mid):
        return ""
    return (
        f"the smallest order the venue takes is 10 USDC, {NOTIONAL_FLOOR / 1e6:.1f} USDC with room "
        f"for one move, and inventory_pct {p.inventory_pct:g} of {v.capital / 1e6:.2f} USDC allows "
        f"{inventory / 1e6:.2f} USDC"
    )


def build(params: Params) -> Strategy:
    """Return the maker with ``params`` as a strategy."""
    return Strategy(
        name="maker",
        decide=decide,
        params=params,
        slots=(Slot("bid0", Side.BUY, Tif.ALO), Slot("ask0", Side.SELL, Tif.ALO)),
        memory=MEMORY,
        requote_ns=params.requote_ms * 1_000_000,
        why_too_small=why_too_small,
        bounds=BOUNDS,
        signal=SignalSpec(
            name="quote centre",
            unit="bps of mid, micro-price less lean against the inventory",
            horizon_ns=params.requote_ms * 1_000_000,
            cell=SIGNAL,
        ),
    )
