"""Reversion: takes the other side when the perp strays from its oracle farther than costs.

Theory of operation. The premium x = mark / oracle - 1, or what the data call the premium, is
sampled every ``sample_s``. Two samples in a row make a pair; weighted sums over the pairs give an
AR(1) in constant time: where x returns to, how far it strays, and how fast it comes back. A sample
that nobody told breaks the chain, it is not zero. The strategy sells a high premium and buys a low
one when the way back beats the costs of the round trip, and leaves when x is back, or when it has
waited some half-lives for nothing; then it stays out until x has been back once.

Source: QUANT.md E.3; signals/reversion.py says the same over an array.
"""

from types import MappingProxyType
from typing import Any, NamedTuple

from hatmanifesto.domain.units import NS_S
from hatmanifesto.signals.funding import decay_of
from hatmanifesto.signals.regime import WILD
from hatmanifesto.signals.reversion import (
    ar1_of_sums,
    half_life_of,
    stationary_deviation,
    stationary_mean,
)
from hatmanifesto.strategies.contract import Quotes, SignalSpec, Strategy, View
from hatmanifesto.strategies.targets import (
    TAKER_SLOTS,
    quotes_to_target,
    round_trip_bps,
    too_small,
    units_of,
)

Z, TARGET, STATE, ENTERED_S, WAIT_S, INDEX, LAST, LEVEL, PAIRS = range(9)
SUMS = 9
FAR_BPS, NEEDED_BPS = 15, 16
"""Memory cells: z, target [sz units], state, time of entry [s], longest wait from there [s], number
and value of the last sample, level that the sums are about, pairs, then n, sx, sy, sxx, sxy, syy;
the farthest premium from its mean while it might have entered, and what it took then [bps]."""
MEMORY = 17
READY, WAITING = 0.0, 2.0
"""States besides -1 short and 1 long: may enter; waited in vain and stays out for now."""
UNIT = 1e-10
"""Of a premium in a View."""


class Params(NamedTuple):
    """Parameters of the mean reversion.

    sample_s: time between two samples of the premium [s].
    memory_n: samples in which a pair loses half its weight; 0 forgets nothing.
    pairs_min: pairs before anything is traded.
    enter_z: least deviation to enter [standard deviations].
    exit_z: deviation at which it is back [standard deviations].
    cost_mult: way back over costs of the round trip, at least, to enter.
    fee_bps: of one fill, for that comparison [bps].
    hold_max_half_lives: longest wait for the way back [half-lives].
    size_pct: size of a position [percent of capital].
    wild_scale: share of the size kept when it is entered in a wild regime.
    stale_s: a premium told longer ago than this is unknown [s].
    slip_bps: how far beyond the touch a fill is still wanted [bps].
    requote_ms: least time between decisions [ms].
    """

    sample_s: int = 60
    memory_n: float = 500.0
    pairs_min: int = 100
    enter_z: float = 2.0
    exit_z: float = 0.5
    cost_mult: float = 2.0
    fee_bps: float = 4.5
    hold_max_half_lives: float = 3.0
    size_pct: float = 50.0
    wild_scale: float = 0.5
    stale_s: float = 60.0
    slip_bps: float = 5.0
    requote_ms: int = 500


BOUNDS = MappingProxyType(
    {
        "sample_s": (1, 86_400),
        "memory_n": (0.0, 1e6),
        "pairs_min": (10, 100_000),
        "enter_z": (0.1, 20.0),
        "exit_z": (0.01, 10.0),
        "cost_mult": (0.0, 100.0),
        "fee_bps": (-1.0, 50.0),
        "hold_max_half_lives": (0.1, 100.0),
        "size_pct": (0.01, 1000.0),
        "wild_scale": (0.0, 1.0),
        "stale_s": (0.1, 86_400.0),
        "slip_bps": (0.0, 200.0),
        "requote_ms": (1, 3_600_000),
    }
)


def decide(p: Params, v: View, m: Any) -> Quotes:
    """Return (buy px, buy sz, sell px, sell sz) towards the target of the present state.

    Args:
        p: parameters.
        v: top of book, premium and own position of one coin.
        m: MEMORY floats, kept between decisions.
    """
    if v.premium_exch > 0 and v.now - v.premium_exch <= p.stale_s * 1e9:
        x = premium_of(v)
        observe(p, v, m, x)
        judge(p, v, m, x)
    if abs(m[STATE]) == 1.0 and v.now * 1e-9 - m[ENTERED_S] > m[WAIT_S]:
        m[STATE] = WAITING
        m[TARGET] = 0.0
    return quotes_to_target(v, int(m[TARGET]), p.slip_bps)


def premium_of(v: View) -> float:
    """Return mark / oracle - 1, or the premium where the data tell nothing else [fraction]."""
    if v.mark > 0 and v.oracle > 0:
        return v.mark / v.oracle - 1.0
    return v.premium * UNIT


def observe(p: Params, v: View, m: Any, x: float) -> None:
    """Fold the premium of now when a new sample is due."""
    index = v.now // (p.sample_s * NS_S)
    last = int(m[INDEX])
    if index <= last:
        return
    if last == 0:
        m[LEVEL] = x
    value = x - m[LEVEL]
    if last > 0 and index == last + 1:
        kept = decay_of(1.0, p.memory_n) if p.memory_n > 0.0 else 1.0
        before = m[LAST]
        m[SUMS] = m[SUMS] * kept + 1.0
        m[SUMS + 1] = m[SUMS + 1] * kept + before
        m[SUMS + 2] = m[SUMS + 2] * kept + value
        m[SUMS + 3] = m[SUMS + 3] * kept + before * before
        m[SUMS + 4] = m[SUMS + 4] * kept + before * value
        m[SUMS + 5] = m[SUMS + 5] * kept + value * value
        m[PAIRS] += 1.0
    m[LAST] = value
    m[INDEX] = float(index)


def judge(p: Params, v: View, m: Any, x: float) -> None:
    """Move the state: enter, leave, or become ready again."""
    if m[PAIRS] < p.pairs_min:
        return
    fit = ar1_of_sums(m[SUMS], m[SUMS + 1], m[SUMS + 2], m[SUMS + 3], m[SUMS + 4], m[SUMS + 5])
    off = x - m[LEVEL] - stationary_mean(fit.phi, fit.intercept)
    deviation = stationary_deviation(fit.phi, fit.variance)
    if not deviation > 0.0:
        return
    z = off / deviation
    m[Z] = z
    state = m[STATE]
    if state == READY:
        wait_s = p.hold_max_half_lives * p.sample_s * half_life_of(fit.phi)
        far_bps = 1e4 * abs(off)
        needed_bps = p.cost_mult * round_trip_bps(v, p.fee_bps)
        if far_bps > m[FAR_BPS]:
            m[FAR_BPS] = far_bps
            m[NEEDED_BPS] = needed_bps
        pays = far_bps > needed_bps
        if wait_s > 0.0 and pays and abs(z) >= p.enter_z and abs(z) > p.exit_z:
            enter(p, v, m, wait_s)
    elif abs(z) < p.exit_z or (state * z > 0.0 and state != WAITING):
        m[STATE] = READY
        m[TARGET] = 0.0


def enter(p: Params, v: View, m: Any, wait_s: float) -> None:
    """Take the side against the premium, if a position is large enough to be had."""
    size = 0.01 * p.size_pct * v.capital
    if v.regime >= WILD:
        size *= p.wild_scale
    side = -1.0 if m[Z] > 0.0 else 1.0
    target = units_of(v, side * size)
    if target != 0:
        m[STATE] = side
        m[TARGET] = float(target)
        m[ENTERED_S] = v.now * 1e-9
        m[WAIT_S] = wait_s


def why_too_small(p: Params, v: View) -> str:
    """Return why the capital of this desk is too small for a position, '' when it is not."""
    return too_small(v, 0.01 * p.size_pct * v.capital, f"size_pct {p.size_pct:g}")


def why_waiting(p: Params, m: Any) -> str:
    """Return what was missing for an entry: samples, or a premium far enough from its mean."""
    if m[INDEX] == 0.0:
        return f"no premium was told within {p.stale_s:g} s of a decision"
    if m[PAIRS] < p.pairs_min:
        return (
            f"its warm-up takes {p.pairs_min} pairs of neighbouring samples of the premium, one "
            f"each {p.sample_s:,d} s, and had {int(m[PAIRS])}"
        )
    if m[FAR_BPS] == 0.0:
        return "its premium never had a way back that could be fitted"
    return (
        f"the premium was never farther than {m[FAR_BPS]:.1f} bps from its mean, and to enter took "
        f"{m[NEEDED_BPS]:.1f} bps ({p.cost_mult:g} times a round trip) and a z of {p.enter_z:g}"
    )


def build(params: Params) -> Strategy:
    """Return the mean reversion with ``params`` as a strategy."""
    return Strategy(
        name="reversion",
        decide=decide,
        params=params,
        slots=TAKER_SLOTS,
        memory=MEMORY,
        requote_ns=params.requote_ms * 1_000_000,
        why_too_small=why_too_small,
        bounds=BOUNDS,
        signal=SignalSpec(
            name="premium z",
            unit="standard deviations of the premium above its mean",
            horizon_ns=params.sample_s * NS_S,
            cell=Z,
        ),
        needs=("premium",),
        why_waiting=why_waiting,
    )
