"""Allotment of the account's funding to what holds the positions it charges: books, or regimes."""

from collections import defaultdict
from collections.abc import Sequence

from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.books.allot import HOUSE, allot
from hatmanifesto.domain.events import FundingPaid

Share = tuple[FundingPaid, dict[int, int]]
"""One payment, and how it splits over keys [micro-USDC]."""


def funding_shares(
    funding: Sequence[FundingPaid],
    fills: Sequence[FillRow],
    *,
    keys: Sequence[int] | None = None,
) -> list[Share]:
    """Return each payment with its split over books [micro-USDC], by positions before its stamp.

    ``keys`` gives another owner than its book to each fill; a payment that no position explains
    goes to ``HOUSE``.
    """
    ordered = sorted(funding, key=lambda event: event.exch)
    owners = [row.book for row in fills] if keys is None else keys
    rows = sorted(zip(fills, owners, strict=True), key=lambda item: item[0].ts)
    held: dict[int, dict[int, int]] = defaultdict(dict)
    out: list[Share] = []
    taken = 0
    for event in ordered:
        while taken < len(rows) and rows[taken][0].ts < event.exch:
            row, owner = rows[taken]
            mine = held[row.coin]
            mine[owner] = mine.get(owner, 0) + row.szi
            if not mine[owner]:
                del mine[owner]
            taken += 1
        out.append((event, _split(event.usdc, held[event.coin])))
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
