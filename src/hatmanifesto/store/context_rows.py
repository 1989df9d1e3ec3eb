"""Turns recorded contexts and funding payments into rows; what was not told stays unknown."""

from typing import Any

import numpy as np

from hatmanifesto.domain.enums import RowKind
from hatmanifesto.domain.units import NS_HOUR, NS_S
from hatmanifesto.store.columns import Columns, Ints
from hatmanifesto.store.merge import Rows

FINER = 100
"""Rates and premiums are stored in 1e-12 and travel in 1e-10."""
EARLY_NS = 60 * NS_S
"""A payment stamped this short before an hour is of that hour, and known from it on."""
CTX_COLUMNS = ("exch", "row", "mark", "oracle", "premium", "missing")
FUNDING_COLUMNS = ("exch", "row", "rate", "premium", "has_premium")


def ctx_rows(coin: int, columns: Columns) -> Rows:
    """Return contexts as rows: mark, oracle, premium; 0 or a flag of 0 where one was not told.

    The rate in a context is the prediction for the coming hour, no payment: it is left out.
    """
    has = {name: _told(columns["missing"], name) for name in ("mark", "oracle", "premium")}
    mark = np.where(has["mark"], columns["mark"], 0)
    oracle = np.where(has["oracle"], columns["oracle"], 0)
    premium = np.where(has["premium"], truncated(columns["premium"]), 0)
    count = len(mark)
    rows = Rows(
        kind=np.full(count, int(RowKind.CTX), dtype=np.int64),
        coin=np.full(count, coin, dtype=np.int64),
        exch=columns["exch"],
        a=mark,
        b=oracle,
        c=premium,
        d=has["premium"].astype(np.int64),
        ref=np.full(count, -1, dtype=np.int64),
        source=columns["row"],
    )
    says = (mark > 0) | (oracle > 0) | has["premium"]
    return Rows(*(column[says] for column in rows))


def funding_rows(coin: int, columns: Columns) -> Rows:
    """Return payments as rows, each stamped at or after its hour."""
    stamps: Ints = columns["exch"]
    late = -(-stamps // NS_HOUR) * NS_HOUR
    count = len(stamps)
    return Rows(
        kind=np.full(count, int(RowKind.FUNDING), dtype=np.int64),
        coin=np.full(count, coin, dtype=np.int64),
        exch=np.where(late - stamps < EARLY_NS, late, stamps),
        a=truncated(columns["rate"]),
        b=np.ones(count, dtype=np.int64),
        c=np.where(columns["has_premium"] > 0, truncated(columns["premium"]), 0),
        d=(columns["has_premium"] > 0).astype(np.int64),
        ref=np.full(count, -1, dtype=np.int64),
        source=columns["row"],
    )


def truncated(values: Ints) -> Ints:
    """Return values of 1e-12 in 1e-10, cut toward zero."""
    cut: Ints = np.sign(values) * (np.abs(values) // FINER)
    return cut


def _told(missing: Any, name: str) -> Any:
    """Say which rows do not name ``name`` among what their source did not tell."""
    texts = {text: name not in text.split(",") for text in dict.fromkeys(missing.tolist())}
    return np.asarray([texts[text] for text in missing.tolist()], dtype=np.bool_)
