"""Holes in a recording: where the quotes of a coin fall silent, and for what reason.

A coin with books is expected to speak about every 0.5 s. It is silent when neither a book nor a
bbo row has a stamp for more than ``gap_s_min`` seconds. Trades do not count: after a reconnect the
venue sends the last prints again, with stamps inside the hole, that no live trader saw in time:
backlog, kept but not replayed. The hole runs from the last book before the silence (bbo rows of
that last half second stand before it) to the first quote after it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.units import NS_S
from hatmanifesto.store.columns import Ints

GAP_S_MIN = 5
"""Shortest silence that counts as a hole [s]; the recorded book stream has a p99 step of 0.76 s."""


class Silence(NamedTuple):
    """A hole [ns] with ``heard``: the last quote stamp before it (>= ``start``)."""

    start: int
    end: int
    heard: int
    reason: str


class Streams(NamedTuple):
    """Rising stamps [ns] of the three kinds of one coin."""

    book: Ints
    bbo: Ints
    trade: Ints


def quote_stamps(streams: Streams) -> Ints:
    """Return the stamps that prove the recorder was listening, rising, without repeats."""
    if len(streams.book):
        return np.union1d(streams.book, streams.bbo)
    return np.union1d(streams.bbo, streams.trade)


def find_silences(
    streams: Streams, *, boundaries: Sequence[int] = (), gap_s_min: int = GAP_S_MIN
) -> tuple[Silence, ...]:
    """Return the holes of one coin in time order.

    Args:
        streams: stamps of one coin.
        boundaries: last stamps of the source files but the last [ns]: a hole that begins at one
            of them is the pause between two sessions.
        gap_s_min: shortest silence [s].
    """
    quotes = quote_stamps(streams)
    silent = np.flatnonzero(np.diff(quotes) > gap_s_min * NS_S)
    return tuple(
        _silence(streams.book, int(quotes[i]), int(quotes[i + 1]), boundaries, gap_s_min)
        for i in silent
    )


def _silence(
    book: Ints, heard: int, end: int, boundaries: Sequence[int], gap_s_min: int
) -> Silence:
    start = heard
    if len(book):
        before = int(np.searchsorted(book, heard, side="right")) - 1
        if before >= 0 and heard - int(book[before]) <= gap_s_min * NS_S:
            start = int(book[before])
    if any(heard <= boundary < end for boundary in boundaries):
        return Silence(start, end, heard, "session")
    return Silence(start, end, heard, "reconnect" if len(book) else "silence")


def backlog_mask(streams: Streams, silences: Sequence[Silence]) -> NDArray[np.bool_]:
    """Say which trades no live trader saw: before the first quote, or inside a hole."""
    mask = np.zeros(len(streams.trade), dtype=np.bool_)
    first = [int(stamps[0]) for stamps in (streams.book, streams.bbo) if len(stamps)]
    if first:
        mask |= streams.trade < min(first)
    for silence in silences if len(streams.book) else ():
        mask |= (streams.trade > silence.heard) & (streams.trade < silence.end)
    return mask
