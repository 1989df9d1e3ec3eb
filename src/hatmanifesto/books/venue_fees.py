"""The venue's fee schedule: base rates, what lowers them, and how a fee is cut to six decimals.

Rates are integers of 1e-10 of notional (`domain.units.Rate`), positive when the account pays.
Source: PROTOCOL 12, measured on a minute of all the venue's fills (docs/fidelity.md).
"""

from typing import NamedTuple

from hatmanifesto.domain.units import rate_of

TAKER_BASES = (4_500_000, 4_000_000, 3_500_000, 3_000_000, 2_800_000, 2_600_000, 2_400_000)
"""Taker rate of perps by volume tier 0 to 6. Source: PROTOCOL 12.1."""
MAKER_BASES = (1_500_000, 1_200_000, 800_000, 400_000, 0, 0, 0)
"""Maker rate of perps by volume tier 0 to 6. Source: PROTOCOL 12.1."""
REBATES = (-100_000, -200_000, -300_000)
"""Maker rate by share of the exchange's maker volume; never discounted. Source: PROTOCOL 12.1."""
STAKING = (0, 5, 10, 15, 20, 30, 40)
"""Discounts for staking [%], on taker and positive maker rates. Source: PROTOCOL 12.1."""
REFERRAL = 4
"""Discount for a referred user's first 25M of volume [%]. Source: PROTOCOL 12.2."""
BUILDER_TENTH = 100_000
"""A builder's fee counts in tenths of a basis point. Source: PROTOCOL 12.3."""
BUILDER_TENTHS_MAX = 100
"""Highest builder fee on perps: 10 bps. Source: PROTOCOL 12.3."""


class FeeRate(NamedTuple):
    """One rate of the schedule and how it comes about: base, staking and referral [%]."""

    rate: int
    role: str
    base: int
    staking: int
    referral: int


def discounted(base: int, *, staking: int, referral: int) -> int:
    """Return a positive rate after its discounts, which multiply; exact for the schedule's rates.

    Args:
        base: [1e-10].
        staking, referral: discounts [%].
    """
    product = base * (100 - staking) * (100 - referral)
    assert product % 10_000 == 0
    return product // 10_000


def builder_dex_rate(rate: int, *, scale: int) -> int:
    """Return ``rate`` on a builder's dex; rebates are not scaled.

    Args:
        rate: after discounts [1e-10].
        scale: the deployer's fee scale [%]: below 100 rates grow by it, else they grow by it twice.

    Source: PROTOCOL 12.2.
    """
    if rate <= 0:
        return rate
    return rate * (100 + scale if scale < 100 else 2 * scale) // 100


def exchange_fee(notional: int, rate: int) -> int:
    """Return the venue's part of a fee, truncated toward zero, rebates too [micro-USDC].

    Args:
        notional: px times sz [micro-USDC].
        rate: [1e-10].
    """
    return rate_of(notional, rate)


def builder_fee(notional: int, tenths: int) -> int:
    """Return a builder's part of a fee [micro-USDC]; it is truncated on its own.

    Args:
        notional: px times sz [micro-USDC].
        tenths: agreed rate in tenths of a basis point.
    """
    return rate_of(notional, tenths * BUILDER_TENTH)


def is_fee_in_base(*, is_buy: bool, is_rebate: bool) -> bool:
    """Say whether a spot fee is told in the base token.

    A fee is charged in the token received; a rebate is paid in the other one, out of the taker's
    fee. Source: PROTOCOL 12.4.
    """
    return is_buy != is_rebate


def _rates() -> tuple[FeeRate, ...]:
    """Type the list: per role and base the pairs (staking, referral) [%] that are in use."""
    plain = "0 5 10 15 20 30 40"
    in_use = {
        ("taker", 4_500_000): (plain, "0 5 10 15"),
        ("taker", 4_000_000): ("0 15 20 30 40", "0 15"),
        ("taker", 3_500_000): ("0 15 40", ""),
        ("taker", 3_000_000): ("0 15", ""),
        ("taker", 2_800_000): ("10 15 20 30 40", ""),
        ("taker", 2_600_000): ("20 30", ""),
        ("taker", 2_400_000): ("40", ""),
        ("maker", 1_500_000): ("0 5 10 15 20", "0 5 10 20"),
        ("maker", 1_200_000): ("10 15 40", ""),
        ("maker", 800_000): ("0 15 20 40", ""),
        ("maker", 400_000): ("0 10 15 20 30 40", ""),
    }
    rows = []
    for (role, base), discounts in in_use.items():
        for referral, text in zip((0, REFERRAL), discounts, strict=True):
            for staking in map(int, text.split()):
                rate = discounted(base, staking=staking, referral=referral)
                rows.append(FeeRate(rate, role, base, staking, referral))
    rows += [FeeRate(rate, "maker", rate, 0, 0) for rate in (0, *REBATES)]
    rows.append(FeeRate(0, "taker", 0, 0, 0))  # the venue's own vaults pay nothing
    unique = {(row.role, row.rate): row for row in reversed(rows)}
    return tuple(sorted(unique.values(), key=lambda row: (row.role, -row.rate)))


RATES = _rates()
"""Every rate that explains recorded perp fills, each with its derivation; at most 60."""
