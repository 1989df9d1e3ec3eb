"""Legs of a carry: what each was expected to earn, what it cost, and when funding had paid for it.

A leg goes from flat to flat in one coin of one book; a perp and its second leg are one. Funding is
what the account was paid, costs are the fees of its fills and their distance from the mid. It has
broken even with the first payment at which the funding so far covers the costs of the whole leg,
the way out included; price and basis do not count, so a leg that broke even may have lost.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from hatmanifesto.analytics.allot import Share
from hatmanifesto.analytics.fold import FillRow, RunFacts
from hatmanifesto.domain.records import Signal
from hatmanifesto.domain.units import NS_HOUR

DAY_H = 24.0
Key = tuple[int, int]


class CarryLeg(NamedTuple):
    """One leg or pair. Times [ns], money in half micro-USDC.

    ``coin`` is the perp's slot, ``side`` 1 when it was long. ``closed`` is None while it is open,
    and the way out is not in ``costs2`` then. ``peak2`` is the perp's largest position at the
    price of the fill that made it. ``expected_bps`` is the signal that its first order acted on,
    the net carry [bps a day]; ``expected_h`` the hours to break even that it stands for when the
    way out costs what the way in did. ``unknown`` counts hours whose payment nobody told;
    ``paid_ns`` is the time from opening to break even, None when it never did.
    """

    book: int
    coin: int
    side: int
    opened: int
    closed: int | None
    peak2: int
    expected_bps: float | None
    expected_h: float | None
    funding2: int
    costs2: int
    unknown: int
    paid_ns: int | None


class _Open:
    """A leg in progress: its positions by coin slot, payments and costs."""

    def __init__(self, row: FillRow) -> None:
        self.first = row
        self.side = 0
        self.held: dict[int, int] = {}
        self.peak2 = 0
        self.costs2 = 0
        self.entry_bps: dict[int, float] = {}
        self.payments: list[tuple[int, int]] = []
        self.unknown = 0
        self.closed: int | None = None

    def fill(self, row: FillRow, szi: int, cost2: int, *, is_perp: bool) -> None:
        self.entry_bps.setdefault(row.coin, 1e4 * cost2 / (2 * abs(szi) * row.px))
        self.held[row.coin] = self.held.get(row.coin, 0) + szi
        self.costs2 += cost2
        if is_perp:
            self.side = self.side or (1 if szi > 0 else -1)
            self.peak2 = max(self.peak2, 2 * abs(self.held[row.coin]) * row.px)

    @property
    def is_flat(self) -> bool:
        return not any(self.held.values())


def carry_legs(
    facts: RunFacts,
    spread2: Sequence[int],
    shares: Sequence[Share],
    *,
    books: Collection[int],
    perp_of: Mapping[int, int],
) -> list[CarryLeg]:
    """Return the legs of the carries among the books, in order of opening.

    Args:
        facts: fills, unknown payments and signals.
        spread2: of each fill, its distance from the mid; a cost is negative [half micro-USDC].
        shares: payments split over books, in order of their stamps.
        books: those that carry.
        perp_of: from the slot of a second leg to its perp's.
    """
    return _Walk(facts, spread2, books=books, perp_of=perp_of).legs(shares)


class _Walk:
    """One pass over fills and payments in order of stamps, a payment before a fill of its stamp."""

    def __init__(
        self,
        facts: RunFacts,
        spread2: Sequence[int],
        *,
        books: Collection[int],
        perp_of: Mapping[int, int],
    ) -> None:
        self.facts = facts
        self.books = books
        self.perp_of = perp_of
        rows = zip(facts.fills, spread2, strict=True)
        self.rows = sorted(rows, key=lambda item: item[0].ts)
        self.last: dict[Key, _Open] = {}
        self.all: list[tuple[Key, _Open]] = []

    def legs(self, shares: Sequence[Share]) -> list[CarryLeg]:
        """Return the legs, each payment given to those that it charged."""
        unknown = [(one.exch, one.coin) for one in self.facts.funding_unknown]
        paid = [(event.exch, event.coin, split) for event, split in shares]
        told: list[tuple[int, int, dict[int, int] | None]] = [*paid]
        told += [(exch, coin, None) for exch, coin in unknown]
        told.sort(key=lambda item: item[:2])
        taken = 0
        for row, cost in self.rows:
            while taken < len(told) and told[taken][0] <= row.ts:
                self._pay(*told[taken])
                taken += 1
            if row.book in self.books:
                self._fill(row, cost)
        for one in told[taken:]:
            self._pay(*one)
        signals = {one.id: one for one in self.facts.signals}
        return [self._leg(key, one, signals) for key, one in self.all]

    def _pay(self, exch: int, coin: int, split: dict[int, int] | None) -> None:
        """Give a payment to the legs that it charged; one just closed may still get its last."""
        if split is None:
            for (_, perp), one in self.last.items():
                if perp == coin and one.closed is None:
                    one.unknown += 1
            return
        for book, usdc in split.items():
            if (book, coin) in self.last:
                self.last[book, coin].payments.append((exch, usdc))

    def _fill(self, row: FillRow, spread2: int) -> None:
        perp = self.perp_of.get(row.coin, row.coin)
        key = (row.book, perp)
        cost2 = 2 * row.fee - spread2
        one = self.last.get(key)
        before = one.held.get(row.coin, 0) if one and one.closed is None else 0
        closing = min(row.sz, abs(before)) if before * row.side < 0 else 0
        part2 = cost2 * closing // row.sz
        if one and closing:
            one.fill(row, row.side * closing, part2, is_perp=row.coin == perp)
            if one.is_flat:
                one.closed = row.ts
        if closing == row.sz:
            return
        if one is None or one.closed is not None:
            one = self.last[key] = _Open(row)
            self.all.append((key, one))
        rest = row.side * (row.sz - closing)
        one.fill(row, rest, cost2 - part2, is_perp=row.coin == perp)

    def _leg(self, key: Key, one: _Open, signals: Mapping[int, Signal]) -> CarryLeg:
        signal = signals.get(one.first.signal)
        expected = None if signal is None else abs(signal.value)
        hours = None
        if signal is not None and signal.horizon_ns > 0:
            cost_bps = 2.0 * sum(one.entry_bps.values())
            hours = hours_expected(abs(signal.value), cost_bps, signal.horizon_ns / NS_HOUR)
        return CarryLeg(
            *key,
            side=one.side or -one.first.side,
            opened=one.first.ts,
            closed=one.closed,
            peak2=one.peak2,
            expected_bps=expected,
            expected_h=hours,
            funding2=2 * sum(usdc for _, usdc in one.payments),
            costs2=one.costs2,
            unknown=one.unknown,
            paid_ns=_paid_after(one),
        )


def hours_expected(net_bps: float, cost_bps: float, horizon_h: float) -> float | None:
    """Return the hours in which an expected net carry pays its round trip, None when never.

    Args:
        net_bps: a day, after costs spread over the horizon [bps].
        cost_bps: of the round trip [bps].
        horizon_h: over which the costs were spread, > 0 [h].
    """
    hourly_bps = net_bps / DAY_H + cost_bps / horizon_h
    return cost_bps / hourly_bps if hourly_bps > 0.0 else None


def _paid_after(one: _Open) -> int | None:
    """Return when funding had covered the costs, from the opening on; None when it never had."""
    total2 = 0
    for exch, usdc in one.payments:
        total2 += 2 * usdc
        if total2 >= one.costs2:
            return exch - one.first.ts
    return None
