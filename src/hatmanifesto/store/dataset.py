"""One or several snapshots opened together: what `--data NAME[@HASH][,NAME...]` means.

Snapshots may hold different kinds of one time, candles and funding for example. What no two of them
may hold is one series of one coin over the same time: then there would be two truths.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.errors import DataError
from hatmanifesto.domain.legs import base_of, leg_asset
from hatmanifesto.store.atomic import sha256_bytes
from hatmanifesto.store.manifest import HASH_DIGITS, Manifest
from hatmanifesto.store.warehouse import Snapshot, find_snapshot, load_snapshot

SAMPLE = "sample"
HOUSE = "house"
SAMPLES_FOLDER = Path(__file__).parent.parent / "samples"
SHIPPED = {SAMPLE: SAMPLES_FOLDER / "syn_btc_eth", HOUSE: SAMPLES_FOLDER / "syn_house"}
"""Datasets that come with the package: ticks of two coins, candles and funding of five."""
EVIDENCE_ORDER = tuple(Evidence)
"""Weakest first, as declared: a mixture is as good as its weakest part."""
TICK_KINDS = ("book", "bbo", "trade")
"""Books, best quotes and trades of a coin are one series: they are played together."""


class Dataset(NamedTuple):
    """Snapshots in time order; each is a session of the coins whose ticks or candles it holds."""

    snapshots: tuple[Snapshot, ...]

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Return the manifests, session by session."""
        return tuple(snapshot.manifest for snapshot in self.snapshots)

    @property
    def spec(self) -> str:
        """Return NAME@HASH of each session, comma-separated: what to open to get the same again."""
        return ",".join(snapshot.spec for snapshot in self.snapshots)

    @property
    def dataset_hash(self) -> str:
        """Return the snapshot's hash, or the hash of all their hashes in time order."""
        hashes = [manifest.hash for manifest in self.manifests]
        joined = ",".join(hashes).encode("ascii")
        return hashes[0] if len(hashes) == 1 else sha256_bytes(joined)[:HASH_DIGITS]

    @property
    def evidence(self) -> Evidence:
        """Return the weakest evidence class of the sessions."""
        return min((one.evidence for one in self.manifests), key=EVIDENCE_ORDER.index)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Return every assumption made by any session."""
        return tuple(sorted({text for one in self.manifests for text in one.assumed}))

    @property
    def coins(self) -> tuple[str, ...]:
        """Return every coin of any session, by name."""
        return tuple(sorted({coin for one in self.manifests for coin in one.coins}))

    def asset(self, coin: str) -> Asset:
        """Return the coin's decimals and tiers.

        Raises:
            DataError: if no session has the coin, or two disagree about it.
        """
        base = base_of(coin)
        if base is not None:
            return leg_asset(self.asset(base))
        found = [one.asset(coin) for one in self.snapshots if coin in one.manifest.coins]
        if not found:
            raise DataError(
                f"{coin} is not in {self.spec}",
                why=f"it holds {', '.join(self.coins)}",
                fix="choose --coin among them, or another --data",
            )
        if any(asset != found[0] for asset in found):
            raise DataError(
                f"the sessions of {self.spec} disagree about {coin}",
                why="its decimals or margin tiers differ",
                fix="import them again with one release",
            )
        return found[0]


def resolve(spec: str, home: Path) -> Dataset:
    """Return the snapshots that ``spec`` names, in time order; `sample` and `house` are shipped.

    Raises:
        DataError: if one is missing, named twice, or two hold one series over the same time.
        MismatchError: if a manifest was changed.
    """
    names = [name.strip() for name in spec.split(",") if name.strip()]
    if not names:
        raise DataError("no dataset is named", fix="give --data NAME, e.g. --data sample")
    snapshots = [_resolve_one(name, home) for name in names]
    snapshots.sort(key=lambda snapshot: snapshot.manifest.start)
    _refuse_overlap(snapshots)
    return Dataset(tuple(snapshots))


def evidence_of(dataset: Dataset, *, interval: str) -> Evidence:
    """Return the evidence class of a run: over candles, fills are assumed, so no better than that.

    Args:
        dataset: what is played.
        interval: length of the candles, '' for ticks.
    """
    if not interval:
        return dataset.evidence
    return min(dataset.evidence, Evidence.ASSUMED, key=EVIDENCE_ORDER.index)


def _resolve_one(spec: str, home: Path) -> Snapshot:
    name, _, digest = spec.partition("@")
    if name not in SHIPPED:
        return find_snapshot(home, name, digest)
    snapshot = load_snapshot(SHIPPED[name])
    if digest and not snapshot.manifest.hash.startswith(digest):
        raise DataError(
            f"no dataset {spec}",
            why=f"this release ships {name}@{snapshot.manifest.hash}",
            fix=f"use --data {name}",
        )
    return snapshot


def _refuse_overlap(snapshots: Sequence[Snapshot]) -> None:
    """Refuse two snapshots with the same series of one coin over the same time."""
    seen: dict[tuple[str, str, str], list[tuple[int, int, str]]] = {}
    for snapshot in snapshots:
        for key, (start, end) in _spans(snapshot).items():
            seen.setdefault(key, []).append((start, end, snapshot.spec))
    for (kind, coin, series), spans in seen.items():
        for before, after in pairwise(sorted(spans)):
            if after[0] <= before[1]:
                name = " ".join(word for word in (series, kind, "of", coin) if word)
                raise DataError(
                    f"{before[2]} and {after[2]} overlap in time: both hold {name}",
                    why="a back-test runs through each moment of a series once",
                    fix="name one of them",
                )


def _spans(snapshot: Snapshot) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Return first and last stamp [ns] of each series: kind (ticks together), coin, bar length."""
    spans: dict[tuple[str, str, str], tuple[int, int]] = {}
    for one in snapshot.manifest.coverage:
        kind = "ticks" if one.kind in TICK_KINDS else one.kind
        key = (kind, one.coin, one.series)
        start, end = spans.get(key, (one.start, one.end))
        spans[key] = (min(start, one.start), max(end, one.end))
    return spans
