"""What differs between two datasets: coins, kinds, and rows of each partition."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hatmanifesto.store.columns import Columns, Ints, join, kind_of, read_columns
from hatmanifesto.store.dataset import resolve
from hatmanifesto.store.manifest import StoredFile
from hatmanifesto.store.warehouse import Snapshot

UNCOMPARED = ("row", "recv", "source")
"""Columns that say how a row came, not what it tells."""

Place = tuple[str, str, str]


def diff_datasets(left: str, right: str, home: Path) -> dict[str, Any]:
    """Return what two datasets hold differently.

    Returns:
        ``{"left", "right", "is_equal", "coins", "sources", "partitions"}``; coins and sources as
        ``{"left": [...], "right": [...]}``: only on that side; partitions that differ with their
        rows on each side, how many rows are only there, and the first stamp that differs [ns].

    Raises:
        DataError: if a dataset is missing or damaged.
    """
    ours, theirs = resolve(left, home), resolve(right, home)
    partitions = list(_partitions(_files(ours.snapshots), _files(theirs.snapshots)))
    sources = [
        {file.sha256: file.name for one in opened.manifests for file in one.sources}
        for opened in (ours, theirs)
    ]
    return {
        "left": ours.spec,
        "right": theirs.spec,
        "is_equal": not partitions,
        "coins": _sides(set(ours.coins), set(theirs.coins)),
        "sources": {
            side: sorted(mine[digest] for digest in set(mine) - set(other))
            for side, mine, other in zip(("left", "right"), sources, reversed(sources), strict=True)
        },
        "partitions": partitions,
    }


def _sides(left: set[str], right: set[str]) -> dict[str, list[str]]:
    return {"left": sorted(left - right), "right": sorted(right - left)}


def _files(snapshots: tuple[Snapshot, ...]) -> dict[Place, list[tuple[Path, StoredFile]]]:
    """Return the files of a dataset by kind, coin and period; two sessions may share a day."""
    found: dict[Place, list[tuple[Path, StoredFile]]] = {}
    for snapshot in snapshots:
        for file in snapshot.manifest.files:
            period = Path(file.path).stem.rpartition("=")[2]
            place = (file.kind, file.coin, period)
            found.setdefault(place, []).append((snapshot.folder / file.path, file))
    return found


def _partitions(
    ours: dict[Place, list[tuple[Path, StoredFile]]],
    theirs: dict[Place, list[tuple[Path, StoredFile]]],
) -> Iterator[dict[str, Any]]:
    for place in sorted(set(ours) | set(theirs)):
        sides = [ours.get(place, []), theirs.get(place, [])]
        hashes = [[file.content_sha256 for _, file in side] for side in sides]
        if hashes[0] == hashes[1]:
            continue
        kind, coin, period = place
        left, right = (join([read_columns(path, kind) for path, _ in side], kind) for side in sides)
        only_left, only_right, first = _rows_apart(left, right, kind)
        if only_left or only_right:
            yield {
                "kind": kind,
                "coin": coin,
                "period": period,
                "rows": {"left": len(left["exch"]), "right": len(right["exch"])},
                "rows_only": {"left": only_left, "right": only_right},
                "first_exch": first,
            }


def _rows_apart(left: Columns, right: Columns, kind: str) -> tuple[int, int, int]:
    """Return how many rows each side has alone, and the first stamp among them [ns].

    A row that one side has twice and the other once counts once.
    """
    split = len(left["exch"])
    codes = np.stack(
        [
            _codes(np.concatenate([left[one.name], right[one.name]]))
            for one in kind_of(kind).columns
            if one.name not in UNCOMPARED
        ],
        axis=1,
    )
    rows = np.ascontiguousarray(codes).view(f"V{codes.shape[1] * 8}").ravel()
    _, number = np.unique(rows, return_inverse=True)
    size = int(number.max(initial=-1)) + 1
    balance = np.bincount(number[:split], minlength=size)
    balance = balance - np.bincount(number[split:], minlength=size)
    stamps = np.concatenate([left["exch"], right["exch"]])[balance[number] != 0]
    first = int(stamps.min()) if len(stamps) else 0
    return int(balance[balance > 0].sum()), int(-balance[balance < 0].sum()), first


def _codes(values: Any) -> Ints:
    """Return integers that are equal where the values are."""
    if values.dtype != np.object_:
        return np.asarray(values, dtype=np.int64)
    import pyarrow as pa

    codes = pa.array(values, type=pa.large_string()).dictionary_encode().indices
    return np.asarray(codes.to_numpy(), dtype=np.int64)
