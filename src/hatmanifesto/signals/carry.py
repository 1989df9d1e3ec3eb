"""Carry on funding: what a hedged position nets, when it breaks even, and rank weights."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from hatmanifesto.signals.checks import (
    Floats,
    Vector,
    finite_array,
    require_finite,
    require_not_negative,
    require_positive,
    same_length,
)
from hatmanifesto.signals.funding import HOURS_YEAR

BPS = 1e4
ROUNDING = 1e-12
"""Share of the cost that a sum of many hours may miss by rounding and still count as reached."""


class HedgedCarry(msgspec.Struct, frozen=True):
    """Funding received, costs, financing and net over a holding time [USDC].

    ``net_apr`` is net a year per notional; NaN for no hours. ``breakeven_hours`` is the first hour
    at whose end funding less financing has paid the costs, None when no hour of them does.
    """

    gross: float
    costs: float
    financing: float
    net: float
    net_apr: float
    breakeven_hours: int | None


def hedged_carry(
    funding: Vector, *, notional: float, cost_bps: float, financing_apr: float, hours: int
) -> HedgedCarry:
    """Return what a short perp against a long second leg earns over the first ``hours``.

    Args:
        funding: rate of each hour, shape (n,), n >= hours [fraction of notional].
        notional: of one leg, > 0 [USDC].
        cost_bps: round trip of all legs, >= 0 [bps of notional].
        financing_apr: a year of the capital bound, simple [fraction].
        hours: held, >= 0.

    Raises:
        ValueError: on a value that is not finite, or more hours than have a rate.

    Source: QUANT.md E.1.
    """
    rates = finite_array("funding", funding)
    require_positive({"notional": notional})
    require_not_negative({"cost_bps": cost_bps, "hours": hours})
    require_finite({"financing_apr": financing_apr})
    if hours > len(rates):
        raise ValueError(f"expected a rate for each of {hours} hours, was {len(rates)}")
    held = rates[: int(hours)]
    gross = notional * math.fsum(held)
    costs = notional * cost_bps / BPS
    financing = notional * financing_apr * hours / HOURS_YEAR
    net = gross - costs - financing
    return HedgedCarry(
        gross=gross,
        costs=costs,
        financing=financing,
        net=net,
        net_apr=net / notional * HOURS_YEAR / hours if hours > 0 else math.nan,
        breakeven_hours=breakeven_hours(
            held, cost_bps=cost_bps, financing_per_hour=financing_apr / HOURS_YEAR
        ),
    )


def breakeven_hours(
    funding: Vector, *, cost_bps: float, financing_per_hour: float = 0.0
) -> int | None:
    """Return the first hour, from 1 on, at whose end income has paid the costs; None if none has.

    Args:
        funding: received in each hour, shape (n,) [fraction of notional; negative: paid].
        cost_bps: of getting in and out with all legs [bps of notional].
        financing_per_hour: cost of the capital bound [fraction of notional an hour].

    Raises:
        ValueError: on a value that is not finite.

    Source: QUANT.md E.1.
    """
    rates = finite_array("funding", funding)
    require_finite({"cost_bps": cost_bps, "financing_per_hour": financing_per_hour})
    paid = np.cumsum(rates - financing_per_hour)
    cost = cost_bps / BPS
    reached = np.flatnonzero(paid >= cost - abs(cost) * ROUNDING)
    return int(reached[0]) + 1 if reached.size else None


def hours_to_pay(rate_1h: float, cost_bps: float) -> float:
    """Return after how many hours a constant income pays a cost; NaN when it never does.

    Args:
        rate_1h: income [fraction of notional an hour].
        cost_bps: of getting in and out, >= 0 [bps of notional].

    Source: QUANT.md C.12.
    """
    return cost_bps / BPS / rate_1h if rate_1h > 0.0 else math.nan


class CrossSection(msgspec.Struct, frozen=True):
    """Signed weights over a universe, shape (n,), and what funding they earn a period."""

    weights: Floats
    income: float


def cross_section(funding: Vector, volatility: Vector, *, gross: float) -> CrossSection:
    """Return dollar-neutral weights -(rank - mean rank) / volatility of a fixed gross.

    Ties share their average rank. Long and short side are each scaled to half the gross. What is
    undefined (fewer than two coins, all rates equal, a volatility of zero) is NaN throughout.

    Args:
        funding: rate a period, shape (n,).
        volatility: >= 0, shape (n,).
        gross: sum of absolute weights, > 0.

    Raises:
        ValueError: on a value that is not finite, a negative volatility, or unequal lengths.

    Source: QUANT.md E.2.
    """
    rates, sigmas = finite_array("funding", funding), finite_array("volatility", volatility)
    same_length({"funding": rates, "volatility": sigmas})
    require_positive({"gross": gross})
    if (sigmas < 0).any():
        raise ValueError(f"expected volatility >= 0, was {sigmas.tolist()!r}")
    if not (sigmas > 0).all():
        weights = np.full(len(rates), math.nan)
    else:
        scores = np.asarray(rank_scores(rates.tolist()), dtype=np.float64)
        weights = np.asarray(dollar_neutral((-scores / sigmas).tolist(), gross), dtype=np.float64)
    income = -math.fsum(weights * rates) if len(rates) else math.nan
    return CrossSection(weights=weights, income=income)


def rank_scores(values: Sequence[float]) -> list[float]:
    """Return rank less mean rank of each value, the highest value highest; ties share a rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    scores = [0.0] * len(values)
    centre = 0.5 * (len(values) - 1)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for at in range(start, end + 1):
            scores[order[at]] = 0.5 * (start + end) - centre
        start = end + 1
    return scores


def dollar_neutral(raw: Sequence[float], gross: float) -> list[float]:
    """Return ``raw`` with each side scaled to half of ``gross``; NaN when a side is empty."""
    bought = math.fsum(value for value in raw if value > 0)
    sold = -math.fsum(value for value in raw if value < 0)
    if not (bought > 0 and sold > 0):
        return [math.nan] * len(raw)
    half = 0.5 * gross
    return [half * value / (bought if value > 0 else sold) for value in raw]


def balanced(raw: Sequence[float], gross: float, top: float) -> list[float]:
    """Return ``dollar_neutral`` weights none of which is above ``top``.

    What a leg may not hold goes to the others of its side in proportion; where a side cannot hold
    its half, both hold what that one can. NaN when a side is empty.

    Args:
        raw: signed weights of any scale.
        gross: of both sides, > 0.
        top: largest absolute weight, > 0.
    """
    bought = [value for value in raw if value > 0]
    sold = [-value for value in raw if value < 0]
    if not (bought and sold):
        return [math.nan] * len(raw)
    half = min(0.5 * gross, top * len(bought), top * len(sold))
    longs, shorts = iter(capped(bought, half, top)), iter(capped(sold, half, top))
    return [next(longs) if value > 0 else -next(shorts) if value < 0 else 0.0 for value in raw]


def capped(parts: Sequence[float], total: float, top: float) -> list[float]:
    """Return shares of ``total`` in proportion to ``parts`` > 0, none above ``top``.

    ``total`` is at most ``top`` times their number.
    """
    shares = [0.0] * len(parts)
    free = list(range(len(parts)))
    left = total
    while free:
        scale = left / math.fsum(parts[i] for i in free)
        over = [i for i in free if parts[i] * scale > top]
        for i in over or free:
            shares[i] = top if over else parts[i] * scale
        left -= top * len(over)
        free = [i for i in free if i not in over] if over else []
    return shares
