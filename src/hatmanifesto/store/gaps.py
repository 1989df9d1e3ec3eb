"""Holes in a recording: where quotes fall silent or a regular series lacks rows, and why.

A coin with books is expected to speak about every 0.5 s. It is silent when neither a book nor a
bbo row has a stamp for more than ``GAP_S_MIN`` seconds. Trades do not count: after a reconnect the
venue sends the last prints again, with stamps inside the hole, that no live trader saw in time:
backlog, kept but not replayed. The hole runs from the last book before the silence (bbo rows of
that last half second stand before it) to the first quote after it. Without books, trades prove that
the recorder was listening too.

Bars are due at every step of their length, funding at every hour (every eight hours in the venue's
first weeks), other series at their own median step.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.units import NS_HOUR, NS_S

Ints = NDArray[np.int64]

GAP_S_MIN = 5
"""Shortest silence that counts as a hole [s]; the recorded book stream has a p99 step of 0.76 s."""
SESSION_NS = NS_HOUR
"""A longer silence is a pause between two recordings, whatever file it lies in [ns]."""
NS_MINUTE = 60 * NS_S
FUNDING_NS_MAX = NS_HOUR + 5 * NS_MINUTE
"""Recorded stamps jitter by 0.3 s; outages show as steps of 45 and 75 minutes [ns]."""
SETTLED_8H_NS = (7 * NS_HOUR, 9 * NS_HOUR)
"""An outage shows as steps of 7.6 and 8.4 hours."""
HOURLY_SINCE_NS = 1_687_219_200 * NS_S
"""2023-06-20: the venue settled every eight hours before some day of that month."""
STEP_PERCENT_MAX = 150
"""A step of a regular series that is longer than this share of its median is a hole."""


class Silence(NamedTuple):
    """A hole in the quotes [ns] with ``heard``: the last quote stamp before it (>= ``start``)."""

    start: int
    end: int
    heard: int
    reason: str


class Absence(NamedTuple):
    """A hole in a regular series [ns]: the rows around it, how many it lacks, and why."""

    start: int
    end: int
    missing: int
    reason: str


class SilenceFinder:
    """Finds the silences of one coin, portion by portion in time order.

    Args:
        has_books: the coin has book rows, here or in another portion.
        boundaries: last stamps of the source files [ns]: a hole that begins at one of them is the
            pause between two sessions.
    """

    def __init__(self, *, has_books: bool, boundaries: Sequence[int] = ()) -> None:
        self.found: list[Silence] = []
        self._has_books = has_books
        self._boundaries = boundaries
        self._heard = np.empty(0, dtype=np.int64)
        self._book = np.empty(0, dtype=np.int64)

    def add(self, book: Ints, quotes: Ints) -> None:
        """Take rising stamps in: books, and all quotes (books among them) without repeats."""
        if not len(quotes):
            return
        quotes = np.concatenate([self._heard, quotes])
        books = np.concatenate([self._book, book])
        for i in np.flatnonzero(np.diff(quotes) > GAP_S_MIN * NS_S):
            self.found.append(self._silence(books, int(quotes[i]), int(quotes[i + 1])))
        self._heard, self._book = quotes[-1:], books[-1:]

    def _silence(self, books: Ints, heard: int, end: int) -> Silence:
        start = heard
        before = int(np.searchsorted(books, heard, side="right")) - 1
        if before >= 0 and heard - int(books[before]) <= GAP_S_MIN * NS_S:
            start = int(books[before])
        is_pause = any(heard <= boundary < end for boundary in self._boundaries)
        if is_pause or end - heard > SESSION_NS:
            return Silence(start, end, heard, "session")
        return Silence(start, end, heard, "reconnect" if self._has_books else "silence")


def backlog_mask(
    trades: Ints, *, first_quote: int, silences: Sequence[Silence]
) -> NDArray[np.bool_]:
    """Say which trades no live trader saw: before the first quote [ns], or inside a hole."""
    mask = trades < first_quote
    for silence in silences:
        mask |= (trades > silence.heard) & (trades < silence.end)
    return np.asarray(mask, dtype=np.bool_)


def bar_absences(opens: Ints, *, step_ns: int) -> list[Absence]:
    """Return the holes in rising bar opens [ns] that are due every ``step_ns``."""
    steps = np.diff(opens)
    return [
        Absence(int(opens[i]), int(opens[i + 1]), int(steps[i]) // step_ns - 1, "missing_bar")
        for i in np.flatnonzero(steps > step_ns)
    ]


def funding_absences(stamps: Ints) -> list[Absence]:
    """Return the holes in rising funding stamps [ns].

    Reasons: ``settled_8h`` no row is missing, the venue settled every eight hours; ``late`` a
    longer step in which no row is missing either; ``missing_hour``.
    """
    found = []
    steps = np.diff(stamps)
    for i in np.flatnonzero(steps > FUNDING_NS_MAX):
        start, step = int(stamps[i]), int(steps[i])
        if start < HOURLY_SINCE_NS and SETTLED_8H_NS[0] < step < SETTLED_8H_NS[1]:
            found.append(Absence(start, start + step, 0, "settled_8h"))
            continue
        missing = (step + NS_HOUR // 2) // NS_HOUR - 1
        found.append(Absence(start, start + step, missing, "missing_hour" if missing else "late"))
    return found


def regular_absences(stamps: Ints) -> list[Absence]:
    """Return the holes in rising stamps [ns] that come at a step of their own.

    A step shorter than a minute is no promise: then a silence is told, without missing rows.
    """
    steps = np.diff(stamps)
    rising = steps[steps > 0]
    if not len(rising):
        return []
    usual = int(np.median(rising))
    most = max(usual * STEP_PERCENT_MAX // 100, GAP_S_MIN * NS_S)
    is_regular = usual >= NS_MINUTE
    return [
        Absence(
            int(stamps[i]),
            int(stamps[i + 1]),
            (int(steps[i]) + usual // 2) // usual - 1 if is_regular else 0,
            "missing_row" if is_regular else "silence",
        )
        for i in np.flatnonzero(steps > most)
    ]
