"""Reads Parquet files of vault fills and vault portfolios.

The fills were asked for with prints of one taker order merged: such a row's price is an average of
at most ten decimals, which the kind's 1e-10 holds exactly. Some sums of sizes and profits carry the
noise of doubles (113 of 95,656 recorded rows); their column is rounded to 1e-8 and ``extra`` keeps
the text.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.importers.contract import BATCH_ROWS, Batch, Foreign
from hatmanifesto.store.importers.fill_rows import fill_row
from hatmanifesto.store.importers.rowwise import Builder, SetAside, due, json_text, number, stamp_ms
from hatmanifesto.store.kinds import MONEY8, NO_COIN

COLUMNS = {
    "fill": (
        "coin px sz side time startPosition dir closedPnl hash oid crossed fee tid feeToken "
        "twapId vault liquidation cloid"
    ).split(),
    "portfolio": "vault period timestamp type value".split(),
}
MAGIC = b"PAR1"

Row = tuple[str, dict[str, int | str]]


class Vaults:
    """The importer of vault histories; ``user`` is the vault."""

    name = "hl_vaults"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = (
        "fills of one taker order and block: merged by the venue, prices are averages",
        "history: at most 2,000 fills a vault, it may begin or end in the middle",
    )

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return the kind of rows by the file's exact columns."""
        if not head.startswith(MAGIC):
            return None
        names = _column_names(path)
        for kind, columns in COLUMNS.items():
            if names == columns:
                return Foreign(path, self.name, kind)
        return None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the file's rows; see ``FileImporter``."""
        builder, parse = Builder(foreign.what), PARSERS[foreign.what]
        for number_, row in enumerate(_rows(foreign.path)):
            try:
                builder.accept(*parse(row, number_))
            except SetAside as fault:
                builder.reject(number_, fault, json_text(row))
            yield from due([builder])
        yield from due([builder], at_end=True)


def _column_names(path: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(path).names)
    except (OSError, pa.ArrowException):
        return []  # whose file it is, nobody can tell


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"cannot read {path.name} as Parquet",
            why=str(error),
            fix="fetch the file again; it may be truncated",
        ) from error


def _fill(row: Mapping[str, Any], index: int) -> Row:
    fill = {name: value for name, value in row.items() if name != "vault"}
    return fill_row(row["vault"] or "", fill, row=index)


def _portfolio(row: Mapping[str, Any], index: int) -> Row:
    if not row["vault"] or not row["period"] or not row["type"]:
        raise SetAside("null")
    return NO_COIN, {
        "exch": stamp_ms(row["timestamp"]),
        "recv": 0,
        "row": index,
        "user": row["vault"],
        "period": row["period"],
        "type": row["type"],
        "value": number(row["value"], MONEY8),
    }


PARSERS: dict[str, Callable[[Mapping[str, Any], int], Row]] = {
    "fill": _fill,
    "portfolio": _portfolio,
}
