"""The functions behind `hat data`: import, list, show, check, and opening what `--data` names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.errors import DataError
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.store.atomic import sha256_file
from hatmanifesto.store.dataset import SAMPLE, Dataset, resolve
from hatmanifesto.store.draft import Origin, draft_manifest
from hatmanifesto.store.importers.assemble import Reject, Table, assemble, source_name
from hatmanifesto.store.importers.parts import Part
from hatmanifesto.store.importers.registry import Found, find_sources
from hatmanifesto.store.manifest import Manifest, SourceFile
from hatmanifesto.store.warehouse import (
    Snapshot,
    check_name,
    check_snapshot,
    list_names,
    publish,
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
    paths: Sequence[Path], *, dataset: str, home: Path, progress: Progress = _silent
) -> ImportReport:
    """Import recognised files into HOME/data/DATASET as one immutable snapshot.

    Importing the same bytes again finds the same hash and changes nothing. A snapshot holds what
    this call names, not what earlier calls imported under the same name.

    Args:
        paths: files, or folders whose unknown files are reported as ignored.
        dataset: name of the dataset.
        home: the home folder.
        progress: called with one line a file.

    Raises:
        DataError: if a path is missing, unknown, damaged, or holds a coin without known decimals.
        UsageError: if ``dataset`` is no name.
        BusyError: if another import into this dataset is running.
    """
    if check_name(dataset) == SAMPLE:
        raise DataError(
            f"{SAMPLE} is the name of the shipped dataset",
            fix="choose another --dataset",
        )
    found = find_sources(paths)
    parts = []
    for source in found.sources:
        part = found.importer.read(source, _asset(source.coin))
        progress(f"{source.path.name}: {part.rows_in} {source.kind} rows of {source.coin}")
        parts.append(part)
    tables, rejects = _tables(parts)
    draft, marked = draft_manifest(
        _origin(found, parts, dataset), tables, assets=PERPS, boundaries=_boundaries(parts)
    )
    snapshot, is_new = publish(home, draft, marked, rejects)
    progress(f"{snapshot.spec}: {'stored' if is_new else 'already there, nothing changed'}")
    return ImportReport(snapshot, is_new, found.ignored)


def _asset(coin: str) -> Asset:
    if coin not in PERPS:
        raise DataError(
            f"the decimals of {coin} are not known",
            why=f"this release knows {', '.join(sorted(PERPS))}",
            fix="import the other coins by naming their files",
        )
    return PERPS[coin]


def _tables(parts: Sequence[Part]) -> tuple[list[Table], list[Reject]]:
    tables: list[Table] = []
    rejects: list[Reject] = []
    for kind, coin in sorted({(part.source.kind, part.source.coin) for part in parts}):
        mine = [part for part in parts if (part.source.kind, part.source.coin) == (kind, coin)]
        table, rejected = assemble(mine)
        rejects += rejected
        if not len(table.columns["exch"]):
            raise DataError(
                f"no usable {kind} row of {coin}",
                why=f"of {table.rows_in} rows: {table.quarantined or 'none'}",
                fix="check the source; leave this file out to import the others",
            )
        tables.append(table)
    return tables, rejects


def _origin(found: Found, parts: Sequence[Part], dataset: str) -> Origin:
    sources = [
        SourceFile(
            name=source_name(part),
            sha256=sha256_file(part.source.path),
            rows=part.rows_in,
            kind=part.source.kind,
            coin=part.source.coin,
        )
        for part in parts
    ]
    return Origin(
        dataset=dataset,
        evidence=found.importer.evidence,
        importer=found.importer.name,
        importer_version=found.importer.version,
        sources=tuple(sorted(sources, key=lambda one: (one.kind, one.coin, one.sha256))),
        assumed=found.importer.assumed,
        generator={},
    )


def _boundaries(parts: Sequence[Part]) -> Mapping[str, Sequence[int]]:
    """Return where one recording of a coin ends and the next begins, by its quote files."""
    lasts: dict[str, list[int]] = {}
    for part in parts:
        stamps = part.columns["exch"]
        if part.source.kind != "trade" and len(stamps):
            lasts.setdefault(part.source.coin, []).append(int(stamps.max()))
    return {coin: sorted(set(stamps)) for coin, stamps in lasts.items()}


def open_dataset(spec: str, home: Path) -> Dataset:
    """Return what ``spec`` names: NAME[@HASH][,NAME...]; `sample` is the shipped one.

    Raises:
        DataError: if a dataset is missing, named twice, or two overlap in time.
        MismatchError: if a manifest was changed.
    """
    return resolve(spec, home)


def list_datasets(home: Path) -> list[dict[str, Any]]:
    """Return one entry a dataset, the shipped sample first: latest snapshot and all hashes."""
    entries = []
    for name in (SAMPLE, *list_names(home)):
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


def check_dataset(spec: str, home: Path) -> dict[str, Any]:
    """Hash every file of a dataset again.

    Returns:
        ``{"spec", "dataset_hash", "files", "status": "ok"}``.

    Raises:
        MismatchError: naming the file that was changed, is missing, or does not belong.
        DataError: if the dataset is missing.
    """
    dataset = open_dataset(spec, home)
    files = sum(check_snapshot(snapshot) for snapshot in dataset.snapshots)
    return {
        "spec": dataset.spec,
        "dataset_hash": dataset.dataset_hash,
        "files": files,
        "status": "ok",
    }
