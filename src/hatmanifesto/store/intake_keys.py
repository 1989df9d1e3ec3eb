"""Rows with an identity: finds repeats of a key, and two truths for one."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.store.columns import Columns, Ints
from hatmanifesto.store.kinds import KINDS

NO_CONTENT = ("exch", "recv", "row", "aside")
"""Columns that may differ between two rows of one key, unless they are part of it."""
IDS = ("tid", "oid", "hash")
"""Columns that the venue calls ids: a repeat of such a key is a ``repeated_id``."""


UNTOLD = {
    "funding": ("has_premium", 0, ("has_premium", "premium")),
    "candle": ("trades", -1, ("trades",)),
    "fill": ("crossed", -1, ("crossed",)),
}
"""Kind -> a column, its value when a source does not tell, and what it then does not tell: a row
that tells less is no other truth, and the one that tells more is kept."""


class Repeats(NamedTuple):
    """Rows that repeat a key, shape (n,) each: where they are, and where the kept one is.

    ``is_other`` says which of them tell something else.
    """

    at: NDArray[np.intp]
    kept: NDArray[np.intp]
    is_other: NDArray[np.bool_]


def reason_of(kind: str) -> str:
    """Return why a repeat of this kind is set aside."""
    return "repeated_id" if set(KINDS[kind].key) & set(IDS) else "repeated"


def repeats_of(columns: Columns, kind: str) -> Repeats:
    """Return the rows of one coin and partition whose key occurs twice, but one of each.

    That is the first to arrive, of those that tell most.
    """
    key = KINDS[kind].key
    codes = [_codes(columns[name]) for name in key]
    flag, value, silent = UNTOLD.get(kind, ("row", -1, ()))
    is_untold = columns[flag] == value
    order = np.lexsort((columns["row"], is_untold, *reversed(codes)))
    same = np.zeros(len(order), dtype=np.bool_)
    if len(order) > 1:
        ordered = [values[order] for values in codes]
        same[1:] = np.logical_and.reduce([values[1:] == values[:-1] for values in ordered])
    starts = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    at, kept = order[same], order[starts[same]]
    is_other = np.zeros(len(at), dtype=np.bool_)
    for name, values in columns.items():
        if name not in key and name not in NO_CONTENT:
            differs = values[at] != values[kept]
            is_other |= differs & ~is_untold[at] if name in silent else differs
    return Repeats(at, kept, is_other)


def _codes(values: NDArray[np.int64] | NDArray[np.object_]) -> Ints:
    """Return integers that are equal where the values are."""
    if values.dtype != np.object_:
        return np.asarray(values, dtype=np.int64)
    import pyarrow as pa

    codes = pa.array(values, type=pa.large_string()).dictionary_encode().indices
    return np.asarray(codes.to_numpy(), dtype=np.int64)
