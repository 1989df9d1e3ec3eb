"""Reads a trade ledger back: the rows of a file, and the fills and payments that they tell.

Reading is the inverse of `store.ledger_file`, exactly: what is written comes back equal, and a cell
that could not have been written is a mismatch that names its row and column.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.errors import MismatchError
from hatmanifesto.domain.events import FundingPaid, FundingUnknown
from hatmanifesto.domain.units import parse_fixed
from hatmanifesto.signals.regime import REGIMES
from hatmanifesto.store.ledger_columns import (
    COLUMNS,
    FILL,
    FILL_IN_GAP,
    FUNDING,
    FUNDING_UNKNOWN,
    NAMES,
    SCHEMA,
    Row,
)

SIDES = {"buy": 1, "sell": -1}
FLAGS = {"true": False, "false": True}
"""Value of ``maker_flag`` to whether the fill took."""


class LedgerFacts(NamedTuple):
    """What the rows tell, each in order of its stamps."""

    fills: tuple[FillRow, ...]
    funding: tuple[FundingPaid, ...]
    funding_unknown: tuple[FundingUnknown, ...]


def read_ledger_csv(data: bytes) -> list[Row]:
    """Return the rows of a CSV ledger, without the columns that are empty.

    Raises:
        MismatchError: if the columns are not those of this schema, or a line has too many or few.
    """
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise MismatchError("the ledger is no CSV", why=str(error)) from error
    _expect_columns(lines[0] if lines else [])
    for number, line in enumerate(lines[1:], 1):
        if len(line) != len(NAMES):
            raise _wrong(number, "its line", f"{len(line)} cells")
    return [
        {name: text for name, text in zip(NAMES, line, strict=True) if text} for line in lines[1:]
    ]


def read_ledger_parquet(data: bytes) -> list[Row]:
    """Return the rows of a Parquet ledger, equal to those of its CSV twin.

    Raises:
        MismatchError: if it is no Parquet file, or not of this schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise MismatchError("the ledger is no Parquet file", why=str(error)) from error
    _expect_columns(table.column_names)
    rows: list[Row] = [{} for _ in range(table.num_rows)]
    for name, kind in COLUMNS:
        for row, value in zip(rows, table.column(name).to_pylist(), strict=True):
            if value is not None:
                row[name] = _text(value, kind)
    return rows


def _expect_columns(names: Sequence[str]) -> None:
    if tuple(names) != NAMES:
        missing = [name for name in NAMES if name not in names]
        raise MismatchError(
            f"the ledger is not of schema {SCHEMA}",
            why=f"no column {missing[0]}" if missing else "its columns stand in another order",
            fix="make the run again with this release",
        )


def _text(value: Any, kind: str) -> str:
    if kind == "bool":
        return "true" if value else "false"
    if kind == "decimal":
        return decimal_text(value)
    return repr(value) if kind == "float" else str(value)


def decimal_text(value: Decimal) -> str:
    """Return plain decimal text without trailing zeros, as `format_fixed` writes it."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def facts_of(rows: Iterable[Row], assets: Sequence[Asset]) -> LedgerFacts:
    """Return the fills and payments that ``rows`` tell.

    Args:
        rows: of a ledger, in its order.
        assets: by coin slot; they say in which units prices and sizes are counted.

    Raises:
        MismatchError: if a cell could not have been written, or the rows are not in order of time.
    """
    slots = {asset.coin: slot for slot, asset in enumerate(assets)}
    fills: list[FillRow] = []
    paid: dict[FundingPaid, int] = {}
    unknown: list[FundingUnknown] = []
    last = 0
    for number, row in enumerate(rows, 1):
        cells = _Cells(number, row, assets, slots)
        reason = cells.one("reason_code", (FILL, FILL_IN_GAP, FUNDING, FUNDING_UNKNOWN))
        ns = cells.integer("ts_ns")
        if ns < last:
            raise _wrong(number, "ts_ns", f"{ns}, before the row above")
        last = ns
        if reason == FUNDING:
            event = _payment(cells, ns)
            paid[event] = paid.get(event, 0) + cells.fixed("funding", 6)
        elif reason == FUNDING_UNKNOWN:
            unknown.append(_unknown(cells, ns))
        else:
            fills.append(_fill(cells, ns, is_gap=reason == FILL_IN_GAP))
    return LedgerFacts(tuple(fills), tuple(_shared(paid)), tuple(unknown))


def _shared(paid: Mapping[FundingPaid, int]) -> list[FundingPaid]:
    """Return the payments after a look at whether the books' shares sum to each of them."""
    for event, total in paid.items():
        if total != event.usdc:
            raise MismatchError(
                "the ledger's funding does not add up",
                why=f"the books got {total} of {event.usdc} micro-USDC at {event.exch} ns",
            )
    return list(paid)


class _Cells:
    """The cells of one row, read as what they must be."""

    def __init__(
        self, number: int, row: Row, assets: Sequence[Asset], slots: Mapping[str, int]
    ) -> None:
        self.number = number
        self.row = row
        symbol = row.get("symbol", "")
        if symbol not in slots:
            raise _wrong(number, "symbol", repr(symbol))
        self.slot = slots[symbol]
        self.asset = assets[self.slot]

    def one(self, name: str, words: Iterable[str]) -> str:
        """Return a cell that is one of ``words``."""
        text = self.row.get(name, "")
        if text not in words:
            raise _wrong(self.number, name, repr(text))
        return text

    def integer(self, name: str) -> int:
        """Return a whole number."""
        return self.fixed(name, 0)

    def fixed(self, name: str, decimals: int) -> int:
        """Return a decimal as a count of its last place."""
        text = self.row.get(name, "")
        try:
            return parse_fixed(text, decimals=decimals)
        except ValueError as error:
            raise _wrong(self.number, name, str(error)) from error

    def positive(self, name: str, decimals: int) -> int:
        """Return a decimal above zero."""
        value = self.fixed(name, decimals)
        if value <= 0:
            raise _wrong(self.number, name, self.row[name])
        return value

    def mid2(self, name: str) -> int:
        """Return a mid as bid plus ask [px units], 0 when the cell is empty."""
        if name not in self.row:
            return 0
        tenths = self.positive(name, self.asset.px_decimals + 1)
        if tenths % 5:
            raise _wrong(self.number, name, self.row[name])
        return tenths // 5


def _fill(cells: _Cells, ns: int, *, is_gap: bool) -> FillRow:
    sz, px = cells.asset.sz_decimals, cells.asset.px_decimals
    return FillRow(
        ts=ns,
        recv=ns + cells.fixed("latency_ms", 6),
        intent=cells.integer("order_id"),
        tid=cells.integer("fill_id"),
        book=cells.integer("book"),
        coin=cells.slot,
        slot=cells.integer("slot"),
        side=SIDES[cells.one("side", SIDES)],
        px=cells.positive("price", px),
        sz=cells.positive("qty", sz),
        fee=cells.fixed("fee", 6),
        is_taker=FLAGS[cells.one("maker_flag", FLAGS)],
        is_gap=is_gap,
        mid2_decision=cells.mid2("decision_mid"),
        placed_now=cells.integer("decided_ns"),
        sz_order=cells.positive("order_qty", sz),
        px_order=cells.fixed("expected_price", px),
        signal=cells.integer("signal_id") if "signal_id" in cells.row else 0,
        regime=_regime(cells),
    )


def _regime(cells: _Cells) -> int:
    text = cells.row.get("regime_label", "")
    if not text:
        return 0
    return REGIMES.index(text) if text in REGIMES else cells.integer("regime_label")


def _payment(cells: _Cells, ns: int) -> FundingPaid:
    return FundingPaid(
        coin=cells.slot,
        szi=cells.fixed("position_size", cells.asset.sz_decimals),
        oracle=cells.fixed("oracle_price", 10),
        rate=cells.fixed("funding_rate", 10),
        usdc=cells.fixed("funding_account", 6),
        exch=ns,
        recv=ns + cells.fixed("latency_ms", 6),
    )


def _unknown(cells: _Cells, ns: int) -> FundingUnknown:
    return FundingUnknown(
        coin=cells.slot,
        szi=cells.fixed("position_size", cells.asset.sz_decimals),
        exch=ns,
        recv=ns + cells.fixed("latency_ms", 6),
    )


def _wrong(number: int, name: str, was: str) -> MismatchError:
    return MismatchError(f"ledger row {number}: {name} cannot be right", why=f"was {was}")


def first_difference(
    stored: Sequence[Row], expected: Sequence[Row], names: Sequence[str] = NAMES
) -> str:
    """Return the first cell of ``names`` in which two ledgers differ, in words; '' when none."""
    for number, (mine, other) in enumerate(zip(stored, expected, strict=False), 1):
        for name in names:
            if mine.get(name, "") != other.get(name, ""):
                was, now = mine.get(name, "") or "empty", other.get(name, "") or "empty"
                return f"row {number}: {name} is {was}, expected {now}"
    if len(stored) != len(expected):
        return f"row {min(len(stored), len(expected)) + 1}: {len(stored)} rows, expected " + str(
            len(expected)
        )
    return ""
