"""The same command gives the same bytes wherever it runs, and a changed byte is named."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import hatmanifesto
from hatmanifesto.apps.backtest import run_backtest
from hatmanifesto.apps.compose import build
from hatmanifesto.apps.data import open_dataset
from hatmanifesto.apps.replay import replay_run
from hatmanifesto.apps.request import BacktestRequest
from hatmanifesto.apps.run_folder import MANIFEST, TIMES, load_manifest, runs_folder
from hatmanifesto.apps.runs import list_runs
from hatmanifesto.apps.sample import START_NS
from hatmanifesto.apps.spec import RunSpec, build_spec
from hatmanifesto.apps.staging import set_aside, staging_folder
from hatmanifesto.apps.verify import verify_run
from hatmanifesto.domain.errors import DataError, Exit, MismatchError
from hatmanifesto.domain.units import NS_MS, NS_S
from hatmanifesto.simex.latency import LatencySource, parse_latency
from hatmanifesto.store.journal import HashJournal
from hatmanifesto.store.tape import ParquetTape
from hatmanifesto.store.trials import read_trials, trials_path

COMMAND = (
    "backtest maker --data sample --coin BTC,ETH --from 2026-01-05T12:10:00Z "
    "--to 2026-01-05T12:13:00Z --latency lognormal:100ms:0.3 --ties both --seed 11 --json"
).split()
APART = ("wall_s", "events_per_s", "ledger_csv", "report_html")
"""Fields of the answer that tell of the machine and not of the run."""
FLIPS_A_FILE = 9
FLIPS_MIN = 60


class Place(NamedTuple):
    """Where and how a command runs: environment, working directory, home, and CPUs."""

    environment: dict[str, str]
    folder: str
    home: str
    is_one_cpu: bool = False


PLACES = {
    "plain": Place({"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}, ".", "home"),
    "elsewhere": Place(
        {"TZ": "Asia/Kathmandu", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "12345"},
        "another folder",
        "another folder/a home with blanks",
    ),
    "one thread": Place(
        {
            "TZ": "America/St_Johns",
            "LANG": "C",
            "PYTHONHASHSEED": "random",
            "PYTHONUTF8": "0",
            "POLARS_MAX_THREADS": "1",
            "NUMBA_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        },
        "deep/er",
        "h\u00f6me",
        is_one_cpu=True,
    ),
}


class Done(NamedTuple):
    """A command that ran: its answer and the home it wrote to."""

    answer: dict[str, Any]
    home: Path

    @property
    def folder(self) -> Path:
        return runs_folder(self.home) / self.answer["run_id"]

    def files(self) -> dict[str, bytes]:
        """Return the bytes of every file that must not depend on the place."""
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        found = {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}
        del found[TIMES], found[MANIFEST]
        return found


def one_cpu() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def call(words: list[str], place: Place, root: Path) -> Done:
    """Run ``hat`` in a process of its own on a copy of the package, outside any checkout."""
    (root / place.folder).mkdir(parents=True, exist_ok=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG"))}
    done = subprocess.run(
        [sys.executable, "-m", "hatmanifesto", "--home", str(root / place.home), *words],
        cwd=root / place.folder,
        env={**kept, **place.environment, "PYTHONPATH": str(root / "package")},
        preexec_fn=one_cpu if place.is_one_cpu else None,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Done(json.loads(done.stdout), root / place.home)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a copy of the package, so that nobody edits it meanwhile."""
    root = tmp_path_factory.mktemp("places")
    source = Path(hatmanifesto.__file__).parent
    shutil.copytree(
        source, root / "package" / "hatmanifesto", ignore=shutil.ignore_patterns("__pycache__")
    )
    return root


@pytest.fixture(scope="module")
def runs(root: Path) -> dict[str, Done]:
    return {name: call(COMMAND, place, root) for name, place in PLACES.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PLACES if name != "plain"])
def test_every_byte_is_the_same_in_another_place(name: str, runs: dict[str, Done]) -> None:
    plain, there = runs["plain"], runs[name]
    assert there.answer["fills"] > 0
    assert there.answer["commit"] is None  # it ran on the copy
    assert there.answer["journal_hash"] == plain.answer["journal_hash"]
    assert there.files() == plain.files()
    assert set(plain.files()) >= {"ledger.csv", "ledger.parquet", "report.html", "summary.json"}
    here = {key: value for key, value in plain.answer.items() if key not in APART}
    assert here == {key: value for key, value in there.answer.items() if key not in APART}


@pytest.mark.slow
def test_manifests_differ_only_by_what_the_clock_said(runs: dict[str, Done]) -> None:
    manifests = [load_manifest(done.home, done.answer["run_id"]) for done in runs.values()]
    bare = []
    for manifest in manifests:
        files = {name: digest for name, digest in manifest.files.items() if name != TIMES}
        bare.append((manifest.spec, manifest.journal_hashes, manifest.lock_hash, files))
    assert bare[1:] == bare[:-1]


@pytest.mark.slow
def test_a_run_made_here_is_replayed_and_verified_there(root: Path, runs: dict[str, Done]) -> None:
    there = PLACES["one thread"]._replace(home=PLACES["plain"].home)
    run_id = runs["plain"].answer["run_id"]
    replayed = call(["replay", run_id, "--json"], there, root).answer
    assert replayed["identical"]
    assert replayed["same_code"]
    assert call(["verify", run_id, "--json"], there, root).answer["status"] == "ok"


@pytest.mark.slow
def test_no_path_date_or_machine_stands_in_a_run(root: Path, runs: dict[str, Done]) -> None:
    for name, content in runs["elsewhere"].files().items():
        assert b"a home with blanks" not in content, name
        assert str(root).encode() not in content, name


# One run in this process, for everything that needs no other place.


def request(home: Path, **changes: Any) -> BacktestRequest:
    words: dict[str, Any] = {
        "home": str(home),
        "strategy": "maker",
        "settings": {},
        "data": "sample",
        "coins": ("BTC", "ETH"),
        "end_ns": START_NS + 120 * NS_S,
        "latency": "lognormal:100ms:0.3",
        "ties": "both",
    }
    return BacktestRequest(**{**words, **changes})


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Done:
    home = tmp_path_factory.mktemp("a kept home")
    return Done(run_backtest(request(home)).summary, home)


@pytest.fixture
def done(kept: Done, tmp_path: Path) -> Done:
    """Return a copy of the run that a test may damage."""
    shutil.copytree(kept.home, tmp_path / "home")
    return Done(kept.answer, tmp_path / "home")


def complaints(done: Done) -> str:
    """Return what ``verify`` says is wrong, '' when nothing is."""
    try:
        outcome = verify_run(str(done.home), done.answer["run_id"])
    except MismatchError as error:
        return str(error)
    assert outcome.exit_code == (Exit.MISMATCH if outcome.summary["wrong"] else Exit.OK)
    return "\n".join(outcome.summary["wrong"])


def positions(size: int, dice: random.Random) -> list[int]:
    return sorted({0, size - 1, *(dice.randrange(size) for _ in range(FLIPS_A_FILE - 2))})


def flips(folder: Path) -> Iterator[tuple[Path, int, int]]:
    """Yield file, place and mask: some bytes of every file, the first and the last among them."""
    dice = random.Random(20260105)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            for at in positions(path.stat().st_size, dice):
                yield path, at, 1 << dice.randrange(8)


@pytest.mark.slow
def test_a_flipped_byte_anywhere_is_named(done: Done) -> None:
    assert complaints(done) == ""
    unnamed, tried = [], 0
    for path, at, mask in flips(done.folder):
        content = path.read_bytes()
        changed = bytearray(content)
        changed[at] ^= mask
        path.write_bytes(changed)
        name = path.relative_to(done.folder).as_posix()
        tried += 1
        if name not in complaints(done):
            unnamed.append(f"{name} at {at}")
        path.write_bytes(content)
    assert unnamed == []
    assert tried >= FLIPS_MIN
    assert complaints(done) == ""


@pytest.mark.slow
def test_a_flipped_byte_of_the_trial_ledger_is_named(done: Done) -> None:
    path = trials_path(done.home)
    content = path.read_bytes()
    for at in positions(len(content), random.Random(7)):
        changed = bytearray(content)
        changed[at] ^= 1
        path.write_bytes(changed)
        assert "trial ledger" in complaints(done), at
    path.write_bytes(content)
    assert complaints(done) == ""


@pytest.mark.slow
def test_a_missing_file_is_named(done: Done) -> None:
    for path in sorted(done.folder.rglob("*")):
        if path.is_file() and path.name != MANIFEST:
            content = path.read_bytes()
            path.unlink()
            assert path.relative_to(done.folder).as_posix() in complaints(done)
            path.write_bytes(content)


def test_a_missing_manifest_is_named(done: Done) -> None:
    (done.folder / MANIFEST).unlink()
    assert MANIFEST in complaints(done)


def test_a_run_that_never_was_is_no_mismatch(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no run nothing"):
        verify_run(str(tmp_path), "nothing")


@pytest.mark.parametrize("name", ["notes.txt", "journal/000002.hatj", "sources/more.py"])
def test_an_added_file_is_named(name: str, done: Done) -> None:
    path = done.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"more")
    assert name in complaints(done)


@pytest.mark.slow
def test_replay_of_a_kept_run_is_identical(done: Done) -> None:
    outcome = replay_run(str(done.home), done.answer["run_id"])
    assert outcome.exit_code == Exit.OK
    assert outcome.summary["identical"]


@pytest.mark.slow
def test_a_repeated_run_replaces_its_folder_and_adds_a_trial(done: Done) -> None:
    before = done.files()
    for count in (2, 3):
        again = run_backtest(request(done.home)).summary
        assert again["run_id"] == done.answer["run_id"]
        assert done.files() == before
        assert len(list(read_trials(done.home))) == count
        assert complaints(done) == ""
    assert [path.name for path in runs_folder(done.home).iterdir()] == [done.answer["run_id"]]


class Planted(Exception):  # noqa: N818
    """An accident in the middle of a run."""


@pytest.mark.parametrize("accident", [Planted, KeyboardInterrupt])
def test_an_interrupted_run_leaves_nothing(accident: type[BaseException], tmp_path: Path) -> None:
    def fail(_: float) -> None:
        raise accident

    with pytest.raises(accident):
        run_backtest(request(tmp_path, progress=fail))
    assert list(runs_folder(tmp_path).iterdir()) == []
    assert list(read_trials(tmp_path)) == []


@pytest.mark.slow
def test_what_a_killed_run_left_is_cleared_away_by_the_next(done: Done) -> None:
    words = (
        "import os, signal, sys\n"
        "from hatmanifesto.apps.backtest import run_backtest\n"
        "from hatmanifesto.apps.request import BacktestRequest\n"
        "def kill(_):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "run_backtest(BacktestRequest(home=sys.argv[1], strategy='maker', settings={}, "
        "data='sample', coins=('BTC',), progress=kill))\n"
    )
    ended = subprocess.run([sys.executable, "-c", words, str(done.home)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [row["run_id"] for row in list_runs(str(done.home))] == [done.answer["run_id"]]
    assert len(list(read_trials(done.home))) == 1
    again = run_backtest(request(done.home, seed=5)).summary
    left = {path.name for path in runs_folder(done.home).iterdir()}
    assert left == {done.answer["run_id"], again["run_id"]}


def test_a_folder_in_use_is_not_taken_for_an_abandoned_one(tmp_path: Path) -> None:
    with staging_folder(tmp_path) as first:
        with staging_folder(tmp_path) as second:
            assert first.is_dir()
            assert second != first
        assert list(tmp_path.iterdir()) == [first]
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_only_set_aside_comes_back(tmp_path: Path) -> None:
    run = tmp_path / "maker-1"
    run.mkdir()
    set_aside(run)
    assert not run.exists()
    with staging_folder(tmp_path):
        assert run.is_dir()
    assert list(tmp_path.iterdir()) == [run]


# Draws and chunks.


@pytest.mark.parametrize("latency", ["lognormal:200ms:0.4", "empirical:x"])
@pytest.mark.parametrize("blocks", [[1] * 997, [4096, 3, 500], [7, 4589 - 7, 10]])
def test_draws_do_not_depend_on_how_many_are_asked_for(latency: str, blocks: list[int]) -> None:
    model = parse_latency(latency, samples=tuple(range(1 * NS_MS, 400 * NS_MS, NS_MS)))

    def source() -> LatencySource:
        return LatencySource(model, np.random.Generator(np.random.PCG64(3)))

    many = source()
    pieces = np.concatenate([many.draw(count) for count in blocks])
    assert pieces.tolist() == source().draw(sum(blocks)).tolist()


def journal_hash_of(spec: RunSpec, tape: ParquetTape) -> str:
    journal = HashJournal()
    build(spec, tape, folder=Path(), journal=journal).replay.run()
    return journal.close()


@pytest.mark.slow
def test_the_length_of_a_chunk_does_not_matter(tmp_path: Path) -> None:
    dataset = open_dataset("sample", tmp_path)
    spec = build_spec(request(tmp_path), dataset)[0]
    tape: Callable[[int], ParquetTape] = lambda rows: ParquetTape(  # noqa: E731
        dataset, coins=spec.coins, end_ns=START_NS + 120 * NS_S, chunk_rows=rows
    )
    whole = journal_hash_of(spec, tape(1 << 30))
    assert [journal_hash_of(spec, tape(rows)) for rows in (1, 97, 1024)] == [whole] * 3
