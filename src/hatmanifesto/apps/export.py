"""`hat export --year`: the year's ledger of a run, or with `--tax` its realised disposals."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.analytics.disposals import AVERAGE, FIFO, METHODS, Disposal, disposed, ledger_cost
from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.analytics.periods import Span, year_span
from hatmanifesto.apps.data_export import export_path
from hatmanifesto.apps.periods import about_run, rows_within
from hatmanifesto.apps.report_folder import csv_bytes
from hatmanifesto.apps.run_content import read_rows
from hatmanifesto.apps.stored_run import newest_run, open_run
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.errors import EmptyResultError, Exit, MismatchError, UsageError
from hatmanifesto.domain.events import FundingPaid
from hatmanifesto.domain.units import format_fixed, parse_fixed
from hatmanifesto.store.atomic import readable_json, write_atomic
from hatmanifesto.store.ledger_columns import Row
from hatmanifesto.store.ledger_file import iso_of, ledger_csv
from hatmanifesto.store.ledger_read import LedgerFacts, facts_of

ADVICE = "This is arithmetic on a ledger and no tax advice."
METHOD_WORDS = {
    FIFO: "first in, first out, per coin over the account",
    AVERAGE: "average cost, per coin over the account",
}
TAX_COLUMNS = (
    *("line", "opened", "closed", "symbol", "position", "qty", "proceeds", "basis", "gain"),
    *("fee", "funding", "fill_id", "method", "run_id", "evidence_class", "note"),
)


class ExportOutcome(msgspec.Struct, frozen=True):
    """What was written, in words and as an object."""

    summary: dict[str, Any]
    text: str
    exit_code: int


def export_year(
    home: Path, *, year: int, run_id: str | None, is_tax: bool, method: str, out: str | None
) -> ExportOutcome:
    """Write the year's ledger, or its disposals, below HOME/exports, replacing an older export.

    Raises:
        UsageError: if the method is unknown or ``out`` lies elsewhere.
        DataError: if there is no such run.
        EmptyResultError: if the ledger has nothing of that year.
        MismatchError: if the ledger cannot be read or does not reconcile.
    """
    if method not in METHODS:
        raise UsageError(f"--method: unknown {method!r}", fix=f"use one of {', '.join(METHODS)}")
    run = open_run(home, run_id or newest_run(home))
    name = run.manifest.run_id
    path = csv_path(home, out or f"{name}-{year}{f'-tax-{method}' if is_tax else ''}.csv")
    rows, span = read_rows(run.folder), year_span(year)
    assets = run.identity().assets
    facts = facts_of(rows, assets)
    inside = rows_within(rows, span.start, span.end)
    if not inside:
        known = sorted({row["ts"][:4] for row in rows})
        raise EmptyResultError(
            f"the ledger of {name} has nothing of {year}",
            why=f"it has {', '.join(known)}" if known else "it is empty: the run made no fills",
            fix="choose another --year or --run",
        )
    about = {**about_run(run), "year": year, "advice": ADVICE}
    if not is_tax:
        content, told = ledger_csv(inside), {"rows": len(inside)}
    else:
        content, told = tax_of(inside, facts, assets, span, method, about)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content)
    summary = {**about, **told}
    write_atomic(path.with_suffix(".json"), readable_json(summary))
    summary = {**summary, "path": str(path)}
    return ExportOutcome(summary, _text(summary), Exit.OK)


def csv_path(home: Path, out: str) -> Path:
    """Return where an export of a ledger goes; its figures go beside it, ending in .json.

    Raises:
        UsageError: if that is not below HOME/exports or does not end in .csv.
    """
    path = export_path(home, out)
    if path.suffix != ".csv":
        raise UsageError(f"--out: {out!r} does not end in .csv", fix="give a name, e.g. 2026.csv")
    return path


def tax_of(
    inside: Sequence[Row],
    facts: LedgerFacts,
    assets: Sequence[Asset],
    span: Span,
    method: str,
    about: Mapping[str, Any],
) -> tuple[bytes, dict[str, Any]]:
    """Return the CSV of a year's disposals, fees and funding, and what they sum to."""
    until = [row for row in facts.fills if row.ts < span.end]
    found = disposed(until, method)
    disposals = [one for one in found.disposals if one.closed >= span.start]
    fills = [row for row in until if row.ts >= span.start]
    paid = [event for event in facts.funding if span.start <= event.exch < span.end]
    lines: list[tuple[int, dict[str, str]]] = []
    lines += [(one.closed, _disposal(one, assets[one.coin])) for one in disposals]
    lines += [(row.ts, _fee(row, assets[row.coin])) for row in fills if row.fee]
    lines += [(event.exch, _funding(event, assets[event.coin])) for event in paid]
    lines.sort(key=lambda line: line[0])
    same = {
        "method": method,
        "run_id": str(about["run_id"]),
        "evidence_class": str(about["evidence"]),
        "note": " ".join([*about["warnings"], ADVICE]),
    }
    cells = [[(line | same).get(name) for name in TAX_COLUMNS] for _, line in lines]
    sums = {
        "proceeds": sum(one.proceeds for one in disposals),
        "basis": sum(one.basis for one in disposals),
        "gain": sum(one.gain for one in disposals),
        "fees": sum(row.fee for row in fills),
        "funding": sum(event.usdc for event in paid),
    }
    unknown = sum(span.start <= event.exch < span.end for event in facts.funding_unknown)
    told = {
        "method": METHOD_WORDS[method],
        "disposals": len(disposals),
        "totals_usdc": _texts({**sums, "net": sums["gain"] - sums["fees"] + sums["funding"]}),
        "funding_hours_unknown": unknown,
        "reconciliation_usdc": _reconciled(inside, facts.fills, span, method, sums),
    }
    return csv_bytes(TAX_COLUMNS, cells), told


def _reconciled(
    inside: Sequence[Row],
    fills: Sequence[FillRow],
    span: Span,
    method: str,
    sums: Mapping[str, int],
) -> dict[str, str]:
    """Return how the totals follow from the ledger's own columns, to the micro-USDC.

    Raises:
        MismatchError: if they do not.
    """
    cost = [
        sum(disposed(part, method).open_cost.values()) - ledger_cost(part)
        for part in (
            [row for row in fills if row.ts < span.start],
            [row for row in fills if row.ts < span.end],
        )
    ]
    ledger = {
        name: sum(parse_fixed(row.get(column, "0"), decimals=6) for row in inside)
        for name, column in (("gain", "pnl_realized"), ("fees", "fee"), ("funding", "funding"))
    }
    bridge = cost[1] - cost[0]
    wrong = [
        name
        for name, value in ledger.items()
        if sums[name] != value + (bridge if name == "gain" else 0)
    ]
    if wrong:
        raise MismatchError(
            f"the ledger's {wrong[0]} do not reconcile with its fills",
            why=f"its column sums to {ledger[wrong[0]]} micro-USDC, the fills to {sums[wrong[0]]}",
            fix="see hat verify",
        )
    return _texts(
        {
            "ledger_pnl_realized": ledger["gain"],
            "cost_of_what_is_open": bridge,
            "gain": sums["gain"],
            "difference": sums["gain"] - ledger["gain"] - bridge,
        }
    )


def _texts(values: Mapping[str, int]) -> dict[str, str]:
    return {name: format_fixed(value, decimals=6) for name, value in values.items()}


def _disposal(one: Disposal, asset: Asset) -> dict[str, str]:
    return {
        "line": "disposal",
        "opened": iso_of(one.opened),
        "closed": iso_of(one.closed),
        "symbol": asset.coin,
        "position": "long" if one.is_long else "short",
        "qty": format_fixed(one.sz, decimals=asset.sz_decimals),
        **_texts({"proceeds": one.proceeds, "basis": one.basis, "gain": one.gain}),
        "fill_id": str(one.tid),
    }


def _fee(row: FillRow, asset: Asset) -> dict[str, str]:
    fee = format_fixed(row.fee, decimals=6)
    return {
        "line": "fee",
        "closed": iso_of(row.ts),
        "symbol": asset.coin,
        "fee": fee,
        "fill_id": str(row.tid),
    }


def _funding(event: FundingPaid, asset: Asset) -> dict[str, str]:
    usdc = format_fixed(event.usdc, decimals=6)
    return {"line": "funding", "closed": iso_of(event.exch), "symbol": asset.coin, "funding": usdc}


def _text(summary: Mapping[str, Any]) -> str:
    lines = [*summary["warnings"], ADVICE]
    if "totals_usdc" in summary:
        totals = summary["totals_usdc"]
        lines.append(f"{summary['disposals']} disposals of {summary['year']}, {summary['method']}")
        lines.append(
            f"gain {totals['gain']}, fees {totals['fees']}, funding {totals['funding']}, "
            f"net {totals['net']} USDC"
        )
        if summary["funding_hours_unknown"]:
            lines.append(f"{summary['funding_hours_unknown']} funding hours are unknown")
    else:
        lines.append(f"{summary['rows']} rows of {summary['year']}")
    return "\n".join([*lines, summary["path"]])
