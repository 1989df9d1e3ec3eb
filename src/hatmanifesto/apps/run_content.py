"""From a run's ledger, journals and mids to the content of its summary and its report.

One way for a run that has just ended and for one that is rebuilt from its folder.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hatmanifesto.analytics.fold import RunFacts, fold
from hatmanifesto.analytics.mids import Market
from hatmanifesto.apps.describe import origin_of, report_data, summary_of
from hatmanifesto.apps.ending import Ending
from hatmanifesto.apps.provenance import Provenance
from hatmanifesto.apps.report_build import (
    Analysis,
    RunIdentity,
    analyse_ledger,
    ledger_of,
)
from hatmanifesto.apps.report_data import ReportData
from hatmanifesto.apps.run_folder import LEDGER_CSV, LEDGER_PARQUET, journal_name
from hatmanifesto.apps.spec import RunSpec
from hatmanifesto.domain.errors import MismatchError, UnreconciledError
from hatmanifesto.domain.units import format_half_micro
from hatmanifesto.store.journal import read_records
from hatmanifesto.store.ledger_columns import Row
from hatmanifesto.store.ledger_file import write_ledger
from hatmanifesto.store.ledger_read import read_ledger_parquet


class Content(NamedTuple):
    """What is shown of a run: the summary object and what the report is drawn from."""

    summary: dict[str, Any]
    data: ReportData


def content_of(
    spec: RunSpec,
    endings: Mapping[str, Ending],
    analyses: Mapping[str, Analysis],
    origin: Provenance,
) -> Content:
    """Return the content of summary and report."""
    data = report_data(spec, endings, analyses, origin=origin)
    summary = summary_of(spec, endings, analyses, notes=data.notes, origin=origin)
    return Content(summary, data)


def identity_of(spec: RunSpec, ending: Ending) -> RunIdentity:
    """Return what the journal does not say about a run."""
    return RunIdentity(
        assets=ending.assets,
        books=spec.books,
        capital=spec.capital,
        seed=spec.seed,
        run_id=spec.identity(),
        evidence=spec.evidence,
        net=ending.net2,
        marks2=ending.marks2,
        versions=[work.source_hash or spec.code_hash for work in spec.works],
    )


def analyse_new(
    folder: Path,
    ties: str,
    identity: RunIdentity,
    market: Market,
    *,
    spec: RunSpec,
    origin: Provenance,
) -> Analysis:
    """Write the ledger of a run that has just ended, read it back, and return its analysis.

    The ledger of the headline order is written to ``folder``; the others' stay in memory.

    Raises:
        UnreconciledError: if the ledger's profit and loss is not that of the books.
    """
    facts = fold(read_records(folder / journal_name(ties, spec)))
    rows = ledger_of(facts, market.mids, identity, spreads=market.spreads)
    if ties == spec.tie_orders[0]:
        write_ledger(
            rows,
            csv_path=folder / LEDGER_CSV,
            parquet_path=folder / LEDGER_PARQUET,
            origin=origin_of(spec, origin),
        )
        rows = read_rows(folder)
    analysis = analyse_ledger(facts, market.mids, identity, ledger=rows)
    if analysis.net_gap:
        raise UnreconciledError(
            "the ledger and the trader's books disagree",
            why=f"their nets differ by {format_half_micro(analysis.net_gap)} USDC",
            fix="this is a defect: keep the data and report it",
        )
    return analysis


def analyse_stored(
    folder: Path, ties: str, identity: RunIdentity, market: Market, *, spec: RunSpec
) -> Analysis:
    """Return the analysis of a run from its folder, through its ledger file where it has one.

    Raises:
        MismatchError: if the ledger is damaged.
    """
    facts = facts_in(folder, ties, spec)
    if ties == spec.tie_orders[0]:
        rows = read_rows(folder)
    else:
        rows = ledger_of(facts, market.mids, identity, spreads=market.spreads)
    return analyse_ledger(facts, market.mids, identity, ledger=rows)


def facts_in(folder: Path, ties: str, spec: RunSpec) -> RunFacts:
    """Return the facts of a run's journal under one order of ties."""
    return fold(read_records(folder / journal_name(ties, spec)))


def read_rows(folder: Path) -> list[Row]:
    """Return the rows of a run's ledger.

    Raises:
        MismatchError: if it is missing or damaged.
    """
    try:
        content = (folder / LEDGER_PARQUET).read_bytes()
    except OSError as error:
        raise MismatchError(
            f"{LEDGER_PARQUET} of run {folder.name} cannot be read", why=error.strerror or ""
        ) from error
    return read_ledger_parquet(content)
