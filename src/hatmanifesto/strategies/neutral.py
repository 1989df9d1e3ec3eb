"""Keeps a long and a short side of a book worth the same, when not all of it can be traded."""

import math
from collections.abc import Sequence

from hatmanifesto.strategies.contract import View
from hatmanifesto.strategies.targets import units_of


def worth_of(views: Sequence[View], sizes: Sequence[int]) -> list[float]:
    """Return what signed sizes are worth at the last mids [micro-USDC]; 0 without a book."""
    return [0.5 * (v.bid_px + v.ask_px) * sz for v, sz in zip(views, sizes, strict=True)]


def is_lopsided(worth: Sequence[float], band_pct: float) -> bool:
    """Say whether one side is worth more than the other by more than a band.

    Args:
        worth: of each leg, signed, any unit.
        band_pct: of the larger side [percent].
    """
    bought = math.fsum(one for one in worth if one > 0)
    sold = -math.fsum(one for one in worth if one < 0)
    return abs(bought - sold) > 0.01 * band_pct * max(bought, sold)


def levelled(
    views: Sequence[View], sizes: Sequence[int], movable: Sequence[int], band_pct: float
) -> list[int]:
    """Return ``sizes`` with the larger side scaled down to the other, when it is lopsided.

    A leg that would fall below the venue's minimum goes as a whole, the smallest first, while that
    brings the sides nearer; so they may stay uneven by half a leg.

    Args:
        views: one per leg.
        sizes: signed [sz units].
        movable: places of the legs that may be changed.
        band_pct: of the larger side [percent].
    """
    worth = worth_of(views, sizes)
    out = list(sizes)
    if not is_lopsided(worth, band_pct):
        return out
    net = math.fsum(worth)
    mine = sorted((i for i in movable if worth[i] * net > 0), key=lambda i: abs(worth[i]))
    total = math.fsum(abs(worth[i]) for i in mine)
    share = min(1.0, abs(net) / total) if mine else 0.0
    left = abs(net)
    for i in mine:
        smaller = units_of(views[i], worth[i] * (1.0 - share))
        if smaller == 0 and abs(worth[i]) > 2.0 * left:
            continue
        left -= abs(worth[i]) * (1.0 - smaller / sizes[i])
        out[i] = smaller
    return out


def nearer(wanted: int, allowed: int) -> int:
    """Return the smaller of two signed sizes of one side, 0 when their sides differ."""
    if wanted * allowed <= 0:
        return 0
    return min(wanted, allowed, key=abs)
