"""`hat demo`: back-tests on a shipped sample, so that everything is seen to work."""

from collections.abc import Callable
from importlib import resources
from pathlib import Path

from msgspec.structs import replace

from hatmanifesto.apps.backtest import run_backtest
from hatmanifesto.apps.request import BacktestOutcome, BacktestRequest

PORTFOLIO = "house.toml"
"""Beside the samples: four strategies for `hat demo --house`."""


def run_demo(
    *,
    home: str,
    seed: int,
    is_house: bool = False,
    config_hash: str = "",
    progress: Callable[[float], None] | None = None,
) -> BacktestOutcome:
    """Run the maker on generated ticks, or all four strategies on generated candles.

    Args:
        home: folder everything is written to.
        seed: of every draw.
        is_house: all strategies on the sample `house` instead of the maker on `sample`.
        config_hash: of the effective configuration.
        progress: called with a fraction in [0, 1], or None.
    """
    request = BacktestRequest(
        home=home,
        strategy="maker",
        settings={},
        data="sample",
        coins=("BTC", "ETH"),
        capital=1_000 * 10**6,
        latency="lognormal:100ms:0.3",
        ties="both",
        seed=seed,
        config_hash=config_hash,
        progress=progress,
    )
    if not is_house:
        return run_backtest(request)
    with resources.as_file(resources.files("hatmanifesto.samples") / PORTFOLIO) as path:
        return run_backtest(_house(request, path))


def _house(request: BacktestRequest, portfolio: Path) -> BacktestRequest:
    return replace(
        request, strategy="", data="house", coins=(), portfolio=str(portfolio), ties="pessimistic"
    )
