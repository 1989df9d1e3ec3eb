"""The warehouse: immutable snapshots under HOME/data/NAME/HASH, addressed as NAME@HASH.

A snapshot is written into a temporary folder, brought to disk, renamed to its hash, and only then
does NAME/LATEST point at it; whatever interrupts an import leaves the old state. Layout:

    HOME/data/NAME/LATEST                                     hash of the latest snapshot
    HOME/data/NAME/HASH/manifest.json
    HOME/data/NAME/HASH/kind=book/coin=BTC/day=2025-09-04.parquet
    HOME/data/NAME/HASH/quarantine.parquet
"""

import fcntl
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.errors import BusyError, DataError, MismatchError, UsageError
from hatmanifesto.domain.units import NS_HOUR, NS_S
from hatmanifesto.store.atomic import (
    canonical_json,
    publish_folder,
    sha256_bytes,
    sha256_file,
    write_atomic,
)
from hatmanifesto.store.columns import (
    SCHEMA,
    Columns,
    columns_sha256,
    join,
    read_columns,
    take,
    write_columns,
    write_text_columns,
)
from hatmanifesto.store.importers.assemble import Reject, Table
from hatmanifesto.store.manifest import (
    Manifest,
    StoredFile,
    content_hash,
    decode_manifest,
    encode_manifest,
    seal_of,
    sealed,
)

MANIFEST = "manifest.json"
QUARANTINE = "quarantine.parquet"
LATEST = "LATEST"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.IGNORECASE)
NS_DAY = 24 * NS_HOUR


class Snapshot(NamedTuple):
    """A snapshot on disk."""

    folder: Path
    manifest: Manifest

    @property
    def spec(self) -> str:
        """Return NAME@HASH."""
        return f"{self.manifest.dataset}@{self.manifest.hash}"

    def columns(self, kind: str, coin: str) -> Columns:
        """Return all columns of one kind and coin, day after day; empty when there are none."""
        files = [one for one in self.manifest.files if (one.kind, one.coin) == (kind, coin)]
        return join([read_columns(self.folder / one.path, kind) for one in files], kind)

    def asset(self, coin: str) -> Asset:
        """Return the decimals and tiers that this snapshot was imported with."""
        return next(asset for asset in self.manifest.assets if asset.coin == coin)


def check_name(name: str) -> str:
    """Return ``name`` if it can name a dataset.

    Raises:
        UsageError: otherwise; a name is also a folder.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a dataset",
            why="a name has up to 64 letters, digits, '.', '_' or '-', and begins with no sign",
            fix="choose another --dataset",
        )
    return name


def day_of(stamp: int) -> str:
    """Return the UTC day of a stamp [ns] as YYYY-MM-DD."""
    return datetime.fromtimestamp(stamp // NS_S, tz=UTC).strftime("%Y-%m-%d")


def write_snapshot(
    folder: Path, draft: Manifest, tables: Sequence[Table], rejects: Sequence[Reject]
) -> Manifest:
    """Write a whole snapshot into the empty ``folder`` and return its sealed manifest.

    Args:
        folder: exists and is empty.
        draft: everything but ``files``, ``hash`` and ``seal``.
        tables: rising stamps each.
        rejects: what goes to the quarantine.
    """
    files = [file for table in tables for file in _write_table(folder, table)]
    files.append(_write_quarantine(folder, rejects))
    ordered = tuple(sorted(files, key=lambda file: file.path))
    manifest = sealed(msgspec.structs.replace(draft, files=ordered))
    write_atomic(folder / MANIFEST, encode_manifest(manifest))
    return manifest


def _write_table(folder: Path, table: Table) -> Iterator[StoredFile]:
    days = table.columns["exch"] // NS_DAY
    for day in np.unique(days):
        columns = take(table.columns, days == day)
        stem = day_of(int(day) * NS_DAY)
        path = Path(f"kind={table.kind}") / f"coin={table.coin}" / f"day={stem}.parquet"
        write_columns(folder / path, columns, table.kind)
        yield StoredFile(
            path=path.as_posix(),
            kind=table.kind,
            coin=table.coin,
            rows=len(columns["exch"]),
            sha256=sha256_file(folder / path),
            content_sha256=columns_sha256(columns, table.kind),
        )


def _write_quarantine(folder: Path, rejects: Sequence[Reject]) -> StoredFile:
    columns = {name: [getattr(one, name) for one in rejects] for name in Reject._fields}
    write_text_columns(folder / QUARANTINE, columns)
    content = [list(one[1:]) for one in rejects]  # without the name of the source
    return StoredFile(
        path=QUARANTINE,
        kind="quarantine",
        coin="",
        rows=len(rejects),
        sha256=sha256_file(folder / QUARANTINE),
        content_sha256=sha256_bytes(canonical_json(content)),
    )


def publish(
    home: Path, draft: Manifest, tables: Sequence[Table], rejects: Sequence[Reject]
) -> tuple[Snapshot, bool]:
    """Store a snapshot in the warehouse, point NAME at it, and say whether it is new.

    Raises:
        BusyError: if another import into the same dataset is running.
    """
    parent = home / "data" / check_name(draft.dataset)
    parent.mkdir(parents=True, exist_ok=True)
    with _lock(parent):
        for leftover in parent.glob(".import*"):
            shutil.rmtree(leftover)
        building = parent / ".import"
        building.mkdir()
        try:
            manifest = write_snapshot(building, draft, tables, rejects)
            target = parent / manifest.hash
            is_new = not target.exists()
            if is_new:
                publish_folder(building, target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        if latest_hash(parent) != manifest.hash:
            write_atomic(parent / LATEST, f"{manifest.hash}\n".encode("ascii"))
    return load_snapshot(target), is_new


@contextmanager
def _lock(parent: Path) -> Iterator[None]:
    with (parent / ".lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError(
                f"another import into {parent.name} is running",
                fix="wait for it to end, or import under another --dataset",
            ) from error
        yield


def latest_hash(parent: Path) -> str:
    """Return the hash that a dataset's folder points at, or an empty text."""
    path = parent / LATEST
    return path.read_text("ascii").strip() if path.is_file() else ""


def load_snapshot(folder: Path) -> Snapshot:
    """Return the snapshot in ``folder``, its manifest checked against its own hash and seal.

    Raises:
        DataError: if there is no manifest or it cannot be read.
        MismatchError: if the manifest was changed.
    """
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
        manifest = decode_manifest(content)
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(
            f"cannot read {path}",
            why=str(error),
            fix="run `hat data check`, then import the source again",
        ) from error
    is_whole = content == encode_manifest(manifest) and manifest.seal == seal_of(manifest)
    if not is_whole or manifest.hash != content_hash(manifest):
        raise _changed(path, "its text does not match its own hash")
    return Snapshot(folder, manifest)


def _changed(path: Path, why: str) -> MismatchError:
    return MismatchError(
        f"{path} was changed", why=why, fix="delete the snapshot and import the source again"
    )


def check_snapshot(snapshot: Snapshot) -> int:
    """Hash every file of a snapshot again and return how many there are.

    Raises:
        MismatchError: naming the first file that was changed, is missing, or does not belong.
    """
    files = {file.path: file for file in snapshot.manifest.files}
    present = {
        path.relative_to(snapshot.folder).as_posix()
        for path in snapshot.folder.rglob("*")
        if path.is_file()
    }
    for name in sorted(present - set(files) - {MANIFEST}):
        raise _changed(snapshot.folder / name, "it is not in the manifest")
    for name, file in sorted(files.items()):
        path = snapshot.folder / name
        if name not in present:
            raise _changed(path, "it is missing")
        if sha256_file(path) != file.sha256:
            raise _changed(path, f"its SHA-256 is no longer {file.sha256}")
        if file.kind in SCHEMA and _content_of(path, file.kind) != file.content_sha256:
            raise _changed(path, "its values do not match the manifest")
    return len(files)


def _content_of(path: Path, kind: str) -> str:
    return columns_sha256(read_columns(path, kind), kind)


def list_names(home: Path) -> tuple[str, ...]:
    """Return the names of the datasets in the warehouse that have a latest snapshot."""
    root = home / "data"
    if not root.is_dir():
        return ()
    return tuple(sorted(path.name for path in root.iterdir() if latest_hash(path)))


def snapshot_hashes(home: Path, name: str) -> tuple[str, ...]:
    """Return the hashes of all snapshots of one dataset."""
    parent = home / "data" / name
    return tuple(sorted(path.parent.name for path in parent.glob(f"[0-9a-f]*/{MANIFEST}")))


def find_snapshot(home: Path, name: str, digest: str = "") -> Snapshot:
    """Return NAME@HASH (``digest`` may be shortened to 6 digits), or the latest of NAME.

    Raises:
        DataError: if there is no such dataset or snapshot; it says which there are.
    """
    parent = home / "data" / check_name(name)
    wanted = digest or latest_hash(parent)
    hashes = snapshot_hashes(home, name)
    found = [
        one for one in hashes if one == wanted or (len(wanted) >= 6 and one.startswith(wanted))
    ]
    if len(found) == 1:
        return load_snapshot(parent / found[0])
    known = ", ".join((*(f"{name}@{one}" for one in hashes), *list_names(home)))
    raise DataError(
        f"no dataset {name}@{digest}" if digest else f"no dataset {name}",
        why=f"{home / 'data'} holds {known or 'none'}; `sample` is always there",
        fix=f"import it: hat data import PATH --dataset {name}",
    )
