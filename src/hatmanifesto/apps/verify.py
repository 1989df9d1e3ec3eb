"""`hat verify`: checks every byte of a run against manifest, journal chain and trial ledger."""

from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.apps.run_folder import (
    MANIFEST,
    Manifest,
    file_hashes,
    journal_name,
    load_manifest,
    runs_folder,
)
from hatmanifesto.domain.errors import Exit, MismatchError
from hatmanifesto.domain.records import Began
from hatmanifesto.store.journal import journal_hash, read_records
from hatmanifesto.store.trials import read_trials


class VerifyOutcome(msgspec.Struct, frozen=True):
    """What was checked, in words and as an object."""

    summary: dict[str, Any]
    text: str
    exit_code: int


def verify_run(home: str, run_id: str) -> VerifyOutcome:
    """Return what is wrong with a run; nothing is exit 0, anything exit 6.

    Raises:
        DataError: if there is no such run.
        MismatchError: if its manifest was changed.
    """
    root = Path(home)
    manifest = load_manifest(root, run_id)
    folder = runs_folder(root) / run_id
    wrong = _files(folder, manifest) + _journals(folder, manifest) + _trial(root, manifest)
    if manifest.run_id != run_id:
        wrong.append(f"{MANIFEST}: names run {manifest.run_id}")
    checked = len(manifest.files) + 1
    summary = {
        "run_id": run_id,
        "status": "failed" if wrong else "ok",
        "files_checked": checked,
        "wrong": wrong,
        "journal_hashes": manifest.journal_hashes,
    }
    if wrong:
        return VerifyOutcome(summary, "\n".join([f"{run_id}: NOT verified", *wrong]), Exit.MISMATCH)
    text = f"{run_id}: verified, {checked} files, journal chain and trial agree"
    return VerifyOutcome(summary, text, Exit.OK)


def _files(folder: Path, manifest: Manifest) -> list[str]:
    found = file_hashes(folder)
    wrong = [f"{name}: missing" for name in manifest.files if name not in found]
    wrong += [f"{name}: not part of the run" for name in found if name not in manifest.files]
    known = manifest.files
    changed = [name for name, digest in found.items() if known.get(name, digest) != digest]
    return wrong + [f"{name}: changed" for name in changed]


def _journals(folder: Path, manifest: Manifest) -> list[str]:
    wrong = []
    for ties, digest in manifest.journal_hashes.items():
        name = journal_name(ties, manifest.spec)
        try:
            if journal_hash(folder / name) != digest:
                wrong.append(f"{name}: its records do not give the journal hash")
            first = next(read_records(folder / name), None)
            if not isinstance(first, Began) or first.header != manifest.spec.header(ties):
                wrong.append(f"{name}: it does not begin with the specification of the run")
        except MismatchError as error:
            wrong.append(f"{name}: {error.what}: {error.why}")
    return wrong


def _trial(home: Path, manifest: Manifest) -> list[str]:
    try:
        trials = [trial for trial in read_trials(home) if trial.run_id == manifest.run_id]
    except MismatchError as error:
        return [f"trial ledger: {error.what}: {error.why}"]
    if any(trial.manifest_hash == manifest.seal for trial in trials):
        return []
    return ["trial ledger: no trial names this manifest"]
