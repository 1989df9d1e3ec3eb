"""The runs of docs/results.md: which data, which command line, and why."""

from pathlib import Path
from typing import NamedTuple

DATASETS = {
    "bars": ("hl_candles/_universe-1h.parquet", "hl_candles/XRP-1h.parquet"),
    "rates": (
        "hl_funding/SOL_fundingHistory_api_202501_202602.json.gz",
        "hl_funding/_universe-1h-funding.parquet",
        "hl_funding/XRP-1h-funding.parquet",
    ),
    "contexts": ("hl_l2_ctx_btc_2025/hyperliquid_orderbook_20250203.csv.gz",),
}
"""Files of each dataset below the recorded data. SOL's payments come first with their premiums; the
universe's repeat them."""

CARRIED = (
    *("BTC", "ETH", "SOL", "XRP", "DOGE", "BNB"),
    *("ARB", "kPEPE", "HYPE", "FARTCOIN", "TRUMP", "WIF"),
)

PORTFOLIO = f"""[allocator]
method = "risk_parity"
every_hours = 168
lookback_days = 30

[[strategy]]
name = "maker"
coins = ["BTC", "ETH", "SOL"]
capital = "5000"
set = {{ half_spread_bps = 60, requote_ms = 3600000 }}

[[strategy]]
name = "carry"
coins = [{", ".join(f'"{coin}"' for coin in CARRIED)}]
capital = "5000"

[[strategy]]
name = "trend"
coins = ["BTC", "ETH", "SOL", "XRP", "DOGE"]
capital = "5000"

[[strategy]]
name = "reversion"
coins = ["SOL"]
capital = "5000"
set = {{ sample_s = 3600, stale_s = 3700, cost_mult = 0.5 }}
"""
"""Maker and its spread as in the sample `house`. The reversion's premiums are hourly; it is told
to enter at half of its costs: at its default, twice them, it never would (see its own case)."""


class Case(NamedTuple):
    """A command line of `hat backtest`, its ending and what it is there to show."""

    name: str
    arguments: tuple[str, ...]
    shows: str
    code: int = 0
    portfolio: str = ""

    def command(self, folder: Path | None = None) -> list[str]:
        """Return the arguments after `hat`; a portfolio lies in ``folder``."""
        if not self.portfolio:
            return ["backtest", *self.arguments]
        file = f"{self.name}.toml" if folder is None else str(folder / f"{self.name}.toml")
        return ["backtest", "--portfolio", file, *self.arguments]


MONTHS = ("--data", "bars,rates")
SOL = (*MONTHS, "--coin", "SOL", "--from", "2025-01-01T00:00:00Z")
HOURLY = ("--set", "sample_s=3600", "--set", "stale_s=3700")

CASES = (
    Case(
        "house",
        (*MONTHS, "--from", "2025-01-01T00:00:00Z"),
        "four strategies on one account, premiums from 2025 on",
        portfolio=PORTFOLIO,
    ),
    Case("carry", ("carry", *MONTHS, "--coin", "all", "--capital", "10000"), "all coins"),
    Case("carry-100", ("carry", *MONTHS, "--coin", "all", "--capital", "100"), "100 USDC"),
    Case(
        "carry-hedged-sol",
        ("carry", *SOL, "--set", "hedge=1", "--set", "hold_h=720", "--capital", "10000"),
        "perp against its index, both legs charged, a month to earn the costs",
    ),
    Case(
        "carry-hedged-sol-72h",
        ("carry", *SOL, "--set", "hedge=1", "--capital", "10000"),
        "the same with the default of three days",
        code=5,
    ),
    Case(
        "carry-hedged-btc",
        ("carry", *MONTHS, "--coin", "BTC", "--set", "hedge=1", "--capital", "10000"),
        "no premium is recorded of BTC",
        code=2,
    ),
    Case("trend", ("trend", *MONTHS, "--coin", "all", "--capital", "10000"), "all coins"),
    Case("trend-xrp-100", ("trend", *MONTHS, "--coin", "XRP", "--capital", "100"), "100 USDC"),
    Case("maker-xrp-100", ("maker", *MONTHS, "--coin", "XRP", "--capital", "100"), "100 USDC"),
    Case(
        "reversion-sol",
        ("reversion", *SOL, *HOURLY, "--capital", "10000"),
        "hourly premiums, default costs",
        code=5,
    ),
    Case(
        "reversion-btc",
        ("reversion", "--data", "contexts", "--coin", "BTC", "--capital", "10000"),
        "47 minutes of recorded contexts",
        code=5,
    ),
)
