"""Import and check of books in the recorder's format: rows a second on one core, and memory.

The file is generated: the best price moves in four rows of ten, each size in three of ten, about
what a recorded hour shows.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.child import run_child
from bench.market import Market
from bench.plan import Plan
from bench.result import Limit, Result, result_of
from hatmanifesto.apps.data import check_dataset, import_paths

LEVELS = 20
START_MS = 1_757_000_000_000
STEP_MS = 540
PORTION = 65_536
SEED = 7
MOVES, RESIZES = 0.4, 0.3
RATE = Limit(">=", 1_000_000.0)
MEMORY = Limit("<", 1_000.0)
SHAPES = (("", False), (", one row group", True))
"""Suffix of the name, and whether the file is a single row group: the worst case for memory."""


def bench(plan: Plan, market: Market) -> list[Result]:
    """Import and check a generated file of each shape, each time in a fresh process."""
    del market
    found = []
    with tempfile.TemporaryDirectory(prefix="hat-bench-") as folder:
        for suffix, is_one_group in SHAPES:
            path = Path(folder) / str(is_one_group) / "orderbooks_BTC.parquet"
            path.parent.mkdir()
            write_books(path, rows=plan.book_rows, is_one_group=is_one_group)
            runs = [run_child("warehouse", source=str(path)) for _ in range(plan.repeats)]
            found += _results(suffix, runs, f"{plan.book_rows:,} generated books of {LEVELS}")
    return found


def _results(suffix: str, runs: list[dict[str, Any]], data: str) -> list[Result]:
    rates = {"import": "import_s", "check": "check_s", "check --deep": "deep_s"}
    found = [
        result_of(
            f"data {name}{suffix}",
            [run["rows"] / run[field] for run in runs],
            unit="book rows/s",
            limits=(RATE,),
            data=data,
        )
        for name, field in rates.items()
    ]
    peaks = [run["peak_mb"] for run in runs]
    memory = result_of(
        f"data import, peak memory{suffix}", peaks, unit="MB", limits=(MEMORY,), data=data
    )
    return [*found, memory]


def measure(source: str) -> dict[str, Any]:
    """Import and check one file; times in seconds, the peak of import with its libraries in MB."""
    pa.set_cpu_count(1)
    with tempfile.TemporaryDirectory(prefix="hat-bench-") as folder:
        home = Path(folder)
        began = time.perf_counter()
        manifest = import_paths([Path(source)], dataset="speed", home=home).manifest
        import_s = time.perf_counter() - began
        peak_mb = _peak_mb()
        assert manifest.rows_out == manifest.rows_in > 0, "every generated row is valid"
        return {
            "rows": manifest.rows_in,
            "import_s": import_s,
            "peak_mb": peak_mb,
            "check_s": _check_seconds(home, is_deep=False),
            "deep_s": _check_seconds(home, is_deep=True),
        }


def _peak_mb() -> float:
    """Return the peak of this program's resident memory; `ru_maxrss` would hold its parent's."""
    (line,) = [
        line
        for line in Path("/proc/self/status").read_text("ascii").splitlines()
        if line.startswith("VmHWM:")
    ]
    return int(line.split()[1]) * 1024 / 1e6


def _check_seconds(home: Path, *, is_deep: bool) -> float:
    began = time.perf_counter()
    check_dataset("speed", home, is_deep=is_deep)
    return time.perf_counter() - began


def write_books(path: Path, *, rows: int, is_one_group: bool) -> None:
    """Write a BTC order book file of valid rows, as one row group or many."""
    draw = np.random.Generator(np.random.PCG64(SEED))
    portions = []
    best = 110_000
    for low in range(0, rows, PORTION):
        table = _books(draw, best, low, min(PORTION, rows - low))
        best = int(table["bid_price_0"][-1].as_py())
        portions.append(table)
    with pq.ParquetWriter(path, portions[0].schema, compression="zstd") as writer:
        for table in [pa.concat_tables(portions)] if is_one_group else portions:
            writer.write_table(table, row_group_size=table.num_rows)


def _books(draw: np.random.Generator, best: int, low: int, rows: int) -> pa.Table:
    moves = draw.integers(0, 2, rows) * 2 - 1
    bid = best + np.cumsum(np.where(draw.random(rows) < MOVES, moves, 0))
    stamps = START_MS + np.arange(low, low + rows) * STEP_MS
    columns = {"timestamp": stamps / 1000 + 0.4, "sequence": stamps, "exchange_timestamp": stamps}
    for level in range(LEVELS):
        columns[f"bid_price_{level}"] = (bid - level).astype(np.float64)
        columns[f"bid_size_{level}"] = _sizes(draw, rows)
        columns[f"ask_price_{level}"] = (bid + 1 + level).astype(np.float64)
        columns[f"ask_size_{level}"] = _sizes(draw, rows)
    return pa.table(columns)


def _sizes(draw: np.random.Generator, rows: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    sizes = draw.integers(1, 2_000_000, rows) / 1e5
    since = np.where(draw.random(rows) < RESIZES, np.arange(rows), 0)
    return sizes[np.maximum.accumulate(since)]
