"""Stored data for people: exact columns out of the warehouse, as Arrow, polars, pandas or NumPy.

    from hatmanifesto.data import load
    quotes = load("sample", "bbo", "BTC", start="2026-01-05T00:00:00Z").polars()

Nothing is read until a table is asked for, and then only the columns and files that are needed;
files are mapped, not loaded. Prices and sizes come as the doubles nearest to the exact decimals,
and null where the source told nothing, unless ``exact`` asks for the integers as they are stored.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hatmanifesto.apps.times import parse_time
from hatmanifesto.domain.errors import DataError, UsageError
from hatmanifesto.ops.home import resolve_home
from hatmanifesto.store.columns import read_arrow
from hatmanifesto.store.dataset import Dataset, resolve
from hatmanifesto.store.intake_lane import period_of
from hatmanifesto.store.kinds import KINDS, PX_OWN, SZ_OWN, Column
from hatmanifesto.store.manifest import StoredFile
from hatmanifesto.store.unknown import companions, unknown_mask

STAMPS = ("exch", "recv", "close_time")
"""Integer columns that are times in ns, shown as UTC times."""
NS_MAX = 2**63 - 1


class Frame(NamedTuple):
    """A choice of rows that is read when a table is asked for.

    ``columns`` empty means all; rows have ``start <= exch < end`` [ns].
    """

    dataset: Dataset
    kind: str
    coin: str
    columns: tuple[str, ...] = ()
    start: int = 0
    end: int = NS_MAX

    def arrow(self, *, exact: bool = False) -> Any:
        """Return a ``pyarrow.Table``.

        Args:
            exact: keep the stored integers; each field's metadata says which decimals it counts.

        Raises:
            DataError: if the dataset has no such rows, or a file is damaged.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        parts = []
        for folder, file in self._files():
            more = ("exch", *companions(self.kind, self.columns))
            names = (*self.columns, *more) if self.columns else ()
            table = read_arrow(folder / file.path, self.kind, names)
            inside = pc.and_(
                pc.greater_equal(table["exch"], self.start), pc.less(table["exch"], self.end)
            )
            parts.append(table.filter(inside))
        table = pa.concat_tables(parts)
        wanted = [one for one in self._wanted() if one.name in table.column_names]
        arrays = [self._values(table, one, exact=exact) for one in wanted]
        fields = [
            pa.field(one.name, array.type, metadata=self._words(one))
            for one, array in zip(wanted, arrays, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

    def polars(self, *, exact: bool = False) -> Any:
        """Return a ``polars.DataFrame``; see ``arrow``."""
        import polars as pl

        return pl.from_arrow(self.arrow(exact=exact))

    def pandas(self, *, exact: bool = False) -> Any:
        """Return a ``pandas.DataFrame``; see ``arrow``. pandas must be installed."""
        try:
            return self.arrow(exact=exact).to_pandas()
        except ImportError as error:
            raise UsageError("pandas is not installed", fix="pip install pandas") from error

    def numpy(self, *, exact: bool = False) -> dict[str, Any]:
        """Return NumPy arrays by column, shape (n,) each; see ``arrow``."""
        table = self.arrow(exact=exact)
        return {name: table[name].to_numpy() for name in table.column_names}

    @property
    def rows(self) -> int:
        """Return how many rows the files hold that may be inside; an upper bound, read nothing."""
        return sum(file.rows for _, file in self._files())

    def _files(self) -> list[tuple[Path, StoredFile]]:
        """Return the files that can hold rows of the choice, by the period in their names."""
        low, high = (period_of(stamp, self.kind) for stamp in (self.start, min(self.end, NS_MAX)))
        found = []
        for snapshot in self.dataset.snapshots:
            for file in snapshot.files_of(self.kind, self.coin):
                period = Path(file.path).stem.partition("=")[2]
                if not period or low <= period <= high:
                    found.append((snapshot.folder, file))
        if not found:
            raise DataError(
                f"{self.dataset.spec} has no {self.kind} rows of {self.coin} in this time",
                why=f"it holds {self._held()}",
                fix="see hat data show, and choose among them",
            )
        return found

    def _held(self) -> str:
        kinds = {
            (one.kind, one.coin)
            for manifest in self.dataset.manifests
            for one in manifest.files
            if one.kind in KINDS
        }
        coins = sorted({coin for kind, coin in kinds if kind == self.kind})
        if coins:
            return f"{self.kind} of {', '.join(coins[:12])}{' ...' * (len(coins) > 12)}"
        return ", ".join(sorted({kind for kind, _ in kinds}))

    def _wanted(self) -> tuple[Column, ...]:
        columns = KINDS[self.kind].columns
        return tuple(one for one in columns if not self.columns or one.name in self.columns)

    def _decimals(self, column: Column) -> int:
        if column.decimals not in (PX_OWN, SZ_OWN):
            return column.decimals
        own = self.dataset.snapshots[0].decimals(self.coin)
        return own.px_decimals if column.decimals == PX_OWN else own.sz_decimals

    def _words(self, column: Column) -> Mapping[str, str] | None:
        return {"decimals": str(self._decimals(column))} if column.type == "int" else None

    def _values(self, table: Any, column: Column, *, exact: bool) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        values = table[column.name]
        if column.type != "int" or exact:
            return values
        decimals = self._decimals(column)
        if column.name in STAMPS:
            values = values.cast(pa.timestamp("ns", tz="UTC"))
        elif decimals:
            values = pc.divide(values.cast(pa.float64(), safe=False), float(10**decimals))
        unknown = unknown_mask(table, self.kind, column.name)
        return values if unknown is None else pc.if_else(unknown, pa.scalar(None), values)


def load(  # noqa: PLR0913  four optional keywords, each plain
    spec: str,
    kind: str,
    coin: str,
    *,
    columns: Sequence[str] = (),
    start: str | None = None,
    end: str | None = None,
    home: str | Path | None = None,
) -> Frame:
    """Return a choice of stored rows.

    Args:
        spec: NAME[@HASH][,NAME...]; ``sample`` is the shipped dataset.
        kind: a name of ``store.kinds.KINDS``: bbo, book, trade, candle, funding, fill ...
        coin: exact name.
        columns: names; none means all.
        start, end: RFC 3339 with Z; rows with start <= venue time < end.
        home: home folder; HAT_HOME or ~/.hat when None.

    Raises:
        UsageError: an unknown kind or column, or a time without a zone.
        DataError: if the dataset is missing.
    """
    if kind not in KINDS:
        raise UsageError(f"no kind {kind!r}", fix=f"choose among {', '.join(sorted(KINDS))}")
    unknown = sorted(set(columns) - set(KINDS[kind].names))
    if unknown:
        known = ", ".join(KINDS[kind].names[:12])
        raise UsageError(f"{kind} has no column {unknown[0]!r}", fix=f"choose among {known}")
    try:
        low = parse_time(start) if start is not None else 0
        high = parse_time(end) if end is not None else NS_MAX
    except ValueError as error:
        raise UsageError(str(error), fix="write 2025-09-04T20:00:00Z") from None
    folder = resolve_home(str(home) if home is not None else None, os.environ)
    return Frame(resolve(spec, folder), kind, coin, tuple(columns), low, high)
