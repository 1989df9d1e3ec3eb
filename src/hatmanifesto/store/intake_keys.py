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


class Repeats(NamedTuple):
    """Rows whose key occurred before, shape (n,) each: where they are, and where the first is.

    ``is_other`` says which of them tell something else than the first.
    """

    at: NDArray[np.intp]
    first: NDArray[np.intp]
    is_other: NDArray[np.bool_]


def reason_of(kind: str) -> str:
    """Return why a repeat of this kind is set aside."""
    return "repeated_id" if set(KINDS[kind].key) & set(IDS) else "repeated"


def repeats_of(columns: Columns, kind: str) -> Repeats:
    """Return the rows of one coin and partition whose key occurred before, in order of arrival."""
    key = KINDS[kind].key
    codes = [_codes(columns[name]) for name in key]
    order = np.lexsort((columns["row"], *reversed(codes)))
    same = np.zeros(len(order), dtype=np.bool_)
    if len(order) > 1:
        ordered = [values[order] for values in codes]
        same[1:] = np.logical_and.reduce([values[1:] == values[:-1] for values in ordered])
    starts = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    at, first = order[same], order[starts[same]]
    is_other = np.zeros(len(at), dtype=np.bool_)
    for name, values in columns.items():
        if name not in key and name not in NO_CONTENT:
            is_other |= values[at] != values[first]
    return Repeats(at, first, is_other)


def _codes(values: NDArray[np.int64] | NDArray[np.object_]) -> Ints:
    """Return integers that are equal where the values are."""
    if values.dtype != np.object_:
        return np.asarray(values, dtype=np.int64)
    import pyarrow as pa

    codes = pa.array(values, type=pa.large_string()).dictionary_encode().indices
    return np.asarray(codes.to_numpy(), dtype=np.int64)
