"""A strategy to start from: it trades back towards a slow mean of the mid.

Change `decide` and `Params`, then run it:  hat backtest THIS_FILE --data sample --coin BTC
"""

import math
from types import MappingProxyType
from typing import Any, NamedTuple

from hatmanifesto.strategies.contract import Quotes, SignalSpec, Strategy, View
from hatmanifesto.strategies.targets import TAKER_SLOTS, quotes_to_target, too_small, units_of

SEEN_S, MEAN, SIGNAL, TARGET = range(4)
"""Names of the memory cells: memory is a list of floats that starts at 0.0."""


class Params(NamedTuple):
    """What `--set name=value` may change; every field is an int or a float."""

    half_life_s: float = 30.0  # of the mean [s]
    enter_bps: float = 1.0  # distance from the mean at which a position is taken [bps]
    size_pct: float = 20.0  # size of the position [percent of capital]
    slip_bps: float = 5.0  # how far beyond the touch an order may fill [bps]
    requote_ms: int = 1_000  # least time between two decisions [ms]


BOUNDS = MappingProxyType(
    {
        "half_life_s": (0.1, 86_400.0),
        "enter_bps": (0.0, 1_000.0),
        "size_pct": (0.01, 200.0),
        "slip_bps": (0.0, 200.0),
        "requote_ms": (1, 3_600_000),
    }
)
"""A value outside its bounds is refused before the run."""


def decide(p: Params, v: View, m: Any) -> Quotes:
    """Return a price and a size for each slot: (buy px, buy sz, sell px, sell sz).

    Use numbers and `math` only, so that the same function can be compiled. What must be remembered
    goes into `m`: there is no other place, and no future to look at.
    """
    mid = 0.5 * (v.bid_px + v.ask_px)
    now_s = v.now * 1e-9
    if m[SEEN_S] == 0.0:  # the first decision
        m[MEAN] = mid
    kept = math.exp(-math.log(2.0) * (now_s - m[SEEN_S]) / p.half_life_s)
    m[MEAN] = kept * m[MEAN] + (1.0 - kept) * mid
    m[SEEN_S] = now_s

    m[SIGNAL] = 1e4 * (mid - m[MEAN]) / m[MEAN]
    size = 0.01 * p.size_pct * v.capital
    if m[SIGNAL] > p.enter_bps:
        m[TARGET] = float(units_of(v, -size))
    elif m[SIGNAL] < -p.enter_bps:
        m[TARGET] = float(units_of(v, size))
    # Between the two the old target stays: quotes_to_target trades what is left of it.
    return quotes_to_target(v, int(m[TARGET]), p.slip_bps)


def why_too_small(p: Params, v: View) -> str:
    """Return why this capital is too small to trade, '' when it is not."""
    return too_small(v, 0.01 * p.size_pct * v.capital, f"size_pct {p.size_pct:g}")


def build(params: Params) -> Strategy:
    """Return the strategy as data; its slots are a buy and a sell that fill at once or die."""
    return Strategy(
        name="template",
        decide=decide,
        params=params,
        slots=TAKER_SLOTS,
        memory=4,
        requote_ns=params.requote_ms * 1_000_000,
        why_too_small=why_too_small,
        bounds=BOUNDS,
        signal=SignalSpec(
            name="distance from the mean",
            unit="bps",
            horizon_ns=round(params.half_life_s * 1e9),
            cell=SIGNAL,
        ),
    )
