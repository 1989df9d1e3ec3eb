"""The compile cache: warm where nothing changed, cold where anything did, and never stale."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from hatmanifesto.domain.errors import DataError, UsageError
from hatmanifesto.store.kernel_cache import cache_folder, cache_key, load_kernel
from hatmanifesto.strategies import maker
from tests.conftest import ROOT

STRATEGY = '''
"""A user's strategy: one bid below the best, by a rule of a file beside it."""

from typing import NamedTuple

from edge_rule import distance
from hatmanifesto.domain.enums import Side, Tif
from hatmanifesto.strategies.contract import Slot, Strategy


class Params(NamedTuple):
    ticks: int = 2
    share: float = 0.5


def decide(p, v, m):
    m[0] += 1.0
    return (v.bid_px - distance(p.ticks, v.bid_sz), int(p.share * v.ask_sz))


def build(params):
    slots = (Slot("bid0", Side.BUY, Tif.ALO),)
    return Strategy("mine", decide, params, slots, 1, 10**9, lambda p, v: "")
'''
HELPER = '''
"""A rule of the user's, with a helper and a constant of its own."""

BIG = 1_000
EXTRA = 3


def step(sz):
    return EXTRA if sz > BIG else 1


def distance(ticks, sz):
    return ticks * step(sz)
'''
DRIVER = '''
"""Load the strategy, quote three views compiled and plain, and say what came from the cache."""

import json
import sys
from pathlib import Path

import numpy as np

from hatmanifesto.apps.strategies_file import load_strategy
from hatmanifesto.kernel.quotes import run_quotes, run_quotes_slow
from hatmanifesto.store.kernel_cache import cache_key, load_kernel

strategy = load_strategy("mine", {}, source=Path("mine.py"))
kernel = load_kernel(strategy, Path("home"))
parts = [kernel.entry, kernel.loop]
told = [0] * 7  # mark, oracle, funding and premium with their stamps, regime
view = [2, 1, 1000, 500, 1001, 80, 0, 0, 0, 10**9, 10, 100000, *told]
columns = np.asarray([view, view, view])
columns[1, 3] = 5_000
slow = run_quotes_slow(strategy.decide, strategy.params, columns, np.zeros(1), slots=1)
fast = run_quotes(kernel, strategy.params, columns, np.zeros(1))
print(json.dumps({
    "key": cache_key(strategy.decide),
    "fast": fast.tolist(),
    "slow": slow.tolist(),
    "cached": [one.is_cached for one in parts],
    "hits": [sum(one.function.stats.cache_hits.values()) for one in parts],
    "misses": [sum(one.function.stats.cache_misses.values()) for one in parts],
}))
'''


def run_driver(folder: Path) -> Any:
    """Run the driver in a process of its own; numba's own cache variable must not leak in."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    # Python would take an edited file of equal size and second for the old one's bytecode.
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": f"{folder}"}
    done = subprocess.run(
        [sys.executable, "driver.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder, with a blank in its name, that holds strategy, helper and driver."""
    path = tmp_path_factory.mktemp("a user")
    for name, text in (("mine", STRATEGY), ("edge_rule", HELPER), ("driver", DRIVER)):
        (path / f"{name}.py").write_text(text)
    return path


@pytest.mark.slow
def test_a_second_process_compiles_nothing_and_an_edited_helper_is_never_stale(
    folder: Path,
) -> None:
    cold = run_driver(folder)
    assert cold["cached"] == [False, False]
    assert cold["fast"] == cold["slow"] == [[998, 40], [994, 40], [998, 40]]

    warm = run_driver(folder)
    assert warm["key"] == cold["key"]
    assert (warm["hits"], warm["misses"]) == ([1, 1], [0, 0])
    assert warm["fast"] == cold["fast"]

    helper = folder / "edge_rule.py"
    helper.write_text(HELPER.replace("EXTRA = 3", "EXTRA = 4"))
    edited = run_driver(folder)
    assert edited["key"] != cold["key"]
    assert edited["cached"] == [False, True]
    assert edited["fast"] == edited["slow"] == [[998, 40], [992, 40], [998, 40]]

    helper.write_text(HELPER)
    restored = run_driver(folder)
    assert restored["key"] == cold["key"]
    assert restored["cached"] == [True, True]
    assert restored["fast"] == cold["fast"]


@pytest.mark.slow
def test_without_the_key_an_edited_helper_would_be_stale(tmp_path: Path) -> None:
    # What the key is there for: numba looks at the entry's file alone and sees no difference.
    fixed = "import hatmanifesto.store.kernel_cache as c\nc.cache_key = lambda f, entry='': 'x'\n"
    for name, text in (("mine", STRATEGY), ("edge_rule", HELPER), ("driver", fixed + DRIVER)):
        (tmp_path / f"{name}.py").write_text(text)
    first = run_driver(tmp_path)
    (tmp_path / "edge_rule.py").write_text(HELPER.replace("EXTRA = 3", "EXTRA = 4"))
    second = run_driver(tmp_path)
    assert second["cached"] == [True, True]
    assert second["fast"] == first["fast"] != second["slow"]


@pytest.mark.slow
def test_a_cache_file_cut_short_is_named(tmp_path: Path) -> None:
    strategy = maker.build(maker.Params())
    load_kernel(strategy, tmp_path)
    for path in (tmp_path / "cache").rglob("entry*.nbc"):
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"compile cache .* is damaged"):
        load_kernel(strategy, tmp_path)


@pytest.mark.slow
def test_everything_numba_writes_lies_below_home(folder: Path, tmp_path: Path) -> None:
    sources = [folder, ROOT / "src"]
    before = {path for one in sources for path in one.rglob("*.nb[ci]")}
    kernel = load_kernel(maker.build(maker.Params()), tmp_path / "fresh")
    assert (kernel.entry.is_cached, kernel.loop.is_cached) == (False, False)
    after = {path for one in sources for path in one.rglob("*.nb[ci]")}
    assert after == before
    assert len(list((tmp_path / "fresh" / "cache").rglob("*.nbc"))) == 2
    # In the same process, another set of parameters needs no compiler either.
    again = load_kernel(maker.build(maker.Params(use_glft=1)), tmp_path / "fresh")
    assert (again.entry.is_cached, again.loop.is_cached) == (True, True)


def edited(function: Any, **values: Any) -> Any:
    """Return ``function`` as it would be with other values of the globals it reads."""
    copy = FunctionType(function.__code__, {**function.__globals__, **values}, function.__name__)
    copy.__defaults__ = function.__defaults__
    return copy


def test_the_key_is_a_digest_and_the_folder_is_named_after_it(tmp_path: Path) -> None:
    key = cache_key(maker.decide)
    assert len(key) == 32
    assert cache_folder(tmp_path, key) == tmp_path / "cache" / key
    assert cache_key(maker.decide) == key


def test_a_constant_changed_in_memory_changes_the_key() -> None:
    other = edited(maker.decide, NOTIONAL_FLOOR=maker.NOTIONAL_FLOOR + 1)
    assert cache_key(other) != cache_key(maker.decide)
    assert cache_key(edited(maker.decide)) == cache_key(maker.decide)


def test_the_entry_is_part_of_the_key() -> None:
    assert cache_key(maker.decide, entry="a") != cache_key(maker.decide, entry="b")


def test_the_processor_and_the_versions_are_part_of_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from hatmanifesto.store import kernel_cache

    key, machine = cache_key(maker.decide), dict(kernel_cache.identity())
    assert {"python", "numba", "llvmlite", "numpy", "cpu", "features", "OPT"} <= set(machine)
    for name in machine:
        monkeypatch.setattr(kernel_cache, "identity", lambda n=name: {**machine, n: "other"})
        assert cache_key(maker.decide) != key, name


def load(path: Path, name: str) -> Any:
    """Return the functions of a file that was just written, under a name of its own."""
    names: dict[str, Any] = {"__name__": name}
    exec(compile(path.read_text(), str(path), "exec"), names)
    return names


def test_a_file_edited_after_its_import_files_nothing_under_its_new_text(tmp_path: Path) -> None:
    # The process holds the old helper; the disk already has the new one.
    path = tmp_path / "edge_rule.py"
    path.write_text(HELPER)
    old = load(path, "edge_rule")["distance"]
    key_old = cache_key(old)
    path.write_text(HELPER.replace("EXTRA = 3", "EXTRA = 4"))
    key_mixed = cache_key(old)
    key_new = cache_key(load(path, "edge_rule")["distance"])
    assert len({key_old, key_mixed, key_new}) == 3
    path.write_text(HELPER)
    assert cache_key(load(path, "edge_rule")["distance"]) == key_old


def test_a_function_without_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gone.py"
    path.write_text(HELPER)
    function = load(path, "gone")["distance"]
    path.unlink()
    with pytest.raises(UsageError, match="cannot be read"):
        cache_key(function)


@pytest.mark.slow
def test_the_key_is_the_same_in_every_process() -> None:
    code = (
        "from hatmanifesto.strategies import maker;"
        "from hatmanifesto.store.kernel_cache import cache_key; print(cache_key(maker.decide))"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert keys == {cache_key(maker.decide)}
