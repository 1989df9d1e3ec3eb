"""Writes small recorder files, sound or with planted defects, for the tests of the data side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

START_MS = 1_757_015_216_253
STEP_MS = 500
LEVELS = 20


def book_row(stamp_ms: int, *, bid: int = 110_000, sz: float = 1.5) -> dict[str, Any]:
    """Return one BTC book: best bid at ``bid``, one dollar a level, spread one dollar."""
    row: dict[str, Any] = {
        "timestamp": stamp_ms / 1000 + 0.4,
        "sequence": stamp_ms,
        "exchange_timestamp": stamp_ms,
    }
    for level in range(LEVELS):
        row[f"bid_price_{level}"] = float(bid - level)
        row[f"bid_size_{level}"] = sz + level
        row[f"ask_price_{level}"] = float(bid + 1 + level)
        row[f"ask_size_{level}"] = sz + level
    return row


def bbo_rows(stamp_ms: int, *, bid: int = 110_000, sz: float = 1.5) -> list[dict[str, Any]]:
    """Return one bbo update as the recorder writes it: a bid row and an ask row."""
    row = {"timestamp": stamp_ms / 1000 + 0.4, "size": sz, "exchange_timestamp": stamp_ms}
    return [
        {**row, "price": float(bid), "side": "bid"},
        {**row, "price": float(bid + 1), "side": "ask"},
    ]


def trade_row(stamp_ms: int, *, trade_id: int, px: float = 110_001.0) -> dict[str, Any]:
    """Return one print of a buyer."""
    return {
        "timestamp": stamp_ms / 1000 + 0.4,
        "price": px,
        "size": 0.01,
        "side": "buy",
        "trade_id": trade_id,
        "exchange_timestamp": stamp_ms,
    }


class Recording:
    """Rows of one coin, to be changed at will before they are written."""

    def __init__(self, count: int = 40, *, start_ms: int = START_MS) -> None:
        stamps = [start_ms + STEP_MS * index for index in range(count)]
        self.books = [book_row(stamp) for stamp in stamps]
        self.bbo = [row for stamp in stamps for row in bbo_rows(stamp)]
        self.trades = [
            trade_row(stamp, trade_id=start_ms % 1_000_000 * 1000 + index)
            for index, stamp in enumerate(stamps)
        ]

    def write(self, folder: Path, coin: str = "BTC") -> Path:
        """Write the three files and return their folder."""
        folder.mkdir(parents=True, exist_ok=True)
        write_rows(folder / f"orderbooks_{coin}.parquet", self.books)
        write_rows(folder / f"prices_{coin}.parquet", self.bbo)
        write_rows(folder / f"trades_{coin}.parquet", self.trades)
        return folder


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as Parquet, as the recorder does."""
    pq.write_table(pa.Table.from_pylist(list(rows)), path, compression="zstd")
