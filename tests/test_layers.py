"""Import arrows point one way, and the contracts that say so bite."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

CALL = (
    "import sys; from importlinter.cli import lint_imports;"
    "sys.exit(lint_imports(config_filename=sys.argv[1], no_cache=True, no_logo=True))"
)
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def lint(source: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of this project over the package below ``source``."""
    return subprocess.run(
        [sys.executable, "-c", CALL, str(ROOT / "pyproject.toml")],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_arrows_hold() -> None:
    run = lint(ROOT / "src", ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "text", "contract"),
    [
        ("books/leak.py", "import hatmanifesto.hats\n", "Rings: arrows"),
        ("risk/leak.py", "import hatmanifesto.execution\n", "Rings: arrows"),
        ("novelty/__init__.py", "", "Rings: arrows"),
        ("engine/leak.py", "import time\n", "Rings 0-3"),
        ("domain/leak.py", "from pathlib import Path\n", "Rings 0-3"),
        ("simex/leak.py", "import numba\n", "Only kernel/"),
    ],
)
def test_a_broken_arrow_is_named(tmp_path: Path, place: str, text: str, contract: str) -> None:
    # A skeleton of the package: the contracts read import statements, not code.
    for package in (ROOT / "src" / "hatmanifesto").glob("*/__init__.py"):
        target = tmp_path / "hatmanifesto" / package.parent.name / "__init__.py"
        target.parent.mkdir(parents=True)
        target.write_text("")
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(ROOT / "src" / "hatmanifesto" / name, tmp_path / "hatmanifesto" / name)
    (tmp_path / "hatmanifesto" / "cli.py").write_text("")
    leak = tmp_path / "hatmanifesto" / place
    leak.parent.mkdir(exist_ok=True)
    leak.write_text(text)
    run = lint(tmp_path, tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    broken = [line for line in run.stdout.splitlines() if line.endswith("BROKEN")]
    assert [line.startswith(contract) for line in broken] == [True], run.stdout


def test_every_package_of_rings_0_to_3_is_bound() -> None:
    from tools import tidy

    folder = ROOT / "src" / "hatmanifesto"
    pure = {f"hatmanifesto.{name}" for name in tidy.PURE if (folder / name).is_dir()}
    bound = {c["id"]: set(c.get("source_modules", ())) for c in CONTRACTS["contracts"]}
    everything = {f"hatmanifesto.{p.parent.name}" for p in folder.glob("*/__init__.py")}
    assert bound["pure"] == pure
    assert bound["numba"] == everything - {"hatmanifesto.kernel"}
