"""`hat verify`: checks every byte of a run against manifest, journal chain and trial ledger."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from hatmanifesto.analytics.mids import Mids
from hatmanifesto.apps.describe import origin_of
from hatmanifesto.apps.ending import read_endings
from hatmanifesto.apps.provenance import Provenance
from hatmanifesto.apps.report_build import ledger_of
from hatmanifesto.apps.run_content import facts_in, identity_of
from hatmanifesto.apps.run_folder import (
    ENDINGS,
    LEDGER_CSV,
    LEDGER_PARQUET,
    MANIFEST,
    Manifest,
    file_hashes,
    journal_name,
    load_manifest,
    runs_folder,
)
from hatmanifesto.apps.spec import RunSpec
from hatmanifesto.domain.errors import Exit, MismatchError
from hatmanifesto.domain.records import Began
from hatmanifesto.store.journal import journal_hash, read_records
from hatmanifesto.store.ledger_columns import MID_COLUMNS, NAMES, Row
from hatmanifesto.store.ledger_read import (
    first_difference,
    read_ledger_csv,
    read_ledger_parquet,
)
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
    has_endings = ENDINGS in manifest.files
    if has_endings:
        wrong += ledger_faults(folder, manifest)
    if manifest.run_id != run_id:
        wrong.append(f"{MANIFEST}: names run {manifest.run_id}")
    checked = len(manifest.files) + 1
    summary = {
        "run_id": run_id,
        "status": "failed" if wrong else "ok",
        "files_checked": checked,
        "wrong": wrong,
        "ledger_compared": has_endings,
        "journal_hashes": manifest.journal_hashes,
    }
    if wrong:
        return VerifyOutcome(summary, "\n".join([f"{run_id}: NOT verified", *wrong]), Exit.MISMATCH)
    parts = "journal chain, ledger rows and trial" if has_endings else "journal chain and trial"
    text = f"{run_id}: verified, {checked} files, {parts} agree"
    if not has_endings:
        text += "; its ledger rows were not compared: an earlier release made it"
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


def ledger_faults(folder: Path, manifest: Manifest) -> list[str]:
    """Return the first cell in which each ledger file differs from what the journal gives.

    Columns that need the mids of the data are left to `hat report --rebuild`.
    """
    spec, wrong = manifest.spec, []
    origin = Provenance(spec.code_hash, manifest.lock_hash, manifest.commit, manifest.dirty)
    try:
        expected = _rows_of_journal(folder, spec)
    except (MismatchError, AssertionError, KeyError) as error:
        return [f"the journal gives no ledger: {error}"]
    expected = [origin_of(spec, origin) | row for row in expected]
    names = [name for name in NAMES if name not in MID_COLUMNS]
    readers = ((LEDGER_PARQUET, read_ledger_parquet), (LEDGER_CSV, read_ledger_csv))
    for name, read in readers:
        if not (folder / name).is_file():
            continue  # said already: a file is missing
        try:
            rows = read((folder / name).read_bytes())
        except MismatchError as error:
            wrong.append(f"{name}: {error.what}: {error.why}")
            continue
        if difference := first_difference(rows, expected, names):
            wrong.append(f"{name}: {difference} from the journal")
    return wrong


def _rows_of_journal(folder: Path, spec: RunSpec) -> list[Row]:
    """Return the ledger that the journal gives with mids of one, of which nothing is compared."""
    ties = spec.tie_orders[0]
    ending = read_endings(folder)[ties]
    one = Mids(np.zeros(1, dtype=np.int64), np.full(1, 2, dtype=np.int64))
    mids = dict.fromkeys(range(len(spec.coins)), one)
    return ledger_of(facts_in(folder, ties, spec), mids, identity_of(spec, ending))


def _trial(home: Path, manifest: Manifest) -> list[str]:
    try:
        trials = [trial for trial in read_trials(home) if trial.run_id == manifest.run_id]
    except MismatchError as error:
        return [f"trial ledger: {error.what}: {error.why}"]
    if any(trial.manifest_hash == manifest.seal for trial in trials):
        return []
    return ["trial ledger: no trial names this manifest"]
