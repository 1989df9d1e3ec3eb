"""`hat demo`: back-tests the maker on the shipped sample, so that everything is seen to work."""

from collections.abc import Callable

from hatmanifesto.apps.backtest import run_backtest
from hatmanifesto.apps.request import BacktestOutcome, BacktestRequest


def run_demo(
    *,
    home: str,
    seed: int,
    config_hash: str = "",
    progress: Callable[[float], None] | None = None,
) -> BacktestOutcome:
    """Run the maker on the generated sample with 1,000 USDC and return the answer."""
    return run_backtest(
        BacktestRequest(
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
    )
