"""The sources are tidy, and tidy finds what it is there to find."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools import tidy


def findings_of(tmp_path: Path, place: str, text: str) -> list[str]:
    """Return the rules broken by ``text`` as a file at ``place`` below the package."""
    path = tmp_path / "src" / "hatmanifesto" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return [finding.rule for finding in tidy.check(tidy.load(path)) if finding.is_error]


def test_the_sources_are_tidy() -> None:
    errors = [str(f) for f in tidy.check_folders([ROOT / "src", ROOT / "tools"]) if f.is_error]
    assert not errors, "\n".join(errors)


@pytest.mark.parametrize(
    ("place", "text", "expected"),
    [
        ("books/a.py", "import time\n", ["import"]),
        ("books/a.py", "from os import path\n", ["import"]),
        ("store/a.py", "import time\n", []),
        ("hats/a.py", "print(1)\n", ["call"]),
        ("hats/a.py", "open('x')\n", ["call"]),
        ("apps/a.py", "open('x')\n", []),
        ("engine/a.py", "now = clock.time.time()\n", ["clock"]),
        ("engine/a.py", "now = datetime.datetime.now()\n", ["clock"]),
        ("signals/a.py", "draw = np.random.default_rng\n", ["clock"]),
        ("signals/a.py", "draw = np.random.Generator(np.random.PCG64(7))\n", []),
        ("signals/a.py", "draw = np.random.Generator(np.random.PCG64())\n", ["call"]),
        ("signals/a.py", "half = 0.5\n", []),
        ("simex/a.py", "half = 0.5\n", ["float"]),
        ("simex/a.py", "half = 1 / 2\n", ["float"]),
        ("simex/a.py", "half = 1 // 2\n", []),
        ("books/a.py", "for x in {1, 2}:\n    pass\n", ["set order"]),
        ("books/a.py", "xs = [x for x in set(y)]\n", ["set order"]),
        ("books/a.py", "for x in sorted({1, 2}):\n    pass\n", []),
        ("store/a.py", "from json import *\n", ["star import"]),
        ("store/a.py", "class RunManager: pass\n", ["name"]),
        ("store/a.py", "x = 1  # TO" + "DO later\n", ["mark"]),
        ("store/a.py", "x = 'TODO'\n", []),
        ("store/a.py", "# one \N{EM DASH} two\n", ["dash"]),
        ("store/a.py", "def f():\n" + "    x = 1\n" * 70, ["function length"]),
        ("store/a.py", "def f():\n" + "    x = 1\n" * 69, []),
        ("store/a.py", 'def f():\n    """A.\n' + "\n" * 70 + '    """\n    x = 1\n', []),
        ("store/a.py", "class A:\n" + "    x = 1\n" * 300, ["class length"]),
        ("store/a.py", "x = 1\n" * 600, []),
        ("store/a.py", "x = 1\n" * 601, ["file length"]),
    ],
)
def test_each_rule_bites_where_it_should(
    tmp_path: Path, place: str, text: str, expected: list[str]
) -> None:
    assert findings_of(tmp_path, place, text) == expected


def test_nesting_is_counted_in_blocks_and_elif_is_flat(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "def f():\n    for x in y:\n        if a:\n            pass\n        elif b:\n"
        "            while c:\n                with d:\n                    pass\n"
    )
    assert [f.rule for f in tidy.check(tidy.load(path))] == ["nesting"]
    path.write_text("def f():\n    if a:\n        pass\n    elif b:\n        for x in y: pass\n")
    assert tidy.check(tidy.load(path)) == []


def test_every_way_out_has_a_reason_and_a_use() -> None:
    folder = ROOT / "src" / "hatmanifesto"
    for (place, _), reason in tidy.ALLOWED.items():
        assert len(reason) > 10
        assert (folder / place).exists(), place


def test_main_reports_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("from json import *\n")
    assert tidy.main([str(tmp_path)]) == 1
    assert "a.py:1: error: star import: name what is used" in capsys.readouterr().out
    (tmp_path / "a.py").write_text("import json\n")
    assert tidy.main([str(tmp_path)]) == 0
