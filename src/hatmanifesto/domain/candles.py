"""What stands in for a book where there are only candles: a spread and a share of the volume.

Nobody recorded either, so both are assumed, and every run over candles says so.
"""

from hatmanifesto.domain.asset import grid_step

PARTICIPATION_PCT = 10
"""Own orders together get at most this share of a bar's volume."""
SPREAD_ONE = 10**8
"""Half spreads are counted in 1e-8 of the price: a bp has 10**4."""
SPREAD_BP = 10**4
HALF_SPREAD = 2 * SPREAD_BP
"""Half spread that is assumed unless the run says another."""


def share_of(volume: int) -> int:
    """Return what own orders may get of ``volume``, rounded down [sz units]."""
    return volume * PARTICIPATION_PCT // 100


def ask_over(px: int, *, half_spread: int, px_one: int) -> int:
    """Return the assumed ask over a traded price: half a spread higher, up to the grid.

    Args:
        px: >= 0 [px units]; 0 gives 0.
        half_spread: [1e-8 of the price].
        px_one: px units per USDC.
    """
    if px <= 0:
        return 0
    raw = -(-px * (SPREAD_ONE + half_spread) // SPREAD_ONE)
    step = grid_step(raw, px_one)
    return -(-raw // step) * step


def bid_under(px: int, *, half_spread: int, px_one: int) -> int:
    """Return the assumed bid under a traded price: half a spread lower, down to the grid.

    Args:
        px: >= 0 [px units]; 0 gives 0.
        half_spread: [1e-8 of the price].
        px_one: px units per USDC.
    """
    raw = px * (SPREAD_ONE - half_spread) // SPREAD_ONE
    return raw - raw % grid_step(raw, px_one) if raw > 0 else 0
