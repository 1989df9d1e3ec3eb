"""The venue's funding rules: the hourly rate of a premium, the payment of a rate.

Source: PROTOCOL 13, measured on recorded rates and payments (docs/fidelity.md).
"""

PREMIUM_ONE = 10**12
"""Premiums and rates here: 1e-12, the unit of the warehouse."""
INTEREST = 10**8
"""0.01 % per eight hours."""
CLAMP = 5 * 10**8
"""The interest moves towards the premium by at most 0.05 %."""
RATE_CAP = 4 * 10**10
"""At most 4 % an hour, either way."""
HOURS = 8
"""The rate is stated for eight hours and paid every hour."""

SZI_ONE = 10**8
"""Signed sizes of payments: 1e-8 coins."""
ORACLE_ONE = 10**10
"""Oracle prices: 1e-10 USDC per coin."""
MICRO = 10**6


def funding_rate(premium: int, *, interest: int = INTEREST, clamp: int = CLAMP) -> int:
    """Return the rate paid for one hour, truncated toward zero [1e-12].

    Args:
        premium: the hour's mean premium [1e-12], positive when the perp is dear.
        interest: per eight hours [1e-12]; a builder's dex may have its own.
        clamp: greatest step from interest towards premium [1e-12].
    """
    step = max(-clamp, min(clamp, interest - premium))
    rate = truncated(premium + step, HOURS)
    return max(-RATE_CAP, min(RATE_CAP, rate))


def funding_payment(szi: int, oracle: int, rate: int) -> int:
    """Return what the holder receives, truncated toward zero [micro-USDC]; negative: pays.

    Args:
        szi: signed size at the hour [1e-8 coins].
        oracle: oracle price at the hour [1e-10 USDC].
        rate: the hour's rate [1e-12], positive when longs pay.
    """
    return truncated(-szi * oracle * rate, SZI_ONE * ORACLE_ONE * PREMIUM_ONE // MICRO)


def truncated(numerator: int, denominator: int) -> int:
    """Return the quotient cut toward zero, for a positive denominator."""
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)
