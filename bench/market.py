"""The market that every engine is measured on: recorded rows, repeated, and how to quote them."""

import os
from pathlib import Path
from typing import NamedTuple

from hatmanifesto.apps.data import import_paths, open_dataset
from hatmanifesto.store.tape import ParquetTape

ROOT = Path(__file__).resolve().parents[1]
RECORDED = "hl_l2_20250904"
SAMPLE = "sample"
COINS = ("BTC", "ETH")

CAPITAL_USDC = 10_000_000
"""Large, so that hours of a losing maker do not run into the limit on losses."""
SETTINGS = {
    "half_spread_bps": "0.5",
    "size_pct": "0.02",
    "inventory_pct": "0.2",
    "requote_ms": "350",
}
"""Quotes of 1,000 USDC a side and coin, 0.5 bps from the micro-price, at most every 350 ms."""
LATENCY_MEDIAN_MS = 100
LATENCY = f"lognormal:{LATENCY_MEDIAN_MS}ms:0.3"
BLOCK_MS = 75
QUEUE = "risk_averse"
SEED = 7


class Market(NamedTuple):
    """Where the rows lie: ``home`` and ``data`` open them, ``label`` names them in results."""

    home: str
    data: str
    label: str

    def tape(self, repeat: int) -> ParquetTape:
        """Return the rows, ``repeat`` times over with shifted stamps."""
        dataset = open_dataset(self.data, Path(self.home))
        return ParquetTape(dataset, coins=COINS, repeat=repeat)


def recorded_folder() -> Path:
    """Return where recorded data lie: `HAT_SHARED_DATA`, else ../shared/data by the checkout."""
    named = os.environ.get("HAT_SHARED_DATA")
    return Path(named) if named else ROOT.parent / "shared" / "data"


def prepare(home: Path) -> Market:
    """Import the recorded set into ``home``; the shipped sample stands in where there is none."""
    folder = recorded_folder() / RECORDED
    if not folder.is_dir():
        return Market(str(home), SAMPLE, "sample (SYN, generated)")
    report = import_paths([folder], dataset=RECORDED, home=home)
    return Market(str(home), report.snapshot.spec, RECORDED)


def market_rows(tape: ParquetTape) -> int:
    """Return how many recorded facts a tape holds: best quotes, snapshots, trades; no holes."""
    return tape.rows_total - len(tape.gap_rows())
