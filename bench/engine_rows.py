"""How many market rows a second the whole back-test chain takes on one core."""

import statistics
from typing import Any

from bench.child import run_child
from bench.market import Market
from bench.plan import Plan
from bench.result import Limit, Result, result_of

ROWS_PER_S_MIN = 150_000
COMMANDS_PER_ROW_MIN = 0.1
UNIT = "market rows/s"


def rates(runs: list[dict[str, Any]], clock: str = "wall_s") -> list[float]:
    """Return rows a second of each run."""
    return [run["rows"] / run[clock] for run in runs]


def brief(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the runs did beside taking time."""
    first = runs[0]
    return {
        "rows": first["rows"],
        "commands": first["commands"],
        "commands_per_row": first["commands"] / first["rows"],
        "fills": first["fills"],
        "wall_s": [run["wall_s"] for run in runs],
        "cpu_s": [run["cpu_s"] for run in runs],
        "rows_per_cpu_s": statistics.median(rates(runs, "cpu_s")),
        "core": first["core"],
    }


def bench(plan: Plan, market: Market) -> list[Result]:
    """Measure ours alone: rows a second, and commands a row."""
    runs = [run_child("ours", market=market, repeat=plan.repeat) for _ in range(plan.repeats)]
    details = brief(runs) | {"journal_hash": runs[0]["journal_hash"]}
    share = details["commands_per_row"]
    return [
        result_of(
            "engine rows",
            rates(runs),
            unit=UNIT,
            limits=(Limit(">=", ROWS_PER_S_MIN),),
            data=market.label,
            details=details,
        ),
        result_of(
            "engine commands",
            [share] * len(runs),
            unit="commands/row",
            limits=(Limit(">=", COMMANDS_PER_ROW_MIN),),
            data=market.label,
            details={"fills": details["fills"]},
        ),
    ]
