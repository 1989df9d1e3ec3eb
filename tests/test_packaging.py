"""What is installed is what was written: typed, light, one version, locked with hashes."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata, resources

import pytest

import hatmanifesto
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("runtime", "dev", "bench")
HASH = re.compile(r"^ {4}--hash=sha256:[0-9a-f]{64}( \\)?$")


def name_of(requirement: str) -> str:
    """Return the normalised project name of a requirement."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def locked(level: str) -> dict[str, list[str]]:
    """Return version and hashes by project name of one lock."""
    entries: dict[str, list[str]] = {}
    for line in (ROOT / "requirements" / f"{level}.txt").read_text().splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            pin = re.fullmatch(r"(\S+)==(\S+)( ; [^\\]+)? \\", line)
            assert pin, f"expected NAME==VERSION, was {line!r}"
            entries[name_of(pin[1])] = [pin[2]]
        elif line and not line.lstrip().startswith("#"):
            assert HASH.fullmatch(line), f"expected a sha256, was {line!r}"
            entries[list(entries)[-1]].append(line.split(":")[1])
    return entries


def test_the_type_marker_is_shipped() -> None:
    assert resources.files("hatmanifesto").joinpath("py.typed").is_file()
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["src/hatmanifesto"]


def test_there_is_one_version() -> None:
    version = PROJECT["project"]["version"]
    assert hatmanifesto.__version__ == version
    assert metadata.version("hatmanifesto") == version


@pytest.mark.parametrize("level", LOCKS)
def test_every_locked_package_has_hashes(level: str) -> None:
    assert all(len(entry) > 1 for entry in locked(level).values())


@pytest.mark.parametrize("level", LOCKS)
def test_every_requirement_is_in_its_lock(level: str) -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
    wanted += {"runtime": [], "dev": extras["dev"], "bench": extras["dev"] + extras["bench"]}[level]
    assert {name_of(r) for r in wanted} - set(locked(level)) == set()


def test_the_locks_agree_and_pin_the_build() -> None:
    runtime, dev, bench = (locked(level) for level in LOCKS)
    assert runtime.items() <= dev.items() <= bench.items()
    assert PROJECT["build-system"]["requires"] == [f"hatchling=={runtime['hatchling'][0]}"]


def test_no_lock_names_a_place() -> None:
    for path in (ROOT / "requirements").iterdir():
        text = path.read_text()
        assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|/tmp|/home", text), path


def test_importing_the_package_is_light() -> None:
    heavy = "numpy polars pyarrow plotly numba msgspec typer rich asyncio"
    code = f"import sys, hatmanifesto; print(*sorted(set('{heavy}'.split()) & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_the_scripts_are_executable() -> None:
    for name in (".ci/run", "tools/venv.sh"):
        assert (ROOT / name).stat().st_mode & 0o111, name


@pytest.mark.slow
def test_every_module_imports_without_uvloop_and_picows() -> None:
    code = (
        "import sys, pkgutil, importlib, hatmanifesto\n"
        "sys.modules.update(uvloop=None, picows=None)\n"
        "for m in pkgutil.walk_packages(hatmanifesto.__path__, 'hatmanifesto.'):\n"
        "    if not m.name.endswith('__main__'): importlib.import_module(m.name)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
