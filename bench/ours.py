"""One back-test of ours over the recorded rows: the whole chain, journal on disk; a child process.

Only the replay and the closing of the journal are timed, as only `run` of the peer is.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.market import (
    BLOCK_MS,
    CAPITAL_USDC,
    COINS,
    LATENCY,
    QUEUE,
    SEED,
    SETTINGS,
    Market,
    market_rows,
)
from hatmanifesto.apps.compose import build
from hatmanifesto.apps.provenance import code_hash
from hatmanifesto.apps.request import BacktestRequest
from hatmanifesto.apps.spec import RunSpec, build_spec
from hatmanifesto.domain.units import MICRO
from hatmanifesto.store.journal import JournalWriter, segment_opener
from hatmanifesto.store.tape import ParquetTape


def spec_of(tape_market: Market, tape: ParquetTape) -> RunSpec:
    """Return the specification of the run: the maker on both coins, shipped limits."""
    from hatmanifesto.apps.data import open_dataset

    request = BacktestRequest(
        home=tape_market.home,
        strategy="maker",
        settings=SETTINGS,
        data=tape_market.data,
        coins=tape.coins,
        capital=CAPITAL_USDC * MICRO,
        latency=LATENCY,
        queue=QUEUE,
        seed=SEED,
        block_ms=BLOCK_MS,
    )
    return build_spec(request, open_dataset(tape_market.data, Path(tape_market.home)))[0]


def rss_bytes() -> int | None:
    """Return the resident memory of this process, None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGESIZE")


def sampler(samples: list[tuple[int, int]], every: int) -> Callable[[int], None]:
    """Return a progress listener that notes (rows done, resident bytes) every ``every`` rows."""
    following = every

    def listen(rows: int) -> None:
        nonlocal following
        if rows >= following:
            following += every
            resident = rss_bytes()
            if resident is not None:
                samples.append((rows, resident))

    return listen


def measure(*, market: list[str], repeat: int, sample_every: int = 0) -> dict[str, Any]:
    """Run once; return rows, seconds, commands, fills, journal hash and memory samples."""
    place = Market(*market)
    tape = place.tape(repeat)
    assert tape.coins == COINS
    spec = spec_of(place, tape)
    samples: list[tuple[int, int]] = []
    progress = sampler(samples, sample_every) if sample_every else None
    with tempfile.TemporaryDirectory(prefix="hat-bench-") as folder:
        journal = JournalWriter(segment_opener(Path(folder) / "journal"))
        machines = build(spec, tape, folder=Path(folder), journal=journal, progress=progress)
        wall, cpu = time.perf_counter(), time.process_time()
        outcome = machines.replay.run()
        journal_hash = journal.close()
        spent = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
        size = sum(path.stat().st_size for path in (Path(folder) / "journal").iterdir())
    assert outcome.reason == "end", "a run that ends early measures nothing"
    ledgers = [ledger for book in machines.engine.state.ledgers for ledger in book]
    return {
        "rows": market_rows(tape),
        **spent,
        "commands": outcome.commands,
        "fills": sum(ledger.fills for ledger in ledgers),
        "batches": outcome.batches,
        "journal_hash": journal_hash,
        "journal_bytes": size,
        "code_hash": code_hash(),
        "samples": samples,
    }
