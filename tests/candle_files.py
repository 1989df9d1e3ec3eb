"""Writes small candle and funding files, as public sources have them, and imports them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from hatmanifesto.apps.data import import_paths
from hatmanifesto.domain.units import NS_HOUR, NS_S

START_NS = 1_751_328_000 * NS_S
"""2025-07-01T00:00:00Z."""


class Bar(NamedTuple):
    """A candle: number of its hour after START_NS, prices [USDC], volume [coins]."""

    hour: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def at(hour: int) -> int:
    """Return the stamp of an hour [ns]."""
    return START_NS + hour * NS_HOUR


def walk(count: int, *, first: int = 0, px: float = 100_000.0) -> list[Bar]:
    """Return bars of BTC that swing: each opens where the one before closed."""
    bars = []
    for hour in range(first, first + count):
        close = px + 100.0 * ((7 * hour) % 11 - 5)
        high, low = max(px, close) + 50.0 + hour % 3, min(px, close) - 50.0 - hour % 4
        bars.append(Bar(hour, px, high, low, close, 100.0 + hour % 7))
        px = close
    return bars


def write_candles(folder: Path, coin: str, bars: Sequence[Bar], *, interval: str = "1h") -> Path:
    """Write bars; those of another interval than 1h are numbered in hours all the same."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{coin}-{interval}.parquet"
    dates = [datetime.fromtimestamp(at(bar.hour) // NS_S, tz=UTC) for bar in bars]
    columns = {"date": pa.array(dates, type=pa.timestamp("ns", tz="UTC"))}
    for name in Bar._fields[1:]:
        columns[name] = pa.array([getattr(bar, name) for bar in bars], type=pa.float64())
    pq.write_table(pa.table(columns), path)
    return path


def write_funding(folder: Path, coin: str, rates: Sequence[tuple[int, float]]) -> Path:
    """Write payments: ms after START_NS, rate."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{coin}-1h-funding.parquet"
    times = [
        datetime.fromtimestamp((START_NS // 10**6 + offset) / 1000, tz=UTC) for offset, _ in rates
    ]
    table = {
        "coin": [coin] * len(rates),
        "time": pa.array(times, type=pa.timestamp("ns", tz="UTC")),
        "funding_rate": pa.array([rate for _, rate in rates], type=pa.float64()),
    }
    pq.write_table(pa.table(table), path)
    return path


def put(home: Path, dataset: str, *paths: Path) -> None:
    """Import files under a name."""
    import_paths(list(paths), dataset=dataset, home=home)
