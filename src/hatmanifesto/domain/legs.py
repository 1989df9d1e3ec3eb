"""Second legs: a stand-in for the spot of a perp, priced at the index that the data imply.

A leg is named after its perp (``SOL/INDEX``) and has its decimals. It pays spot fees, receives and
pays no funding, and is margined in full. Its price is ASSUMED, see ``store/index_leg.py``.
"""

from hatmanifesto.domain.asset import SPOT_INDEX_MIN, Asset, MarginTier

LEG_SUFFIX = "/INDEX"


def leg_name(coin: str) -> str:
    """Return the name of the second leg of ``coin``."""
    return coin + LEG_SUFFIX


def base_of(name: str) -> str | None:
    """Return the perp that ``name`` is the second leg of, None when it is no leg."""
    return name.removesuffix(LEG_SUFFIX) if name.endswith(LEG_SUFFIX) else None


def leg_asset(perp: Asset) -> Asset:
    """Return the second leg of a perp as an asset: its decimals, no leverage."""
    return Asset(
        coin=leg_name(perp.coin),
        index=SPOT_INDEX_MIN + perp.index,
        sz_decimals=perp.sz_decimals,
        tiers=(MarginTier(0, 1),),
    )
