"""The runner of reference cases judges rightly, and its adapter computes nothing."""

import ast
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests import quant_cases
from tests.quant_adapter import ADAPTERS
from tests.quant_adapter_a import ADAPTERS as PERFORMANCE

ROOT = Path(__file__).resolve().parents[1]
OWN = [str(path) for path in sorted((ROOT / "tests" / "data").glob("quant_cases_own*.json"))]
ALLOWED_IMPORTS = ("collections.abc", "typing", "hatmanifesto", "tests.quant_adapter")
FORBIDDEN_NAMES = frozenset(
    "sum min max abs pow round divmod eval exec compile map reduce getattr "
    "__import__ __builtins__ globals float int complex".split()
)
FORBIDDEN_ATTRIBUTES = frozenset({"sum", "mean", "dot", "std", "prod", "cumsum", "var"})


def shared_file() -> Path:
    """Return where the shared reference cases lie."""
    named = os.environ.get("HAT_SHARED_QUANT")
    folder = Path(named) if named else ROOT.parent / "shared" / "quant"
    return folder / "cases_open.json"


def impurities(source: str) -> list[str]:
    """Return what in a source could compute rather than rename."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp | ast.AugAssign):
            operator = type(node.op).__name__
            found += [] if operator == "BitOr" and isinstance(node, ast.BinOp) else [operator]
        elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
            found.append(type(node.op).__name__)
        elif isinstance(node, ast.Compare):
            order = ast.Lt | ast.LtE | ast.Gt | ast.GtE
            found += [type(op).__name__ for op in node.ops if isinstance(op, order)]
        elif isinstance(node, ast.Import):
            found += [a.name for a in node.names if not a.name.startswith(ALLOWED_IMPORTS)]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or "."
            found += [] if module.startswith(ALLOWED_IMPORTS) else [module]
        elif isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            found.append(repr(node.value))
        elif isinstance(node, ast.Name) and node.id in FORBIDDEN_NAMES:
            found.append(node.id)
        elif isinstance(node, ast.Attribute):
            bad = node.attr in FORBIDDEN_ATTRIBUTES or node.attr.startswith("__")
            found += [node.attr] if bad else []
    return found


def case(**changes: Any) -> dict[str, Any]:
    """Return a case that passes, with changes."""
    base: dict[str, Any] = {
        "id": "X-1",
        "group": "D",
        "function": "Roll implied spread",
        "inputs": {"prices": [1, 2, 3]},
        "expected": {"spread": "nan", "autocov": 0},
        "tolerance": {"rel": 1e-9, "abs": 1e-12},
    }
    return {**base, **changes}


def run(tmp_path: Path, *cases: dict[str, Any], arguments: tuple[str, ...] = ()) -> int:
    """Run cases from a file and return the exit code."""
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": cases}), encoding="utf-8")
    return quant_cases.main([str(path), *arguments])


def test_own_cases_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert quant_cases.main([*OWN, "--require", "A,D,E"]) == 0
    assert "failed 0, unmapped 0" in capsys.readouterr().out


def test_own_cases_reach_most_functions() -> None:
    texts = {one["function"] for path in OWN for one in quant_cases.read_cases(path)}
    assert texts <= set(ADAPTERS)
    assert texts >= set(PERFORMANCE)
    assert len(texts - set(PERFORMANCE)) >= 14


@pytest.mark.slow
def test_shared_cases_pass(capsys: pytest.CaptureFixture[str]) -> None:
    path = shared_file()
    if not path.is_file():
        pytest.skip(f"data: no shared reference cases at {path}")
    assert quant_cases.main([str(path), "--require", "A,D,E"]) == 0, capsys.readouterr().out


def test_adapters_only_rename() -> None:
    for path in sorted((ROOT / "tests").glob("quant_adapter*.py")):
        assert impurities(path.read_text(encoding="utf-8")) == [], path.name


@pytest.mark.parametrize(
    "planted",
    [
        "x = a + b",
        "x = a ** 2",
        "x = -a",
        "x += 1",
        "import numpy as np",
        "from scipy import stats",
        "import math",
        "from operator import add",
        "x = 0.5",
        "x = sum(a)",
        "x = a.mean()",
        "x = a.__add__(b)",
        "x = a < b",
        "eval('1' '+' '1')",
    ],
)
def test_purity_check_bites(planted: str) -> None:
    source = (ROOT / "tests" / "quant_adapter.py").read_text(encoding="utf-8")
    assert impurities(f"{source}\n{planted}\n")


def test_passing_case_exits_zero(tmp_path: Path) -> None:
    assert run(tmp_path, case()) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"expected": {"spread": 0.0}},
        {"expected": {"autocov": 1e-11}},
        {"expected": {"unheard_of": 1}},
        {"expected": {"error": "ValueError"}},
        {"expected": {"spread": [1, 2]}},
        {"expected": {"autocov": None}},
        {"expected": {"autocov": False}},
        {"inputs": {}},
        {"inputs": {"prices": [1, "nan", 2]}},
        {"generator": "raise KeyError('x')"},
        {"generator": "prices = [1, 2, 3]", "generator_checks": {"prices": {"sum": 7}}},
        {"generator": "prices = [1, 2, 3]", "generator_checks": {"absent": {"sum": 7}}},
    ],
)
def test_failing_case_exits_one_and_is_named(
    tmp_path: Path, changes: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, case(), case(id="X-2", **changes)) == 1
    assert "FAIL X-2 " in capsys.readouterr().out


def test_generator_makes_inputs(tmp_path: Path) -> None:
    checks = {"prices": {"shape": [5], "first": 1, "last": 5, "sum": 15}}
    made = {"generator": "prices = np.arange(1, 6)", "generator_checks": checks}
    assert run(tmp_path, case(inputs={}, **made)) == 0


def test_expected_error_passes_only_with_that_class(tmp_path: Path) -> None:
    bad = {"inputs": {"prices": [1, "nan", 2]}}
    assert run(tmp_path, case(**bad, expected={"error": "ValueError"})) == 0
    assert run(tmp_path, case(**bad, expected={"error": "TypeError"})) == 1


def test_unmapped_case_fails_only_in_a_required_group(tmp_path: Path) -> None:
    strange = case(id="X-9", group="A", function="unheard of")
    assert run(tmp_path, case(), strange) == 0
    assert run(tmp_path, case(), strange, arguments=("--require", "D")) == 0
    assert run(tmp_path, case(), strange, arguments=("--require", "A,D")) == 1


def test_identifier_does_not_choose_the_function(tmp_path: Path) -> None:
    assert run(tmp_path, case(id="A-01", group="A")) == 0


def test_no_cases_is_an_error(tmp_path: Path) -> None:
    assert run(tmp_path) == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cases": 3}', '{"cases": [{}]}', "\x00"])
def test_unreadable_file_exits_two(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cases.json"
    path.write_text(text, encoding="utf-8")
    assert quant_cases.main([str(path)]) == 2
    assert "cannot read" in capsys.readouterr().err


@pytest.mark.parametrize("changes", [{"tolerance": {}}, {"tolerance": {"abs": -1, "rel": 0}}])
def test_case_without_a_tolerance_exits_two(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert run(tmp_path, case(**changes)) == 2


def test_bad_arguments_exit_two(tmp_path: Path) -> None:
    assert quant_cases.main([str(tmp_path / "absent.json")]) == 2
    assert run(tmp_path, case(), arguments=("--require", "Z")) == 2
    with pytest.raises(SystemExit) as stop:
        quant_cases.main([])
    assert stop.value.code == 2
