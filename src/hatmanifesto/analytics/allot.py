"""Allotment of the account's funding to what holds the positions it charges: books, or regimes."""

from collections import defaultdict
from collections.abc import Sequence

from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.books.allot import HOUSE, allot
from hatmanifesto.domain.events import FundingPaid
from hatmanifesto.domain.units import NS_HOUR

Share = tuple[FundingPaid, dict[int, int]]
"""One payment, and how it splits over keys [micro-USDC]."""


class _Held:
    """Who holds one coin: by owner, in all, and the fills since the last full hour."""

    __slots__ = ("account", "late", "owners")

    def __init__(self) -> None:
        self.owners: dict[int, int] = {}
        self.account = 0
        self.late: list[tuple[int, int, int]] = []

    def fill(self, ts: int, owner: int, szi: int) -> None:
        self.account += szi
        _add(self.owners, owner, szi)
        self.late.append((ts, owner, szi))

    def charged(self, event: FundingPaid) -> dict[int, int]:
        """Return the positions that the payment charged.

        The venue charges what was held before the hour and says so a moment later: the fills since
        the hour are taken back, unless that does not give the position that the payment names.
        """
        hour = event.exch // NS_HOUR * NS_HOUR
        self.late = [fill for fill in self.late if fill[0] >= hour]
        if self.account - sum(szi for _, _, szi in self.late) != event.szi:
            return self.owners
        owners = dict(self.owners)
        for _, owner, szi in self.late:
            _add(owners, owner, -szi)
        return owners


def _add(owners: dict[int, int], owner: int, szi: int) -> None:
    position = owners.get(owner, 0) + szi
    if position:
        owners[owner] = position
    else:
        owners.pop(owner, None)


def funding_shares(
    funding: Sequence[FundingPaid],
    fills: Sequence[FillRow],
    *,
    keys: Sequence[int] | None = None,
) -> list[Share]:
    """Return each payment with its split over books [micro-USDC], by the positions it charged.

    These are the positions before its stamp, or before the full hour where that is what the venue
    names. ``keys`` gives another owner than its book to each fill; a payment that no position
    explains goes to ``HOUSE``.
    """
    ordered = sorted(funding, key=lambda event: event.exch)
    owners = [row.book for row in fills] if keys is None else keys
    rows = sorted(zip(fills, owners, strict=True), key=lambda item: item[0].ts)
    held: dict[int, _Held] = defaultdict(_Held)
    out: list[Share] = []
    taken = 0
    for event in ordered:
        while taken < len(rows) and rows[taken][0].ts < event.exch:
            row, owner = rows[taken]
            held[row.coin].fill(row.ts, owner, row.szi)
            taken += 1
        out.append((event, _split(event.usdc, held[event.coin].charged(event))))
    return out


def _split(usdc: int, weights: dict[int, int]) -> dict[int, int]:
    if not usdc:
        return {}
    if len(weights) == 1:
        return dict.fromkeys(weights, usdc)
    return allot(usdc, weights) if weights else {HOUSE: usdc}


def sum_shares(shares: Sequence[Share]) -> dict[int, int]:
    """Return the funding of each key [micro-USDC], keys in order; the sum is the account's."""
    total: dict[int, int] = defaultdict(int)
    for _, split in shares:
        for owner, usdc in split.items():
            total[owner] += usdc
    return dict(sorted(total.items()))


def allot_funding(funding: Sequence[FundingPaid], fills: Sequence[FillRow]) -> dict[int, int]:
    """Return the funding of each book [micro-USDC]; the sum is the account's."""
    return sum_shares(funding_shares(funding, fills))
