"""How long a fresh process takes to import, to help, and to show a first result."""

import os
import subprocess
import sys
import tempfile
import time

from bench.market import ROOT, Market
from bench.plan import Plan
from bench.result import Limit, Result, result_of

CASES = (
    ("import hatmanifesto", ("-c", "import hatmanifesto"), 0.3),
    ("hat --help", ("-m", "hatmanifesto", "--help"), 0.6),
    ("hat demo, first result", ("-m", "hatmanifesto", "demo"), 30.0),
)
"""Name, words after `python`, and limit [s]; the interpreter's own start is counted too."""


def seconds(words: tuple[str, ...]) -> float:
    """Return the wall time of one process with a home of its own."""
    with tempfile.TemporaryDirectory(prefix="hat-bench-") as home:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, *words],
            env={**os.environ, "HAT_HOME": home},
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - began


def bench(plan: Plan, market: Market) -> list[Result]:
    """Measure each case in fresh processes, after one that warms the file cache."""
    found = []
    for name, words, limit in CASES:
        seconds(words)
        values = [seconds(words) for _ in range(plan.starts)]
        found.append(result_of(name, values, unit="s", limits=(Limit("<", limit),)))
    return found
