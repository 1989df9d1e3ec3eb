"""Where a market maker quotes: Avellaneda-Stoikov and Gueant-Lehalle-Fernandez-Tapia.

Theory of operation (GLFT). Inventory q lives on -Q..Q and fills arrive at A exp(-k delta). With
alpha = k gamma sigma^2 / 2, beta = k mu and eta = A (1+gamma/k)^-(1+k/gamma) exp(-k xi/2), let M be
tridiagonal with alpha q^2 - beta q on the diagonal and -eta beside it, and v = exp(-M tau) v(T),
v(T) = exp(-k xi q^2/2). Then delta_bid(q) = base + xi/2 + ln(v_q / v_q+1) / k, delta_ask with q-1.
Only ratios of v matter, so every common factor is dropped: c I - M is non-negative for
c = max diag, hence its exponential is computed from sums and products of non-negative numbers and
each entry keeps its relative precision, tails included. For a long horizon v is the eigenvector of
the smallest eigenvalue; its ratios come from the three-term recursion run inward, which is stable.
"""

import math

import msgspec
import numpy as np

from hatmanifesto.signals.checks import (
    Floats,
    Vector,
    finite_array,
    require_finite,
    require_not_negative,
    require_positive,
)
from hatmanifesto.signals.closed_form import glft_half_spread, glft_skew, quote_base
from hatmanifesto.signals.intensity import fill_rate

INVENTORY_MAX = 500
TAYLOR_TERMS = 24
"""Terms of exp of a matrix of norm <= 1: the first one left out is under 1e-25."""


class Market(msgspec.Struct, frozen=True):
    """What a quoting model believes of the market and of itself.

    Args:
        gamma: risk aversion, >= 0 [1/(price*size)].
        sigma: volatility, >= 0 [price/sqrt(time)].
        k: decay of the fill intensity, > 0 [1/price].
        intensity: fills per time at distance zero, A > 0 [1/time].
        adverse: xi, jump of the price against us at each fill, >= 0 [price].
        drift: mu of the price [price/time].
    """

    gamma: float
    sigma: float
    k: float
    intensity: float
    adverse: float = 0.0
    drift: float = 0.0


class Quotes(msgspec.Struct, frozen=True):
    """Distances of bid and ask from the mid by inventory, shape (n,) [price]; NaN = no quote."""

    bid: Floats
    ask: Floats


class Reservation(msgspec.Struct, frozen=True):
    """Avellaneda-Stoikov quotes: [price], the spread in total; fill rates [1/time]."""

    price: float
    spread: float
    bid: float
    ask: float
    delta_bid: float
    delta_ask: float
    rate_bid: float
    rate_ask: float


def reservation_quotes(market: Market, *, mid: float, q: float, time_left: float) -> Reservation:
    """Return the quotes of Avellaneda and Stoikov; a good approximation near the horizon only.

    Args:
        market: adverse and drift are not part of this model and are not read.
        mid: of the book [price].
        q: inventory, signed [size].
        time_left: until the horizon, >= 0 [time].

    Raises:
        ValueError: on a value that is not finite or out of its range.

    Source: Avellaneda & Stoikov (2008), eqs. 29-30.
    """
    _check(market)
    require_finite({"mid": mid, "q": q})
    spread = total_spread(market, time_left=time_left)
    price = mid - q * market.gamma * market.sigma**2 * time_left
    bid, ask = price - 0.5 * spread, price + 0.5 * spread
    return Reservation(
        price=price,
        spread=spread,
        bid=bid,
        ask=ask,
        delta_bid=mid - bid,
        delta_ask=ask - mid,
        rate_bid=fill_rate(intensity=market.intensity, k=market.k, delta=mid - bid),
        rate_ask=fill_rate(intensity=market.intensity, k=market.k, delta=ask - mid),
    )


def total_spread(market: Market, *, time_left: float) -> float:
    """Return the distance from bid to ask, the same for every inventory [price].

    Source: Avellaneda & Stoikov (2008), eq. 30.
    """
    require_not_negative({"time_left": time_left})
    risk = market.gamma * market.sigma**2 * time_left
    return risk + 2.0 * quote_base(market.gamma, market.k)


def closed_form_quotes(market: Market, *, inventories: Vector) -> Quotes:
    """Return the long-horizon approximation in closed form, for any inventory.

    Adverse selection xi acts as half of it on both sides and as an intensity of A exp(-k xi/2); a
    drift shifts both quotes like an inventory of -mu/(gamma sigma^2).

    Raises:
        ValueError: on a value that is not finite or out of its range.

    Source: Gueant, Lehalle & Fernandez-Tapia (2013), Props. 3 to 5.
    """
    _check(market)
    q = finite_array("inventories", inventories)
    reached = market.intensity * math.exp(-0.5 * market.k * market.adverse)
    half = glft_half_spread(market.gamma, market.sigma, market.k, reached)
    half += 0.5 * market.adverse
    skew = glft_skew(market.gamma, market.sigma, market.k, reached)
    variance = market.gamma * market.sigma**2
    lean = market.drift / variance if variance > 0 else (math.nan if market.drift else 0.0)
    return Quotes(bid=half + (q - lean) * skew, ask=half - (q - lean) * skew)


def asymptotic_quotes(market: Market, *, inventories: Vector, q_max: int) -> Quotes:
    """Return the exact quotes far from the horizon.

    Args:
        inventories: whole numbers; beyond q_max, and on the outer side at it, there is no quote.
        q_max: largest inventory held either way, 1..500 [units].

    Raises:
        ValueError: on a value that is not finite, not whole or out of its range.

    Source: Gueant, Lehalle & Fernandez-Tapia (2013), Theorem 2.
    """
    diagonal, eta = _matrix(market, q_max)
    matrix = np.diag(diagonal) - eta * (np.eye(len(diagonal), k=1) + np.eye(len(diagonal), k=-1))
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    centre = int(np.argmin(diagonal))
    ratios = np.empty(len(diagonal) - 1)  # v_i / v_i+1
    beyond = 0.0
    for i in range(len(diagonal) - 1, centre, -1):
        ratios[i - 1] = (diagonal[i] - smallest) / eta - beyond
        beyond = 1.0 / ratios[i - 1]
    beyond = 0.0
    for i in range(centre):
        beyond = 1.0 / ((diagonal[i] - smallest) / eta - beyond)
        ratios[i] = beyond
    return _quotes(market, np.log(ratios), inventories=inventories)


def horizon_quotes(market: Market, *, inventories: Vector, q_max: int, time_left: float) -> Quotes:
    """Return the exact quotes with ``time_left`` to the horizon.

    Args:
        inventories: whole numbers; beyond q_max, and on the outer side at it, there is no quote.
        q_max: largest inventory held either way, 1..500 [units].
        time_left: until the horizon, >= 0 [time].

    Raises:
        ValueError: on a value that is not finite, not whole or out of its range.

    Source: Gueant, Lehalle & Fernandez-Tapia (2013), Theorem 1.
    """
    require_not_negative({"time_left": time_left})
    diagonal, eta = _matrix(market, q_max)
    n = len(diagonal)
    raised = np.diag(diagonal.max() - diagonal) + eta * (np.eye(n, k=1) + np.eye(n, k=-1))
    propagator = _exponential(raised * time_left)
    q = np.arange(-q_max, q_max + 1)
    ends = 0.5 * market.k * market.adverse * q.astype(np.float64) ** 2
    value = propagator @ np.exp(-ends)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(value)
        steps = logs[:-1] - logs[1:]
    if time_left == 0:
        steps = ends[1:] - ends[:-1]
    steps[~np.isfinite(steps)] = np.nan  # the value of these inventories underflows
    return _quotes(market, steps, inventories=inventories)


def glft_terms(market: Market) -> tuple[float, float]:
    """Return alpha and eta of the theory above [1/time].

    Source: Gueant, Lehalle & Fernandez-Tapia (2013), Theorem 1 and Prop. 5.
    """
    _check(market)
    gamma, k = market.gamma, market.k
    alpha = 0.5 * k * gamma * market.sigma**2
    exponent = (1.0 + k / gamma) * math.log1p(gamma / k) if gamma > 0 else 1.0
    return alpha, market.intensity * math.exp(-exponent - 0.5 * k * market.adverse)


def _matrix(market: Market, q_max: int) -> tuple[Floats, float]:
    """Return the diagonal of M, shape (2 q_max + 1,), and eta."""
    if q_max != int(q_max) or not 1 <= q_max <= INVENTORY_MAX:
        raise ValueError(f"expected q_max a whole number in 1..{INVENTORY_MAX}, was {q_max!r}")
    alpha, eta = glft_terms(market)
    q = np.arange(-int(q_max), int(q_max) + 1, dtype=np.float64)
    return alpha * q * q - market.k * market.drift * q, eta


def _exponential(matrix: Floats) -> Floats:
    """Return exp(matrix) up to a factor, for a matrix of non-negative entries."""
    norm = float(matrix.sum(axis=1).max())
    squarings = max(0, math.ceil(math.log2(norm))) if norm > 0 else 0
    small = matrix / 2.0**squarings
    result = np.eye(len(matrix))
    for term in range(TAYLOR_TERMS, 0, -1):
        result = np.eye(len(matrix)) + small @ result / term
    for _ in range(squarings):
        result = result @ result
        result /= result.max()
    return result


def _quotes(market: Market, steps: Floats, *, inventories: Vector) -> Quotes:
    """Return distances from ``steps`` = ln(v_q / v_q+1) for q = -Q..Q-1."""
    wanted = finite_array("inventories", inventories)
    q = wanted.astype(np.int64)
    if (q != wanted).any():
        raise ValueError(f"expected whole inventories, was {wanted.tolist()!r}")
    base = quote_base(market.gamma, market.k) + 0.5 * market.adverse
    q_max = len(steps) // 2
    padded = np.concatenate(([np.nan], steps / market.k, [np.nan]))
    inside = np.abs(q) <= q_max
    at = np.where(inside, q + q_max, 0)
    bid = np.where(inside, base + padded[at + 1], np.nan)
    ask = np.where(inside, base - padded[at], np.nan)
    return Quotes(bid=bid, ask=ask)


def _check(market: Market) -> None:
    """Refuse parameters outside their ranges."""
    require_positive({"k": market.k, "intensity": market.intensity})
    floors = {"gamma": market.gamma, "sigma": market.sigma, "adverse": market.adverse}
    require_not_negative(floors)
    require_finite({"drift": market.drift})
