"""Time-series momentum: mean sign of past returns, sized by a forecast of volatility."""

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from hatmanifesto.signals.checks import (
    Vector,
    finite_array,
    require_not_negative,
    require_positive,
)


class Momentum(msgspec.Struct, frozen=True):
    """Signal in [-1, 1], forecast volatility a year, and position as a multiple of capital.

    The position is for the period after the last price. What is undefined is NaN.
    """

    signal: float
    volatility: float
    position: float


class VolTarget(msgspec.Struct, frozen=True):
    """How a position is sized.

    decay: weight of the past in the EWMA of squared returns, in [0, 1].
    initial: variance a period before the first return, >= 0.
    target: volatility wanted, a year, >= 0.
    periods: a year, > 0.
    cap: largest multiple of capital, >= 0.
    """

    decay: float
    initial: float
    target: float
    periods: float
    cap: float


def momentum(prices: Vector, lookbacks: Sequence[int], rule: VolTarget) -> Momentum:
    """Return the position of the next period: mean sign of returns times capped leverage.

    Args:
        prices: closes, oldest first, > 0, shape (n,).
        lookbacks: periods, each >= 1; one that reaches before the first price leaves the signal
            undefined, as does having none.
        rule: how it is sized.

    Raises:
        ValueError: on a value that is not finite or out of its range.

    Source: Moskowitz, Ooi & Pedersen (2012).
    """
    closes = finite_array("prices", prices)
    if (closes <= 0).any():
        raise ValueError(f"expected prices > 0, was {closes.tolist()!r}")
    if any(look < 1 or look != int(look) for look in lookbacks):
        raise ValueError(f"expected look-backs of whole periods >= 1, was {list(lookbacks)!r}")
    require_not_negative({"decay": rule.decay, "initial": rule.initial, "target": rule.target})
    require_not_negative({"cap": rule.cap, "1 - decay": 1.0 - rule.decay})
    require_positive({"periods": rule.periods})
    series = closes.tolist()
    variance = rule.initial
    for before, after in pairwise(series):
        move = after / before - 1.0
        variance = rule.decay * variance + (1.0 - rule.decay) * move * move
    volatility = math.sqrt(variance * rule.periods) if series else math.nan
    signal = math.nan
    if lookbacks and all(look < len(series) for look in lookbacks):
        signs = [sign(series[-1] - series[-1 - int(look)]) for look in lookbacks]
        signal = math.fsum(signs) / len(signs)
    position = signal * vol_leverage(volatility, rule.target, rule.cap)
    return Momentum(signal=signal, volatility=volatility, position=position)


def sign(value: float) -> float:
    """Return 1, 0 or -1."""
    if value > 0.0:
        return 1.0
    if value < 0.0:
        return -1.0
    return 0.0


def vol_leverage(forecast: float, target: float, cap: float) -> float:
    """Return target / forecast, at most ``cap``; NaN without a forecast above zero.

    Source: QUANT.md C.9.
    """
    if not forecast > 0.0:
        return math.nan
    return min(cap, target / forecast)
