"""No look-ahead in strategies on hourly data: what follows a cut changes nothing before it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from hatmanifesto.apps.data import open_dataset
from hatmanifesto.apps.request import BacktestRequest
from hatmanifesto.apps.spec import build_spec
from hatmanifesto.domain.enums import RowKind
from hatmanifesto.domain.events import Filled
from hatmanifesto.domain.rows import COIN, EXCH, KIND, A, Row
from hatmanifesto.store.dataset import SAMPLE
from hatmanifesto.strategies.contract import Strategy
from tests import planted_leaks
from tests.core_world import HOUR, bbo, ctx, funding
from tests.lookahead import Market, Scheme, Setup, Verdict, Wrap, clean, judge, run_log

COINS = ("BTC", "ETH")
HOURS = 240
STEP = 3_600 * 10**9
FEED_NS = 200 * 10**6
CUTS = 24
PX = (1_000_000, 400_000)
"""Prices to start from [px units], both worth 100,000 and 4,000 USDC."""
PX_ONE = (10, 100)

CASES: dict[str, tuple[str, Mapping[str, str]]] = {
    "maker": ("maker", {"half_spread_bps": "30", "requote_ms": "1000"}),
    "trend": ("trend", {"sample_s": "3600", "look_c": "0", "look_d": "0", "band_pct": "0"}),
    "reversion": (
        "reversion",
        {"sample_s": "3600", "stale_s": "3600", "pairs_min": "20", "cost_mult": "0.5",
         "enter_z": "1", "memory_n": "50"},
    ),
    "carry": ("carry", {"rebalance_h": "6", "half_life_h": "6", "history_h": "10"}),
}  # fmt: skip


def market_of(seed: int) -> Market:
    """Return two coins hour by hour: quote, mark and oracle that stray, funding that turns."""
    dice = np.random.Generator(np.random.PCG64(seed))
    moves = np.cumsum(0.01 * dice.standard_normal((HOURS, 2)), axis=0)
    off = np.zeros(2)
    rows: list[Row] = []
    for n in range(HOURS):
        off = 0.7 * off + 2e-3 * dice.standard_normal(2)
        rate = round(3e6 * float(np.sin(n / 20.0)))
        for coin in (0, 1):
            at = HOUR + n * STEP
            mid = round(PX[coin] * float(np.exp(moves[n, coin])) / 100) * 100
            mark = round(mid * 10**10 / PX_ONE[coin])
            oracle = round(mark / (1.0 + float(off[coin])))
            rows.append(
                bbo(at, bid=mid - 100, bid_sz=10**7, ask=mid + 100, ask_sz=10**7, coin=coin)
            )
            rows.append(ctx(at, mark=mark, oracle=oracle, coin=coin))
            rows.append(funding(at + 10**8, rate=rate if coin else -rate, coin=coin))
    rows.sort(key=lambda row: (row[2], row[1]))
    return Market(COINS, rows, np.zeros((0, 20, 4), dtype=np.int64))


def next_payment(market: Market) -> tuple[Market, Wrap]:
    """Leak in a feature: the carry ranks by the payments of the hour to come."""
    paid = [
        [
            (row[EXCH], row[A])
            for row in market.rows
            if row[KIND] == RowKind.FUNDING and row[COIN] == c
        ]
        for c in range(len(market.coins))
    ]

    def wrap(coin: int, strategy: Strategy) -> Strategy:
        decide = strategy.decide

        def peek(p: Any, views: Any, m: Any) -> tuple[int, ...]:
            seen = []
            for c, v in enumerate(views):
                rate = next((r for at, r in paid[c] if at > v.now), v.funding_rate)
                seen.append(v._replace(funding_rate=rate))
            return decide(p, tuple(seen), m)

        return strategy._replace(decide=peek)

    return market, wrap


LEAKS: dict[str, Scheme] = {
    "maker": planted_leaks.early(STEP),
    "trend": planted_leaks.peeking(STEP),
    "reversion": planted_leaks.early(STEP),
    "carry": next_payment,
}


def setup_of(name: str, scheme: Scheme) -> Setup:
    """Return how a strategy is run on an hourly market."""
    strategy, settings = CASES[name]
    dataset = open_dataset(SAMPLE, "nowhere")
    request = BacktestRequest(
        home="nowhere",
        strategy=strategy,
        settings=dict(settings),
        data=SAMPLE,
        coins=COINS,
        capital=10_000 * 10**6,
        latency="fixed:200ms",
    )
    return Setup(build_spec(request, dataset)[0], scheme, FEED_NS)


def verdict_of(name: str, scheme: Scheme) -> Verdict:
    """Return what the cuts show of a strategy on the hourly market."""
    setup = setup_of(name, scheme)
    market, other = market_of(1), market_of(2)
    assert run_log(setup, market).count(Filled) >= 10
    stamps = sorted({row[EXCH] for row in market.rows if row[KIND] == RowKind.BBO})[40:-10]
    cuts = stamps[:: len(stamps) // CUTS][:CUTS]
    verdict = judge(setup, market, other, cuts=cuts)
    print(f"{name}: {verdict}")
    assert verdict.cuts == CUTS
    return verdict


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_decisions_are_the_same_whatever_follows(name: str) -> None:
    verdict = verdict_of(name, clean)
    assert verdict.either == 0, verdict.first


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_planted_leak_is_caught(name: str) -> None:
    assert verdict_of(name, LEAKS[name]).either == CUTS
