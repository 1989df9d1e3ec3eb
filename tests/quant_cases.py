"""Run files of reference cases through the library: ``python -m tests.quant_cases FILE...``.

A file is ``{"cases": [{id, group, function, inputs, expected, tolerance, ...}]}``. Inputs are
literal, or made by the Python of ``generator`` (with numpy as ``np``), whose ``generator_checks``
(shape, first, last, sum) are compared first. Every key of ``expected`` must agree:
|got - exp| <= abs + rel*|exp|.
The strings nan, inf and -inf are those floats; null means not applicable, which a function that
returns floats says as NaN; ``{"error": NAME}`` means that an exception of that class is raised.

Exit codes: 0 all agree, 1 a failure, an unmapped case of a required group, or no case at all,
2 bad arguments or an unreadable file.
"""

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from tests.quant_adapter import ADAPTERS

SEED = 20240101
"""Seed of the generator handed to simulations, the same for every case."""
FLOAT_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
GENERATOR_TOLERANCE = 1e-9
GROUPS = frozenset("ABCDEF")
REQUIRED_KEYS = ("id", "group", "function", "inputs", "expected", "tolerance")

Case = dict[str, Any]
Adapter = Callable[[Any, np.random.Generator], Any]


class Fault(NamedTuple):
    """One disagreement."""

    case: str
    key: str
    got: object
    expected: object


class BadFileError(Exception):
    """A file cannot be read as cases."""


def normal_name(text: str) -> str:
    """Return the words of a function text, without case and spacing."""
    return " ".join(text.casefold().split())


def with_floats(value: Any) -> Any:
    """Return JSON data with the words for IEEE values turned into floats."""
    if isinstance(value, str):
        return FLOAT_WORDS.get(value, value)
    if isinstance(value, list):
        return [with_floats(item) for item in value]
    if isinstance(value, dict):
        return {key: with_floats(item) for key, item in value.items()}
    return value


def plain(value: Any) -> Any:
    """Return a result in the types of JSON: arrays, tuples and structs as lists and dicts."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, msgspec.Struct):
        return {key: plain(item) for key, item in msgspec.structs.asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def agrees(got: Any, expected: Any, *, absolute: float, relative: float) -> bool:
    """Return whether one leaf agrees."""
    if expected is None:
        return got is None or (isinstance(got, float) and math.isnan(got))
    if isinstance(expected, bool) or isinstance(got, bool) or isinstance(expected, str):
        return type(got) is type(expected) and got == expected
    if not isinstance(got, int | float):
        return False
    if math.isnan(expected) or math.isinf(expected):
        return got == expected or (math.isnan(expected) and math.isnan(got))
    return abs(got - expected) <= absolute + relative * abs(expected)


def differences(
    got: Any, expected: Any, *, key: str, absolute: float, relative: float
) -> Iterator[tuple[str, object, object]]:
    """Yield (key, got, expected) for every leaf of ``expected`` that disagrees."""
    inner = {"absolute": absolute, "relative": relative}
    if isinstance(expected, dict):
        for name, value in expected.items():
            path = f"{key}.{name}" if key else name
            if not isinstance(got, dict) or name not in got:
                yield path, "missing", value
            else:
                yield from differences(got[name], value, key=path, **inner)
    elif isinstance(expected, list):
        if not isinstance(got, list) or len(got) != len(expected):
            yield key, got, expected
        else:
            for i, value in enumerate(expected):
                yield from differences(got[i], value, key=f"{key}[{i}]", **inner)
    elif not agrees(got, expected, **inner):
        yield key, got, expected


def generated(case: Case) -> tuple[dict[str, Any], list[Fault]]:
    """Return what the generator of a case makes, and where it is not what its checks say."""
    names: dict[str, Any] = {"np": np}
    exec(case["generator"], names)  # part of the form of the file
    made = {k: v for k, v in names.items() if k not in ("np", "__builtins__")}
    faults = []
    for name, checks in case.get("generator_checks", {}).items():
        array = np.asarray(made.get(name, np.nan), dtype=np.float64)
        flat = array.ravel() if array.size else np.array([np.nan])
        seen = {"shape": list(array.shape), "first": float(flat[0])}
        seen |= {"last": float(flat[-1]), "sum": float(flat.sum())}
        where = f"generator.{name}"
        bounds = {"absolute": GENERATOR_TOLERANCE, "relative": GENERATOR_TOLERANCE}
        found = differences(seen, with_floats(checks), key=where, **bounds)
        faults += [Fault(case["id"], *one) for one in found]
    return made, faults


def run_case(case: Case, adapter: Adapter) -> list[Fault]:
    """Return the disagreements of one case."""
    inputs = with_floats(case["inputs"])
    expected = with_floats(case["expected"])
    if case.get("generator"):
        try:
            made, faults = generated(case)
        except Exception as error:  # noqa: BLE001 - any fault of a generator is a failed case
            said = f"{type(error).__name__}: {error}"
            return [Fault(case["id"], "generator", said, "made inputs")]
        if faults:
            return faults
        inputs = {**inputs, **made}
    wanted = expected.get("error")
    try:
        got = plain(adapter(inputs, np.random.default_rng(SEED)))
    except Exception as error:  # noqa: BLE001 - any exception is the outcome to judge
        names = [kind.__name__ for kind in type(error).__mro__]
        if wanted in names and wanted not in ("BaseException", "object"):
            return []
        said = f"{type(error).__name__}: {error}"
        return [Fault(case["id"], "error", said, wanted or "a result")]
    if wanted is not None:
        return [Fault(case["id"], "error", got, wanted)]
    bounds = case["tolerance"]
    limits = {"absolute": float(bounds["abs"]), "relative": float(bounds["rel"])}
    return [Fault(case["id"], *one) for one in differences(got, expected, key="", **limits)]


def is_tolerance(value: Any) -> bool:
    """Return whether this is a tolerance: finite numbers abs and rel, not negative."""
    if not isinstance(value, dict):
        return False
    bounds = [value.get("abs"), value.get("rel")]
    return all(isinstance(b, int | float) and math.isfinite(b) and b >= 0 for b in bounds)


def read_cases(path: str) -> list[Case]:
    """Return the cases of a file.

    Raises:
        BadFileError: if it cannot be read, or is not of the form.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFileError(f"cannot read {path}: {error}") from error
    cases = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(cases, list):
        raise BadFileError(f"cannot read {path}: expected an object with a list under 'cases'")
    for at, case in enumerate(cases):
        absent = [k for k in REQUIRED_KEYS if not isinstance(case, dict) or k not in case]
        if absent:
            raise BadFileError(f"cannot read {path}: case {at} has no {', '.join(absent)}")
        if not isinstance(case["inputs"], dict) or not isinstance(case["expected"], dict):
            raise BadFileError(
                f"cannot read {path}: inputs and expected of case {at} must be objects"
            )
        if not case["expected"]:
            raise BadFileError(f"cannot read {path}: case {at} expects nothing")
        if not is_tolerance(case["tolerance"]):
            raise BadFileError(f"cannot read {path}: case {at} needs numbers abs and rel >= 0")
    return cases


class Tally(NamedTuple):
    """Counts per group, and every disagreement."""

    passed: Counter[str]
    failed: Counter[str]
    unmapped: Counter[str]
    faults: list[Fault]
    unmapped_names: list[str]


def run_cases(cases: Sequence[Case]) -> Tally:
    """Return the tally of all cases; a case is matched by its function text, never by its id."""
    adapters = {normal_name(name): adapter for name, adapter in ADAPTERS.items()}
    tally = Tally(Counter(), Counter(), Counter(), [], [])
    for case in cases:
        group = str(case["group"])
        adapter = adapters.get(normal_name(case["function"]))
        if adapter is None:
            tally.unmapped[group] += 1
            tally.unmapped_names.append(f"{case['id']} {case['function']}")
            continue
        faults = run_case(case, adapter)
        tally.faults.extend(faults)
        (tally.failed if faults else tally.passed)[group] += 1
    return tally


def report(tally: Tally, required: frozenset[str]) -> list[str]:
    """Return the lines to print."""
    lines = [f"FAIL {f.case} {f.key}: got {f.got!r} expected {f.expected!r}" for f in tally.faults]
    lines += [f"UNMAPPED {name}" for name in tally.unmapped_names]
    groups = sorted(set(tally.passed) | set(tally.failed) | set(tally.unmapped) | required)
    for group in groups:
        counts = tally.passed[group], tally.failed[group], tally.unmapped[group]
        note = " (required)" if group in required else ""
        passed, failed, unmapped = counts
        lines.append(f"{group}: passed {passed}, failed {failed}, unmapped {unmapped}{note}")
    sums = tally.passed.total(), tally.failed.total(), tally.unmapped.total()
    lines.append(f"all: passed {sums[0]}, failed {sums[1]}, unmapped {sums[2]}")
    return lines


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Return the parsed arguments; argparse exits with 2 on bad ones."""
    parser = argparse.ArgumentParser(prog="python -m tests.quant_cases", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", help="JSON files of cases")
    parser.add_argument(
        "--require", default="", metavar="A,D", help="groups in which an unmapped case is a failure"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Run the files and return the exit code."""
    wanted = arguments(argv)
    required = frozenset(name.strip() for name in wanted.require.split(",") if name.strip())
    try:
        cases = [case for path in wanted.files for case in read_cases(path)]
    except BadFileError as error:
        print(f"quant_cases: {error}", file=sys.stderr)
        return 2
    if not cases:
        print("quant_cases: no case in the files given", file=sys.stderr)
        return 1
    unknown = required - GROUPS - {str(case["group"]) for case in cases}
    if unknown:
        print(f"quant_cases: unknown group {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    tally = run_cases(cases)
    print("\n".join(report(tally, required)))
    return 1 if tally.faults or any(tally.unmapped[group] for group in required) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
