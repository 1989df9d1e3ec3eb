"""The words of a run that plays candles: their length, and the half spread that is assumed."""

import re

from hatmanifesto.domain.candles import SPREAD_BP
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.units import parse_fixed
from hatmanifesto.ops.secrets import quote

INTERVAL = re.compile(r"[1-9][0-9]{0,3}(?:ms|s|m|h|d)")
HALF_SPREAD_BPS_MAX = 1_000
DOCS = "see docs/candles.md"


def parse_interval(raw: object, *, name: str) -> str:
    """Return the length of a bar as the venue spells it, '' for none.

    Raises:
        UsageError: naming the option or key.
    """
    if raw == "":
        return ""
    if not isinstance(raw, str) or not INTERVAL.fullmatch(raw):
        raise UsageError(
            f"{name}: expected the length of a bar such as 15m, 1h or 1d, was {quote(str(raw))}",
            fix=DOCS,
        )
    return raw


def parse_half_spread(raw: str, *, name: str) -> int:
    """Return a half spread in bps as 1e-8 of the price.

    Raises:
        UsageError: naming the option or key.
    """
    try:
        value = parse_fixed(raw, decimals=len(str(SPREAD_BP)) - 1)
    except ValueError as error:
        raise UsageError(f"{name}: {error}", fix=DOCS) from None
    if not 0 <= value <= HALF_SPREAD_BPS_MAX * SPREAD_BP:
        raise UsageError(
            f"{name}: must lie between 0 and {HALF_SPREAD_BPS_MAX} bps, was {quote(raw)}", fix=DOCS
        )
    return value
