"""Kills imports at random moments and looks at what is left.

`python -m tests.import_kill --kills 50` imports a dataset, then again and again starts a child that
imports another one under the same name, kills it after a random time (SIGKILL), and checks that the
name still means a whole snapshot, every value of it hashed. In the end the import is let through.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hatmanifesto.apps.data import check_dataset, import_paths, open_dataset
from tests.conftest import ROOT
from tests.recorder_files import START_MS, Recording

NAME = "x"
ROWS = 4_000
SEED = 7
TRIES_MAX = 10
SPANS = 4
"""Kills come within this many times what an import takes here: some come too late."""


class Outcome(NamedTuple):
    """What was seen: tries, those that killed a child at work, half snapshots, and leftovers."""

    tries: int
    kills: int
    half: int
    leftovers: int


def run_kills(folder: Path, *, kills: int, seed: int = SEED) -> Outcome:
    """Kill ``kills`` imports at work within ``folder`` and return what was seen.

    Raises:
        MismatchError: if a snapshot is not whole after a kill.
        AssertionError: if a name means something else than a whole old or new snapshot.
    """
    draw = random.Random(seed)
    home = folder / "home"
    old = Recording(40).write(folder / "old")
    new = Recording(ROWS, start_ms=START_MS + 86_400_000).write(folder / "new")
    first = import_paths([old], dataset=NAME, home=home).manifest.hash
    span = timed(lambda: import_paths([new], dataset=NAME, home=folder / "clean"))
    wanted = open_dataset(NAME, folder / "clean").dataset_hash
    tries = met = half = 0
    while met < kills:
        tries += 1
        assert tries <= kills * TRIES_MAX, "imports end before they can be killed"
        shutil.rmtree(folder / "warm", ignore_errors=True)
        met += kill_one(home, new, after_s=draw.uniform(0, span * SPANS))
        now = open_dataset(NAME, home).dataset_hash
        assert now in (first, wanted), f"{NAME} means {now}"
        check_dataset(NAME, home, is_deep=True)
        check_dataset(f"{NAME}@{first}", home)
        if now == wanted:  # let the next kill meet a new import too
            import_paths([old], dataset=NAME, home=home)
            shutil.rmtree(home / "data" / NAME / wanted)
        half += sum(not (path / "manifest.json").is_file() for path in snapshots(home))
    assert import_paths([new], dataset=NAME, home=home).manifest.hash == wanted
    check_dataset(NAME, home, is_deep=True)
    return Outcome(tries, met, half, len(leftovers(home)))


def timed(act: object) -> float:
    """Return how long ``act`` takes [s]."""
    assert callable(act)
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def kill_one(home: Path, source: Path, *, after_s: float) -> bool:
    """Start an import, kill it after a time from its first step, say whether it was at work."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.import_kill", "--child", str(home), str(source)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    with child:
        child.stdout.readline()  # it says when it begins
        try:
            child.wait(after_s)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.returncode != 0


def snapshots(home: Path) -> list[Path]:
    """Return the folders that look like snapshots."""
    parent = home / "data" / NAME
    return [path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(".")]


def leftovers(home: Path) -> list[Path]:
    """Return what a finished import should have swept away."""
    parent = home / "data" / NAME
    return [*parent.glob(".import*"), *parent.glob(".*.tmp")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="kill imports at random moments")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--child", nargs=2, type=Path, metavar=("HOME", "SOURCE"))
    chosen = parser.parse_args(arguments)
    if chosen.child:
        home, source = chosen.child
        import_paths([source.parent / "old"], dataset=NAME, home=home.parent / "warm")
        print("begin", flush=True)
        import_paths([source], dataset=NAME, home=home)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        seen = run_kills(Path(folder), kills=chosen.kills, seed=chosen.seed)
    print(
        f"{seen.kills} imports killed at work in {seen.tries} tries: "
        f"{seen.half} half snapshots, {seen.leftovers} leftovers after the next import"
    )
    return 0 if seen.half == seen.leftovers == 0 else 1


if __name__ == "__main__":
    raise SystemExit(main())
