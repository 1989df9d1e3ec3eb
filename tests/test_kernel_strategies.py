"""Compiled trend, reversion and template want what plain Python wants, memory bit for bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hatmanifesto.kernel.quotes import Ints, first_difference, run_quotes, run_quotes_slow
from hatmanifesto.store.kernel_cache import load_kernel
from hatmanifesto.strategies import reversion, template, trend
from hatmanifesto.strategies.contract import Strategy, View

ROWS = 3_000
S = 10**9

CASES: dict[str, Strategy] = {
    "trend": trend.build(
        trend.Params(sample_s=60, look_a=1, look_b=5, look_c=20, look_d=0, vol_target_pct=90.0)
    ),
    "trend, one look-back and a band": trend.build(
        trend.Params(sample_s=7, look_a=0, look_b=3, look_c=0, look_d=0, band_pct=33.3)
    ),
    "reversion": reversion.build(
        reversion.Params(sample_s=2, pairs_min=20, cost_mult=0.3, enter_z=1.0)
    ),
    "reversion that forgets nothing": reversion.build(
        reversion.Params(sample_s=1, memory_n=0.0, pairs_min=10, cost_mult=0.0, enter_z=0.6)
    ),
    "template": template.build(template.Params(enter_bps=0.3)),
}


@pytest.fixture(scope="module", params=list(CASES))
def strategy(request: pytest.FixtureRequest) -> Strategy:
    return CASES[request.param]


def columns_of(seed: int) -> Ints:
    """Return a random walk of views with holes in time, a premium, regimes and inventory."""
    dice = np.random.Generator(np.random.PCG64(seed))
    bid = 200_000 + 10 * np.cumsum(dice.integers(-4, 5, ROWS))
    bid = np.maximum(bid, 120_000)
    steps = dice.integers(0, 3 * S, ROWS)
    steps[::500] += 400 * S
    now = 1_757_015_216 * S + np.cumsum(steps)
    wave = np.cumsum(dice.standard_normal(ROWS)) * 2e-4
    columns = {name: np.zeros(ROWS, dtype=np.int64) for name in View._fields}
    columns |= {
        "now": now,
        "exch": now - S // 5,
        "bid_px": bid,
        "bid_sz": dice.integers(1, 10**5, ROWS),
        "ask_px": bid + 10 * dice.integers(1, 5, ROWS),
        "ask_sz": dice.integers(1, 10**5, ROWS),
        "position": dice.integers(-3_000, 3_000, ROWS) * dice.integers(0, 2, ROWS),
        "capital": dice.choice([10, 30, 650, 10_000], ROWS) * 10**6,
        "px_one": np.full(ROWS, 100),
        "sz_one": np.full(ROWS, 10_000),
        "premium": (1e10 * (wave - 0.98 * np.roll(wave, 30))).astype(np.int64),
        "premium_exch": now - dice.integers(0, 70 * S, ROWS),
        "regime": dice.integers(0, 7, ROWS),
    }
    columns["mark"] = np.where(dice.integers(0, 2, ROWS) == 1, 20_010_000_000_000, 0)
    columns["oracle"] = np.where(columns["mark"] > 0, 20_000_000_000_000, 0)
    return np.ascontiguousarray(np.stack([columns[name] for name in View._fields], axis=1))


@pytest.mark.slow
def test_wishes_and_memory_are_equal(strategy: Strategy, home: Path) -> None:
    kernel = load_kernel(strategy, home)
    for seed in range(3):
        columns = columns_of(seed)
        fast, slow = np.zeros(strategy.memory), np.zeros(strategy.memory)
        actual = run_quotes(kernel, strategy.params, columns, fast)
        expected = run_quotes_slow(strategy.decide, strategy.params, columns, slow, slots=2)
        assert first_difference(expected, actual, columns) == ""
        assert fast.tobytes() == slow.tobytes()


def test_generated_views_buy_sell_and_rest(strategy: Strategy) -> None:
    wanted = plain(strategy, columns_of(0))
    shares = [
        (wanted[:, 1] > 0).mean(),
        (wanted[:, 3] > 0).mean(),
        (wanted == 0).all(axis=1).mean(),
    ]
    assert min(shares) > 0.02, shares


def plain(strategy: Strategy, columns: Ints) -> Any:
    memory = np.zeros(strategy.memory)
    return run_quotes_slow(strategy.decide, strategy.params, columns, memory, slots=2)
