"""Measures import and check of books in the recorder's format: rows a second on one core, memory.

`python -m tests.import_speed --rows 1000000`. The file is generated: the best price moves in four
rows of ten, each size in three of ten, about what a recorded hour shows.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hatmanifesto.apps.data import check_dataset, import_paths
from tests.recorder_files import LEVELS, START_MS

PORTION = 65_536
SEED = 7
MOVES, RESIZES = 0.4, 0.3


def write_books(path: Path, *, rows: int, one_group: bool) -> None:
    """Write a BTC order book file of valid rows, as one row group or many."""
    draw = np.random.Generator(np.random.PCG64(SEED))
    portions = []
    best = 110_000
    for low in range(0, rows, PORTION):
        table = _books(draw, best, low, min(PORTION, rows - low))
        best = int(table["bid_price_0"][-1].as_py())
        portions.append(table)
    with pq.ParquetWriter(path, portions[0].schema, compression="zstd") as writer:
        for table in [pa.concat_tables(portions)] if one_group else portions:
            writer.write_table(table, row_group_size=table.num_rows)


def _books(draw: np.random.Generator, best: int, low: int, rows: int) -> pa.Table:
    moves = draw.integers(0, 2, rows) * 2 - 1
    bid = best + np.cumsum(np.where(draw.random(rows) < MOVES, moves, 0))
    stamps = START_MS + np.arange(low, low + rows) * 540
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description="measure import and check")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--one-group", action="store_true", help="a file of one huge row group")
    parser.add_argument("--source", type=Path, help="a folder with a file written before")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        source = chosen.source or Path(folder) / "source"
        path = source / "orderbooks_BTC.parquet"
        if not path.exists():
            source.mkdir(exist_ok=True)
            write_books(path, rows=chosen.rows, one_group=chosen.one_group)
            if chosen.source:
                print(f"wrote {path}; run again to measure in a process of its own")
                return
        measure(path, Path(folder) / "home")


def measure(path: Path, home: Path) -> None:
    """Import and check a file and print how fast that was."""
    pa.set_cpu_count(1)
    begin, cpu = time.perf_counter(), time.process_time()
    manifest = import_paths([path], dataset="speed", home=home).manifest
    spent, cpu_spent = time.perf_counter() - begin, time.process_time() - cpu
    rows = manifest.rows_in
    print(f"{rows:,} rows of {path.stat().st_size / 1e6:.0f} MB, {manifest.rows_out:,} out")
    _say_peak("import")
    print(f"import {rows / spent:,.0f} rows/s, {rows / cpu_spent:,.0f} rows/s of processor time")
    for is_deep in (False, True):
        begin = time.perf_counter()
        check_dataset("speed", home, is_deep=is_deep)
        name = "check --deep" if is_deep else "check"
        print(f"{name} {rows / (time.perf_counter() - begin):,.0f} rows/s")
    _say_peak("everything")


def _say_peak(when: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MB after {when}, the interpreter and its libraries with it")


if __name__ == "__main__":
    main()
