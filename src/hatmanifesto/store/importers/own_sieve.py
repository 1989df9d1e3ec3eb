"""Judges the rows of a user's own table: stamps, sides, bars, and the coin's own units."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np

from hatmanifesto.domain.units import NS_MS, NS_S
from hatmanifesto.domain.universe import perp_of
from hatmanifesto.store.importers.checks import STAMP_MS_MAX, STAMP_MS_MIN, Mask, on_grid
from hatmanifesto.store.importers.contract import Texts
from hatmanifesto.store.importers.exact import Ints, as_texts, from_floats, from_texts, is_stamp
from hatmanifesto.store.importers.mapping import Mapping, Unit
from hatmanifesto.store.importers.own_tables import Rows
from hatmanifesto.store.importers.series_files import refuse
from hatmanifesto.store.importers.sieve import Sieve
from hatmanifesto.store.kinds import PX10, SZ8

DECIMALS: dict[Unit, int] = {"s": 9, "ms": 6, "us": 3, "ns": 0}
"""Decimals of a stamp of each unit in nanoseconds."""
FUTURE_NS_MAX = 60 * NS_S
"""A stamp this far ahead of our clock is no stamp; clocks of venues differ by less."""


class OwnSieve(Sieve):
    """The sieve of one batch of a user's own table."""

    def __init__(self, path: Path, rows: Rows, mapping: Mapping) -> None:
        super().__init__(path, first_row=rows.first, count=rows.size)
        self._rows = rows
        self._mapping = mapping

    def has(self, field: str) -> bool:
        """Say whether one of our fields is mapped."""
        return field in self._mapping.columns

    def fixed(self, field: str, *, decimals: int) -> Ints:
        """Return a mapped column as exact integers."""
        return self.columns(field, decimals=decimals)[0]

    def columns(self, field: str, *, decimals: int) -> list[Ints]:
        """Return the mapped columns of a field, one a level."""
        names = self._mapping.names(field)
        return [self.numbers(self._rows.columns[name], decimals=decimals) for name in names]

    def stamps(self, field: str, *, now: int) -> Ints:
        """Return stamps [ns], 0 and set aside as ``bad_stamp`` where there is none.

        Raises:
            DataError: if a stamp is of another unit, or out of the range of 64 bits.
        """
        column = self._rows.columns[self._mapping.names(field)[0]]
        found, ok = _stamps_of(self.path, column, self._mapping.time, self.first_row)
        if now:
            ok &= found <= now + FUTURE_NS_MAX
        self.aside(~ok, "bad_stamp")
        return np.where(ok, found, 0)

    def sides(self) -> Ints:
        """Return 1 for a buying, -1 for a selling aggressor."""
        words = self._rows.columns[self._mapping.names("side")[0]].to_pylist()
        signs = dict.fromkeys(self._mapping.sides.buy, 1)
        signs |= dict.fromkeys(self._mapping.sides.sell, -1)
        side = np.fromiter((signs.get(str(word), 0) for word in words), np.int64, self.count)
        self.aside(side == 0, "bad_side")
        return side

    def bars(self, interval_ms: int, *, now: int) -> None:
        """Set aside bars off the interval's grid, and those that were still open."""
        self.aside(self.exch % (interval_ms * NS_MS) != 0, "off_interval")
        if now:
            self.aside(self.exch + interval_ms * NS_MS > now, "open_bar")

    def own_units(self, px: Ints, sz: Ints, coins: Texts | str) -> tuple[Ints, Ints]:
        """Return prices and sizes in the coin's own units; zero stays zero."""
        own_px, own_sz = np.zeros_like(px), np.zeros_like(sz)
        names, which = np.unique(
            np.full(self.count, coins, dtype=np.object_) if isinstance(coins, str) else coins,
            return_inverse=True,
        )
        known = np.array([perp_of(str(name)) is not None for name in names], dtype=np.bool_)
        self.aside(~known[which], "unknown_coin")
        for at in np.flatnonzero(known).tolist():
            rows = np.asarray(which == at, dtype=np.bool_)
            asset = perp_of(str(names[at]))
            assert asset is not None
            px_one = 10 ** (PX10 - asset.px_decimals)
            sz_one = 10 ** (SZ8 - asset.sz_decimals)
            off = (px % px_one != 0) | (sz % sz_one != 0)
            off |= (px != 0) & ~on_grid(px // px_one, px_decimals=asset.px_decimals)
            self.aside(rows & off, "off_grid")
            own_px[rows], own_sz[rows] = px[rows] // px_one, sz[rows] // sz_one
        return own_px, own_sz


def _stamps_of(path: Path, column: Any, unit: Unit, first_row: int) -> tuple[Ints, Mask]:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) or unit == "iso":
        sieve = Sieve(path, first_row=first_row, count=len(column))
        if pa.types.is_timestamp(column.type):
            sieve.stamps_arrow(column)
        else:
            sieve.stamps_iso(column)
        return sieve.exch, np.asarray(sieve.reason == "", dtype=np.bool_)
    if pa.types.is_floating(column.type):
        values = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
        found, ok = from_floats(values, decimals=DECIMALS[unit])
        texts: Any = values
    else:
        texts = as_texts(column)
        found, ok, _ = from_texts(texts, decimals=DECIMALS[unit])
    ok &= is_stamp(found)
    for row in np.flatnonzero(~ok).tolist():
        _refuse_stamp(path, str(texts[row]), unit, first_row + row)
    return found, ok


def _refuse_stamp(path: Path, text: str, unit: Unit, row: int) -> None:
    """Refuse the file for a stamp that says that its unit is another, or no number of ours."""
    try:
        value = Decimal(text) if len(text) <= 100 else Decimal("nan")
    except InvalidOperation:
        return
    if not value.is_finite():
        return
    why = f"row {row}: {text}"
    for other, decimals in DECIMALS.items():
        if STAMP_MS_MIN <= value.scaleb(decimals - DECIMALS["ms"]) < STAMP_MS_MAX:
            raise refuse(
                path,
                "wrong unit of time",
                why=f"{why} would be a stamp in {other}, expected {unit}",
                fix="say the unit in a mapping file: time = ...",
            )
    if abs(value) >= 2**63:
        raise refuse(path, "a stamp out of range", why=f"{why} does not fit 64 bits")
