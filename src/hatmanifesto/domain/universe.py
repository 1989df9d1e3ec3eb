"""The perps this release knows without asking the venue, with decimals and margin tiers.

Source: the recorded ``meta`` answer of 2025-12-13 (``universe_table``); its tiers of the recorded
coins equal PROTOCOL 15.2 (documentation of 2026-08). A live run fetches these at start; back-tests
of recorded data use them.
"""

from collections.abc import Iterator

from hatmanifesto.domain.asset import Asset, MarginTier
from hatmanifesto.domain.units import MICRO
from hatmanifesto.domain.universe_table import TABLE


def _perps() -> Iterator[tuple[Asset, bool]]:
    """Yield every perp of the table, and whether it is delisted."""
    for line in TABLE.split("\n"):
        if line:
            coin, index, sz_decimals, tiers, *mark = line.split(" ")
            yield Asset(coin, int(index), int(sz_decimals), _tiers(tiers)), mark == ["-"]


def _tiers(text: str) -> tuple[MarginTier, ...]:
    pairs = (tier.split(":") for tier in text.split(","))
    return tuple(
        MarginTier(int(millions) * 10**6 * MICRO, int(leverage)) for millions, leverage in pairs
    )


PERPS: dict[str, Asset] = {asset.coin: asset for asset, is_delisted in _perps() if not is_delisted}
"""Perps that could be traded on the day of the table."""

DELISTED: dict[str, Asset] = {asset.coin: asset for asset, is_delisted in _perps() if is_delisted}
"""Perps that no longer trade: for recorded data alone."""


def perp_of(coin: str) -> Asset | None:
    """Return a perp, listed or delisted, or none when this release does not know it."""
    return PERPS.get(coin) or DELISTED.get(coin)
