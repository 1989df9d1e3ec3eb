"""Allotment of the account's funding to the books whose positions it charges."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.domain.events import FundingPaid

HOUSE = -1
"""The book that takes what no strategy's position explains."""


def allot(amount: int, weights: Mapping[int, int]) -> dict[int, int]:
    """Split ``amount`` over signed integer weights by largest remainder; the parts sum to it.

    Weights that sum to zero leave everything to ``HOUSE``.
    """
    whole = sum(weights.values())
    if whole == 0:
        return {HOUSE: amount} if amount else {}
    shares = {key: divmod(amount * weight, whole) for key, weight in weights.items() if weight}
    left = amount - sum(share for share, _ in shares.values())
    # A divmod remainder has the sign of its divisor: compare by size, ties by key.
    order = sorted(shares, key=lambda key: (-abs(shares[key][1]), key))
    parts = {key: share for key, (share, _) in shares.items()}
    for key in order[: abs(left)]:
        parts[key] += 1 if left > 0 else -1
    return parts


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
