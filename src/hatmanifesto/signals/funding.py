"""The venue's funding: premium, rate, payment, and a mean of past rates that knows its holes."""

import math

import msgspec

from hatmanifesto.signals.checks import require_finite, require_positive
from hatmanifesto.signals.closed_form import LN2

HOURS_YEAR = 8_760.0
INTEREST_8H = 1e-4
"""Interest of eight hours. Source: Hyperliquid docs, Funding."""
CLAMP_8H = 5e-4
"""How far interest may pull the rate from the premium. Source: Hyperliquid docs, Funding."""
RATE_1H_MAX = 0.04
"""Largest rate of an hour, either sign. Source: Hyperliquid docs, Funding."""
PAYMENTS_8H = 8.0
"""A payment an hour, each an eighth of the rate of eight hours."""


class FundingQuote(msgspec.Struct, frozen=True):
    """What a constant premium leads to: fractions of notional, payment in quote currency.

    A positive rate is paid by longs; a positive ``payment`` is a cost of the position.
    ``apr`` is ``rate_1h`` over a year without compounding.
    """

    premium: float
    rate_8h: float
    rate_1h: float
    payment: float
    apr: float


def impact_premium(impact_bid: float, impact_ask: float, oracle: float) -> float:
    """Return the premium of the impact prices over the oracle; between them it is zero.

    Source: Hyperliquid docs, Funding.
    """
    return (max(impact_bid - oracle, 0.0) - max(oracle - impact_ask, 0.0)) / oracle


def rate_8h_of(premium: float, interest_8h: float) -> float:
    """Return premium plus interest less premium, the latter kept within ``CLAMP_8H``.

    Source: Hyperliquid docs, Funding.
    """
    return premium + min(max(interest_8h - premium, -CLAMP_8H), CLAMP_8H)


def funding_quote(
    *,
    impact_bid: float,
    impact_ask: float,
    oracle: float,
    position: float,
    interest_8h: float = INTEREST_8H,
) -> FundingQuote:
    """Return rate and payment of an hour over which the premium is constant.

    Args:
        impact_bid, impact_ask: prices of selling and buying the impact notional, > 0.
        oracle: > 0.
        position: signed size [coins].
        interest_8h: interest of eight hours, a fraction.

    Raises:
        ValueError: on a value that is not finite, or a price that is not above zero.

    Source: Hyperliquid docs, Funding.
    """
    require_positive({"impact_bid": impact_bid, "impact_ask": impact_ask, "oracle": oracle})
    require_finite({"position": position, "interest_8h": interest_8h})
    premium = impact_premium(impact_bid, impact_ask, oracle)
    rate_8h = rate_8h_of(premium, interest_8h)
    rate_1h = min(max(rate_8h / PAYMENTS_8H, -RATE_1H_MAX), RATE_1H_MAX)
    return FundingQuote(
        premium=premium,
        rate_8h=rate_8h,
        rate_1h=rate_1h,
        payment=position * oracle * rate_1h,
        apr=rate_1h * HOURS_YEAR,
    )


def decay_of(elapsed: float, half_life: float) -> float:
    """Return what is left of a weight after ``elapsed``, in the unit of ``half_life`` > 0."""
    return math.exp(-LN2 * elapsed / half_life)


def fold_rate(
    total: float, weight: float, rate: float, elapsed: float, half_life: float
) -> tuple[float, float]:
    """Return weighted sum and sum of weights of known rates after one more; mean = sum / weights.

    A rate of age t weighs 2^(-t / half_life). An hour that nobody told adds to neither sum, so it
    is unknown and not zero, and the sum of weights says how much is known.

    Args:
        total, weight: so far; 0, 0 before the first rate.
        rate: the new one [fraction an hour].
        elapsed: since the last known one, >= 0, in the unit of ``half_life`` > 0.
    """
    kept = decay_of(elapsed, half_life)
    return total * kept + rate, weight * kept + 1.0
