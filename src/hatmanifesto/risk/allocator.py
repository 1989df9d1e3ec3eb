"""The allocator at work: samples each book's profit every hour and divides capital anew.

The first allocation is as given. Later ones divide the account's marked equity; a book that was not
observed long enough leaves everything as it is, and the record says so.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hatmanifesto.books.state import State
from hatmanifesto.domain.records import Allocation, Allotted
from hatmanifesto.domain.units import NS_HOUR
from hatmanifesto.risk.allocation import (
    HOURS_MIN,
    BookRecord,
    capped_kelly,
    daily_record,
    is_known,
    risk_parity,
)

METHODS: dict[str, Callable[..., list[float]]] = {
    "risk_parity": risk_parity,
    "kelly": capped_kelly,
}
FIXED = "fixed"

PPM = 10**6
"""Weights are cut to millionths before they meet money."""


class AllocatorSpec(NamedTuple):
    """How capital is divided: method, hours between allocations, hours looked back, bounds."""

    method: str = FIXED
    every_hours: int = 24
    lookback_hours: int = 30 * 24
    floor: float = 0.05
    cap: float = 0.6


class Allocator:
    """Keeps hourly profits per book; ``capitals`` [micro-USDC] by book is the last allocation."""

    __slots__ = ("_at", "_before", "_hourly", "capitals", "due", "spec")

    def __init__(self, spec: AllocatorSpec, capitals: Sequence[int]) -> None:
        self.spec = spec
        self.capitals = list(capitals)
        self._hourly: list[deque[float]] = [deque(maxlen=spec.lookback_hours) for _ in capitals]
        self._before = [0] * len(self.capitals)
        self._at = 0
        self.due = 0

    def observe(self, state: State) -> Allocation | None:
        """Fold the hour that has passed; return the allocation that falls due, if one does.

        Call it at the first step at or after ``due`` [ns], which it then sets to the next hour.
        """
        hour = state.now // NS_HOUR
        self.due = (hour + 1) * NS_HOUR
        if not self._at:
            self._at = hour
            return self._record(state, "as given", [None] * len(self.capitals))
        for book, before in enumerate(self._before):
            equity2 = state.book_equity2(book)
            self._before[book] = equity2
            if self.capitals[book] > 0:
                self._hourly[book].append((equity2 - before) / (2 * self.capitals[book]))
        if self.spec.method == FIXED or hour - self._at < self.spec.every_hours:
            return None
        self._at = hour
        return self._allot(state)

    def _allot(self, state: State) -> Allocation:
        records = [daily_record(list(hourly)) for hourly in self._hourly]
        if not is_known(records):
            why = f"unchanged: fewer than {HOURS_MIN} hours observed, or a book that never moved"
            return self._record(state, why, records)
        equity = max(state.equity2() // 2, 0)
        weigh = METHODS[self.spec.method]
        weights = weigh(records, floor=self.spec.floor, cap=self.spec.cap)
        self.capitals = [int(weight * PPM) * equity // PPM for weight in weights]
        return self._record(state, f"equity {equity} micro-USDC", records)

    def _record(self, state: State, why: str, records: Sequence[BookRecord | None]) -> Allocation:
        total = sum(self.capitals)
        books = []
        for book, record in enumerate(records):
            capital = self.capitals[book]
            weight = capital / total if total else 0.0
            mean = record.mean if record is not None else None
            deviation = record.deviation if record is not None else None
            n = len(self._hourly[book])
            books.append(Allotted(book, capital, weight, mean, deviation, n))
        return Allocation(state.now, self.spec.method, why, tuple(books))

    def dump(self) -> list[object]:
        """Return the plain content, for snapshots."""
        hourly = [list(values) for values in self._hourly]
        return [list(self.capitals), hourly, list(self._before), self._at, self.due]

    def load(self, content: Sequence[Any]) -> None:
        """Take the content that ``dump`` returned."""
        self.capitals, hourly, self._before, self._at, self.due = content
        for values, kept in zip(self._hourly, hourly, strict=True):
            values.clear()
            values.extend(kept)
