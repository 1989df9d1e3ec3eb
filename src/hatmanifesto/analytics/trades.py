"""Flat-to-flat trades and the position after every fill, per book and coin, at average cost."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from hatmanifesto.analytics.allot import Share, funding_shares
from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.books.ledger import Ledger
from hatmanifesto.domain.events import FundingPaid


class Trade(NamedTuple):
    """From flat (or a flip) to flat (or a flip); ``pnl`` [micro-USDC] after fees and funding."""

    book: int
    coin: int
    opened: int
    closed: int
    pnl: int
    fills: int


class FillState(NamedTuple):
    """A sub-ledger just after one fill: position [sz units], money [micro-USDC].

    ``realised`` is this fill's own share, before fees; ``basis`` the signed cost of what is open;
    ``balance`` the account's realised profit so far, fees and funding included.
    """

    position: int
    realised: int
    basis: int
    balance: int


class _Open:
    """A trade in progress."""

    def __init__(self, opened: int) -> None:
        self.opened = opened
        self.pnl = 0
        self.fills = 0


def trades_of(
    fills: Sequence[FillRow],
    funding: Sequence[FundingPaid],
    *,
    shares: Sequence[Share] | None = None,
) -> list[Trade]:
    """Return the trades that closed, in order of closing; what is still open is left out.

    Between two flat points the cash flow is the profit and loss, whatever the cost method. A fill
    that flips the position closes one trade and opens the next, its fee shared by size.
    ``shares`` is the funding split over books, when the caller has it already.
    """
    position: dict[tuple[int, int], int] = defaultdict(int)
    opened: dict[tuple[int, int], _Open] = {}
    out: list[Trade] = []
    paid = funding_shares(funding, fills) if shares is None else shares
    taken = 0
    for row in sorted(fills, key=lambda item: item.ts):
        while taken < len(paid) and paid[taken][0].exch <= row.ts:
            _charge(opened, paid[taken])
            taken += 1
        key = (row.book, row.coin)
        before = position[key]
        position[key] = before + row.szi
        closing = min(row.sz, abs(before)) if before * row.side < 0 else 0
        fee = row.fee * closing // row.sz
        if closing:
            trade = opened[key]
            trade.pnl -= row.side * closing * row.px + fee
            trade.fills += 1
            if before + row.side * closing == 0:
                del opened[key]
                out.append(Trade(*key, trade.opened, row.ts, trade.pnl, trade.fills))
        if closing < row.sz:
            trade = opened.setdefault(key, _Open(row.ts))
            trade.pnl -= row.side * (row.sz - closing) * row.px + row.fee - fee
            trade.fills += 1
    return out


def _charge(
    opened: dict[tuple[int, int], _Open], payment: tuple[FundingPaid, dict[int, int]]
) -> None:
    event, shares = payment
    for book, usdc in shares.items():
        if (book, event.coin) in opened:
            opened[book, event.coin].pnl += usdc


def fill_states(fills: Sequence[FillRow], funding: Sequence[FundingPaid]) -> list[FillState]:
    """Return the sub-ledger after each fill, in the order of ``fills`` (by stamp)."""
    ledgers: dict[tuple[int, int], Ledger] = defaultdict(Ledger)
    events = sorted(funding, key=lambda event: event.exch)
    out: list[FillState] = []
    balance = 0
    taken = 0
    for row in fills:
        while taken < len(events) and events[taken].exch <= row.ts:
            balance += events[taken].usdc
            taken += 1
        ledger = ledgers[row.book, row.coin]
        before = ledger.realised
        ledger.fill(side=row.side, px=row.px, sz=row.sz, fee=row.fee)
        realised = ledger.realised - before
        balance += realised - row.fee
        out.append(FillState(ledger.position, realised, ledger.cost, balance))
    return out
