"""Leaks of the future, planted on purpose: each is a scheme that an honest check must catch."""

from typing import Any, cast

import numpy as np

from hatmanifesto.domain.enums import RowKind
from hatmanifesto.domain.rows import COIN, EXCH, KIND, A, C, Row
from hatmanifesto.store.columns import Ints
from hatmanifesto.strategies.contract import Strategy
from tests.lookahead import Market, Scheme, Wrap, clean, moved


def mids2_of(market: Market, coin: int) -> tuple[Ints, Ints]:
    """Return stamps [ns] and bid plus ask [px units] of a coin, shape (n,)."""
    found = [
        (row[EXCH], row[A] + row[C])
        for row in market.rows
        if row[COIN] == coin and row[KIND] in (RowKind.BBO, RowKind.L2) and row[A] and row[C]
    ]
    table = np.asarray(found, dtype=np.int64).reshape(len(found), 2)
    return table[:, 0].copy(), table[:, 1].copy()


def peeking(ahead_ns: int) -> Scheme:
    """Return a leak in a feature: the maker quotes around the mid of ``ahead_ns`` later."""

    def scheme(market: Market) -> tuple[Market, Wrap]:
        mids = [mids2_of(market, coin) for coin in range(len(market.coins))]

        def wrap(coin: int, strategy: Strategy) -> Strategy:
            stamps, mids2 = mids[coin]
            decide = strategy.decide

            def peek(p: Any, v: Any, m: Any) -> tuple[int, ...]:
                at = int(np.searchsorted(stamps, v.now + ahead_ns, side="right")) - 1
                move = (int(mids2[at]) - v.bid_px - v.ask_px) // 2
                return decide(p, v._replace(bid_px=v.bid_px + move, ask_px=v.ask_px + move), m)

            return strategy._replace(decide=peek)

        return market, wrap

    return scheme


def scaled(market: Market) -> tuple[Market, Wrap]:
    """Leak by scaling: half spread in units of the volatility of the whole tape that is given."""
    steps = [np.diff(np.log(mids2_of(market, coin)[1])) for coin in range(len(market.coins))]
    bps = [float(np.sqrt(np.mean(step * step))) * 1e4 for step in steps]

    def wrap(coin: int, strategy: Strategy) -> Strategy:
        wider = strategy.params._replace(half_spread_bps=10.0 * bps[coin])
        return strategy._replace(params=wider)

    return market, wrap


def early(by_ns: int) -> Scheme:
    """Return a leak in the time stamp: every row is stamped ``by_ns`` before its true time."""

    def scheme(market: Market) -> tuple[Market, Wrap]:
        rows = [moved(row, shift=-by_ns, first=0) for row in market.rows]
        return clean(market._replace(rows=rows))

    return scheme


def next_content(market: Market) -> tuple[Market, Wrap]:
    """Leak in the time stamp: each quote bears what the coin's next quote shows."""
    rows = list(market.rows)
    later: dict[tuple[int, int], Row] = {}
    for index in range(len(rows) - 1, -1, -1):
        row = rows[index]
        if row[KIND] in (RowKind.BBO, RowKind.L2):
            key = row[KIND], row[COIN]
            then = later.get(key, row)
            rows[index] = cast(Row, (*row[:A], *then[A:]))
            later[key] = row
    return clean(market._replace(rows=rows))
