"""Reads times that people write: RFC 3339 with the zone Z, to exact nanoseconds."""

import re
from datetime import UTC, datetime

from hatmanifesto.domain.units import NS_S, Ns

TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})?"
)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(raw: str) -> Ns:
    """Return the instant of ``2025-09-04T12:00:00Z`` [UTC ns]; fractions to nine digits.

    Raises:
        ValueError: if the form is another, the zone is missing or not Z, or the date impossible.
    """
    match = TIME.fullmatch(raw) if raw.isascii() else None
    if not match:
        raise ValueError(
            f"expected an ISO date and time such as 2025-09-04T12:00:00Z, was {raw[:40]!a}"
        )
    day, clock, fraction, zone = match.groups()
    if zone is None:
        raise ValueError(f"zone required: end it with Z (UTC), was {raw[:40]!a}")
    if zone not in ("Z", "z"):
        raise ValueError(f"zone must be Z (UTC), was {zone} in {raw[:40]!a}")
    whole = _instant(f"{day}T{clock}", raw)
    return Ns(whole + int((fraction or "0").ljust(9, "0")))


def parse_day_or_time(raw: str) -> Ns:
    """Return ``parse_time(raw)``; a plain date means the first instant of that UTC day."""
    if raw.isascii() and DAY.fullmatch(raw):
        return Ns(_instant(f"{raw}T00:00:00", raw))
    return parse_time(raw)


def _instant(text: str, raw: str) -> int:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"impossible date or time {raw[:40]!a}: {error}") from None
    if moment < EPOCH:
        raise ValueError(f"dates before 1970 are refused, was {raw[:40]!a}")
    gap = moment - EPOCH
    return (gap.days * 86_400 + gap.seconds) * NS_S
