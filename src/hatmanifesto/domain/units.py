"""Exact integer units and the only conversions between decimal text and them.

On perps a price integer times a size integer is a whole number of micro-USDC, because
``px_decimals + sz_decimals == 6`` (PROTOCOL 3.2). Every ledger is therefore exact.
"""

from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import NewType

Px = NewType("Px", int)
"""Price on the grid: 10**-px_decimals USDC per coin."""
Sz = NewType("Sz", int)
"""Size: 10**-sz_decimals coins, >= 0; a signed size is called ``szi``."""
Ns = NewType("Ns", int)
"""UTC nanoseconds since the epoch."""
Micro = NewType("Micro", int)
"""Money: 1e-6 USDC, signed."""
Mark = NewType("Mark", int)
"""Mark, oracle, impact or average price: 1e-10 USDC per coin."""
Rate = NewType("Rate", int)
"""Fee or funding rate: 1e-10 of notional, positive means the account pays."""

MICRO = 10**6
MARK_ONE = 10**10
RATE_ONE = 10**10
RATE_BPS = 10**6
NS_MS = 10**6
NS_S = 10**9
NS_HOUR = 3600 * NS_S


def parse_fixed(text: str, *, decimals: int) -> int:
    """Return plain decimal ``text`` as an integer count of 10**-decimals, exactly.

    Raises:
        ValueError: if ``text`` is no plain decimal (exponent, NaN, separator, blanks), or has more
            decimals than the unit can hold.
    """
    body = text[1:] if text[:1] == "-" else text
    whole, dot, fraction = body.partition(".")
    digits = whole + fraction
    if not (digits.isascii() and digits.isdigit()) or not whole or (dot and not fraction):
        raise ValueError(f"expected a plain decimal number, was {text!r}")
    fraction = fraction.rstrip("0")
    if len(fraction) > decimals:
        raise ValueError(f"expected at most {decimals} decimals, was {text!r}")
    value: int = int(whole) * 10**decimals + int((fraction or "0").ljust(decimals, "0") or "0")
    return -value if text[:1] == "-" else value


def float_to_fixed(value: float, *, decimals: int) -> int:
    """Return a recorded float as an exact integer, through its shortest decimal text.

    Raises:
        ValueError: if the shortest text has more decimals than the unit, or is not finite.
    """
    try:
        scaled = Decimal(repr(value)).scaleb(decimals)
        whole = int(scaled.to_integral_value(ROUND_DOWN))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise ValueError(f"expected a finite number, was {value!r}") from error
    if scaled != whole:
        raise ValueError(f"expected at most {decimals} decimals, was {value!r}")
    return whole


def format_fixed(value: int, *, decimals: int) -> str:
    """Return the decimal text of ``value`` units of 10**-decimals, without trailing zeros."""
    sign = "-" if value < 0 else ""
    whole, fraction = divmod(abs(value), 10**decimals)
    text = str(fraction).rjust(decimals, "0").rstrip("0") if decimals else ""
    return f"{sign}{whole}.{text}" if text else f"{sign}{whole}"


def format_half_micro(value: int) -> str:
    """Return half micro-USDC (the unit of attribution, 5e-7 USDC) as decimal text."""
    return format_fixed(value * 5, decimals=7)


def rate_of(notional: int, rate: int) -> int:
    """Return ``notional`` times ``rate`` truncated toward zero, as the venue does.

    Args:
        notional: signed [micro-USDC].
        rate: signed [1e-10].

    Source: PROTOCOL 12.4 (fees) and 13 (funding), measured on recorded fills and payments.
    """
    product = notional * rate
    return product // RATE_ONE if product >= 0 else -(-product // RATE_ONE)
