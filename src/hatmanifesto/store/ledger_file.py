"""The trade ledger of a run as CSV and Parquet: one row per fill and per funding payment.

Bytes depend on the run alone: money is exact decimal text, times are UTC, lines end with a newline,
and nothing asks for a locale, a time zone or a clock. Columns and their units: docs/report.md.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from hatmanifesto.analytics.allot import funding_shares
from hatmanifesto.analytics.attribution import FillParts
from hatmanifesto.analytics.fold import RunFacts
from hatmanifesto.analytics.trades import FillState
from hatmanifesto.books.allot import HOUSE
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.events import FundingPaid, FundingUnknown
from hatmanifesto.domain.units import NS_S, format_fixed, format_half_micro
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

NO_ORIGIN: Mapping[str, str] = MappingProxyType({})


class LedgerInputs(msgspec.Struct, frozen=True):
    """What the ledger is written from.

    ``markout_bps`` has by horizon [s] one value per fill (NaN unknown), ``names`` and ``versions``
    a strategy's name and the hash of its source by book, ``arrival_mid2`` the mid just before the
    fill's order came to rest (0 unknown), ``spreads`` the quoted spread at the fill [px units; None
    unknown], ``capital`` is in micro-USDC.
    """

    facts: RunFacts
    parts: FillParts
    states: Sequence[FillState]
    markout_bps: Mapping[int, Sequence[float]]
    assets: Mapping[int, Asset]
    names: Mapping[int, str]
    versions: Mapping[int, str]
    arrival_mid2: Sequence[int]
    spreads: Sequence[int | None]
    run_id: str
    evidence: str
    capital: int


def iso_of(ns: int) -> str:
    """Return ISO 8601 UTC with nanoseconds and a Z."""
    whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // NS_S)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{ns % NS_S:09d}Z"


def ratio_text(above: int, below: int, *, decimals: int) -> str:
    """Return above / below as decimal text, rounded half away from zero, by integers alone."""
    scaled = abs(above) * 10**decimals * 2 + abs(below)
    value = scaled // (2 * abs(below))
    return format_fixed(value if (above >= 0) == (below > 0) else -value, decimals=decimals)


def ledger_rows(inputs: LedgerInputs) -> list[Row]:
    """Return the rows in order of time; a payment comes before a fill of the same stamp.

    A payment has a row for each book that it charges, at least one, so that none is lost.
    """
    keyed: list[tuple[int, int, Row]] = []
    for event, shares in funding_shares(inputs.facts.funding, inputs.facts.fills):
        for book, usdc in sorted(shares.items()) or [(HOUSE, 0)]:
            keyed.append((event.exch, 0, _funding_row(inputs, event, book=book, usdc=usdc)))
    for missing in inputs.facts.funding_unknown:
        keyed.append((missing.exch, 0, _unknown_row(inputs, missing)))
    filled: dict[int, int] = {}
    values = {signal.id: float(signal.value) for signal in inputs.facts.signals}
    for index, fill in enumerate(inputs.facts.fills):
        filled[fill.intent] = filled.get(fill.intent, 0) + fill.sz
        is_done = filled[fill.intent] >= fill.sz_order
        row = _fill_row(inputs, index, state="filled" if is_done else "open")
        row |= _order_origin(inputs, index, inputs.assets[fill.coin], values)
        keyed.append((fill.ts, 1, row))
    keyed.sort(key=lambda item: item[:2])
    return [row for _, _, row in keyed]


def _head(inputs: LedgerInputs, *, ns: int, coin: int, book: int, reason: str) -> Row:
    name = inputs.names.get(book, "house" if book == HOUSE else f"book{book}")
    row = {
        "ts": iso_of(ns),
        "ts_ns": str(ns),
        "run_id": inputs.run_id,
        "evidence_class": inputs.evidence,
        "strategy_name": name,
        "book": str(book),
        "symbol": inputs.assets[coin].coin,
        "reason_code": reason,
    }
    if inputs.versions.get(book):
        row["model_version"] = inputs.versions[book]
    return row


def _fill_row(inputs: LedgerInputs, index: int, *, state: str) -> Row:
    fill, after = inputs.facts.fills[index], inputs.states[index]
    asset = inputs.assets[fill.coin]
    mid2 = int(inputs.parts.mid2[index])
    reason = FILL_IN_GAP if fill.is_gap else FILL
    row = _head(inputs, ns=fill.ts, coin=fill.coin, book=fill.book, reason=reason)
    row |= {
        "side": "buy" if fill.side > 0 else "sell",
        "qty": format_fixed(fill.sz, decimals=asset.sz_decimals),
        "price": format_fixed(fill.px, decimals=asset.px_decimals),
        "notional": format_fixed(fill.notional, decimals=6),
        "fee": format_fixed(fill.fee, decimals=6),
        "fee_bps": ratio_text(fill.fee * 10**4, fill.notional, decimals=4),
        "commission_asset": "USDC",
        "pnl_realized": format_fixed(after.realised, decimals=6),
        "pnl_unrealized": format_half_micro(after.position * mid2 - 2 * after.basis),
        "maker_flag": "false" if fill.is_taker else "true",
        "order_state": state,
        "order_id": str(fill.intent),
        "fill_id": str(fill.tid),
        "slot": str(fill.slot),
        "order_qty": format_fixed(fill.sz_order, decimals=asset.sz_decimals),
        "position_size": format_fixed(after.position, decimals=asset.sz_decimals),
        "account_balance": format_fixed(inputs.capital + after.balance, decimals=6),
        "fill_mid": _mid_text(mid2, asset),
        "expected_price": format_fixed(fill.px_order, decimals=asset.px_decimals),
        "latency_ms": format_fixed(fill.recv - fill.ts, decimals=6),
        "decided_ns": str(fill.placed_now),
    }
    return row | _fill_quality(inputs, index, asset)


def _fill_quality(inputs: LedgerInputs, index: int, asset: Asset) -> Row:
    fill = inputs.facts.fills[index]
    row: Row = {}
    if fill.mid2_decision > 0:
        cost = fill.side * fill.sz * (2 * fill.px - fill.mid2_decision)
        row["slippage_bps"] = ratio_text(cost * 10**4, 2 * fill.notional, decimals=4)
        row["decision_mid"] = _mid_text(fill.mid2_decision, asset)
    spread, mid2 = inputs.spreads[index], int(inputs.parts.mid2[index])
    if spread is not None:
        row["spread_bps"] = ratio_text(2 * spread * 10**4, mid2, decimals=4)
    for horizon, values in inputs.markout_bps.items():
        markout = values[index]
        if markout == markout:  # NaN is the one number that differs from itself
            text = format_fixed(round(markout * 10**4), decimals=4)
            row[f"markout_{horizon}s_bps"] = text
    return row


def _order_origin(
    inputs: LedgerInputs, index: int, asset: Asset, values: Mapping[int, float]
) -> Row:
    """Return what the order acted on and when it came to rest."""
    fill = inputs.facts.fills[index]
    row: Row = {}
    if fill.signal:
        row["signal_id"] = str(fill.signal)
        if fill.signal in values:
            row["signal_value"] = repr(values[fill.signal])
    if fill.regime:
        row["regime_label"] = regime_text(fill.regime)
    if fill.intent in inputs.facts.rested:
        row["arrived_ns"] = str(inputs.facts.rested[fill.intent])
        if inputs.arrival_mid2[index]:
            row["arrival_mid"] = _mid_text(inputs.arrival_mid2[index], asset)
    return row


def regime_text(label: int) -> str:
    """Return the name of a regime's number above 0."""
    return REGIMES[label] if label < len(REGIMES) else str(label)


def _mid_text(mid2: int, asset: Asset) -> str:
    return format_fixed(mid2 * 5, decimals=asset.px_decimals + 1)


def _funding_row(inputs: LedgerInputs, event: FundingPaid, *, book: int, usdc: int) -> Row:
    asset = inputs.assets[event.coin]
    row = _head(inputs, ns=event.exch, coin=event.coin, book=book, reason=FUNDING)
    return row | {
        "funding": format_fixed(usdc, decimals=6),
        "funding_rate": format_fixed(event.rate, decimals=10),
        "funding_account": format_fixed(event.usdc, decimals=6),
        "oracle_price": format_fixed(event.oracle, decimals=10),
        "position_size": format_fixed(event.szi, decimals=asset.sz_decimals),
        "latency_ms": format_fixed(event.recv - event.exch, decimals=6),
    }


def _unknown_row(inputs: LedgerInputs, event: FundingUnknown) -> Row:
    asset = inputs.assets[event.coin]
    row = _head(inputs, ns=event.exch, coin=event.coin, book=HOUSE, reason=FUNDING_UNKNOWN)
    return row | {
        "position_size": format_fixed(event.szi, decimals=asset.sz_decimals),
        "latency_ms": format_fixed(event.recv - event.exch, decimals=6),
    }


def ledger_csv(rows: Sequence[Row], origin: Mapping[str, str] = NO_ORIGIN) -> bytes:
    """Return the CSV: a header line, then one line per row, empty text for what is unknown.

    ``origin`` says what the rows were made of (hashes, seed, commit, evidence class) and fills its
    columns in every row, so that a ledger that leaves its folder still says where it came from.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(NAMES)
    for row in rows:
        writer.writerow([row.get(name, origin.get(name, "")) for name in NAMES])
    return out.getvalue().encode()


def ledger_parquet(rows: Sequence[Row], origin: Mapping[str, str] = NO_ORIGIN) -> bytes:
    """Return the Parquet file: decimals as decimal128(38, 10), stamps and ids as int64.

    ``origin`` fills its columns as in the CSV and stands in the file's own metadata too, where it
    is also found when there is no row.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"text": pa.string(), "int": pa.int64(), "bool": pa.bool_(), "float": pa.float64()}
    arrays = []
    fields = []
    for name, kind in COLUMNS:
        column_type = types.get(kind, pa.decimal128(38, 10))
        default = origin.get(name, "")
        values = [_value(row.get(name, default), kind) for row in rows]
        arrays.append(pa.array(values, type=column_type))
        fields.append(pa.field(name, column_type))
    schema = pa.schema(fields, metadata={"schema": SCHEMA, **dict(origin)})
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink, compression="zstd")
    return sink.getvalue()


def _value(text: str, kind: str) -> Any:
    if text == "":
        return None
    if kind == "int":
        return int(text)
    if kind == "bool":
        return text == "true"
    if kind == "float":
        return float(text)
    return Decimal(text) if kind == "decimal" else text


def write_ledger(
    rows: Sequence[Row], *, csv_path: Path, parquet_path: Path, origin: Mapping[str, str]
) -> None:
    """Write both files."""
    csv_path.write_bytes(ledger_csv(rows, origin))
    parquet_path.write_bytes(ledger_parquet(rows, origin))


def totals_of(rows: Sequence[Row]) -> dict[str, Decimal]:
    """Return the sums of the columns that add up."""
    names = ("notional", "fee", "funding", "pnl_realized")
    return {name: sum((Decimal(row.get(name, "0")) for row in rows), Decimal(0)) for name in names}
