"""A run on disk: files with a sealed manifest that names every byte of them."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.apps.spec import RunSpec
from hatmanifesto.apps.staging import locked, set_aside
from hatmanifesto.domain.errors import DataError, MismatchError
from hatmanifesto.store.atomic import (
    publish_folder,
    readable_json,
    sha256_bytes,
    sha256_file,
    write_atomic,
)

MANIFEST = "manifest.json"
SUMMARY = "summary.json"
TIMES = "times.json"
REPORT = "report.html"
ENDINGS = "endings.json"
LEDGER_CSV = "ledger.csv"
LEDGER_PARQUET = "ledger.parquet"
SOURCES = "sources"


class Manifest(msgspec.Struct, frozen=True):
    """What a run was made of and what it left. ``seal`` is the SHA-256 of everything else."""

    run_id: str
    spec: RunSpec
    evidence: str
    commit: str | None
    dirty: bool | None
    lock_hash: str
    journal_hashes: dict[str, str]
    files: dict[str, str]
    seal: str = ""

    def encoded(self) -> bytes:
        """Return the manifest's one JSON text."""
        return readable_json(msgspec.to_builtins(self))

    def sealed(self) -> "Manifest":
        """Return the manifest with its seal."""
        bare = msgspec.structs.replace(self, seal="")
        return msgspec.structs.replace(bare, seal=sha256_bytes(bare.encoded()))


def journal_name(ties: str, spec: RunSpec) -> str:
    """Return the folder of a journal: ``journal`` for the headline order."""
    return "journal" if ties == spec.tie_orders[0] else f"journal_{ties}"


def runs_folder(home: Path) -> Path:
    """Return the folder of all runs of a home."""
    return home / "runs"


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file under ``folder`` but the manifest, by relative path."""
    return {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def load_manifest(home: Path, run_id: str) -> Manifest:
    """Return the manifest of a run after checking its seal and spelling.

    Raises:
        DataError: if there is no such run.
        MismatchError: if a byte of the manifest was changed, or all of it is missing.
    """
    path = runs_folder(home) / run_id / MANIFEST
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        if path.parent.is_dir():
            raise _changed(run_id, "it is missing") from error
        raise DataError(
            f"no run {run_id}", why="it is not in this home", fix="see hat runs"
        ) from error
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _changed(run_id, str(error)) from error
    if manifest.encoded() != content or manifest.sealed().seal != manifest.seal:
        raise _changed(run_id, "its seal does not agree with its content")
    return manifest


def _changed(run_id: str, why: str) -> MismatchError:
    return MismatchError(
        f"{MANIFEST} of run {run_id} was changed",
        why=why,
        fix="restore it, or move the folder away and run again",
    )


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write ``files`` by relative path into ``folder``."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def publish_run(staging: Path, home: Path, manifest: Manifest) -> Path:
    """Seal a finished run and move it to its place; return its folder.

    A run that is there already is replaced only when its journal is the same.

    Raises:
        MismatchError: if the same specification left another journal: that is never right.
    """
    write_atomic(staging / MANIFEST, manifest.encoded())
    root = runs_folder(home)
    target = root / manifest.run_id
    with locked(root):
        if not target.exists():
            publish_folder(staging, target)
            return target
        if load_manifest(home, manifest.run_id).journal_hashes != manifest.journal_hashes:
            raise _conflict(staging, target)
        old = set_aside(target)
        publish_folder(staging, target)
        shutil.rmtree(old)
    return target


def _conflict(staging: Path, target: Path) -> MismatchError:
    """Keep a run that came out differently beside the first one; return the error to raise."""
    conflict = target.with_name(f"{target.name}-conflict")
    shutil.rmtree(conflict, ignore_errors=True)
    publish_folder(staging, conflict)
    return MismatchError(
        f"run {target.name} came out differently this time",
        why="the same specification must give the same journal",
        fix=f"compare {target.name} and {conflict.name}, and report it",
    )


def read_summary(folder: Path) -> dict[str, Any]:
    """Return the summary of a run."""
    summary: dict[str, Any] = msgspec.json.decode((folder / SUMMARY).read_bytes())
    return summary
