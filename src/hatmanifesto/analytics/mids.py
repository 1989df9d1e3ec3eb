"""Mid prices of one coin over time, and how far they moved inside holes of the recording."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]
Span = tuple[int, int]
"""Start and end of a hole [ns], venue time."""


class Mids(NamedTuple):
    """Mids with both sides of the book known.

    Args of note: ``ts`` shape (n,), non-decreasing venue stamps [ns]; ``mid2`` shape (n,), bid plus
    ask [px units], so a mid in half px units.
    """

    ts: Int64
    mid2: Int64


class Market(NamedTuple):
    """Mids by coin slot, and where the data tell it the quoted spread at each [px units]."""

    mids: Mapping[int, Mids]
    spreads: Mapping[int, Int64]


class MidPath(NamedTuple):
    """Mids with the holes marked.

    ``gap2`` shape (n,) is the running sum of those moves of ``mid2`` that happened across a hole;
    ``gap_end`` and ``gap_tick`` shape (g,): end of each hole [ns], first tick at or after it.
    """

    ts: Int64
    mid2: Int64
    gap2: Int64
    gap_start: Int64
    gap_end: Int64
    gap_tick: Int64


def merge_spans(spans: Sequence[Span]) -> list[Span]:
    """Return the spans in order, with those that overlap or touch made one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def path_of(mids: Mids, spans: Sequence[Span]) -> MidPath:
    """Return the mids with the moves across ``spans`` summed apart.

    A step between two ticks belongs to a hole when it lies between the last tick at or before the
    hole's start and the first tick at or after its end.
    """
    ts = np.ascontiguousarray(mids.ts, dtype=np.int64)
    mid2 = np.ascontiguousarray(mids.mid2, dtype=np.int64)
    assert ts.shape == mid2.shape
    assert len(ts) > 0, "expected at least one mid"
    assert bool((np.diff(ts) >= 0).all()), "expected non-decreasing stamps"
    assert bool((mid2 > 0).all()), "expected mids with both sides known"
    merged = merge_spans(spans)
    start = np.array([span[0] for span in merged], dtype=np.int64)
    end = np.array([span[1] for span in merged], dtype=np.int64)
    before = np.searchsorted(ts, start, side="right") - 1
    after = np.minimum(np.searchsorted(ts, end, side="left"), len(ts) - 1).astype(np.int64)
    is_hole = np.zeros(len(ts), dtype=bool)
    for first, last in zip(before.tolist(), after.tolist(), strict=True):
        is_hole[max(first, 0) + 1 : last + 1] = True
    steps = np.diff(mid2, prepend=mid2[:1])
    gap2 = np.cumsum(np.where(is_hole, steps, 0))
    return MidPath(ts, mid2, gap2, start, end, after)


def tick_at(path: MidPath, when: Int64) -> Int64:
    """Return the last tick at or before ``when`` (its index); the first when there is none."""
    index = np.searchsorted(path.ts, when, side="right") - 1
    return np.maximum(index, 0).astype(np.int64)


def tick_before(path: MidPath, when: Int64) -> tuple[Int64, Bools]:
    """Return the reference tick of fills at ``when`` and whether it had to be substituted.

    The reference is the last tick strictly before the fill: a mid stamped with the fill may already
    have moved because of it (QUANT A.8). A fill before the first tick takes the first; a fill after
    a hole whose last tick lies before the hole takes the first tick after it, because the mid of
    before the hole says nothing about the book it met. Both are flagged.
    """
    index = np.searchsorted(path.ts, when, side="left") - 1
    is_early = index < 0
    index = np.maximum(index, 0)
    reopened = np.zeros(len(index), dtype=np.int64)
    if len(path.gap_end):
        last = np.searchsorted(path.gap_end, when, side="right") - 1
        reopened = np.where(last >= 0, path.gap_tick[np.maximum(last, 0)], 0)
    is_stale = reopened > index
    return np.maximum(index, reopened).astype(np.int64), is_early | is_stale


def tick_reopening(path: MidPath, when: Int64) -> Int64:
    """Return the first tick after the hole that holds ``when``, for fills inferred inside it.

    A time in no known hole takes the first tick at or after it. The last tick bounds both.
    """
    index = np.minimum(np.searchsorted(path.ts, when, side="left"), len(path.ts) - 1)
    if len(path.gap_end):
        hole = np.minimum(np.searchsorted(path.gap_end, when, side="left"), len(path.gap_end) - 1)
        is_inside = (path.gap_start[hole] <= when) & (when <= path.gap_end[hole])
        index = np.where(is_inside, path.gap_tick[hole], index)
    return index.astype(np.int64)


def touches_gap(path: MidPath, start: Int64, end: Int64) -> Bools:
    """Say for each interval [start, end] whether a hole overlaps it."""
    if not len(path.gap_end):
        return np.zeros(len(start), dtype=bool)
    first = np.searchsorted(path.gap_end, start, side="right")
    bounded = np.minimum(first, len(path.gap_end) - 1)
    return (first < len(path.gap_end)) & (path.gap_start[bounded] < end)
