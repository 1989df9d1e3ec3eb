"""A self-exciting point process with an exponential kernel: intensity, likelihood, residuals."""

import math

import msgspec
import numpy as np

from hatmanifesto.signals.checks import (
    Floats,
    Vector,
    finite_array,
    require_not_negative,
    require_positive,
)


class HawkesFit(msgspec.Struct, frozen=True):
    """What given parameters make of given events.

    Shapes: ``intensity`` just before each event and ``residuals``, increments of the compensator
    that are Exp(1) under the model, (n,) [events/time], [1]. ``loglik`` is NaN when an event had no
    intensity; ``rate`` is the stationary one, NaN when the branching ratio reaches 1.
    """

    intensity: Floats
    residuals: Floats
    loglik: float
    compensator: float
    branching: float
    rate: float


def hawkes_fit(times: Vector, *, end: float, base: float, jump: float, decay: float) -> HawkesFit:
    """Return likelihood and residuals of events under base + sum of jump * exp(-decay * age).

    Args:
        times: of the events, not decreasing, within [0, end], shape (n,) [time].
        end: of the observation, > 0 [time].
        base: mu, >= 0 [1/time].
        jump: alpha, >= 0 [1/time].
        decay: beta, > 0 [1/time].

    Raises:
        ValueError: on a value that is not finite or out of its range, or times out of order.

    Source: Hawkes (1971); Ozaki (1979) for the recursion.
    """
    events = finite_array("times", times)
    require_positive({"end": end, "decay": decay})
    require_not_negative({"base": base, "jump": jump})
    if len(events) and (events[0] < 0 or events[-1] > end or (np.diff(events) < 0).any()):
        raise ValueError(f"expected ordered times within [0, {end!r}], was {events.tolist()!r}")
    intensity, residuals = np.empty(len(events)), np.empty(len(events))
    excited, last = 0.0, 0.0
    for i, time in enumerate(events.tolist()):
        fade = math.exp(-decay * (time - last))
        residuals[i] = base * (time - last) + jump / decay * excited * (1.0 - fade)
        intensity[i] = base + jump * excited * fade
        excited, last = excited * fade + 1.0, time
    rest = base * (end - last) - jump / decay * excited * math.expm1(-decay * (end - last))
    compensator = math.fsum(residuals) + rest
    loglik = math.nan
    if (intensity > 0).all():
        loglik = math.fsum(np.log(intensity)) - compensator
    ratio = jump / decay
    rate = base / (1.0 - ratio) if ratio < 1 else math.nan
    return HawkesFit(intensity, residuals, loglik, compensator, ratio, rate)
