"""The perps this release knows without asking the venue, with decimals and margin tiers.

Source: PROTOCOL 15.2 (mainnet tiers, documentation of 2026-08) and the recorded ``meta`` answer of
2025-12-13 (sizes, ids). A live run fetches these at start; back-tests of recorded data use them.
"""

from hatmanifesto.domain.asset import Asset, MarginTier
from hatmanifesto.domain.units import MICRO


def _perp(coin: str, index: int, sz_decimals: int, *tiers: tuple[int, int]) -> Asset:
    return Asset(
        coin=coin,
        index=index,
        sz_decimals=sz_decimals,
        tiers=tuple(MarginTier(millions * 10**6 * MICRO, leverage) for millions, leverage in tiers),
    )


PERPS: dict[str, Asset] = {
    asset.coin: asset
    for asset in (
        _perp("BTC", 0, 5, (0, 40), (150, 20)),
        _perp("ETH", 1, 4, (0, 25), (100, 15)),
        _perp("SOL", 5, 2, (0, 20), (70, 10)),
        _perp("BNB", 7, 3, (0, 10), (3, 5)),
        _perp("ARB", 11, 1, (0, 10), (3, 5)),
        _perp("DOGE", 12, 0, (0, 10), (20, 5)),
        _perp("kPEPE", 15, 0, (0, 10), (20, 5)),
        _perp("XRP", 25, 0, (0, 20), (40, 10)),
        _perp("PURR", 152, 0, (0, 3)),
        _perp("HYPE", 159, 2, (0, 10), (20, 5)),
        _perp("FARTCOIN", 165, 1, (0, 10), (20, 5)),
        _perp("WLFI", 204, 0, (0, 5)),
    )
}
