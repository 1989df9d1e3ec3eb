"""Parsers of configuration values: each takes what TOML gave and returns one canonical form.

A parser raises ValueError whose text continues "KEY: ..."; it never guesses, rounds or corrects.
"""

import re
from collections.abc import Callable

from hatmanifesto.domain.units import MICRO, NS_MS, NS_S, RATE_ONE, format_fixed, parse_fixed
from hatmanifesto.ops.secrets import quote

Parser = Callable[[object], str | int]

DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
DURATION = re.compile(r"(0|[1-9][0-9]*)(us|ms|s|m|h)")
DURATION_UNITS = {"us": 1_000, "ms": NS_MS, "s": NS_S, "m": 60 * NS_S, "h": 3600 * NS_S}
LENGTH_MAX = 40
MICRO_MAX = 10**18
"""Largest money value [micro-USDC]: a trillion USDC, far inside 64 bits."""


def type_name(value: object) -> str:
    """Return what a person calls the type of ``value``."""
    names = {bool: "a boolean", int: "an integer", float: "a float", str: "text", dict: "a table"}
    return names.get(type(value), "a list" if isinstance(value, list) else "a date or time")


def text(value: object, *, expected: str) -> str:
    """Return ``value`` if it is text; ``expected`` says what was wanted."""
    if not isinstance(value, str):
        raise ValueError(f"expected {expected} in quotes, was {type_name(value)} {quote(value)}")
    return value


def decimal_fixed(raw: str, *, decimals: int) -> int:
    """Return plain unsigned decimal text as an integer; names what is wrong with anything else."""
    if not raw:
        raise ValueError("expected a plain decimal number, was empty")
    if len(raw) > LENGTH_MAX:
        raise ValueError(f"number is too long, at most {LENGTH_MAX} characters")
    if raw.startswith("-"):
        raise ValueError(f"must not be negative, was {quote(raw)}")
    if raw.lower().lstrip("+-.") in ("nan", "inf", "infinity"):
        raise ValueError(f"must be finite, NaN and infinity are refused, was {quote(raw)}")
    if not raw.isascii():
        raise ValueError(f"expected ASCII digits, was {quote(raw)}")
    if "," in raw or "_" in raw or " " in raw or "'" in raw:
        raise ValueError(f"no thousands separators, units or blanks, was {quote(raw)}")
    if re.fullmatch(r"[0-9.]+[eE][+-]?[0-9]+", raw):
        raise ValueError(f"no exponent, expected a plain decimal number, was {quote(raw)}")
    if re.fullmatch(r"0[0-9]+(\.[0-9]+)?", raw):
        raise ValueError(f"no leading zero (octal?), expected a plain decimal, was {quote(raw)}")
    if not DECIMAL.fullmatch(raw):
        raise ValueError(f"expected a plain decimal number such as 12.5, was {quote(raw)}")
    return parse_fixed(raw, decimals=decimals)


def money(value: object) -> str:
    """Parse a quoted amount of USDC, >= 0, at most six decimals; zero means observe only."""
    if isinstance(value, float) and value != value:
        raise ValueError("must be finite, was NaN")
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise ValueError("must be finite, was infinite")
    raw = text(value, expected='a decimal amount of USDC such as "1000.50"')
    micro = decimal_fixed(raw, decimals=6)
    if micro > MICRO_MAX:
        raise ValueError(f"is too large, at most {MICRO_MAX // MICRO} USDC, was {quote(raw)}")
    return format_fixed(micro, decimals=6)


def money_positive(value: object) -> str:
    """Parse a quoted amount of USDC, > 0."""
    amount = money(value)
    if amount == "0":
        raise ValueError("must be above 0")
    return amount


def collar(value: object) -> str:
    """Parse a price collar: a quoted fraction in (0, 0.2]; the ceiling is not configurable."""
    raw = text(value, expected='a fraction such as "0.02" (2 %)')
    rate = decimal_fixed(raw, decimals=10)
    if not 0 < rate <= RATE_ONE // 5:
        raise ValueError(f'must be above 0 and at most 0.2 (20 %), was "{raw}"; it has no "off"')
    return format_fixed(rate, decimals=10)


def duration_ns(raw: str) -> int:
    """Return the nanoseconds of a duration such as ``90s``, ``500ms``, ``2m``."""
    match = DURATION.fullmatch(raw)
    if not match:
        raise ValueError(
            f'expected a duration with a unit such as "90s" or "500ms", was {quote(raw)}'
        )
    if len(match[1]) > 12:
        raise ValueError(f"duration is too large, was {quote(raw)}")
    return int(match[1]) * DURATION_UNITS[match[2]]


def duration(low: str, high: str) -> Parser:
    """Return a parser of durations between ``low`` and ``high``, both allowed."""

    def parse(value: object) -> str:
        raw = text(value, expected='a duration with a unit such as "90s"')
        if raw.startswith("-"):
            raise ValueError(f"must not be negative, was {quote(raw)}")
        if not duration_ns(low) <= duration_ns(raw) <= duration_ns(high):
            raise ValueError(f'must be between {low} and {high}, was "{raw}"')
        return raw

    return parse


def integer(low: int, high: int) -> Parser:
    """Return a parser of whole numbers between ``low`` and ``high``, both allowed."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"expected an integer, was {type_name(value)} {quote(value)}")
        if not low <= value <= high:
            raise ValueError(f"must be between {low} and {high}, was {quote(value)}")
        return value

    return parse


def choice(*allowed: str) -> Parser:
    """Return a parser of one of the ``allowed`` words, exactly."""

    def parse(value: object) -> str:
        raw = text(value, expected=f"one of {', '.join(allowed)}")
        if raw not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}, was {quote(raw)}")
        return raw

    return parse


def latency(value: object) -> str:
    """Parse ``fixed:200ms``, ``lognormal:MEDIAN:SIGMA`` (sigma in (0, 3]) or ``empirical:FILE``."""
    raw = text(value, expected="a latency model such as fixed:200ms")
    kind, _, rest = raw.partition(":")
    if kind == "fixed":
        duration("1us", "60s")(rest)
    elif kind == "lognormal" and rest.count(":") == 1:
        median, _, sigma = rest.partition(":")
        duration("1us", "60s")(median)
        if not 0 < decimal_fixed(sigma, decimals=6) <= 3 * MICRO:
            raise ValueError(
                f"sigma of a lognormal must be above 0 and at most 3, was {quote(raw)}"
            )
    elif kind != "empirical" or not rest:
        raise ValueError(
            f"expected fixed:200ms, lognormal:MEDIAN:SIGMA or empirical:FILE, was {quote(raw)}"
        )
    return raw


def queue(value: object) -> str:
    """Parse ``risk_averse``, ``log``, ``log2``, or ``prob|power2|power3:N`` with N in (0, 100]."""
    raw = text(value, expected="a queue model such as risk_averse or prob:3")
    if raw in ("risk_averse", "log", "log2"):
        return raw
    kind, colon, exponent = raw.partition(":")
    if kind not in ("prob", "power2", "power3") or not colon:
        raise ValueError(f"expected risk_averse, log, log2, prob:N or such, was {quote(raw)}")
    if not 0 < decimal_fixed(exponent, decimals=6) <= 100 * MICRO:
        raise ValueError(f"exponent of {kind} must be above 0 and at most 100, was {quote(raw)}")
    return raw
