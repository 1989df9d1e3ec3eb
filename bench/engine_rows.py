"""How many market rows a second the whole back-test chain takes on one core, by either engine."""

import statistics
from collections.abc import Sequence
from typing import Any

from bench.child import run_child
from bench.market import Market
from bench.plan import Plan
from bench.result import Limit, Result, result_of
from hatmanifesto.apps.fast import COMPILED, PYTHON, builds_folder, find_library

ROWS_PER_S_MIN = 150_000
COMMANDS_PER_ROW_MIN = 0.1
UNIT = "market rows/s"
LIMITS = {PYTHON: (Limit(">=", ROWS_PER_S_MIN),), COMPILED: ()}
"""The promise on rows is made for plain Python, which everybody has."""


def rates(runs: list[dict[str, Any]], clock: str = "wall_s") -> list[float]:
    """Return rows a second of each run."""
    return [run["rows"] / run[clock] for run in runs]


def brief(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the runs did beside taking time."""
    first = runs[0]
    return {
        "engine": first["engine"],
        "rows": first["rows"],
        "commands": first["commands"],
        "commands_per_row": first["commands"] / first["rows"],
        "fills": first["fills"],
        "wall_s": [run["wall_s"] for run in runs],
        "cpu_s": [run["cpu_s"] for run in runs],
        "rows_per_cpu_s": statistics.median(rates(runs, "cpu_s")),
        "core": first["core"],
    }


def engines() -> tuple[str, ...]:
    """Return the engines that can run here: plain Python, and the compiled one if it is built."""
    return (PYTHON, COMPILED) if find_library(builds_folder()) else (PYTHON,)


def check_same(runs: Sequence[dict[str, Any]]) -> None:
    """Demand one journal of all runs: an engine that does something else proves nothing."""
    hashes = {run["journal_hash"] for run in runs}
    assert len(hashes) == 1, f"the engines disagree: {sorted(hashes)}"


def bench(plan: Plan, market: Market) -> list[Result]:
    """Measure ours alone, engines in turns: rows a second, and commands a row."""
    runs: dict[str, list[dict[str, Any]]] = {engine: [] for engine in engines()}
    for _ in range(plan.repeats):
        for engine, mine in runs.items():
            mine.append(run_child("ours", engine=engine, market=market, repeat=plan.repeat))
    check_same([run for mine in runs.values() for run in mine])
    results = [
        result_of(
            f"engine rows ({engine})",
            rates(mine),
            unit=UNIT,
            limits=LIMITS[engine],
            data=market.label,
            details=brief(mine) | {"journal_hash": mine[0]["journal_hash"]},
        )
        for engine, mine in runs.items()
    ]
    details = results[0].details
    commands = result_of(
        "engine commands",
        [details["commands_per_row"]] * plan.repeats,
        unit="commands/row",
        limits=(Limit(">=", COMMANDS_PER_ROW_MIN),),
        data=market.label,
        details={"fills": details["fills"]},
    )
    return [*results, commands]
