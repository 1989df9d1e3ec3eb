"""Quoted, effective and realised spread of trades, with the price impact between the last two."""

import msgspec
import numpy as np

from hatmanifesto.signals.checks import Floats, Vector, finite_array, same_length

BPS = 1e4


class Spreads(msgspec.Struct, frozen=True):
    """Full (round trip) spreads in bps of the mid at the trade.

    Shapes: ``rows`` is (n_kept, 4): quoted, effective, realised, impact; ``weighted`` is (4,),
    their mean by notional, NaN when nothing was kept. ``kept``, (n,), marks the
    trades on an uncrossed book.
    """

    rows: Floats
    weighted: Floats
    kept: np.ndarray


def trade_spreads(
    *, bid: Vector, ask: Vector, px: Vector, side: Vector, sz: Vector, mid_after: Vector
) -> Spreads:
    """Return the spreads of each trade; effective = realised + impact exactly in real numbers.

    A trade on a crossed or locked book is dropped: its mid says nothing.

    Args:
        bid, ask: best quotes just before the trade, shape (n,), > 0 [price].
        px, sz: of the trade, shape (n,) [price], [size, >= 0].
        side: +1 or -1, the aggressor's, shape (n,).
        mid_after: mid one horizon later, shape (n,) [price].

    Raises:
        ValueError: on a value that is not finite, a side other than +-1, or unequal lengths.

    Source: Huang & Stoll (1996).
    """
    bids, asks, prices = finite_array("bid", bid), finite_array("ask", ask), finite_array("px", px)
    sides, sizes = finite_array("side", side), finite_array("sz", sz)
    later = finite_array("mid_after", mid_after)
    columns = {"bid": bids, "ask": asks, "px": prices, "side": sides, "sz": sizes, "after": later}
    same_length(columns)
    if not np.isin(sides, (-1.0, 1.0)).all():
        raise ValueError(f"expected sides of +1 or -1, was {sides.tolist()!r}")
    if (sizes < 0).any():
        raise ValueError(f"expected sizes >= 0, was {sizes.tolist()!r}")
    kept = (bids < asks) & (bids > 0)
    mid = 0.5 * (bids + asks)[kept]
    quoted = (asks - bids)[kept] / mid
    effective = 2.0 * sides[kept] * (prices[kept] - mid) / mid
    realised = 2.0 * sides[kept] * (prices[kept] - later[kept]) / mid
    impact = 2.0 * sides[kept] * (later[kept] - mid) / mid
    rows = BPS * np.column_stack((quoted, effective, realised, impact))
    weights = (prices * sizes)[kept]
    total = float(weights.sum())
    weighted = weights @ rows / total if total > 0 else np.full(4, np.nan)
    return Spreads(rows=rows, weighted=weighted, kept=kept)
