"""`hat replay`: runs a recorded run again from its own folder and compares, record by record."""

import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.apps.data import open_dataset
from hatmanifesto.apps.execute import execute
from hatmanifesto.apps.provenance import code_hash
from hatmanifesto.apps.run_folder import SOURCES, Manifest, journal_name, load_manifest, runs_folder
from hatmanifesto.domain.errors import DataError, Exit
from hatmanifesto.domain.records import Record
from hatmanifesto.store.journal import HashJournal, JournalWriter, read_records, segment_opener


class ReplayOutcome(msgspec.Struct, frozen=True):
    """Whether the run came out the same, in words and as an object."""

    summary: dict[str, Any]
    text: str
    exit_code: int


def replay_run(home: str, run_id: str) -> ReplayOutcome:
    """Return whether the run, run again, leaves the same journal; a difference is exit 6.

    Raises:
        DataError: if the run or its data are missing.
    """
    root = Path(home)
    manifest = load_manifest(root, run_id)
    folder = runs_folder(root) / run_id
    dataset = open_dataset(manifest.spec.data, root)
    if dataset.dataset_hash != manifest.spec.dataset_hash:
        raise DataError(
            f"the data of {run_id} are not the ones it ran on",
            why=f"{dataset.dataset_hash} instead of {manifest.spec.dataset_hash}",
            fix="import the original files again",
        )
    differences = {}
    for ties, recorded in manifest.journal_hashes.items():
        journal = HashJournal()
        again = execute(
            manifest.spec, dataset, ties=ties, sources=folder / SOURCES, journal=journal
        )
        if again.journal_hash != recorded:
            differences[ties] = _first_difference(manifest, dataset, ties, folder)
    return _answer(run_id, manifest, differences)


def _first_difference(manifest: Manifest, dataset: Any, ties: str, folder: Path) -> str:
    """Run once more with a journal on disk and name the first record that differs."""
    with tempfile.TemporaryDirectory() as name:
        again = Path(name) / "journal"
        execute(
            manifest.spec,
            dataset,
            ties=ties,
            sources=folder / SOURCES,
            journal=JournalWriter(segment_opener(again)),
        )
        recorded = read_records(folder / journal_name(ties, manifest.spec))
        return first_difference(recorded, read_records(again))


def first_difference(recorded: Iterator[Record], again: Iterator[Record]) -> str:
    """Return the first pair of records that differ, '' when none does."""
    for number, (before, after) in enumerate(zip_longest(recorded, again)):
        if before != after:
            return f"record {number}: recorded {before!r}, now {after!r}"
    return ""


def _answer(run_id: str, manifest: Manifest, differences: dict[str, str]) -> ReplayOutcome:
    same_code = manifest.spec.code_hash == code_hash()
    summary = {
        "run_id": run_id,
        "status": "failed" if differences else "ok",
        "identical": not differences,
        "same_code": same_code,
        "journal_hashes": manifest.journal_hashes,
        "differences": differences,
    }
    if not differences:
        orders = ", ".join(manifest.journal_hashes)
        return ReplayOutcome(summary, f"{run_id}: identical ({orders})", Exit.OK)
    lines = [f"{run_id}: NOT identical"]
    lines += [f"{ties}: {text}" for ties, text in differences.items()]
    if not same_code:
        lines.append(f"the code changed since: {manifest.spec.code_hash} -> {code_hash()}")
    return ReplayOutcome(summary, "\n".join(lines), Exit.MISMATCH)
