"""A run cut by strategy, coin, regime, hour and day: parts of net that sum to the whole exactly.

Every part of a fill (spread, adverse selection, timing, price, gap, fee) belongs to the bucket of
that fill, to the end of the run: for hours and days the bucket of the fill's stamp, for regimes the
label its order carried. Funding belongs to the hour and day it was paid; over strategies and
regimes it is shared by the positions it charged (``HOUSE`` takes what none explains).

``earned`` is another cut of the same net, for hours and days alone: what the account earned while
that hour lasted, whoever opened the position and when.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from hatmanifesto.analytics.allot import Share, funding_shares, sum_shares
from hatmanifesto.analytics.attribution import (
    Components,
    FillParts,
    cash_flows,
    components_by,
)
from hatmanifesto.analytics.clustered import Estimate, sum_of_groups, sum_of_series
from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.fold import FillRow, RunFacts
from hatmanifesto.analytics.markouts import Markout, markouts_by
from hatmanifesto.analytics.mids import Int64, MidPath
from hatmanifesto.analytics.series import profits_by
from hatmanifesto.domain.events import FundingPaid
from hatmanifesto.domain.units import MICRO, NS_HOUR

NS_DAY = 24 * NS_HOUR
HALF = 2 * MICRO
"""Half micro-USDC in one USDC."""
DAYS_MIN = 5
"""An hour of the day seen on fewer days than this gets no interval."""
KINDS = ("strategy", "coin", "regime", "hour", "day")


class Bucket(msgspec.Struct, frozen=True):
    """One bucket.

    ``key``: book (-1 is the house), coin slot, regime label (0 unknown), hour of the day 0-23 UTC,
    or whole days since the epoch. ``parts`` in half micro-USDC. ``earned`` [half micro-USDC] for
    hours and days, else None. ``estimate`` [USDC]: of net, for hours of ``earned``, clustered by
    blocks of time or by day; None with too few observations. ``markouts`` of its fills at every
    horizon; empty for days and for buckets without a fill.
    """

    key: int
    parts: Components
    earned: int | None = None
    estimate: Estimate | None = None
    markouts: tuple[Markout, ...] = ()

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the 95 % interval [USDC], uncorrected for the other buckets."""
        return None if self.estimate is None else self.estimate.span()


Breakdowns = dict[str, tuple[Bucket, ...]]
"""Buckets in order of their keys, by kind of `KINDS`."""


class Names(msgspec.Struct, frozen=True):
    """What to call the buckets; a key without a name is told as it is."""

    books: tuple[str, ...] = ()
    coins: tuple[str, ...] = ()
    regimes: tuple[str, ...] = ()

    def of(self, kind: str, key: int) -> str:
        """Return the name of a bucket."""
        if kind == "hour":
            return f"{key:02d}:00 UTC"
        if kind == "day":
            return str(np.datetime64(key, "D"))
        known = {"strategy": self.books, "coin": self.coins, "regime": self.regimes}[kind]
        if 0 <= key < len(known):
            return known[key]
        if key < 0:
            return "house"
        return "unknown" if kind == "regime" and key <= 0 else f"{kind} {key}"


def breakdowns_of(
    facts: RunFacts,
    parts: FillParts,
    paths: Mapping[int, MidPath],
    equity: Equity | None,
    *,
    shares: Sequence[Share] | None = None,
) -> Breakdowns:
    """Return every breakdown of a run.

    Args:
        facts: folded run.
        parts: of its fills, in their order.
        paths: by coin slot.
        equity: of the same facts; None leaves every interval and ``earned`` unknown.
        shares: the funding split over books, when the caller has it already.
    """
    fills, paid = facts.fills, facts.funding
    flows = cash_flows(fills, paths)
    keys = keys_of(fills)
    unknown = _unknown_by(facts, keys)
    splits = {
        "strategy": funding_shares(paid, fills) if shares is None else shares,
        "coin": [(event, {event.coin: event.usdc}) for event in paid],
        "regime": funding_shares(paid, fills, keys=keys["regime"]),
    }
    funding = _funding_by(paid, splits)
    out: Breakdowns = {}
    for kind in KINDS:
        found = components_by(keys[kind], parts, flows, paid=funding[kind], unknown=unknown[kind])
        if equity is None:
            out[kind] = tuple(Bucket(key, part) for key, part in found.items())
        elif kind in splits:
            profit = profits_by(keys[kind], fills, paths, grid=equity.ts, shares=splits[kind])
            out[kind] = tuple(
                Bucket(key, part, estimate=_of_series(profit.get(key)))
                for key, part in found.items()
            )
        else:
            out[kind] = _timed(kind, found, equity)
        if kind != "day":
            out[kind] = _marked(out[kind], markouts_by(keys[kind], fills, paths))
    return out


def _marked(
    buckets: Sequence[Bucket], markouts: Mapping[int, Sequence[Markout]]
) -> tuple[Bucket, ...]:
    return tuple(
        msgspec.structs.replace(bucket, markouts=tuple(markouts.get(bucket.key, ())))
        for bucket in buckets
    )


def keys_of(fills: Sequence[FillRow]) -> dict[str, list[int]]:
    """Return the bucket of every fill, by kind."""
    return {
        "strategy": [row.book for row in fills],
        "coin": [row.coin for row in fills],
        "regime": [row.regime for row in fills],
        "hour": [row.ts % NS_DAY // NS_HOUR for row in fills],
        "day": [row.ts // NS_DAY for row in fills],
    }


def _funding_by(
    paid: Sequence[FundingPaid], splits: Mapping[str, Sequence[Share]]
) -> dict[str, Mapping[int, int]]:
    hours: Counter[int] = Counter()
    days: Counter[int] = Counter()
    for event in paid:
        hours[event.exch % NS_DAY // NS_HOUR] += event.usdc
        days[event.exch // NS_DAY] += event.usdc
    return {
        **{kind: sum_shares(shares) for kind, shares in splits.items()},
        "hour": hours,
        "day": days,
    }


def _unknown_by(facts: RunFacts, keys: Mapping[str, Sequence[int]]) -> dict[str, set[int]]:
    """Return the buckets that a funding hour without a rate falls into."""
    coins = {event.coin for event in facts.funding_unknown}
    touched = [i for i, row in enumerate(facts.fills) if row.coin in coins] if coins else []
    return {
        "strategy": {keys["strategy"][i] for i in touched},
        "coin": coins,
        "regime": {keys["regime"][i] for i in touched},
        "hour": {event.exch % NS_DAY // NS_HOUR for event in facts.funding_unknown},
        "day": {event.exch // NS_DAY for event in facts.funding_unknown},
    }


def _of_series(profit: Int64 | None) -> Estimate | None:
    if profit is None:
        return None
    return sum_of_series(np.diff(profit).astype(np.float64) / HALF)


def _timed(kind: str, found: Mapping[int, Components], equity: Equity) -> tuple[Bucket, ...]:
    """Return the buckets of time; a step belongs to the hour it begins in."""
    steps = np.diff(equity.pnl, prepend=0)  # what stood at the start was earned before it
    begun = np.concatenate([equity.ts[:1], equity.ts[:-1]])
    day = begun // NS_DAY
    key = day if kind == "day" else begun % NS_DAY // NS_HOUR
    out: list[Bucket] = []
    for each in sorted({*found, *np.unique(key).tolist()}):
        mine = key == each
        part = found.get(each) or NOTHING
        estimate = None
        if kind == "hour":
            usdc = steps[mine].astype(np.float64) / HALF
            estimate = sum_of_groups(usdc, day[mine], groups_min=DAYS_MIN)
        out.append(Bucket(each, part, sum(steps[mine].tolist()), estimate))
    return tuple(out)


NOTHING = Components(
    price=0,
    basis=0,
    spread=0,
    adverse_selection=0,
    timing=0,
    fees=0,
    rebates=0,
    funding=0,
    gap=0,
    residual=0,
    net=0,
    funding_known=0,
    slippage=0,
    turnover=0,
    fills=0,
)
"""A bucket in which nothing was filled or paid."""
