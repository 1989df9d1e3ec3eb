"""`python -m bench [NAME...]`: measure, print one table, write bench/results/DATE-COMMIT.json."""

import argparse
import datetime as dt
import importlib
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench import machine
from bench.market import LATENCY, ROOT, SEED, SETTINGS, prepare
from bench.plan import QUICK, Plan
from bench.result import Result

NAMES = ("startup", "engine_rows", "engine_peer", "memory_flat", "warehouse")
RESULTS = ROOT / "bench" / "results"
COLUMNS = "benchmark ours peer peer_name ratio limit met n p50 p99 unit data machine commit".split()
TEXTS = frozenset("benchmark peer_name limit met unit data machine commit".split())


def main(words: Sequence[str] | None = None) -> int:
    """Measure what is named; return 1 if a limit is broken."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="measure speed")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all")
    parser.add_argument("--quick", action="store_true", help="one short run each: no evidence")
    parser.add_argument("--repeats", type=int, help="runs of each engine measurement")
    parser.add_argument("--books", type=int, help="rows of the generated file for warehouse")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON file")
    chosen = parser.parse_args(words)
    unknown = [name for name in chosen.names if name not in NAMES]
    if unknown:
        parser.error(f"unknown {', '.join(unknown)}; known: {', '.join(NAMES)}")
    plan = QUICK if chosen.quick else Plan()
    if chosen.repeats:
        plan = plan._replace(repeats=chosen.repeats)
    if chosen.books:
        plan = plan._replace(book_rows=chosen.books)
    before = machine.describe()
    results = measure(chosen.names or NAMES, plan)
    path = write(chosen.results, before, plan, results)
    show(results, before)
    print(f"written: {path}")
    return int(any(result.is_met is False for result in results))


def measure(names: Sequence[str], plan: Plan) -> list[Result]:
    """Run the benchmarks one after the other over one import of the data."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="hat-bench-") as home:
        market = prepare(Path(home))
        for name in names:
            print(f"measuring {name} ...", file=sys.stderr)
            results += importlib.import_module(f"bench.{name}").bench(plan, market)
    return results


def commit_of(before: dict[str, Any]) -> str:
    """Return the short commit, marked when the checkout was not clean."""
    return (before["commit"] or "no-commit")[:12] + ("-dirty" if before["dirty"] else "")


def write(folder: Path, before: dict[str, Any], plan: Plan, results: Sequence[Result]) -> Path:
    """Write everything, samples included; return where."""
    now = dt.datetime.now(tz=dt.UTC)
    place = {"machine": before["machine"], "commit": commit_of(before)}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%dT%H%M%SZ}-{commit_of(before)}.json"
    content = {
        "at": now.isoformat(),
        "command": [Path(sys.executable).name, "-m", "bench", *sys.argv[1:]],
        "machine": before,
        "load_average_after": machine.describe()["load_average"],
        "plan": plan._asdict(),
        "settings": {**SETTINGS, "latency": LATENCY, "seed": SEED},
        "results": [{**msgspec.to_builtins(result), **place} for result in results],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def show(results: Sequence[Result], before: dict[str, Any]) -> None:
    """Print the table."""
    table = Table(title="hatmanifesto benchmarks", title_justify="left")
    place = {"machine": before["machine"], "commit": commit_of(before)}
    for name in COLUMNS:
        table.add_column(name, justify="left" if name in TEXTS else "right", overflow="fold")
    for result in results:
        met = {True: "yes", False: "NO", None: ""}[result.is_met]
        values = {**msgspec.to_builtins(result), **place, "met": met}
        table.add_row(*(text_of(values[name]) for name in COLUMNS))
    width = None if sys.stdout.isatty() else 220
    console = Console(width=width)
    console.print(table)
    load = before["load_average"]
    busy = f", load before {load[0]:.2f}" if load else ""
    console.print(f"Python {before['python']}, {before['system']}{busy}")


def text_of(value: object) -> str:
    """Return a cell."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
