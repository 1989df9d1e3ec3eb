"""Exact attribution of a run's profit and loss to its causes, in half micro-USDC.

Theory of operation. With x the signed size of a fill, p its price, m the mid at the fill, h the mid
five seconds later, a the mid at the decision and M the last mid, x(M-p) telescopes:

    maker:  x(m-p) spread + x(h-m) adverse selection + x(M-h) price
    taker:  x(m-p) spread + x(a-m) timing            + x(M-a) price

Moves of the mid across a hole of the recording, while the position is held, are taken out of the
part that contains them and called `gap`; a fill inferred inside a hole is `gap` from its own price
to the first mid after the hole. Fees, rebates and funding are their own signed sums. Each part is
computed by itself; `residual` is the ledger's net less all of them, and is zero only if they agree.
Source: QUANT A.8; the sum over fills of a held position's moves is Abel summation of q dM.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from hatmanifesto.analytics.allot import allot_funding
from hatmanifesto.analytics.fold import FillRow, RunFacts
from hatmanifesto.analytics.mids import (
    Bools,
    Int64,
    MidPath,
    Mids,
    path_of,
    tick_at,
    tick_before,
    tick_reopening,
)
from hatmanifesto.domain.units import NS_S

HORIZON_NS = 5 * NS_S
"""Adverse selection is the move of the mid over this time after a maker's fill."""
STALE_NS = 2 * NS_S
"""A reference mid older than this is counted as stale. Source: QUANT A.12."""
BOUND = 2**62


class FillParts(NamedTuple):
    """Parts of each fill's profit and loss; shape (n_fills,), in the order of the fills given.

    ``mid2`` is the reference mid at the fill, ``slippage`` x(a-p), 0 where a is unknown. Money in
    half micro-USDC.
    """

    spread: Int64
    adverse_selection: Int64
    timing: Int64
    price: Int64
    gap: Int64
    fee: Int64
    slippage: Int64
    mid2: Int64
    is_substituted: Int64
    is_stale: Int64


class Components(msgspec.Struct, frozen=True):
    """Signed parts of net, in half micro-USDC; a cost is negative.

    ``funding`` is None when a funding hour was crossed whose rate is unknown; ``funding_known`` is
    the sum of the payments that are known, and is what net and residual contain.
    """

    price: int
    spread: int
    adverse_selection: int
    timing: int
    fees: int
    rebates: int
    funding: int | None
    gap: int
    residual: int
    net: int
    funding_known: int
    slippage: int
    turnover: int
    fills: int

    def explained(self) -> int:
        """Return the sum of the parts, residual excluded."""
        return (
            self.price
            + self.spread
            + self.adverse_selection
            + self.timing
            + self.fees
            + self.rebates
            + self.funding_known
            + self.gap
        )


class Attribution(msgspec.Struct, frozen=True):
    """Components in total, by coin slot and by book, and how many fills needed a substitute mid."""

    total: Components
    by_coin: dict[int, Components]
    by_book: dict[int, Components]
    fills_substituted: int
    fills_stale: int


def attribute(
    facts: RunFacts, mids: Mapping[int, Mids], *, net: int | None = None
) -> tuple[Attribution, FillParts]:
    """Attribute a run, and return the parts of each fill as well.

    Args:
        facts: folded run.
        mids: by coin slot; every coin with a fill needs at least one.
        net: the ledger's profit and loss, cash plus position at the last mid [half micro-USDC];
            None takes this module's own cash flow sum, as is done for coins and books.
    """
    paths = paths_of(facts, mids)
    parts = split_fills(facts.fills, paths)
    by_book_usdc = allot_funding(facts.funding, facts.fills)
    unknown = {event.coin for event in facts.funding_unknown}
    total = _sum(facts.fills, parts, paths, paid=sum(e.usdc for e in facts.funding))
    by_coin: dict[int, Components] = {}
    for coin in sorted({row.coin for row in facts.fills} | {e.coin for e in facts.funding}):
        paid = sum(event.usdc for event in facts.funding if event.coin == coin)
        chosen = [i for i, row in enumerate(facts.fills) if row.coin == coin]
        part = _sum(facts.fills, parts, paths, paid=paid, chosen=chosen)
        by_coin[coin] = _unknown(part) if coin in unknown else part
    by_book: dict[int, Components] = {}
    for book in sorted({row.book for row in facts.fills} | set(by_book_usdc)):
        chosen = [i for i, row in enumerate(facts.fills) if row.book == book]
        part = _sum(facts.fills, parts, paths, paid=by_book_usdc.get(book, 0), chosen=chosen)
        held = {facts.fills[i].coin for i in chosen}
        by_book[book] = _unknown(part) if held & unknown else part
    if net is not None:
        total = msgspec.structs.replace(total, net=net, residual=net - total.explained())
    attribution = Attribution(
        total=_unknown(total) if unknown else total,
        by_coin=by_coin,
        by_book=by_book,
        fills_substituted=int(parts.is_substituted.sum()),
        fills_stale=int(parts.is_stale.sum()),
    )
    return attribution, parts


def paths_of(facts: RunFacts, mids: Mapping[int, Mids]) -> dict[int, MidPath]:
    """Return the marked path of every coin that has a mid."""
    return {
        coin: path_of(series, [(g.start, g.end) for g in facts.gaps if g.coin == coin])
        for coin, series in sorted(mids.items())
        if len(series.ts)
    }


def split_fills(fills: Sequence[FillRow], paths: Mapping[int, MidPath]) -> FillParts:
    """Split every fill's profit and loss at the last mid into its parts."""
    out = FillParts(*(np.zeros(len(fills), dtype=np.int64) for _ in FillParts._fields))
    for coin in sorted({row.coin for row in fills}):
        assert coin in paths, f"expected a mid for coin slot {coin}, which has fills"
        index = np.array([i for i, row in enumerate(fills) if row.coin == coin], dtype=np.int64)
        part = _split_coin([fills[i] for i in index.tolist()], paths[coin])
        for target, values in zip(out, part, strict=True):
            target[index] = values
    return out


def _split_coin(fills: Sequence[FillRow], path: MidPath) -> FillParts:
    ts, x, px, fee, decision, taker, hole = _columns(fills)
    at, is_substituted = tick_before(path, ts)
    at = np.where(hole, tick_reopening(path, ts), at)
    later = np.maximum(tick_at(path, ts + HORIZON_NS), at)
    last = len(path.ts) - 1
    mid2, later2, last2 = path.mid2[at], path.mid2[later], path.mid2[last]
    gap_near = path.gap2[later] - path.gap2[at]
    gap_far = path.gap2[last] - path.gap2[later]
    decided = np.where(decision > 0, decision, mid2)
    edge = x * (mid2 - 2 * px)
    maker = ~taker & ~hole
    taken = taker & ~hole
    adverse = np.where(maker, x * (later2 - mid2 - gap_near), 0)
    timing = np.where(taken, x * (decided - mid2), 0)
    price = np.select(
        [maker, taken],
        [x * (last2 - later2 - gap_far), x * (last2 - decided - gap_near - gap_far)],
        x * (last2 - mid2 - gap_near - gap_far),
    )
    return FillParts(
        spread=np.where(hole, 0, edge),
        adverse_selection=adverse,
        timing=timing,
        price=price,
        gap=x * (gap_near + gap_far) + np.where(hole, edge, 0),
        fee=-2 * fee,
        slippage=np.where(decision > 0, x * (decision - 2 * px), 0),
        mid2=mid2,
        is_substituted=(is_substituted & ~hole).astype(np.int64),
        is_stale=((ts - path.ts[at] > STALE_NS) & ~hole).astype(np.int64),
    )


def _columns(
    fills: Sequence[FillRow],
) -> tuple[Int64, Int64, Int64, Int64, Int64, Bools, Bools]:
    columns = [
        (row.ts, row.szi, row.px, row.fee, row.mid2_decision, row.is_taker, row.is_gap)
        for row in fills
    ]
    for row in fills:
        assert row.notional < BOUND // 64, f"expected a notional that fits, was {row.notional}"
    table = np.array(columns, dtype=np.int64).reshape(len(columns), 7)
    ts, x, px, fee, decision = (np.ascontiguousarray(table[:, i]) for i in range(5))
    return ts, x, px, fee, decision, table[:, 5].astype(bool), table[:, 6].astype(bool)


def _sum(
    fills: Sequence[FillRow],
    parts: FillParts,
    paths: Mapping[int, MidPath],
    *,
    paid: int,
    chosen: Sequence[int] | None = None,
) -> Components:
    pick = range(len(fills)) if chosen is None else chosen
    index = np.fromiter(pick, dtype=np.int64)
    rows = [fills[i] for i in pick]

    def total(values: Int64) -> int:
        return sum(values[index].tolist())  # Python integers: no sum can wrap

    fee = parts.fee[index]
    part = Components(
        price=total(parts.price),
        spread=total(parts.spread),
        adverse_selection=total(parts.adverse_selection),
        timing=total(parts.timing),
        fees=sum(fee[fee < 0].tolist()),
        rebates=sum(fee[fee > 0].tolist()),
        funding=2 * paid,
        gap=total(parts.gap),
        residual=0,
        net=cash_net(rows, paths) + 2 * paid,
        funding_known=2 * paid,
        slippage=total(parts.slippage),
        turnover=sum(row.notional for row in rows),
        fills=len(rows),
    )
    return msgspec.structs.replace(part, residual=part.net - part.explained())


def _unknown(part: Components) -> Components:
    return msgspec.structs.replace(part, funding=None)


def cash_net(fills: Sequence[FillRow], paths: Mapping[int, MidPath]) -> int:
    """Return cash plus position at the last mid, less fees, without funding [half micro-USDC]."""
    net = 0
    for row in fills:
        net += row.szi * int(paths[row.coin].mid2[-1]) - 2 * row.side * row.notional - 2 * row.fee
    return net
