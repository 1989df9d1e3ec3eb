"""Trend: the mean sign of past returns over several look-backs, sized to a target volatility.

Theory of operation. The first mid after each boundary of ``sample_s`` is a close, kept in a ring;
a boundary that nobody saw repeats the last close, and the variance goes by time, so that a hole is
no calm. With enough closes the signal is the mean of the signs of the returns over the look-backs,
the target signal x target volatility / forecast volatility x capital. The target changes at a
sample and then only beyond a band; between samples the strategy trades what is left of it.

Source: Moskowitz, Ooi & Pedersen (2012); signals/trend.py says the same over an array.
"""

from types import MappingProxyType
from typing import Any, NamedTuple

from hatmanifesto.domain.units import NS_S
from hatmanifesto.signals.regime import WILD
from hatmanifesto.signals.trend import sign, vol_leverage
from hatmanifesto.signals.volatility import YEAR_S, fold_return, volatility_of
from hatmanifesto.strategies.contract import Quotes, SignalSpec, Strategy, View
from hatmanifesto.strategies.targets import (
    TAKER_SLOTS,
    banded,
    quotes_to_target,
    too_small,
    units_of,
)

SIGNAL, TARGET, INDEX, CLOSE, AT_S, TOTAL, WEIGHT, CLOSES, RING = range(9)
"""Memory cells: signal, target [sz units], number and value of the last sample, its time [s], sum
and weights of squared returns, closes in the ring, and where the ring begins."""


class Params(NamedTuple):
    """Parameters of the trend follower.

    sample_s: time from close to close [s]; a day by default.
    look_a, look_b, look_c, look_d: look-backs [closes]; 0 leaves one out.
    vol_target_pct: volatility wanted of a position at full signal [percent a year].
    vol_half_life: of the variance estimate [closes].
    leverage_max: largest position [multiple of capital].
    wild_scale: share of the position kept while the regime is wild.
    band_pct: a target nearer than this to what is held is not traded [percent].
    slip_bps: how far beyond the touch a fill is still wanted [bps].
    requote_ms: least time between decisions [ms].
    """

    sample_s: int = 86_400
    look_a: int = 5
    look_b: int = 10
    look_c: int = 20
    look_d: int = 40
    vol_target_pct: float = 40.0
    vol_half_life: float = 11.0
    leverage_max: float = 1.0
    wild_scale: float = 0.5
    band_pct: float = 20.0
    slip_bps: float = 20.0
    requote_ms: int = 1_000


BOUNDS = MappingProxyType(
    {
        "sample_s": (1, 604_800),
        "look_a": (0, 1_000),
        "look_b": (0, 1_000),
        "look_c": (0, 1_000),
        "look_d": (0, 1_000),
        "vol_target_pct": (0.1, 500.0),
        "vol_half_life": (0.5, 1_000.0),
        "leverage_max": (0.01, 20.0),
        "wild_scale": (0.0, 1.0),
        "band_pct": (0.0, 90.0),
        "slip_bps": (0.0, 200.0),
        "requote_ms": (1, 3_600_000),
    }
)


def decide(p: Params, v: View, m: Any) -> Quotes:
    """Return (buy px, buy sz, sell px, sell sz) towards the target of the last sample.

    Args:
        p: parameters.
        v: top of book and own position of one coin.
        m: RING + longest look-back + 1 floats, kept between decisions.
    """
    index = v.now // (p.sample_s * NS_S)
    if m[CLOSES] == 0.0 or index > int(m[INDEX]):
        observe(p, v, m, index)
        m[TARGET] = float(target_of(p, v, m))
    return quotes_to_target(v, int(m[TARGET]), p.slip_bps)


def ring_of(p: Params) -> int:
    """Return how many closes the ring holds: the longest look-back and the last close."""
    return max(p.look_a, p.look_b, p.look_c, p.look_d) + 1


def observe(p: Params, v: View, m: Any, index: int) -> None:
    """Put the mid of now into the ring as the close of sample ``index``."""
    ring = ring_of(p)
    close = 0.5 * (v.bid_px + v.ask_px)
    now_s = v.now * 1e-9
    if m[CLOSES] > 0.0:
        dt_s = now_s - m[AT_S]
        half_life_s = p.vol_half_life * p.sample_s
        folded = fold_return(m[TOTAL], m[WEIGHT], close / m[CLOSE] - 1.0, dt_s, half_life_s)
        m[TOTAL] = folded.total
        m[WEIGHT] = folded.weight
        missed = min(index - int(m[INDEX]) - 1, ring)
        for at in range(index - missed, index):
            m[RING + at % ring] = m[CLOSE]
        m[CLOSES] = min(m[CLOSES] + missed, float(ring))
    m[RING + index % ring] = close
    m[CLOSES] = min(m[CLOSES] + 1.0, float(ring))
    m[INDEX] = float(index)
    m[CLOSE] = close
    m[AT_S] = now_s


def target_of(p: Params, v: View, m: Any) -> int:
    """Return the position wanted until the next sample [sz units], and note the signal."""
    ring = ring_of(p)
    if int(m[CLOSES]) < ring:
        return 0
    index = int(m[INDEX])
    total = 0.0
    count = 0
    for look in (p.look_a, p.look_b, p.look_c, p.look_d):
        if look > 0:
            total += sign(m[CLOSE] - m[RING + (index - look) % ring])
            count += 1
    if count == 0:
        return 0
    m[SIGNAL] = total / count
    forecast = volatility_of(m[TOTAL], m[WEIGHT], YEAR_S)
    leverage = vol_leverage(forecast, 0.01 * p.vol_target_pct, p.leverage_max)
    if not leverage > 0.0:
        return 0
    if v.regime >= WILD:
        leverage *= p.wild_scale
    return banded(units_of(v, m[SIGNAL] * leverage * v.capital), v.position, p.band_pct)


def why_too_small(p: Params, v: View) -> str:
    """Return why the capital of this desk is too small for any position, '' when it is not."""
    return too_small(v, p.leverage_max * v.capital, f"leverage_max {p.leverage_max:g}")


def why_waiting(p: Params, m: Any) -> str:
    """Return that the longest look-back is not filled yet, '' when it is."""
    closes, ring = int(m[CLOSES]), ring_of(p)
    if closes >= ring:
        return ""
    return (
        f"its longest look-back takes {ring} closes, one each {p.sample_s:,d} s, and saw {closes}"
    )


def build(params: Params) -> Strategy:
    """Return the trend follower with ``params`` as a strategy."""
    looks = [params.look_a, params.look_b, params.look_c, params.look_d]
    return Strategy(
        name="trend",
        decide=decide,
        params=params,
        slots=TAKER_SLOTS,
        memory=RING + ring_of(params),
        requote_ns=params.requote_ms * 1_000_000,
        why_too_small=why_too_small,
        bounds=BOUNDS,
        signal=SignalSpec(
            name="trend",
            unit="mean sign of returns, -1 to 1",
            horizon_ns=min([look for look in looks if look > 0], default=1)
            * params.sample_s
            * NS_S,
            cell=SIGNAL,
        ),
        why_waiting=why_waiting,
    )
