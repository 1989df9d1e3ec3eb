"""Which stored values stand for "not told": they leave the warehouse as null, never as a number.

Stored columns are integers without nulls, so that hashes and kernels stay simple; a kind says by a
flag, a marker value or a list of names what its source did not tell.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Untold(NamedTuple):
    """How a column says that a row has no value: ``marker`` stands in it, or ``flag`` is 0.

    With ``names``, the text column ``names`` lists the columns that were not told.
    """

    marker: int | None = None
    flag: str = ""
    names: str = ""


STAMP = Untold(marker=0)
LISTED = Untold(names="missing")

UNTOLD: dict[str, dict[str, Untold]] = {
    "candle": {"trades": Untold(marker=-1)},
    "funding": {"premium": Untold(flag="has_premium")},
    "quote": {"update_id": Untold(marker=-1)},
    "print": {"side": Untold(marker=0)},
    "fill": {"crossed": Untold(marker=-1)},
    "ledger": {"usdc": Untold(flag="has_usdc")},
    "liquidation": {"account_value": Untold(flag="has_account_value")},
    "ctx": dict.fromkeys(
        (
            "mark",
            "oracle",
            "mid",
            "impact_bid",
            "impact_ask",
            "prev_day",
            "funding",
            "premium",
            "open_interest",
            "day_notional",
            "day_volume",
        ),
        LISTED,
    ),
}
"""Columns by kind; ``recv`` and ``exch`` are 0 when not told, in every kind."""


def untold_of(kind: str, column: str) -> Untold | None:
    """Return how a column says that it was not told, None when it always is."""
    if column in ("exch", "recv"):
        return STAMP
    return UNTOLD.get(kind, {}).get(column)


def companions(kind: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the further columns that are needed to know which values were not told."""
    found = [untold for name in columns if (untold := untold_of(kind, name)) is not None]
    needed = dict.fromkeys(one.flag or one.names for one in found if one.flag or one.names)
    return tuple(name for name in needed if name not in columns)


def unknown_mask(table: Any, kind: str, column: str) -> Any:
    """Return where ``column`` of an Arrow table was not told; None when it always was."""
    import pyarrow.compute as pc

    untold = untold_of(kind, column)
    if untold is None:
        return None
    if untold.flag:
        return pc.equal(table[untold.flag], 0)
    if untold.names:
        return pc.match_substring_regex(table[untold.names], rf"(^|,){column}(,|$)")
    return pc.equal(table[column], untold.marker)
