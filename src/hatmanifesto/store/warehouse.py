"""The warehouse: immutable snapshots under HOME/data/NAME/HASH, addressed as NAME@HASH.

A snapshot is written into a temporary folder, brought to disk, renamed to its hash, and only then
does NAME/LATEST point at it; whatever interrupts an import leaves the old state. Layout:

    HOME/data/NAME/LATEST                                     hash of the latest snapshot
    HOME/data/NAME/HASH/manifest.json
    HOME/data/NAME/HASH/kind=book/coin=BTC/day=2025-09-04.parquet
    HOME/data/NAME/HASH/kind=candle/coin=BTC/year=2025.parquet
    HOME/data/NAME/HASH/quarantine.parquet
    HOME/data/NAME/.import/                                   an import at work, or a killed one
"""

import fcntl
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.errors import BusyError, DataError, MismatchError, UsageError
from hatmanifesto.store.atomic import publish_folder, sha256_file, write_atomic
from hatmanifesto.store.columns import Columns, content_sha256, join, read_arrow, read_columns
from hatmanifesto.store.manifest import (
    Manifest,
    MarketDecimals,
    StoredFile,
    content_hash,
    decode_manifest,
    encode_manifest,
    seal_of,
    sealed,
)

MANIFEST = "manifest.json"
LATEST = "LATEST"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.IGNORECASE)
BUILDING = ".import"
Build = Callable[[Path, Path], Manifest]
"""Fills an empty folder with the files of a snapshot, using another for what it does not keep, and
returns the draft of its manifest."""


class Snapshot(NamedTuple):
    """A snapshot on disk."""

    folder: Path
    manifest: Manifest

    @property
    def spec(self) -> str:
        """Return NAME@HASH."""
        return f"{self.manifest.dataset}@{self.manifest.hash}"

    def files_of(self, kind: str, coin: str) -> tuple[StoredFile, ...]:
        """Return the files of one kind and coin in time order."""
        return tuple(one for one in self.manifest.files if (one.kind, one.coin) == (kind, coin))

    def columns(self, kind: str, coin: str, names: Sequence[str] = ()) -> Columns:
        """Return chosen columns of one kind and coin, all when none is named, in time order.

        Raises:
            DataError: if a file is damaged.
        """
        files = self.files_of(kind, coin)
        parts = [read_columns(self.folder / one.path, kind, names) for one in files]
        return join(parts, kind, names)

    def arrow(self, kind: str, coin: str, names: Sequence[str] = ()) -> Iterator[Any]:
        """Yield one Arrow table a file of one kind and coin, in time order; files are mapped.

        Raises:
            DataError: if a file is damaged.
        """
        for one in self.files_of(kind, coin):
            yield read_arrow(self.folder / one.path, kind, names)

    def asset(self, coin: str) -> Asset:
        """Return the decimals and tiers that this snapshot was imported with.

        Raises:
            DataError: if the coin is no perp that this release knew.
        """
        for asset in self.manifest.assets:
            if asset.coin == coin:
                return asset
        raise DataError(
            f"{coin} has no margin tiers in {self.spec}",
            why=f"it is not a known perp of Hyperliquid; the venue is {self.manifest.venue}",
            fix="use it for research; a back-test needs a known perp",
        )

    def decimals(self, coin: str) -> MarketDecimals:
        """Return the units of a coin's books, best quotes and trades.

        Raises:
            DataError: if it has none.
        """
        for one in self.manifest.decimals:
            if one.coin == coin:
                return one
        raise DataError(f"{coin} has no books, best quotes or trades in {self.spec}")


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


def seal_snapshot(folder: Path, draft: Manifest) -> Manifest:
    """Write the manifest of the finished files in ``folder`` and return it sealed."""
    manifest = sealed(draft)
    write_atomic(folder / MANIFEST, encode_manifest(manifest))
    return manifest


def publish(home: Path, dataset: str, build: Build) -> tuple[Snapshot, bool]:
    """Build a snapshot aside, put it in its place, point NAME at it, and say whether it is new.

    Whatever ends ``build`` leaves the old state; leftovers of a killed import are removed first.

    Raises:
        BusyError: if another import into the same dataset is running.
        UsageError: if ``dataset`` is no name.
    """
    parent = home / "data" / check_name(dataset)
    parent.mkdir(parents=True, exist_ok=True)
    with _lock(parent):
        for leftover in parent.glob(f"{BUILDING}*"):
            shutil.rmtree(leftover)
        for leftover in parent.glob(f".{LATEST}.*.tmp"):
            leftover.unlink()
        building = parent / BUILDING
        folder = building / "snapshot"
        folder.mkdir(parents=True)
        try:
            manifest = seal_snapshot(folder, build(folder, building / "spool"))
            target = parent / manifest.hash
            is_new = not target.exists()
            if is_new:
                publish_folder(folder, target)
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


def check_snapshot(snapshot: Snapshot, *, is_deep: bool = False) -> int:
    """Hash every file of a snapshot again and return how many there are.

    Args:
        snapshot: whose manifest was checked when it was loaded.
        is_deep: read and hash the values of every column too.

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
        if is_deep and content_sha256(path, file.kind) != file.content_sha256:
            raise _changed(path, "its values do not match the manifest")
    return len(files)


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
