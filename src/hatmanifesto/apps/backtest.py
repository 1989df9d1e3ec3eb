"""`hat backtest`: run, measure, write the run folder, append the trial, answer."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatmanifesto.apps.data import open_dataset
from hatmanifesto.apps.describe import origin_of
from hatmanifesto.apps.ending import encode_endings
from hatmanifesto.apps.execute import Finished, execute
from hatmanifesto.apps.fast import engine_in_use
from hatmanifesto.apps.provenance import provenance
from hatmanifesto.apps.report_text import headline
from hatmanifesto.apps.request import BacktestOutcome, BacktestRequest
from hatmanifesto.apps.run_content import analyse_new, content_of, identity_of
from hatmanifesto.apps.run_folder import (
    ENDINGS,
    LEDGER_CSV,
    REPORT,
    SOURCES,
    SUMMARY,
    TIMES,
    Manifest,
    file_hashes,
    journal_name,
    publish_run,
    runs_folder,
    write_files,
)
from hatmanifesto.apps.spec import RunSpec, build_spec
from hatmanifesto.apps.staging import staging_folder
from hatmanifesto.domain.errors import Exit
from hatmanifesto.store.atomic import readable_json
from hatmanifesto.store.journal import JournalWriter, segment_opener
from hatmanifesto.store.trials import Trial, append_trial

EXIT_OF = {
    "ok": Exit.OK,
    "empty": Exit.EMPTY,
    "degraded": Exit.FAILED,
    "failed": Exit.FAILED,
}


def run_backtest(request: BacktestRequest) -> BacktestOutcome:
    """Run ``request``, leave a run folder and a trial, and return the answer.

    Raises:
        UsageError, DataError: before anything runs.
        MismatchError: if the same run exists with another journal.
    """
    home = Path(request.home)
    dataset = open_dataset(request.data, home)
    spec, files = build_spec(request, dataset)
    with staging_folder(runs_folder(home)) as staging:
        write_files(staging / SOURCES, files)
        began = time.perf_counter()
        finished = _runs(request, spec, dataset, staging)
        wall_s = time.perf_counter() - began
        return _publish(request, spec, staging, finished, wall_s)


def _runs(
    request: BacktestRequest, spec: RunSpec, dataset: Any, staging: Path
) -> dict[str, Finished]:
    """Run every tie order, the headline first; return what each left, by order."""
    finished: dict[str, Finished] = {}
    for ties in spec.tie_orders:
        journal = JournalWriter(
            segment_opener(staging / journal_name(ties, spec)), origin=origin_of(spec, provenance())
        )
        finished[ties] = execute(
            spec,
            dataset,
            ties=ties,
            sources=staging / SOURCES,
            journal=journal,
            progress=_share(request.progress, len(finished), len(spec.tie_orders)),
        )
    return finished


def _share(
    progress: Callable[[float], None] | None, done: int, parts: int
) -> Callable[[float], None] | None:
    """Return ``progress`` scaled to one of several parts."""
    if progress is None:
        return None
    return lambda fraction: progress((done + fraction) / parts)


def _publish(
    request: BacktestRequest,
    spec: RunSpec,
    staging: Path,
    finished: dict[str, Finished],
    wall_s: float,
) -> BacktestOutcome:
    endings = {ties: one.ending() for ties, one in finished.items()}
    origin = provenance()
    analyses = {
        ties: analyse_new(
            staging,
            ties,
            identity_of(spec, endings[ties]),
            one.market(),
            spec=spec,
            origin=origin,
        )
        for ties, one in finished.items()
    }
    summary, data = content_of(spec, endings, analyses, origin)
    write_files(staging, {SUMMARY: readable_json(summary), ENDINGS: encode_endings(endings)})
    if request.report:
        from hatmanifesto.apps.report import render_report  # the heaviest import of the house

        (staging / REPORT).write_bytes(render_report(data))
    rows = sum(one.outcome.rows for one in finished.values())
    times = {
        "wall_s": round(wall_s, 6),
        "events_per_s": round(rows / wall_s, 3),
        "engine": engine_in_use(),
    }
    write_files(staging, {TIMES: readable_json(times)})
    manifest = _manifest(spec, staging, finished)
    folder = publish_run(staging, Path(request.home), manifest)
    append_trial(Path(request.home), _trial(spec, manifest, summary))
    answer = {
        **summary,
        **times,
        "ledger_csv": str(folder / LEDGER_CSV),
        "report_html": str(folder / REPORT) if request.report else None,
    }
    text = _text(headline(data), data.notes, folder, request)
    return BacktestOutcome(answer, text, int(EXIT_OF[summary["status"]]))


def _manifest(spec: RunSpec, staging: Path, finished: dict[str, Finished]) -> Manifest:
    origin = provenance()
    return Manifest(
        run_id=spec.identity(),
        spec=spec,
        evidence=spec.evidence,
        commit=origin.commit,
        dirty=origin.dirty,
        lock_hash=origin.lock_hash,
        journal_hashes={ties: one.journal_hash for ties, one in finished.items()},
        files=file_hashes(staging),
    ).sealed()


def _trial(spec: RunSpec, manifest: Manifest, summary: dict[str, Any]) -> Trial:
    return Trial(
        run_id=manifest.run_id,
        strategy=spec.name,
        config_hash=spec.config_hash,
        dataset_hash=spec.dataset_hash,
        code_hash=spec.code_hash,
        seed=spec.seed,
        evidence=spec.evidence,
        status=summary["status"],
        net_pnl_usdc=summary["net_pnl_usdc"],
        manifest_hash=manifest.seal,
        commit=manifest.commit,
        dirty=manifest.dirty,
        lock_hash=manifest.lock_hash,
    )


def _text(first: str, notes: Any, folder: Path, request: BacktestRequest) -> str:
    lines = [first, *notes, f"run: {folder.name}", f"ledger: {folder / LEDGER_CSV}"]
    if request.report:
        lines.append(f"report: {folder / REPORT}")
    return "\n".join(lines)
