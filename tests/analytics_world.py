"""Made-up runs for the tests of analytics: mids that walk, fills that mean nothing unless told."""

import numpy as np

from hatmanifesto.analytics.attribution import attribute, paths_of
from hatmanifesto.analytics.breakdown import Names, breakdowns_of
from hatmanifesto.analytics.equity import equity_of
from hatmanifesto.analytics.findings import FeeRates, Setting, findings_of
from hatmanifesto.analytics.fold import FillRow, fold
from hatmanifesto.analytics.mids import Mids
from hatmanifesto.domain.events import FundingPaid
from hatmanifesto.domain.units import NS_S, rate_of

MINUTE = 60 * NS_S
T0 = 1_756_987_200 * NS_S + 7 * MINUTE
NAMES = Names(books=("alpha", "beta", "gamma"), coins=("BTC", "ETH", "SOL"))
FREE = FeeRates(0, 0)


def walk(rng, *, n, step_ns, px=100_000):
    """Return ``n`` mids of a random walk."""
    ts = T0 + np.arange(n, dtype=np.int64) * step_ns
    return Mids(ts, 2 * px + np.cumsum(rng.integers(-60, 61, size=n)).astype(np.int64))


def run_of(seed, *, n=400, step_ns=MINUTE, fills=200, books=2, coins=2, rates=FREE, edge=0):
    """Return facts and mids of a run whose fills lie round the mid, ``edge`` px units in favour.

    Positions go back to flat by each book's next fill in the coin, so that they stay small.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    mids = {coin: walk(rng, n=n, step_ns=step_ns) for coin in range(coins)}
    held: dict[tuple[int, int], int] = {}
    rows = []
    for at in np.sort(rng.integers(1, n - 2, size=fills)).tolist():
        book, coin = int(rng.integers(books)), int(rng.integers(coins))
        before = held.get((book, coin), 0)
        side = int(rng.choice([-1, 1])) if not before else -1 if before > 0 else 1
        sz = abs(before) or int(rng.integers(50, 200))
        held[book, coin] = before + side * sz
        ts = int(mids[coin].ts[at]) + 1 + len(rows)
        px = (int(mids[coin].mid2[at]) + int(rng.integers(-20, 21))) // 2 - side * edge
        taker = bool(rng.integers(2))
        rows.append(fill(ts, side, px, sz, book, coin, taker, rates, len(rows)))
    facts = fold([])
    return with_fills(facts, rows), mids


def fill(ts, side, px, sz, book, coin, taker, rates, number, regime=0):
    """Return one fill that paid the schedule."""
    fee = rate_of(px * sz, rates.taker if taker else rates.maker)
    return FillRow(
        ts, ts, number, number, book, coin, 0, side, px, sz, fee, taker, False, 0, ts, sz, px,
        regime=regime,
    )  # fmt: skip


def with_fills(facts, rows, funding=()):
    """Return the facts with other fills and payments."""
    import msgspec

    rows = tuple(sorted(rows, key=lambda row: row.ts))
    return msgspec.structs.replace(facts, fills=rows, funding=tuple(funding))


def payment(ts, coin, usdc):
    """Return one payment."""
    return FundingPaid(coin, 1, 1, 1, usdc, ts, ts)


def broken_down(facts, mids):
    """Return parts, breakdowns, equity and total of a run."""
    attribution, parts = attribute(facts, mids)
    paths = paths_of(facts, mids)
    equity = equity_of(facts.fills, paths, funding=facts.funding)
    return parts, breakdowns_of(facts, parts, paths, equity), equity, attribution


def found_in(facts, mids, rates=FREE, *, spacing_ns=0):
    """Return the findings of a run."""
    parts, breakdowns, _, _ = broken_down(facts, mids)
    setting = Setting(dict.fromkeys({row.coin for row in facts.fills}, rates), spacing_ns)
    return findings_of(facts, parts, breakdowns, names=NAMES, setting=setting)
