"""Whether memory stays flat over ten million rows through the whole chain, journal on disk."""

import math

import numpy as np

from bench.child import run_child
from bench.market import Market
from bench.plan import Plan
from bench.result import Limit, Result, result_of

SLOPE_MAX_PCT = 5.0
WARM_SHARE = 0.1
"""Rows before the first sample counts, as a share of all."""
SAMPLE_EVERY = 97_001
"""Rows between samples: no divisor of a turn of the tape, so that samples fall all over it."""
MIB = 1 << 20


def bench(plan: Plan, market: Market) -> list[Result]:
    """Run once; the slope is the fitted growth from first to last sample over the mean."""
    once = market.tape(1).rows_total
    repeat = max(1, math.ceil(plan.memory_rows / once))
    every = min(SAMPLE_EVERY, max(1, once * repeat // 10))
    run = run_child("ours", market=market, repeat=repeat, sample_every=every)
    points = [point for point in run["samples"] if point[0] >= WARM_SHARE * run["rows"]]
    details = {
        "rows": run["rows"],
        "commands": run["commands"],
        "fills": run["fills"],
        "rows_per_s": run["rows"] / run["wall_s"],
        "journal_mib": run["journal_bytes"] / MIB,
        "samples": run["samples"],
    }
    if len(points) < 3:
        return []
    rows, resident = np.asarray(points, dtype=np.float64).T
    slope = float(np.polyfit(rows, resident, 1)[0]) * (rows[-1] - rows[0]) / resident.mean()
    spread = float(resident.max() - resident.min()) / MIB
    details |= {"max_minus_min_mib": spread, "mean_mib": float(resident.mean()) / MIB}
    return [
        result_of(
            "memory growth",
            [100.0 * float(slope)],
            unit=f"% over {run['rows']:,} rows",
            limits=(Limit("<", SLOPE_MAX_PCT),),
            data=market.label,
            details=details,
        ),
        result_of("memory, max less min", [spread], unit="MiB", data=market.label),
        result_of(
            "engine rows, long run",
            [details["rows_per_s"]],
            unit="market rows/s",
            data=market.label,
        ),
    ]
