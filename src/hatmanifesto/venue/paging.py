"""Pages through the venue's history until it is empty, without doing any I/O itself.

A pager gives the next request and takes its answer, in turn, until there is no next request. Rows
of a page may repeat the end of the page before, because times are inclusive and one stamp may hold
many rows; repeats are dropped by content, and a page that brings nothing new ends the walk. What
the venue no longer has is found by looking at where its first answer begins.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from hatmanifesto.domain.errors import DataError

Row = dict[str, Any]

INTERVAL_MS = {
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
}
"""Candle intervals with a fixed length. Source: PROTOCOL 4.2."""

CANDLES_MAX = 5_000
"""The venue keeps this many candles of an interval. Source: PROTOCOL 4.2."""
FILLS_PAGE = 2_000
FILLS_MAX = 10_000
"""Fills in one answer, and how far back they reach. Source: PROTOCOL 4.5."""
FUNDING_SLACK_MS = 60_000
"""A funding row is stamped some milliseconds after its hour."""
HOUR_MS = 3_600_000
PAGES_MAX = 10_000


class Lost(NamedTuple):
    """A span that was asked for and that the venue no longer (or never) had [ms]."""

    start: int
    end: int
    why: str


class History(Protocol):
    """One kind of history: how to ask for it, and what its rows tell about what is missing."""

    @property
    def time_key(self) -> str:
        """Return the name of a row's time [ms]."""
        ...

    def request(self, start: int, end: int) -> Row:
        """Return the request body for ``start`` to ``end`` [ms, inclusive]."""
        ...

    def lost(self, rows: Sequence[Row], start: int, end: int) -> list[Lost]:
        """Return what was asked for and did not come, as far as the rows can tell."""
        ...


class Pager:
    """Walks one history from ``start`` to ``end`` [ms, inclusive]; ``rows`` holds what came."""

    def __init__(self, history: History, *, start: int, end: int) -> None:
        assert start <= end, "a walk goes forward"
        self._history = history
        self._start = start
        self._end = end
        self._next = start
        self._seen: set[str] = set()
        self.is_done = False
        self.rows: list[Row] = []
        self.pages = 0

    def request(self) -> Row:
        """Return the next request body."""
        return self._history.request(self._next, self._end)

    def lost(self) -> list[Lost]:
        """Return what was asked for and did not come."""
        return self._history.lost(self.rows, self._start, self._end)

    def take(self, answer: Any) -> None:
        """Take the answer to the last request.

        Raises:
            DataError: if it is no list of rows with times, goes backward, or makes no headway.
        """
        key = self._history.time_key
        rows = checked_rows(answer, key)
        self.pages += 1
        fresh = []
        for row in rows:
            text = json.dumps(row, sort_keys=True)
            if text not in self._seen and self._start <= row[key] <= self._end:
                self._seen.add(text)
                fresh.append(row)
        self.rows += fresh
        if not fresh or self.pages >= PAGES_MAX:
            self.is_done = True
            return
        last = fresh[-1][key]
        if last == self._next and len(rows) >= FILLS_PAGE:
            raise DataError(
                f"more rows share the stamp {last} than one answer holds",
                why=f"an answer holds {FILLS_PAGE}, and the next one begins with the same",
                fix="fetch the time before and after it on their own",
            )
        self._next = last
        self._seen = {json.dumps(row, sort_keys=True) for row in fresh if row[key] == last}
        self.is_done = last >= self._end


def checked_rows(answer: Any, time_key: str) -> list[Row]:
    """Return ``answer`` as rows in time order.

    Raises:
        DataError: if it is anything else.
    """
    if not isinstance(answer, list) or any(
        not isinstance(row, dict) or not isinstance(row.get(time_key), int) for row in answer
    ):
        raise DataError(
            "the venue's answer is no list of rows",
            why=f"expected objects with an integer {time_key!r}, was {str(answer)[:80]!r}",
            fix="check --url and --kind",
        )
    times = [row[time_key] for row in answer]
    if times != sorted(times):
        raise DataError("the venue's rows are not in time order", why="oldest first is expected")
    return answer


class Candles(NamedTuple):
    """Candles of one coin and interval."""

    coin: str
    interval: str
    time_key: str = "t"

    def request(self, start: int, end: int) -> Row:
        """Return a candleSnapshot request."""
        span = {"startTime": start, "endTime": end}
        return {
            "type": "candleSnapshot",
            "req": {"coin": self.coin, "interval": self.interval, **span},
        }

    def lost(self, rows: Sequence[Row], start: int, end: int) -> list[Lost]:
        """Return the head before the first candle and every missing bar after it."""
        if not rows:
            return [Lost(start, end, "no candle at all")]
        step = INTERVAL_MS[self.interval]
        first = -(-start // step) * step
        times = [row["t"] for row in rows]
        found = []
        if times[0] > first:
            why = f"before the oldest candle; the venue keeps the newest {CANDLES_MAX}"
            found.append(Lost(first, times[0], why))
        holes = [(a + step, b) for a, b in pairwise(times) if b - a > step]
        return found + [Lost(a, b, "missing bars") for a, b in holes]


class Funding(NamedTuple):
    """Hourly funding of one coin."""

    coin: str
    time_key: str = "time"

    def request(self, start: int, end: int) -> Row:
        """Return a fundingHistory request."""
        return {"type": "fundingHistory", "coin": self.coin, "startTime": start, "endTime": end}

    def lost(self, rows: Sequence[Row], start: int, end: int) -> list[Lost]:
        """Return the hours without a row."""
        if not rows:
            return [Lost(start, end, "no funding at all")]
        longest = HOUR_MS + FUNDING_SLACK_MS
        times = [row["time"] for row in rows]
        found = []
        if times[0] - start > longest:
            found.append(Lost(start, times[0], "before the oldest funding"))
        holes = [(a, b) for a, b in pairwise(times) if b - a > longest]
        return found + [Lost(a, b, "missing hours") for a, b in holes]


class Fills(NamedTuple):
    """Fills of one account."""

    user: str
    time_key: str = "time"

    def request(self, start: int, end: int) -> Row:
        """Return a userFillsByTime request."""
        return {"type": "userFillsByTime", "user": self.user, "startTime": start, "endTime": end}

    def lost(self, rows: Sequence[Row], start: int, end: int) -> list[Lost]:
        """Return the head that the venue may have dropped: it keeps fills by count, not by age."""
        if len(rows) < FILLS_MAX:
            return []
        why = f"maybe: the venue keeps the newest {FILLS_MAX} fills"
        return [Lost(start, min(end, rows[0]["time"]), why)]
