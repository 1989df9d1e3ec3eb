"""The functions behind `hat data`: import, list, show, check, and opening what `--data` names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.archives import unpacked
from hatmanifesto.store.dataset import SHIPPED, Dataset, resolve
from hatmanifesto.store.draft import Origin
from hatmanifesto.store.importers.mapping import Options
from hatmanifesto.store.importers.registry import Found, find
from hatmanifesto.store.intake_run import import_sources, source_of
from hatmanifesto.store.manifest import Manifest
from hatmanifesto.store.warehouse import (
    Snapshot,
    check_name,
    check_snapshot,
    list_names,
    snapshot_hashes,
)

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ImportReport:
    """What an import did: the snapshot, whether it is new, and the files nobody knew."""

    snapshot: Snapshot
    is_new: bool
    ignored: tuple[Path, ...]

    @property
    def manifest(self) -> Manifest:
        """Return the snapshot's manifest."""
        return self.snapshot.manifest

    def as_json(self) -> dict[str, Any]:
        """Return the report of `hat data import --json`."""
        ignored = [path.name for path in self.ignored]
        return {**describe(self.snapshot), "is_new": self.is_new, "ignored": ignored}


def _silent(_: str) -> None:
    return None


def import_paths(
    paths: Sequence[Path],
    *,
    dataset: str,
    home: Path,
    progress: Progress = _silent,
    options: Options = Options(),  # noqa: B008 - immutable
) -> ImportReport:
    """Import recognised files into HOME/data/DATASET as one immutable snapshot.

    Importing the same bytes again finds the same hash and changes nothing. A snapshot holds what
    this call names, not what earlier calls imported under the same name.

    Args:
        paths: files, tar or zip archives, or folders whose unknown files are reported as ignored.
        dataset: name of the dataset.
        home: the home folder.
        progress: called with one line a file.
        options: what the user says about files of their own.

    Raises:
        DataError: if a path is missing, unknown, damaged, or holds a coin without known decimals.
        UsageError: if ``dataset`` is no name.
        BusyError: if another import into this dataset is running.
    """
    if check_name(dataset) in SHIPPED:
        raise DataError(
            f"{dataset} is the name of a shipped dataset",
            fix="choose another --dataset",
        )
    with unpacked(paths, home) as files:
        found = find(files, options)
        sources = [source_of(importer, foreign) for importer, foreign in found.files]
        snapshot, is_new = import_sources(home, _origin(found, dataset), sources, say=progress)
    progress(f"{snapshot.spec}: {'stored' if is_new else 'already there, nothing changed'}")
    return ImportReport(snapshot, is_new, found.ignored)


def _origin(found: Found, dataset: str) -> Origin:
    return Origin(
        dataset=dataset,
        venue=found.importers[0].venue,
        evidence=found.importers[0].evidence,
        importers={one.name: one.version for one in found.importers},
        assumed=tuple(sorted({text for one in found.importers for text in one.assumed})),
        generator={},
    )


def open_dataset(spec: str, home: Path) -> Dataset:
    """Return what ``spec`` names: NAME[@HASH][,NAME...]; `sample` and `house` are shipped.

    Raises:
        DataError: if a dataset is missing, named twice, or two overlap in time.
        MismatchError: if a manifest was changed.
    """
    return resolve(spec, home)


def list_datasets(home: Path) -> list[dict[str, Any]]:
    """Return one entry a dataset, the shipped samples first: latest snapshot and all hashes."""
    entries = []
    for name in (*SHIPPED, *list_names(home)):
        manifest = open_dataset(name, home).snapshots[0].manifest
        entries.append(
            {
                "name": name,
                "dataset_hash": manifest.hash,
                "hashes": list(snapshot_hashes(home, name)) or [manifest.hash],
                "evidence": manifest.evidence.value,
                "coins": list(manifest.coins),
                "from": manifest.start,
                "to": manifest.end,
                "rows_out": manifest.rows_out,
            }
        )
    return entries


def show_dataset(spec: str, home: Path) -> dict[str, Any]:
    """Return the account of one dataset: counts, holes, coverage, sources, assumptions.

    Raises:
        DataError: if it is missing.
    """
    sessions = [describe(snapshot) for snapshot in open_dataset(spec, home).snapshots]
    return sessions[0] if len(sessions) == 1 else {"sessions": sessions}


def describe(snapshot: Snapshot) -> dict[str, Any]:
    """Return the manifest as plain JSON values, with the names that other programs rely on."""
    content: dict[str, Any] = msgspec.to_builtins(snapshot.manifest)
    content["dataset_hash"] = content.pop("hash")
    content["spec"] = snapshot.spec
    return content


def check_dataset(spec: str, home: Path, *, is_deep: bool = False) -> dict[str, Any]:
    """Hash every file of a dataset again, its values too when ``is_deep``.

    Returns:
        ``{"spec", "dataset_hash", "files", "status": "ok"}``.

    Raises:
        MismatchError: naming the file that was changed, is missing, or does not belong.
        DataError: if the dataset is missing.
    """
    dataset = open_dataset(spec, home)
    files = sum(check_snapshot(snapshot, is_deep=is_deep) for snapshot in dataset.snapshots)
    return {
        "spec": dataset.spec,
        "dataset_hash": dataset.dataset_hash,
        "files": files,
        "status": "ok",
    }
