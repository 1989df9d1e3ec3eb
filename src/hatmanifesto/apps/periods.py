"""`hat report --daily|--weekly|--monthly`: a run's reports below HOME/reports/RUN, all at once.

Every file is a pure function of the run's ledger, journal and mids; the same run gives the same
bytes, and a call replaces what an earlier one left.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.analytics.attribution import Components
from hatmanifesto.analytics.periods import KINDS, Period, periods_of
from hatmanifesto.apps.describe import report_data
from hatmanifesto.apps.index_page import Periods, index_page
from hatmanifesto.apps.period_page import Around, period_page
from hatmanifesto.apps.report_build import COMPONENT_NAMES, Analysis, component_texts
from hatmanifesto.apps.report_data import ReportData
from hatmanifesto.apps.report_folder import INDEX, csv_bytes, index_rows, publish, run_files
from hatmanifesto.apps.run_folder import REPORT
from hatmanifesto.apps.stored_run import UNSEALED, StoredRun, newest_run, open_run
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.errors import Exit
from hatmanifesto.domain.units import format_fixed, format_half_micro
from hatmanifesto.store.atomic import readable_json
from hatmanifesto.store.ledger_columns import Row
from hatmanifesto.store.ledger_file import iso_of, ledger_csv

NOT_REAL = {
    Evidence.SYN: "Generated data (SYN): this shows that the machine works, it is no evidence of "
    "profit and no real trade.",
    Evidence.ASSUMED: "The data rest on assumptions (ASSUMED): no real trade.",
    Evidence.REP: "A back-test on recorded data (REP): simulated, no real trade.",
}
"""What a result of each class must say of itself."""
COLUMNS = (
    *("period", "from", "to", "status", "opening_equity_usdc", "net_pnl_usdc"),
    *("closing_equity_usdc", "max_drawdown_usdc", "fills", "turnover_usdc"),
)


class ReportsOutcome(msgspec.Struct, frozen=True):
    """Where the reports are and what they say, in words and as an object."""

    summary: dict[str, Any]
    text: str
    exit_code: int


def write_reports(home: Path, run_id: str | None, kinds: Sequence[str]) -> ReportsOutcome:
    """Write every report of a run, the newest by default, and return the periods of ``kinds``.

    Raises:
        DataError: if there is no such run, or its data are missing.
        MismatchError: if its ledger or journal cannot be read.
    """
    run = open_run(home, run_id or newest_run(home))
    analysis = run.analyse()
    about = about_run(run)
    files = run_files(run, analysis, about)
    objects: dict[str, list[dict[str, Any]]] = {}
    periods: dict[str, list[Period]] = {}
    for kind in KINDS:
        periods[kind] = periods_of(kind, analysis.facts, analysis.paths, analysis.equity)
        objects[kind] = [period_object(one, kind, analysis) for one in periods[kind]]
        files |= _files_of(kind, periods[kind], objects[kind], analysis, about)
    data = report_data(run.spec, run.endings, {run.spec.tie_orders[0]: analysis}, origin=run.origin)
    files |= _pages(periods, objects, data, about, has_report=(run.folder / REPORT).is_file())
    files[INDEX] = index_page(data, about, Periods(**objects), index_rows(run, files))
    folder = publish(home, run, files)
    shown = {kind: objects[kind] for kind in kinds}
    summary = {
        **about,
        "status": analysis.status,
        "folder": str(folder),
        "index": str(folder / "index.html"),
        "periods": shown,
    }
    text = "\n".join([*about["warnings"], *_lines(shown), f"reports: {folder / 'index.html'}"])
    code = Exit.OK if analysis.status == "ok" else Exit.EMPTY
    if analysis.status != "ok":
        text = f"{run.manifest.run_id}: no result: the run made no fills\n{text}"
    return ReportsOutcome(summary, text, code)


def about_run(run: StoredRun) -> dict[str, Any]:
    """Return what every report of a run says of it."""
    spec = run.spec
    warnings = [NOT_REAL[Evidence(spec.evidence)]] if spec.evidence in NOT_REAL else []
    return {
        "run_id": run.manifest.run_id,
        "strategy": spec.name,
        "evidence": spec.evidence,
        "dataset_hash": spec.dataset_hash,
        "is_sealed": run.is_sealed,
        "warnings": warnings if run.is_sealed else [UNSEALED, *warnings],
    }


def period_object(period: Period, kind: str, analysis: Analysis) -> dict[str, Any]:
    """Return one period as an object: money as decimal text, unknown as None."""
    run = analysis.identity
    capital2 = 2 * run.capital
    names = dict(enumerate(run.books))
    coins = {slot: asset.coin for slot, asset in enumerate(run.assets)}
    depth = period.drawdown
    return {
        "kind": kind,
        "period": period.span.label,
        "from": iso_of(period.span.start),
        "to": iso_of(period.span.end),
        "status": period.status,
        "opening_equity_usdc": format_half_micro(capital2 + period.opening),
        "closing_equity_usdc": format_half_micro(capital2 + period.closing),
        "max_drawdown_usdc": None if depth is None else format_half_micro(depth),
        **_parts(period.parts),
        "by_coin": {coins[slot]: _parts(part) for slot, part in period.by_coin.items()},
        "by_strategy": {
            names.get(book, "house"): _parts(part) for book, part in period.by_book.items()
        },
    }


def _parts(part: Components) -> dict[str, Any]:
    return {
        "net_pnl_usdc": format_half_micro(part.net),
        "fills": part.fills,
        "turnover_usdc": format_fixed(part.turnover, decimals=6),
        "components": component_texts(part),
    }


def _files_of(
    kind: str,
    periods: Sequence[Period],
    objects: Sequence[Mapping[str, Any]],
    analysis: Analysis,
    about: Mapping[str, Any],
) -> dict[str, bytes]:
    """Return JSON and ledger rows of every period, and one CSV of all of them."""
    files: dict[str, bytes] = {}
    for period, one in zip(periods, objects, strict=True):
        stem = f"tearsheets/{kind}/{period.span.label}"
        rows = rows_within(analysis.ledger, period.span.start, period.span.end)
        files[f"{stem}.json"] = readable_json({**about, **one})
        files[f"{stem}.csv"] = ledger_csv(rows)
    lines = [
        [*(one[name] for name in COLUMNS), *(one["components"][name] for name in COMPONENT_NAMES)]
        for one in objects
    ]
    files[f"tearsheets/{kind}.csv"] = csv_bytes((*COLUMNS, *COMPONENT_NAMES), lines)
    return files


def _pages(
    periods: Mapping[str, Sequence[Period]],
    objects: Mapping[str, Sequence[Mapping[str, Any]]],
    data: ReportData,
    about: Mapping[str, Any],
    *,
    has_report: bool,
) -> dict[str, bytes]:
    """Return the page of every period, each with the way to its neighbours."""
    report = f"../../../../runs/{about['run_id']}/{REPORT}" if has_report else ""
    files: dict[str, bytes] = {}
    for kind, named in periods.items():
        for at, period in enumerate(named):
            around = Around(
                run=about,
                source=data.source,
                report=report,
                before=named[at - 1].span.label if at else "",
                after=named[at + 1].span.label if at + 1 < len(named) else "",
                outer=_outer(kind, period, periods),
                inner=() if kind == "daily" else _inner(period, periods, objects),
            )
            page = period_page(around, objects[kind][at], period, data.main.equity)
            files[f"tearsheets/{kind}/{period.span.label}.html"] = page
    return files


def _outer(
    kind: str, period: Period, periods: Mapping[str, Sequence[Period]]
) -> list[tuple[str, str]]:
    """Return the week and month that a day begins in, the month that a week begins in."""
    larger = KINDS[KINDS.index(kind) + 1 :]
    return [
        (other, one.span.label)
        for other in larger
        for one in periods[other]
        if one.span.start <= period.span.start < one.span.end
    ]


def _inner(
    period: Period,
    periods: Mapping[str, Sequence[Period]],
    objects: Mapping[str, Sequence[Mapping[str, Any]]],
) -> list[Mapping[str, Any]]:
    """Return the objects of the days of a week or month."""
    return [
        told
        for day, told in zip(periods["daily"], objects["daily"], strict=True)
        if period.span.start <= day.span.start < period.span.end
    ]


def rows_within(rows: Sequence[Row], start: int, end: int) -> Sequence[Row]:
    """Return the ledger rows with start <= ts_ns < end; the rows are in order of time."""
    first, last = (bisect_left(rows, ns, key=_stamp) for ns in (start, end))
    return rows[first:last]


def _stamp(row: Row) -> int:
    return int(row["ts_ns"])


def _lines(periods: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    lines = []
    for kind, rows in periods.items():
        lines.append(f"{kind}: {len(rows)}")
        for one in rows:
            lines.append(
                f"  {one['period']}  {one['status']}: opened {one['opening_equity_usdc']}, "
                f"net {one['net_pnl_usdc']}, closed {one['closing_equity_usdc']} USDC, "
                f"{one['fills']} fills"
            )
    return lines
