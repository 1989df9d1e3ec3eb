"""The venue's margin arithmetic: value, margin, maintenance, what may leave, liquidation price.

Money in micro-USDC, prices in 1e-10 USDC, signed sizes in 1e-8 coins; maintenance tiers are those
of `domain.asset`. Source: PROTOCOL 4.4 and 15, measured on recorded states (docs/fidelity.md).
"""

from collections.abc import Iterable

from hatmanifesto.domain.asset import Maintenance, maintenance_of

PX_ONE = 10**10
SZI_ONE = 10**8
MICRO_PER = PX_ONE * SZI_ONE // 10**6
"""px times szi over this is micro-USDC."""
TRANSFER_FLOOR = 10
"""Percent of notional that must stay when money leaves. Source: PROTOCOL 4.4."""
TRANSFER_FLOOR_2023 = 0
"""States of 2023 show no such floor. Source: recordings of 2023-03 (docs/fidelity.md)."""


def position_value(szi: int, mark: int) -> int:
    """Return the unsigned value of a position at mark, truncated [micro-USDC]."""
    return abs(szi) * mark // MICRO_PER


def cross_margin_used(value: int, leverage: int) -> int:
    """Return the initial margin of a cross position worth ``value`` at mark [micro-USDC]."""
    return value // leverage


def isolated_margin_used(raw_usd: int, signed_value: int) -> int:
    """Return the margin of an isolated position: collateral with its unrealised profit."""
    return raw_usd + signed_value


def account_value(raw_usd: int, signed_values: Iterable[int]) -> int:
    """Return equity: cash net of costs, and every position at mark, longs positive."""
    return raw_usd + sum(signed_values)


def cross_maintenance(positions: Iterable[tuple[int, tuple[Maintenance, ...]]]) -> int:
    """Return the maintenance margin of cross positions given as (value at mark, tiers)."""
    return sum(maintenance_of(value, tiers) for value, tiers in positions)


def order_margin(px: int, sz: int, leverage: int) -> int:
    """Return what one resting order that would increase exposure reserves [micro-USDC]."""
    return px * sz // MICRO_PER // leverage


def withdrawable(
    cross_value: int, margin_used: int, notional: int, orders: int, *, floor: int = TRANSFER_FLOOR
) -> int:
    """Return what may leave the account [micro-USDC].

    Args:
        cross_value: equity of the cross pool.
        margin_used: initial margin of the cross positions.
        notional: value of the cross positions.
        orders: margin reserved by resting orders.
        floor: [%] of notional that must stay at least.
    """
    return max(0, cross_value - max(margin_used, notional * floor // 100) - orders)


def liquidation_px(
    szi: int, mark: int, available: int, tiers: tuple[Maintenance, ...]
) -> int | None:
    """Return the mark at which the margin is used up, rounded [1e-10 USDC]; None if not positive.

    ``available + szi * (p - mark)`` falls to the growth of the position's own maintenance. With one
    tier this is ``mark - side * available / |szi| / (1 - rate * side)`` (PROTOCOL 15.4); with
    several, the tier is the one in force at the liquidation notional, deduction included.

    Args:
        szi: signed size, not 0.
        available: cross: account value less total maintenance; isolated: margin less maintenance.
        tiers: the position's.
    """
    assert szi
    size = abs(szi)
    side = 1 if szi > 0 else -1
    own = maintenance_of(position_value(szi, mark), tiers)
    for tier in reversed(tiers):
        leverage2 = 2 * tier.leverage_max
        free2 = 2 * (available + own) + tier.deduction_doubled
        numerator = (2 * szi * mark - free2 * MICRO_PER) * tier.leverage_max
        denominator = side * size * leverage2 - size
        px = _rounded(numerator, denominator)
        if px > 0 and position_value(szi, px) >= tier.notional_min:
            return px
    return None


def liquidation_px_2023(szi: int, mark: int, available: int) -> int | None:
    """Return the liquidation price as the venue showed it in March 2023 [1e-10 USDC].

    ``mark - side * available / |szi|``: that maintenance itself moves with the price was not yet
    counted. Source: recording of 2023-03-27, five positions to eight decimals (docs/fidelity.md).
    """
    px = _rounded(szi * mark - available * MICRO_PER, szi)
    return px if px > 0 else None


def _rounded(numerator: int, denominator: int) -> int:
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    return (2 * numerator + denominator) // (2 * denominator)
