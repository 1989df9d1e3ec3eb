"""Turns levels as the venue tells them into a row of a book, or says what is wrong with them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from hatmanifesto.domain.asset import Asset, is_on_grid
from hatmanifesto.domain.universe import perp_of
from hatmanifesto.store.importers.rowwise import SetAside, number, stamp_ms
from hatmanifesto.store.kinds import LEVEL_FIELDS, LEVELS

Level = tuple[object, object]
"""Price and size in the source's own words."""


def asset_of(coin: object) -> Asset:
    """Return the perp of that name; ``SetAside`` when its decimals are not known."""
    asset = perp_of(coin) if isinstance(coin, str) else None
    if asset is None:
        raise SetAside("unknown_coin")
    return asset


def print_of(px: object, sz: object, asset: Asset) -> tuple[int, int]:
    """Return the price and size of a print in the coin's own units.

    Raises:
        SetAside: ``null``, ``not_finite``, ``non_positive`` or ``off_grid``.
    """
    px_own = number(px, asset.px_decimals)
    sz_own = number(sz, asset.sz_decimals)
    if px_own <= 0 or sz_own <= 0:
        raise SetAside("non_positive")
    if not is_on_grid(px_own, px_decimals=asset.px_decimals):
        raise SetAside("off_grid")
    return px_own, sz_own


def levels_of(bids: Sequence[Level], asks: Sequence[Level], asset: Asset) -> dict[str, int]:
    """Return the level columns of a book, best first; levels that are not there are 0.

    Raises:
        SetAside: ``one_sided``, as ``print_of``, ``non_monotonic``, ``crossed`` or ``locked``.
    """
    if not bids or not asks:
        raise SetAside("one_sided")
    sides = [[print_of(px, sz, asset) for px, sz in side[:LEVELS]] for side in (bids, asks)]
    for side, sign in zip(sides, (-1, 1), strict=True):
        prices = [px * sign for px, _ in side]
        if any(after <= before for before, after in pairwise(prices)):
            raise SetAside("non_monotonic")
    bid, ask = sides[0][0][0], sides[1][0][0]
    if bid >= ask:
        raise SetAside("crossed" if bid > ask else "locked")
    columns = {f"{field}_{level}": 0 for level in range(LEVELS) for field in LEVEL_FIELDS}
    for name, side in zip(("bid", "ask"), sides, strict=True):
        for level, (px, sz) in enumerate(side):
            columns[f"{name}_px_{level}"] = px
            columns[f"{name}_sz_{level}"] = sz
    return columns


def wire_levels(levels: Any) -> list[list[Level]]:
    """Return both sides of an l2Book's ``levels``: [[{px, sz, n}], [..]]; ``SetAside`` if none."""
    if not isinstance(levels, list) or len(levels) != 2:
        raise SetAside("null")
    sides = []
    for side in levels:
        if not isinstance(side, list) or not all(isinstance(level, Mapping) for level in side):
            raise SetAside("null")
        sides.append([(level.get("px"), level.get("sz")) for level in side])
    return sides


def book_row(book: Any, *, recv: int, row: int) -> tuple[str, dict[str, int | str]]:
    """Return the coin and the columns of an l2Book's data; ``SetAside`` as ``levels_of``."""
    if not isinstance(book, dict):
        raise SetAside("null")
    asset = asset_of(book.get("coin"))
    exch = stamp_ms(book.get("time"))
    bids, asks = wire_levels(book.get("levels"))
    return asset.coin, {
        "exch": exch,
        "recv": recv,
        "row": row,
        **levels_of(bids, asks, asset),
    }
