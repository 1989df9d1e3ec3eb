"""Runs an import: recognised files through the intake into a published snapshot."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hatmanifesto.domain.errors import DataError
from hatmanifesto.domain.universe import DELISTED, PERPS
from hatmanifesto.store.atomic import sha256_file
from hatmanifesto.store.draft import HYPERLIQUID, Origin, draft_manifest
from hatmanifesto.store.importers.contract import Batch, FileImporter, Foreign
from hatmanifesto.store.intake import Intake, SourceId, UnsortedError
from hatmanifesto.store.intake_settle import settle
from hatmanifesto.store.kinds import PX10, SZ8
from hatmanifesto.store.manifest import Manifest, MarketDecimals
from hatmanifesto.store.warehouse import Snapshot, publish

Say = Callable[[str], None]


class Source(NamedTuple):
    """A file to be taken in: who it is, and how to read its batches from the start."""

    id: SourceId
    path: Path
    batches: Callable[[], Iterator[Batch]]


def source_name(path: Path) -> str:
    """Return the last two parts of a path: enough to recognise it, no private folders."""
    return "/".join(path.parts[-2:])


def source_of(importer: FileImporter, foreign: Foreign) -> Source:
    """Return a recognised file as a source."""
    identity = SourceId(
        name=source_name(foreign.path),
        sha256=sha256_file(foreign.path),
        importer=importer.name,
        what=_what(foreign),
        coin=foreign.coin,
    )
    return Source(identity, foreign.path, lambda: importer.batches(foreign))


def _what(foreign: Foreign) -> str:
    """Return what a file holds; of a mapping file its content, not where it lies."""
    if foreign.importer == "mapped":
        return f"mapping {sha256_file(Path(foreign.what))[:16]}"
    return foreign.what


def import_sources(
    home: Path, origin: Origin, sources: Sequence[Source], *, say: Say
) -> tuple[Snapshot, bool]:
    """Import sources of one venue and evidence class as one snapshot; say whether it is new.

    Raises:
        DataError: if a source must be refused; nothing is then imported.
        BusyError: if another import into the dataset is running.
    """

    def build(folder: Path, spool: Path) -> Manifest:
        try:
            return fill(folder, spool, origin, sources, is_strict=True, say=say)
        except UnsortedError:
            for path in (folder, spool):
                shutil.rmtree(path, ignore_errors=True)
            folder.mkdir()
            ordered = sorted(sources, key=lambda one: (_first_stamp(one), str(one.path)))
            return fill(folder, spool, origin, ordered, is_strict=False, say=say)

    return publish(home, origin.dataset, build)


def fill(
    folder: Path,
    spool: Path,
    origin: Origin,
    sources: Sequence[Source],
    *,
    is_strict: bool,
    say: Say,
) -> Manifest:
    """Fill an empty folder from sources in this order and return the draft of its manifest.

    Raises:
        DataError: if a source must be refused.
        UnsortedError: if ``is_strict`` and a source begins before an earlier one of its series.
    """
    intake = Intake(folder, spool, is_strict=is_strict)
    decimals = decimals_of(origin.venue)
    try:
        for source in sources:
            intake.begin(source.id, decimals)
            for batch in source.batches():
                intake.take(batch)
            say(f"{source.id.name}: {intake.counts[-1].rows_in} rows")
        settled = settle(intake)
    except BaseException:
        intake.abort()
        raise
    return draft_manifest(origin, intake, settled)


def decimals_of(venue: str) -> Mapping[str, MarketDecimals]:
    """Return the units of a venue's coins: perps have their own, other venues one for all."""
    if venue == HYPERLIQUID:
        return {
            coin: MarketDecimals(coin, asset.px_decimals, asset.sz_decimals)
            for coin, asset in {**DELISTED, **PERPS}.items()
        }
    return _AnyCoin()


class _AnyCoin(dict[str, MarketDecimals]):
    """Units that do not depend on the coin: fine enough for any venue's grid."""

    def __contains__(self, coin: object) -> bool:
        return isinstance(coin, str)

    def __missing__(self, coin: str) -> MarketDecimals:
        return MarketDecimals(coin, PX10, SZ8)


def _first_stamp(source: Source) -> int:
    """Return the first stamp of a source [ns], 0 when it has no usable row."""
    try:
        for batch in source.batches():
            if len(batch.table["exch"]):
                return int(batch.table["exch"][0])
    except DataError:
        return 0  # it is told when its turn comes
    return 0
