"""Runs one measurement in a fresh process on one core, and reads its answer back.

`python -m bench.child MODULE ENGINE` reads keyword arguments as JSON from its input, calls
`bench.MODULE.measure` with them and prints the answer as the last line. ENGINE is that of ours:
`python` or `compiled`.
"""

import importlib
import json
import os
import subprocess
import sys
from typing import Any

from bench.market import ROOT
from hatmanifesto.apps.fast import COMPILED, PYTHON, engine_in_use, use_compiled

TIMEOUT_S = 1_800
IS_MISSING = 3
"""Exit code of a child that lacks a library."""


class PeerMissing(Exception):  # noqa: N818  not a failure: the row says so
    """The library that a measurement needs is not installed."""


def run_child(module: str, *, engine: str = PYTHON, **arguments: Any) -> dict[str, Any]:
    """Return what `bench.MODULE.measure(**arguments)` returned in a process of its own.

    Args:
        module: of this package.
        engine: of ours, `python` or `compiled`; the answer names the one that ran.
        arguments: of its `measure`.

    Raises:
        PeerMissing: if the module's imports are not installed.
        RuntimeError: if the child failed; it carries the end of what the child said.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bench.child", module, engine],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        cwd=ROOT,
        check=False,
    )
    if done.returncode == IS_MISSING:
        raise PeerMissing(done.stderr.strip())
    if done.returncode:
        raise RuntimeError(f"bench.{module} failed:\n{done.stdout[-500:]}\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def pin() -> int | None:
    """Keep this process on one core; return which, or none where that cannot be done."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def main() -> None:
    """Measure, as a child."""
    arguments = json.load(sys.stdin)
    core = pin()
    why = use_compiled() if sys.argv[2] == COMPILED else ""
    if why:
        sys.exit(why)
    try:
        module = importlib.import_module(f"bench.{sys.argv[1]}")
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in ("bench", "hatmanifesto"):
            raise
        print(error.name, file=sys.stderr)
        sys.exit(IS_MISSING)
    print(json.dumps({**module.measure(**arguments), "core": core, "engine": engine_in_use()}))


if __name__ == "__main__":
    main()
