"""Turns a settled intake into the draft of a manifest: counts, holes, coverage, range."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import MICRO, NS_MS
from hatmanifesto.domain.universe import perp_of
from hatmanifesto.store.columns import Ints, read_columns
from hatmanifesto.store.gaps import (
    GAP_S_MIN,
    Absence,
    bar_absences,
    funding_absences,
    regular_absences,
)
from hatmanifesto.store.intake import Count, Intake
from hatmanifesto.store.intake_settle import TICKS, Settled
from hatmanifesto.store.kinds import NO_COIN
from hatmanifesto.store.manifest import Coverage, Hole, Manifest, SourceFile, StoredFile, TableCount
from hatmanifesto.store.sequence import SEQUENCE, find_breaks

HYPERLIQUID = "hyperliquid"
TICK = "tick"
ON_TIME = ("settled_8h", "late")
"""Reasons of steps in which no row is missing."""
REGULAR = {"funding": funding_absences, "oi": regular_absences, "ctx": regular_absences}
UNITS_MS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


class Origin(NamedTuple):
    """Whose rows a dataset holds, and what their evidence is."""

    dataset: str
    venue: str
    evidence: Evidence
    importers: dict[str, int]
    assumed: tuple[str, ...]
    generator: dict[str, int]


def draft_manifest(origin: Origin, intake: Intake, settled: Settled) -> Manifest:
    """Return the manifest of a settled intake, without hash and seal."""
    tables = tuple(
        TableCount(kind=kind, coin=coin, set_aside=_plain(one.set_aside), **_counts(one))
        for (kind, coin), one in sorted(intake.series.items(), key=lambda item: item[0][::-1])
    )
    holes, coverage = _account(intake.folder, settled)
    coins = tuple(sorted({one.coin for one in tables if one.coin != NO_COIN}))
    perps = [perp_of(coin) for coin in coins] if origin.venue == HYPERLIQUID else []
    starts = [one.start for one in coverage if one.start > 0]
    files = [file for files in settled.files.values() for file in files] + [settled.quarantine]
    return Manifest(
        **origin._asdict(),
        sources=_sources(intake),
        rows_in=sum(one.rows_in for one in tables),
        rows_out=sum(one.rows_out for one in tables),
        merged=sum(one.merged for one in tables),
        quarantined=_total([one.quarantined for one in tables]),
        set_aside=_total([one.set_aside for one in tables]),
        tables=tables,
        coins=coins,
        start=min(starts, default=0),
        end=max((one.end for one in coverage), default=0),
        gap_s_min=GAP_S_MIN,
        coverage=tuple(coverage),
        gaps=tuple(holes),
        files=tuple(sorted(files, key=lambda file: file.path)),
        assets=tuple(asset for asset in perps if asset is not None),
        decimals=tuple(intake.decimals[coin] for coin in sorted(intake.decimals)),
    )


def _counts(one: Count) -> dict[str, Any]:
    assert one.is_balanced(), "a row was lost"
    return {
        "rows_in": one.rows_in,
        "rows_out": one.rows_out,
        "merged": one.merged,
        "quarantined": _plain(one.quarantined),
    }


def _plain(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts) if counts[name]}


def _total(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    names = sorted({name for count in counts for name in count})
    return {name: sum(count.get(name, 0) for count in counts) for name in names}


def _sources(intake: Intake) -> tuple[SourceFile, ...]:
    files = [
        SourceFile(**source._asdict(), **_counts(count))
        for source, count in zip(intake.sources, intake.counts, strict=True)
    ]
    return tuple(sorted(files, key=lambda one: (one.importer, one.what, one.coin, one.sha256)))


def _account(folder: Path, settled: Settled) -> tuple[list[Hole], list[Coverage]]:
    """Return every hole and the coverage of every series, by coin, kind and time."""
    holes: list[Hole] = []
    coverage: list[Coverage] = []
    quiet = {one.coin: one for one in settled.quiet}
    for (kind, coin), files in sorted(settled.files.items(), key=lambda item: item[0][::-1]):
        if kind in TICKS and coin in quiet:
            silences = [(one.start, one.end) for one in quiet[coin].silences]
            if kind == "diff":
                holes += _breaks(folder, coin, files)
            found = [_replayed(folder, file) for file in files]
            if found:
                coverage += _covered(kind, coin, "", np.concatenate(found), silences)
            continue
        for series, stamps in _series_of(folder, kind, files):
            absences = _absences(kind, series, stamps)
            holes += [_hole(kind, coin, series, one) for one in absences]
            lacking = [(one.start, one.end) for one in absences if one.reason not in ON_TIME]
            coverage += _covered(kind, coin, series, stamps, lacking)
    for one in settled.quiet:
        holes += [Hole(one.coin, x.start, x.end, x.reason, TICK, "", 0) for x in one.silences]
    return sorted(holes, key=lambda x: (x.coin, x.kind, x.series, x.start)), coverage


def _breaks(folder: Path, coin: str, files: Sequence[StoredFile]) -> list[Hole]:
    """Return the holes that the update ids of an incremental book prove."""
    names = ("exch", "first_id", "last_id", "previous_id", "is_snapshot")
    parts = [read_columns(folder / file.path, file.kind, names) for file in files]
    if not parts:
        return []
    table = {name: np.concatenate([part[name] for part in parts]) for name in names}
    return [Hole(coin, x.start, x.end, SEQUENCE, "diff", "", 0) for x in find_breaks(table)]


def _replayed(folder: Path, file: StoredFile) -> Ints:
    """Return the stamps of a file's rows, without trades that are set aside."""
    stamps = _column(folder, file, "exch")
    return stamps[_column(folder, file, "aside") == 0] if file.kind == "trade" else stamps


def _column(folder: Path, file: StoredFile, name: str) -> Ints:
    return np.asarray(read_columns(folder / file.path, file.kind, (name,))[name], dtype=np.int64)


def _series_of(folder: Path, kind: str, files: Sequence[StoredFile]) -> Iterator[tuple[str, Ints]]:
    """Yield the stamps of one coin: bars of each length on their own."""
    if not files:
        return
    stamps = np.concatenate([_column(folder, file, "exch") for file in files])
    if kind != "candle":
        yield "", stamps
        return
    lengths = np.concatenate([_column(folder, file, "interval_ms") for file in files])
    for length in np.unique(lengths).tolist():
        yield series_name(length), stamps[lengths == length]


def series_name(interval_ms: int) -> str:
    """Return the length of a bar as the venue spells it: 15m, 1h, 1d."""
    unit, size = next(one for one in UNITS_MS if interval_ms % one[1] == 0)
    return f"{interval_ms // size}{unit}"


def interval_ns(series: str) -> int:
    """Return the length [ns] that ``series_name`` named."""
    digits = series.rstrip("dhms")
    return int(digits) * dict(UNITS_MS)[series[len(digits) :]] * NS_MS


def _absences(kind: str, series: str, stamps: Ints) -> list[Absence]:
    if kind == "candle":
        return bar_absences(stamps, step_ns=interval_ns(series))
    return REGULAR[kind](stamps) if kind in REGULAR else []


def _hole(kind: str, coin: str, series: str, one: Absence) -> Hole:
    return Hole(coin, one.start, one.end, one.reason, kind, series, one.missing)


def _covered(
    kind: str, coin: str, series: str, stamps: Ints, holes: Sequence[tuple[int, int]]
) -> list[Coverage]:
    """Return the coverage of a series, or nothing when it has no stamp."""
    known = stamps[stamps > 0]
    if not len(known):
        return []
    start, end = int(known[0]), int(known[-1])
    holes_ns = sum(max(0, min(high, end) - max(low, start)) for low, high in holes)
    ppm = (end - start - holes_ns) * MICRO // (end - start) if end > start else MICRO
    return [Coverage(kind, coin, series, len(stamps), start, end, holes_ns, ppm)]
