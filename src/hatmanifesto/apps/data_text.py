"""Words and bars for people: what a dataset holds, where it has holes, what was set aside."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from hatmanifesto.domain.units import NS_S
from hatmanifesto.store.draft import ON_TIME, TICK
from hatmanifesto.store.intake_settle import TICKS
from hatmanifesto.store.manifest import Coverage, Hole, Manifest
from hatmanifesto.store.warehouse import Snapshot

BAR_CELLS = 48
SERIES_MAX = 40
FULL, PART, EMPTY = "#", "+", "."


def text_of(snapshot: Snapshot) -> str:
    """Return the account of a snapshot as lines of text."""
    return "\n".join(_lines(snapshot))


def _lines(snapshot: Snapshot) -> Iterator[str]:
    manifest = snapshot.manifest
    yield f"{snapshot.spec}  {manifest.venue}  evidence {manifest.evidence.value}"
    yield f"from {_moment(manifest.start)} to {_moment(manifest.end)}"
    yield (
        f"rows in {manifest.rows_in:,}, out {manifest.rows_out:,}, merged {manifest.merged:,}, "
        f"quarantined {_counts(manifest.quarantined)}, not replayed {_counts(manifest.set_aside)}"
    )
    yield f"sources {len(manifest.sources)}, files {len(manifest.files)}"
    yield f"holes {_counts(Counter(f'{one.kind} {one.reason}' for one in manifest.gaps))}"
    for text in manifest.assumed:
        yield f"assumed {text}"
    yield f"coverage ({FULL} whole, {PART} in part, {EMPTY} hole)"
    yield from bars(manifest)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[name]:,} {name}" for name in sorted(counts)) or "none"


def bars(manifest: Manifest) -> Iterator[str]:
    """Yield one bar a series, from its first to its last row."""
    for one in manifest.coverage[:SERIES_MAX]:
        holes = [hole for hole in manifest.gaps if _belongs(hole, one)]
        name = f"{one.kind} {one.coin} {one.series}".strip()
        yield f"{name:24} |{bar(one, holes)}| {_percent(one.covered_ppm)} of {_span(one)}"
    if len(manifest.coverage) > SERIES_MAX:
        yield f"and {len(manifest.coverage) - SERIES_MAX} more series; --json lists all"


def _belongs(hole: Hole, one: Coverage) -> bool:
    if hole.coin != one.coin or hole.reason in ON_TIME:
        return False
    if one.kind in TICKS:
        return hole.kind == TICK
    return (hole.kind, hole.series) == (one.kind, one.series)


def bar(one: Coverage, holes: Sequence[Hole]) -> str:
    """Return a bar of equal parts of time: whole, in part, or empty."""
    width = one.end - one.start
    cells = []
    for cell in range(BAR_CELLS):
        low = one.start + width * cell // BAR_CELLS
        high = one.start + width * (cell + 1) // BAR_CELLS
        missing = sum(max(0, min(high, hole.end) - max(low, hole.start)) for hole in holes)
        cells.append(FULL if not missing else EMPTY if missing >= high - low else PART)
    return "".join(cells)


def _moment(stamp: int) -> str:
    return datetime.fromtimestamp(stamp // NS_S, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _percent(ppm: int) -> str:
    return f"{ppm // 10_000}.{ppm // 1000 % 10} %"


def _span(one: Coverage) -> str:
    seconds = (one.end - one.start) // NS_S
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
