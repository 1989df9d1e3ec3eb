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

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from hatmanifesto.analytics.allot import Share, funding_shares, sum_shares
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
from hatmanifesto.analytics.places import places_of
from hatmanifesto.domain.units import NS_S

HORIZON_NS = 5 * NS_S
"""Adverse selection is the move of the mid over this time after a maker's fill."""
STALE_NS = 2 * NS_S
"""A reference mid older than this is counted as stale. Source: QUANT A.12."""
BOUND = 2**62
SUMMED = ("price", "basis", "spread", "adverse_selection", "timing", "gap", "slippage", "turnover")
"""Parts of a fill that a bucket sums as they are."""


class FillParts(NamedTuple):
    """Parts of each fill's profit and loss; shape (n_fills,), in the order of the fills given.

    ``mid2`` is the reference mid at the fill, ``slippage`` x(a-p), 0 where a is unknown;
    ``turnover`` is px times sz [micro-USDC]. Other money in half micro-USDC.
    """

    spread: Int64
    adverse_selection: Int64
    timing: Int64
    price: Int64
    basis: Int64
    gap: Int64
    fee: Int64
    slippage: Int64
    turnover: Int64
    mid2: Int64
    is_substituted: Int64
    is_stale: Int64


class Components(msgspec.Struct, frozen=True):
    """Signed parts of net, in half micro-USDC; a cost is negative.

    ``funding`` is None when a funding hour was crossed whose rate is unknown; ``funding_known`` is
    the sum of the payments that are known, and is what net and residual contain.
    """

    price: int
    basis: int
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
            + self.basis
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
    facts: RunFacts,
    mids: Mapping[int, Mids],
    *,
    net: int | None = None,
    shares: Sequence[Share] | None = None,
) -> tuple[Attribution, FillParts]:
    """Attribute a run, and return the parts of each fill as well.

    Args:
        facts: folded run.
        mids: by coin slot; every coin with a fill needs at least one.
        net: the ledger's profit and loss, cash plus position at the last mid [half micro-USDC];
            None takes this module's own cash flow sum, as is done for coins and books.
        shares: the funding split over books, when the caller has it already.
    """
    paths = paths_of(facts, mids)
    parts = with_basis(split_fills(facts.fills, paths), facts.fills, hedged=facts.hedged)
    flows = cash_flows(facts.fills, paths)
    unknown = {event.coin for event in facts.funding_unknown}
    paid_by_coin: Counter[int] = Counter()
    for event in facts.funding:
        paid_by_coin[event.coin] += event.usdc
    coins = [row.coin for row in facts.fills]
    books = [row.book for row in facts.fills]
    held = {row.book for row in facts.fills if row.coin in unknown}
    by_coin = components_by(coins, parts, flows, paid=paid_by_coin, unknown=unknown)
    if shares is None:
        shares = funding_shares(facts.funding, facts.fills)
    by_book = components_by(books, parts, flows, paid=sum_shares(shares), unknown=held)
    whole = {0: paid_by_coin.total()}
    total = components_by(
        [0] * len(coins), parts, flows, paid=whole, unknown=whole if unknown else ()
    )[0]
    if net is not None:
        total = msgspec.structs.replace(total, net=net, residual=net - total.explained())
    attribution = Attribution(
        total=total,
        by_coin=by_coin,
        by_book=by_book,
        fills_substituted=int(parts.is_substituted.sum()),
        fills_stale=int(parts.is_stale.sum()),
    )
    return attribution, parts


def paths_of(facts: RunFacts, mids: Mapping[int, Mids]) -> dict[int, MidPath]:
    """Return the marked path of every coin that has a mid."""
    gaps = places_of(facts.gaps)
    none = np.array([], dtype=np.int64)
    return {
        coin: path_of(
            series,
            [(facts.gaps[i].start, facts.gaps[i].end) for i in gaps.get(coin, none).tolist()],
        )
        for coin, series in sorted(mids.items())
        if len(series.ts)
    }


def split_fills(fills: Sequence[FillRow], paths: Mapping[int, MidPath]) -> FillParts:
    """Split every fill's profit and loss at the last mid into its parts."""
    out = FillParts(*(np.zeros(len(fills), dtype=np.int64) for _ in FillParts._fields))
    for coin, index in places_of(fills).items():
        assert coin in paths, f"expected a mid for coin slot {coin}, which has fills"
        part = _split_coin([fills[i] for i in index.tolist()], paths[coin])
        for target, values in zip(out, part, strict=True):
            target[index] = values
    return out


class Placed(NamedTuple):
    """Fills of one coin and where they stand on its path; every array has shape (n,).

    ``at`` is the reference tick of each fill, ``later`` that of the end of its horizon.
    """

    ts: Int64
    x: Int64
    px: Int64
    fee: Int64
    decision: Int64
    taker: Bools
    hole: Bools
    at: Int64
    later: Int64
    is_substituted: Bools


def place_fills(fills: Sequence[FillRow], path: MidPath) -> Placed:
    """Return the fills of one coin with their ticks."""
    ts, x, px, fee, decision, taker, hole = _columns(fills)
    at, is_substituted = tick_before(path, ts)
    at = np.where(hole, tick_reopening(path, ts), at)
    later = np.maximum(tick_at(path, ts + HORIZON_NS), at)
    return Placed(ts, x, px, fee, decision, taker, hole, at, later, is_substituted)


def _split_coin(fills: Sequence[FillRow], path: MidPath) -> FillParts:
    return parts_until(place_fills(fills, path), path, last=len(path.ts) - 1)


def parts_until(placed: Placed, path: MidPath, *, last: int) -> FillParts:
    """Return the parts of each fill as they stand at the tick ``last``, with no later one known."""
    ts, x, px, fee, decision, taker, hole, at, later, is_substituted = placed
    at, later = np.minimum(at, last), np.minimum(later, last)
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
        basis=np.zeros_like(price),
        gap=x * (gap_near + gap_far) + np.where(hole, edge, 0),
        fee=-2 * fee,
        slippage=np.where(decision > 0, x * (decision - 2 * px), 0),
        turnover=np.abs(x) * px,
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


def with_basis(
    parts: FillParts, fills: Sequence[FillRow], *, hedged: Collection[tuple[int, int]]
) -> FillParts:
    """Return the parts with what holding brought called basis where a second leg stands against it.

    Over both legs of a pair that part is the sum of q dM of perp and leg: with equal and opposite
    positions, their size times the move of perp less leg.
    """
    if not hedged:
        return parts
    is_hedged = np.array([(row.book, row.coin) in hedged for row in fills], dtype=np.bool_)
    return parts._replace(
        basis=np.where(is_hedged, parts.price, 0), price=np.where(is_hedged, 0, parts.price)
    )


def components_by(
    keys: Sequence[int],
    parts: FillParts,
    flows: Sequence[int],
    *,
    paid: Mapping[int, int],
    unknown: Collection[int] = (),
) -> dict[int, Components]:
    """Return the components of every key, in order; over all keys they sum to the run's exactly.

    Args:
        keys: which bucket each fill belongs to.
        parts: of the fills.
        flows: net of each fill without funding, see `cash_flows` [half micro-USDC].
        paid: funding by key [micro-USDC]; a key without fills is a bucket too.
        unknown: keys that crossed a funding hour without a rate.
    """
    places: dict[int, list[int]] = {key: [] for key in sorted({*keys, *paid})}
    for place, key in enumerate(keys):
        places[key].append(place)
    columns = {name: getattr(parts, name).tolist() for name in SUMMED}
    fees = parts.fee.tolist()
    out: dict[int, Components] = {}
    for key, mine in places.items():
        sums = {name: sum(column[i] for i in mine) for name, column in columns.items()}
        funding = 2 * paid.get(key, 0)
        part = Components(
            **sums,
            fees=sum(fees[i] for i in mine if fees[i] < 0),
            rebates=sum(fees[i] for i in mine if fees[i] > 0),
            funding=None if key in unknown else funding,
            residual=0,
            net=sum(flows[i] for i in mine) + funding,
            funding_known=funding,
            fills=len(mine),
        )
        out[key] = msgspec.structs.replace(part, residual=part.net - part.explained())
    return out


def cash_flows(fills: Sequence[FillRow], paths: Mapping[int, MidPath]) -> list[int]:
    """Return each fill's cash plus its size at the last mid, less its fee [half micro-USDC].

    Told from the fills alone, apart from the parts: what the two disagree on is the residual.
    """
    last = {coin: int(path.mid2[-1]) for coin, path in paths.items()}
    return [
        row.side * (row.sz * last[row.coin] - 2 * row.px * row.sz) - 2 * row.fee for row in fills
    ]
