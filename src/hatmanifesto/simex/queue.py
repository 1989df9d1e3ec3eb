"""How much is still before us at a price level, from trades and changes of the level's size.

Theory of operation. An order joins at the back: front = the size shown. A trade at its price takes
from the front. When the level then shrinks by more than those trades, somebody cancelled: a model
says with which probability p that happened behind us. The order is reached when front < 0. The
size shown never includes our own order. Under the risk-averse model nobody before us ever cancels
(p = 1), but the front still cannot exceed what is shown.

The published estimate lets a large cancel take more from the front than stands there, which would
fill an order that nobody traded with. `estimated_front` is that estimate; `front_after_depth`, for
the exchange, stops it at zero: only trades fill.

Source: hftbacktest 2.x documentation, "Order Fill"; QUANT D.10.
"""

import math
from collections.abc import Iterable

import msgspec

from hatmanifesto.domain.errors import UsageError

RISK_AVERSE, POWER, LOG, POWER2, LOG2, POWER3 = (
    "risk_averse",
    "power",
    "log",
    "power2",
    "log2",
    "power3",
)
KINDS = (RISK_AVERSE, POWER, LOG, POWER2, LOG2, POWER3)
SPELLINGS = {"prob": POWER, "power2": POWER2, "power3": POWER3}
EXPONENT_MAX = 100.0


class QueueModel(msgspec.Struct, frozen=True):
    """Which model, one of KINDS, and its exponent n > 0, which the plain and log kinds ignore."""

    kind: str
    exponent: float = 1.0


def parse_queue_model(text: str) -> QueueModel:
    """Return the model spelt ``risk_averse``, ``prob:N``, ``log``, ``log2``, ``power2:N`` or so.

    Raises:
        UsageError: if the spelling is unknown or the exponent is not in (0, 100].
    """
    name, colon, number = text.strip().partition(":")
    if not colon and name in (RISK_AVERSE, LOG, LOG2):
        return QueueModel(name)
    if colon and name in SPELLINGS:
        try:
            exponent = float(number)
        except ValueError:
            exponent = math.nan
        if 0 < exponent <= EXPONENT_MAX:
            return QueueModel(SPELLINGS[name], exponent)
        why = f"the exponent must be a number in (0, {EXPONENT_MAX:g}], was {number!r}"
    else:
        why = "the spelling is not known"
    raise UsageError(
        f"queue model {text!r} refused",
        why=why,
        fix="use risk_averse, prob:N, log, log2, power2:N or power3:N, e.g. --queue prob:3",
    )


def front_after_trade(front: float, sz: float) -> float:
    """Return what is before us after ``sz`` traded at our price; below zero we were reached."""
    return front - sz


def front_after_depth(
    front: float, *, shown_before: float, shown: float, traded: float, model: QueueModel
) -> float:
    """Return what is before us after the level's size changed: it never grows, and never fills.

    Args:
        front: before us now, trades already taken off [sz units].
        shown_before, shown: size of the level at the last update and at this one, >= 0 [sz units].
        traded: at our price between the two, >= 0 [sz units].
        model: who cancels.
    """
    estimate = estimated_front(
        front, shown_before=shown_before, shown=shown, traded=traded, model=model
    )
    return max(estimate, min(front, 0))


def estimated_front(
    front: float, *, shown_before: float, shown: float, traded: float, model: QueueModel
) -> float:
    """Return the published estimate of the front, which may fall below zero; arguments as above."""
    cancelled = shown_before - shown - traded
    if cancelled < 0 or model.kind == RISK_AVERSE:
        return min(front, shown)
    back = max(shown_before - front, 0)
    behind = chance_behind(front, back, model=model)
    moved = front - (1.0 - behind) * cancelled + min(back - behind * cancelled, 0.0)
    return min(moved, shown)


def follow_queue(
    shown: float, events: Iterable[tuple[str, float]], *, model: QueueModel
) -> list[float]:
    """Return the published estimate after each event, for an order that joins behind ``shown``.

    Args:
        shown: size of the level on joining, >= 0 [sz units].
        events: ("trade", size at our price) or ("depth", new size of the level), in order.
        model: who cancels.

    Raises:
        ValueError: on an unknown model or event, or a value that is not finite or negative.
    """
    if model.kind not in KINDS or not 0 < model.exponent <= EXPONENT_MAX:
        raise ValueError(f"expected a queue model of {KINDS}, was {model!r}")
    front, traded, fronts = _size(shown), 0.0, []
    for name, value in events:
        if name == "trade":
            front = front_after_trade(front, _size(value))
            traded += value
        elif name == "depth":
            change = {"shown_before": shown, "shown": _size(value), "traded": traded}
            front = estimated_front(front, **change, model=model)
            shown, traded = value, 0.0
        else:
            raise ValueError(f"expected a trade or depth event, was {name!r}")
        fronts.append(front)
    return fronts


def _size(value: float) -> float:
    """Return a size after refusing what is none."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"expected a size >= 0, was {value!r}")
    return value


def is_reached(front: float) -> bool:
    """Return whether more traded than stood before us."""
    return front < 0


def chance_behind(front: float, back: float, *, model: QueueModel) -> float:
    """Return the probability that a cancel is behind us; 1 when nothing is queued at all.

    Args:
        front, back: before and behind us [sz units].
        model: any but is meant for one with a probability; risk-averse gives 1.
    """
    if model.kind == RISK_AVERSE or front + back == 0:
        return 1.0
    if model.kind in (LOG, LOG2):
        if front <= -1:
            return 1.0
        whole = math.log1p(back + front) if model.kind == LOG2 else _logs(front, back)
        return math.log1p(back) / whole if whole != 0 else 1.0
    scale = max(abs(front), abs(back))
    ahead = _power(front / scale, model.exponent)
    after = _power(back / scale, model.exponent)
    whole = _power((front + back) / scale, model.exponent)
    if model.kind == POWER3:
        return 1.0 - ahead / whole if whole > 0 else 1.0
    if model.kind == POWER:
        whole = ahead + after
    return after / whole if whole > 0 else 1.0


def _logs(front: float, back: float) -> float:
    """Return ln(1+b) + ln(1+f)."""
    return math.log1p(back) + math.log1p(front)


def _power(x: float, exponent: float) -> float:
    """Return x to the exponent; an order already reached (x < 0) counts only where that is real."""
    if x < 0 and exponent != int(exponent):
        return 0.0
    return float(x**exponent)
