"""The compiled engine gives the same bytes as plain Python, and never answers for other code."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hatmanifesto.apps import fast
from hatmanifesto.apps.provenance import PACKAGE
from hatmanifesto.domain.errors import UsageError
from tests.conftest import ROOT
from tools import fast as tool

CORE = """
    engine clearing candle_clearing replay hand_worked replay_book candle_book blotter ledger hats
""".split()
NOT_FOR_COMPILED = {
    "test_clearing.py::test_a_planted_leak_is_found": "puts a fault in place of Account.trade",
    "test_hand_worked.py::test_a_planted_fault_in_the_clearing_alone_is_found[fee paid out]": (
        "puts a fault in place of Account.trade"
    ),
}
"""Compiled code calls methods of its own classes directly, so a test cannot put another there."""

RUN_TESTS = (
    "import sys; from hatmanifesto.apps import fast; assert not fast.use_compiled();"
    "import pytest; code = pytest.main(sys.argv[1:]);"
    "import hatmanifesto.engine.engine as e; assert e.__file__.endswith(('.so', '.pyd'));"
    "sys.exit(code)"
)
EDIT_EACH = """
from hatmanifesto.apps import fast
from hatmanifesto.apps.provenance import PACKAGE, code_hash
folder = fast.builds_folder()
print(fast.find_library(folder) is not None)
for path in sorted(PACKAGE.rglob("*.py")):
    before = path.read_bytes()
    path.write_bytes(before + b"# edited\\n")
    code_hash.cache_clear()
    if fast.find_library(folder) is not None:
        print("stale:", path)
    path.write_bytes(before)
code_hash.cache_clear()
print(fast.find_library(folder) is not None)
"""


def run(
    *words: str, source: Path | None = None, engine: str = "0", home: Path | None = None
) -> Any:
    """Run Python in a process of its own, over a copy of the sources if one is given."""
    environment = {**os.environ, fast.VARIABLE: engine}
    if source is not None:
        environment["PYTHONPATH"] = str(source)
    if home is not None:
        environment["HAT_HOME"] = str(home)
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def demo(home: Path, *, engine: str, source: Path | None = None) -> tuple[dict[str, Any], str]:
    """Return the answer of the demo and what it said on stderr."""
    done = run("-m", "hatmanifesto", "demo", "--json", source=source, engine=engine, home=home)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer, done.stderr


def files_of(answer: dict[str, Any]) -> dict[str, str]:
    """Return the hash of every file of a run, those that tell of time left out."""
    folder = Path(answer["report_html"]).parent
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("times.json", "manifest.json")
    }


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a folder with a copy of the package, to be put on the path."""
    shutil.copytree(PACKAGE, tmp_path / "src" / PACKAGE.name)
    return tmp_path / "src"


@pytest.fixture(scope="module")
def built() -> Path:
    """Return the build of this code, made once; skip where there is no C compiler."""
    try:
        return tool.build(fast.builds_folder())
    except tool.BuildError as error:
        if error.exit_code == 2:
            pytest.skip(f"platform: {error}")
        raise


@pytest.mark.slow
def test_both_engines_leave_the_same_bytes(built: Path, tmp_path: Path) -> None:
    plain, _ = demo(tmp_path / "plain", engine="0")
    compiled, said = demo(tmp_path / "compiled", engine="1")
    assert (plain["engine"], compiled["engine"]) == ("python", "compiled"), said
    assert compiled["journal_hash"] == plain["journal_hash"]
    assert compiled["run_id"] == plain["run_id"]
    files = files_of(plain)
    assert {"ledger.csv", "report.html", "summary.json"} <= set(files)
    assert files_of(compiled) == files


@pytest.mark.slow
def test_the_core_passes_its_tests_compiled(built: Path) -> None:
    words = [f"tests/test_{name}.py" for name in CORE]
    words += [f"--deselect=tests/{name}" for name in NOT_FOR_COMPILED]
    done = run("-c", RUN_TESTS, "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *words)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "deselected" in done.stdout


@pytest.mark.slow
def test_an_edit_of_any_source_is_not_answered_by_an_old_build(built: Path, copied: Path) -> None:
    done = run("-c", EDIT_EACH, source=copied)
    assert done.stdout.split("\n") == ["True", "True", ""], done.stdout + done.stderr


@pytest.mark.slow
def test_edited_code_runs_in_plain_python_and_says_so(
    built: Path, copied: Path, tmp_path: Path
) -> None:
    clearing = copied / "hatmanifesto" / "simex" / "clearing.py"
    text = clearing.read_text()
    clearing.write_text(text.replace("maker: int = 1_500_000", "maker: int = 1_500_001"))
    assert clearing.read_text() != text
    before, _ = demo(tmp_path / "before", engine="1")
    after, said = demo(tmp_path / "after", engine="1", source=copied)
    assert after["engine"] == "python"
    assert after["components"]["fees"] != before["components"]["fees"]
    assert said.count("make fast") == 1


@pytest.mark.slow
def test_a_harmed_or_half_build_is_never_used(built: Path, tmp_path: Path) -> None:
    copy = tmp_path / built.name
    shutil.copytree(built, copy)
    assert fast.find_library(tmp_path) is not None
    library = next(copy.glob(f"{fast.LIBRARY}*"))
    library.write_bytes(library.read_bytes()[:-1])
    assert fast.find_library(tmp_path) is None
    library.unlink()
    assert fast.find_library(tmp_path) is None
    shutil.copytree(built, copy, dirs_exist_ok=True)
    assert fast.find_library(tmp_path) is not None
    (copy / "build.json").unlink()
    assert fast.find_library(tmp_path) is None


def test_what_is_missing_is_named_and_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fast, "builds_folder", lambda: tmp_path / "fast")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / "no headers"))
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "which", lambda name: None)
        assert tool.main() == 2
    assert "gcc" in capsys.readouterr().err
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert tool.main() == 2
    assert "python3-dev" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_newest_builds_are_kept(tmp_path: Path) -> None:
    for age, name in enumerate(("newest", "newer", "old", "oldest")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "build.json").write_bytes(b"{}")
        os.utime(tmp_path / name / "build.json", (1_000 - age, 1_000 - age))
    tool.prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newer", "newest"]


def test_engines_are_never_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    import hatmanifesto.engine.engine  # noqa: F401  the plain one

    finders = list(sys.meta_path)
    assert "loaded already" in fast.use_compiled()
    assert sys.meta_path == finders


@pytest.mark.parametrize("value", ["2", "yes", "", "01"])
def test_the_variable_is_0_or_1(value: str) -> None:
    with pytest.raises(UsageError, match="expected 0 or 1"):
        fast.start({fast.VARIABLE: value})


def test_the_variable_off_or_unset_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    fast.start({})
    fast.start({fast.VARIABLE: "0"})
    assert capsys.readouterr().err == ""


def test_a_build_tells_its_modules_and_every_module_exists() -> None:
    lasts = [name.rpartition(".")[2] for name in fast.MODULES]
    assert len(set(lasts)) == len(lasts), "modules of one library differ in their last name"
    assert all(tool.path_of(name).is_file() for name in fast.MODULES)
    made = fast.Build("k", fast.MODULES, "l", "s", 1.0)
    assert msgspec.json.decode(msgspec.json.encode(made), type=fast.Build) == made
