"""Allotment of the account's funding to the books whose positions it charges."""

from collections import defaultdict
from collections.abc import Sequence

from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.books.allot import allot
from hatmanifesto.domain.events import FundingPaid


def funding_shares(
    funding: Sequence[FundingPaid], fills: Sequence[FillRow]
) -> list[tuple[FundingPaid, dict[int, int]]]:
    """Return each payment with its split over books [micro-USDC], by positions before its stamp."""
    ordered = sorted(funding, key=lambda event: event.exch)
    rows = sorted(fills, key=lambda row: row.ts)
    position: dict[tuple[int, int], int] = defaultdict(int)
    out: list[tuple[FundingPaid, dict[int, int]]] = []
    taken = 0
    for event in ordered:
        while taken < len(rows) and rows[taken].ts < event.exch:
            row = rows[taken]
            position[row.coin, row.book] += row.szi
            taken += 1
        weights = {book: szi for (coin, book), szi in position.items() if coin == event.coin}
        out.append((event, allot(event.usdc, dict(sorted(weights.items())))))
    return out


def allot_funding(funding: Sequence[FundingPaid], fills: Sequence[FillRow]) -> dict[int, int]:
    """Return the funding of each book [micro-USDC]; the sum is the account's."""
    total: dict[int, int] = defaultdict(int)
    for _, shares in funding_shares(funding, fills):
        for book, usdc in shares.items():
            total[book] += usdc
    return dict(total)
