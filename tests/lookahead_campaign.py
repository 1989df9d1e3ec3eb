"""A thousand cuts of each strategy: `python -m tests.lookahead_campaign [--cuts N] [--write FILE]`.

Each cut removes what follows it, and then replaces it by another market; every decision, order and
fill before it must come out the same, memory and signal included. Planted leaks go through the same
cuts and must be caught. Exit codes: 0 all as it must be, 1 not.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hatmanifesto.domain.events import Filled
from hatmanifesto.domain.rows import EXCH
from tests.lookahead import Scheme, Verdict, clean, judge, run_log
from tests.test_no_lookahead_hourly import CASES, LEAKS, market_of, setup_of

CUTS_A_MARKET = 100
HEAD = """# Look-ahead

Written by `python -m tests.lookahead_campaign --write docs/look-ahead.md`; not to be edited.

Each cut removes what follows a moment, and then replaces it by another market. Every decision
(with its memory and signal), order and fill before the cut must come out the same. A planted leak
goes through a share of the same cuts and must be caught. Cuts are drawn at random from all stamps
of generated hourly markets of two coins with contexts and funding, one market a hundred cuts.

| Strategy | Cuts | Changed | Commands | Fills | Leak: cuts | Leak: caught |
|---|---|---|---|---|---|---|
"""


class Result(NamedTuple):
    """What all cuts of one strategy showed."""

    name: str
    cuts: int
    changed: int
    commands: int
    fills: int
    leak_cuts: int
    leak_caught: int
    first: str

    @property
    def is_good(self) -> bool:
        """Return whether nothing changed, and the leak was seen at most cuts."""
        return not self.changed and self.leak_caught >= 0.9 * self.leak_cuts > 0

    @property
    def line(self) -> str:
        """Return the row of the table."""
        return "| " + " | ".join(str(value) for value in self[:-1]) + " |"


def verdict_of(name: str, scheme: Scheme, *, seed: int, count: int) -> Verdict:
    """Return what ``count`` cuts of one market showed."""
    setup = setup_of(name, scheme)
    market, other = market_of(seed), market_of(seed + 1_000)
    log = run_log(setup_of(name, clean), market)
    fills = [entry.exch for entry in log.entries if isinstance(entry, Filled)]
    stamps = sorted({row[EXCH] for row in market.rows if fills[0] < row[EXCH] < fills[-1]})
    rng = np.random.Generator(np.random.PCG64(seed))
    chosen = rng.choice(np.asarray(stamps), min(count, len(stamps)), replace=False)
    return judge(setup, market, other, cuts=sorted(int(stamp) for stamp in chosen))


def run(name: str, cuts: int) -> Result:
    """Return what ``cuts`` cuts of a strategy showed, over as many markets as they need."""
    done = changed = commands = fills = seed = 0
    first = ""
    while done < cuts:
        seed += 1
        one = verdict_of(name, clean, seed=seed, count=min(CUTS_A_MARKET, cuts - done))
        done += one.cuts
        changed += one.either
        commands += one.commands
        fills += one.fills
        first = first or one.first
        print(f"{name}: {done} of {cuts} cuts, {changed} changed", file=sys.stderr)
    leak = verdict_of(name, LEAKS[name], seed=1, count=max(10, cuts // 40))
    return Result(name, done, changed, commands, fills, leak.cuts, leak.either, first)


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; see the module."""
    parser = argparse.ArgumentParser(description="cut runs and look for look-ahead")
    parser.add_argument("--cuts", type=int, default=1_000, help="of each strategy")
    parser.add_argument("--strategy", choices=sorted(CASES), help="this one alone")
    parser.add_argument("--write", type=Path, help="write the table to this file")
    chosen = parser.parse_args(arguments)
    results = [run(name, chosen.cuts) for name in CASES if chosen.strategy in (None, name)]
    text = HEAD + "".join(f"{one.line}\n" for one in results)
    for one in results:
        print(one.line, "" if one.is_good else f"NOT GOOD: {one.first}")
    if chosen.write is not None:
        chosen.write.write_text(text, encoding="utf-8")
    return 0 if all(one.is_good for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
