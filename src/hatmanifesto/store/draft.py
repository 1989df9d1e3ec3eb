"""Turns assembled tables into the draft of a manifest: counts, holes, coverage, range."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import MICRO
from hatmanifesto.store.gaps import GAP_S_MIN, Silence, quote_stamps
from hatmanifesto.store.importers.assemble import Table, mark_backlog, streams_of
from hatmanifesto.store.manifest import Coverage, Hole, Manifest, SourceFile, TableCount


class Origin(NamedTuple):
    """Where the tables come from, and what their evidence is."""

    dataset: str
    evidence: Evidence
    importer: str
    importer_version: int
    sources: tuple[SourceFile, ...]
    assumed: tuple[str, ...]
    generator: dict[str, int]


def draft_manifest(
    origin: Origin,
    tables: Sequence[Table],
    *,
    assets: Mapping[str, Asset],
    boundaries: Mapping[str, Sequence[int]],
) -> tuple[Manifest, list[Table]]:
    """Return the manifest without files, hash and seal, and the tables with backlog marked.

    Args:
        origin: where the tables come from.
        tables: one per kind and coin.
        assets: by coin, at least those of ``tables``.
        boundaries: by coin, the last stamp of each source file but the last [ns].
    """
    coins = tuple(sorted({table.coin for table in tables}))
    marked: list[Table] = []
    holes: list[Hole] = []
    coverage: dict[str, Coverage] = {}
    for coin in coins:
        mine, silences = mark_backlog(tables, coin, boundaries=boundaries.get(coin, ()))
        marked += mine
        holes += [Hole(coin, one.start, one.end, one.reason) for one in silences]
        coverage[coin] = _coverage(mine, coin, silences)
    counts = tuple(_count(table) for table in marked)
    manifest = Manifest(
        **origin._asdict(),
        rows_in=sum(one.rows_in for one in counts),
        rows_out=sum(one.rows_out for one in counts),
        merged=sum(one.merged for one in counts),
        quarantined=_total([one.quarantined for one in counts]),
        set_aside=_total([one.set_aside for one in counts]),
        tables=counts,
        coins=coins,
        start=min(one.start for one in coverage.values()),
        end=max(one.end for one in coverage.values()),
        gap_s_min=GAP_S_MIN,
        coverage=coverage,
        gaps=tuple(holes),
        files=(),
        assets=tuple(assets[coin] for coin in coins),
    )
    return manifest, marked


def _count(table: Table) -> TableCount:
    return TableCount(
        kind=table.kind,
        coin=table.coin,
        rows_in=table.rows_in,
        rows_out=len(table.columns["exch"]),
        merged=table.merged,
        quarantined=table.quarantined,
        set_aside=table.set_aside,
    )


def _total(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    names = sorted({name for count in counts for name in count})
    return {name: sum(count.get(name, 0) for count in counts) for name in names}


def _coverage(tables: Sequence[Table], coin: str, silences: Sequence[Silence]) -> Coverage:
    """Return what is covered from the first quote to the last replayed row."""
    streams = streams_of(tables, coin)
    quotes = quote_stamps(streams)
    ends = [int(quotes[-1])] if len(quotes) else []
    ends += [int(streams.trade[-1])] if len(streams.trade) else []
    start, end = int(quotes[0]) if len(quotes) else ends[0], max(ends)
    holes_ns = sum(one.end - one.start for one in silences)
    covered = end - start - holes_ns
    ppm = covered * MICRO // (end - start) if end > start else MICRO
    return Coverage(start=start, end=end, holes_ns=holes_ns, covered_ppm=ppm)
