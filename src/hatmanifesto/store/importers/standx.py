"""Reads recordings of StandX: twenty-level books as lists, and trades whose side is not known.

Four books in ten of this venue are locked (best bid = best ask): a defect of its feed, set aside
with reason and count. The recorder wrote every trade as a sale, so no side is believed.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import NS_S
from hatmanifesto.store.importers.checks import Mask
from hatmanifesto.store.importers.contract import Batch, Foreign
from hatmanifesto.store.importers.exact import Ints, from_floats
from hatmanifesto.store.importers.series_files import parquet_batches, parquet_names, refuse
from hatmanifesto.store.importers.sieve import Sieve, rows_of
from hatmanifesto.store.kinds import LEVELS, PX10, SZ8

STAMPS = ("timestamp", "received_at")
LISTS = ("bid_prices", "bid_quantities", "ask_prices", "ask_quantities")
TRADE = ("price", "quantity", "side", "is_buyer_taker")
NEEDED = {"depth": (*STAMPS, *LISTS), "print": (*STAMPS, *TRADE)}
NAME = re.compile(r"standx_([a-z0-9]+)_(?:l2|trades)[_.]")
FIELDS = ("bid_px", "bid_sz", "ask_px", "ask_sz")


class StandX:
    """The importer of StandX recordings; prices are not on this venue's grid."""

    name = "standx"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "standx"
    assumed: tuple[str, ...] = (
        "trade side: not recorded (collector defect)",
        "trade id: not recorded, made of the stamp and the row",
    )

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return the kind by the columns and the coin by the file's name."""
        if not head.startswith(b"PAR1"):
            return None
        names = set(parquet_names(path))
        for kind, needed in NEEDED.items():
            if set(needed) <= names:
                found = NAME.match(path.name)
                return Foreign(path, self.name, kind, found[1].upper() if found else "")
        return None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield books as ``depth``, trades as ``print`` with side 0: not known.

        Raises:
            DataError: if the name does not tell the coin, or the columns have other types.
        """
        if not foreign.coin:
            raise refuse(
                foreign.path,
                "no coin",
                why="neither the rows nor the name tell it",
                fix="name it standx_COIN_l2_* or standx_COIN_trades_*",
            )
        read = _depth if foreign.what == "depth" else _prints
        first_row = 0
        for rows in parquet_batches(foreign.path, NEEDED[foreign.what]):
            sieve = Sieve(foreign.path, first_row=first_row, count=rows.num_rows)
            sieve.stamps_arrow(rows["timestamp"])
            table = {"recv": _received(rows["received_at"]), **read(rows, sieve)}
            yield sieve.batch(
                foreign.what,
                foreign.coin,
                table,
                source_rows=rows_of(rows),
            )
            first_row += rows.num_rows


def _received(column: Any) -> Ints:
    """Return our receive stamps [ns], 0 where not recorded."""
    import pyarrow as pa

    stamps = column.cast(pa.timestamp("ns", "UTC")).cast(pa.int64()).fill_null(0)
    return np.asarray(stamps, dtype=np.int64)


def _prints(rows: Any, sieve: Sieve) -> dict[str, Ints]:
    px = sieve.numbers(rows["price"], decimals=PX10)
    sz = sieve.numbers(rows["quantity"], decimals=SZ8)
    sieve.aside((px <= 0) | (sz <= 0), "non_positive")
    row = np.arange(sieve.first_row, sieve.first_row + sieve.count, dtype=np.int64)
    tid = -(sieve.exch // NS_S * NS_S + row)
    return {"px": px, "sz": sz, "side": np.zeros(sieve.count, dtype=np.int64), "tid": tid}


def _depth(rows: Any, sieve: Sieve) -> dict[str, Ints]:
    levels = {}
    lengths = []
    for name, field in zip(LISTS, FIELDS, strict=True):
        decimals = PX10 if field.endswith("px") else SZ8
        levels[field], length = _levels(rows[name], sieve, decimals=decimals)
        lengths.append(length)
    bid_n, bid_sz_n, ask_n, ask_sz_n = lengths
    bid, ask = levels["bid_px"], levels["ask_px"]
    sieve.aside((bid_n != bid_sz_n) | (ask_n != ask_sz_n), "truncated")
    sieve.aside((bid_n == 0) | (ask_n == 0), "one_sided")
    for field, count in zip(FIELDS, (bid_n, bid_n, ask_n, ask_n), strict=True):
        here = np.arange(LEVELS) < count[:, None]
        sieve.aside(_any(here & (levels[field] <= 0)), "non_positive")
    sieve.aside(_steps(bid, bid_n, sign=1) | _steps(ask, ask_n, sign=-1), "non_monotonic")
    sieve.aside(bid[:, 0] > ask[:, 0], "crossed")
    sieve.aside(bid[:, 0] == ask[:, 0], "locked")
    return {
        f"{field}_{level}": np.ascontiguousarray(levels[field][:, level])
        for level in range(LEVELS)
        for field in FIELDS
    }


def _levels(column: Any, sieve: Sieve, *, decimals: int) -> tuple[Ints, Ints]:
    """Return a list column as integers of shape (n, 20), 0 where no level is, and their counts.

    Raises:
        DataError: if it is no column of lists of doubles, or a list is longer than a book.
    """
    import pyarrow as pa

    kind = column.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not is_list or not pa.types.is_float64(kind.value_type):
        raise refuse(sieve.path, "another type of column", why=f"expected lists, was {kind}")
    lengths = np.asarray(column.value_lengths().fill_null(0), dtype=np.int64)
    if int(lengths.max(initial=0)) > LEVELS:
        raise refuse(sieve.path, "a deeper book", why=f"a list of more than {LEVELS} levels")
    floats = np.asarray(column.flatten().to_numpy(zero_copy_only=False), dtype=np.float64)
    fixed, exact = from_floats(floats, decimals=decimals)
    here = np.arange(LEVELS) < lengths[:, None]
    sieve.aside(_any(_spread(~np.isfinite(floats), here)), "not_finite")
    sieve.aside(_any(_spread(~exact, here)), "off_grid")
    return _spread(fixed, here), lengths


def _spread(values: NDArray[Any], here: Mask) -> NDArray[Any]:
    """Return flat values as rows, at the places that ``here`` names; zero elsewhere."""
    spread = np.zeros(here.shape, dtype=values.dtype)
    spread[here] = values
    return spread


def _any(mask: NDArray[Any]) -> Mask:
    return np.asarray(mask.any(axis=1), dtype=np.bool_)


def _steps(px: Ints, count: Ints, *, sign: int) -> Mask:
    """Say where a level is not strictly worse than the one before it."""
    both = np.arange(1, LEVELS) < count[:, None]
    return _any(both & (sign * np.diff(px, axis=1) >= 0))
