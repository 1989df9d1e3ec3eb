"""An asset: its decimals, leverage and margin tiers, and the grid its prices lie on."""

from typing import NamedTuple

import msgspec

PX_DIGITS_MAX = 5
"""Significant digits of a price; whole prices may have more. Source: PROTOCOL 3.2."""
SPOT_INDEX_MIN = 10_000
"""Ids of assets that are held outright begin here. Source: PROTOCOL 3.1."""
NOTIONAL_MIN = 10_000_000
"""Smallest order value [micro-USDC]. Source: PROTOCOL 3.3, recorded."""


class MarginTier(msgspec.Struct, frozen=True):
    """A leverage bracket: from ``notional_min`` [micro-USDC] on, ``leverage_max`` applies."""

    notional_min: int
    leverage_max: int


class Maintenance(NamedTuple):
    """Maintenance margin of one tier as ``notional * rate - deduction``."""

    notional_min: int
    leverage_max: int
    deduction_doubled: int


class Asset(msgspec.Struct, frozen=True):
    """A market: name, venue id, decimals, margin tiers (lowest first, first from zero)."""

    coin: str
    index: int
    sz_decimals: int
    tiers: tuple[MarginTier, ...]

    @property
    def px_decimals(self) -> int:
        """Decimals of the integer price, so that px times sz is micro-USDC."""
        return 6 - self.sz_decimals

    @property
    def is_spot(self) -> bool:
        """Say whether it is held outright: spot fees, no funding. Source: PROTOCOL 3.1."""
        return self.index >= SPOT_INDEX_MIN

    @property
    def leverage_max(self) -> int:
        """Return the leverage of the lowest tier."""
        return self.tiers[0].leverage_max


def grid_step(px: int, px_one: int) -> int:
    """Return the grid step at ``px`` > 0: five significant digits, whole prices always.

    Plain integer arithmetic, so that decisions may call it and the kernel can compile it.

    Args:
        px: [1 / px_one USDC].
        px_one: 10**px_decimals [px units per USDC].

    Source: PROTOCOL 3.2.
    """
    step = 1
    limit = 10**PX_DIGITS_MAX
    while px >= limit and step < px_one:
        step *= 10
        limit *= 10
    return step


def tick_of(px: int, *, px_decimals: int) -> int:
    """Return the grid step at ``px`` > 0 [px units]."""
    assert px > 0
    return grid_step(px, 10**px_decimals)


def is_on_grid(px: int, *, px_decimals: int) -> bool:
    """Say whether the venue accepts ``px`` [px units] as an order price."""
    return px > 0 and px % tick_of(px, px_decimals=px_decimals) == 0


def round_down_to_grid(px: int, *, px_decimals: int) -> int:
    """Return the highest grid price <= ``px``; 0 when there is none."""
    if px <= 0:
        return 0
    return px - px % tick_of(px, px_decimals=px_decimals)


def round_up_to_grid(px: int, *, px_decimals: int) -> int:
    """Return the lowest grid price >= ``px`` (> 0)."""
    tick = tick_of(px, px_decimals=px_decimals)
    return -(-px // tick) * tick


def maintenance_tiers(asset: Asset) -> tuple[Maintenance, ...]:
    """Return the tiers with their deductions, times two so that they stay exact integers.

    Maintenance of a tier is ``notional / (2 * leverage_max) - deduction``; the deductions make it
    continuous: ``ded(n) = ded(n-1) + lower(n) * (rate(n) - rate(n-1))``. Source: PROTOCOL 15.2.
    """
    rows: list[Maintenance] = []
    deduction = 0
    previous = asset.tiers[0].leverage_max
    for tier in asset.tiers:
        step = tier.notional_min * (previous - tier.leverage_max)
        deduction += step // (previous * tier.leverage_max) if step else 0
        rows.append(Maintenance(tier.notional_min, tier.leverage_max, deduction))
        previous = tier.leverage_max
    return tuple(rows)


def maintenance_of(notional: int, tiers: tuple[Maintenance, ...]) -> int:
    """Return the maintenance margin [micro-USDC] of a position worth ``notional``, rounded up."""
    tier = tiers[0]
    for row in tiers:
        if notional >= row.notional_min:
            tier = row
    doubled = -(-notional // tier.leverage_max) - tier.deduction_doubled
    return -(-doubled // 2)
