"""The Almgren-Chriss schedule: how to work a parent order between impact and risk.

Theory of operation. N equal slices of length tau; x_j is what is left. The optimum satisfies
x_j = X sinh(kappa (T - t_j)) / sinh(kappa T) with cosh(kappa tau) = 1 + kappa~^2 tau^2 / 2, that is
sinh(kappa tau / 2) = kappa~ tau / 2, which keeps its digits for a small kappa. The quotient is
taken as exp(-kappa t) expm1(-2 kappa (T-t)) / expm1(-2 kappa T): neither overflow nor cancellation.
"""

import math

import msgspec
import numpy as np

from hatmanifesto.signals.checks import (
    Floats,
    require_finite,
    require_not_negative,
    require_positive,
)

SLICES_MAX = 10**6


class Program(msgspec.Struct, frozen=True):
    """A parent order and what trading it does to the price.

    Args:
        sz: X, signed [size].
        time: T until done, > 0 [time].
        slices: N, 1 or more.
        sigma: volatility, >= 0 [price/sqrt(time)].
        eta: temporary impact, > 0 [price*time/size].
        gamma: permanent impact, >= 0 [price/size].
        epsilon: fixed cost, >= 0 [price].
    """

    sz: float
    time: float
    slices: int
    sigma: float
    eta: float
    gamma: float
    epsilon: float


class Schedule(msgspec.Struct, frozen=True):
    """Holdings (N+1,) and trades (N,) [size]; cost [price*size], its variance; the decay rates.

    ``half_life`` is 1/kappa [time], NaN without urgency; ``objective`` = cost + aversion *
    variance.
    """

    holdings: Floats
    trades: Floats
    cost: float
    variance: float
    kappa: float
    kappa_tilde: float
    half_life: float
    objective: float


def optimal_schedule(program: Program, *, aversion: float) -> Schedule:
    """Return the schedule that minimises expected cost plus ``aversion`` times its variance.

    Args:
        program: needs eta > gamma * tau / 2, tau = time / slices.
        aversion: lambda, >= 0 [1/(price*size)]; zero gives equal slices.

    Raises:
        ValueError: on a value that is not finite or out of its range.

    Source: Almgren & Chriss (2000), section 2.
    """
    tau = _check(program)
    require_not_negative({"aversion": aversion})
    eta = program.eta - 0.5 * program.gamma * tau
    kappa_tilde = math.sqrt(aversion * program.sigma**2 / eta)
    kappa = 2.0 * math.asinh(0.5 * kappa_tilde * tau) / tau
    left = np.arange(program.slices, -1, -1, dtype=np.float64)
    shares = left / program.slices
    if kappa > 0:
        passed = np.exp(-kappa * tau * (program.slices - left))
        rest = np.expm1(-2.0 * kappa * tau * left)
        shares = passed * rest / rest[0]
    holdings = program.sz * shares
    trades = holdings[:-1] - holdings[1:]
    fixed = 0.5 * program.gamma * program.sz**2 + program.epsilon * abs(program.sz)
    cost = fixed + eta / tau * float(trades @ trades)
    variance = program.sigma**2 * tau * float(holdings[1:] @ holdings[1:])
    return Schedule(
        holdings=holdings,
        trades=trades,
        cost=cost,
        variance=variance,
        kappa=kappa,
        kappa_tilde=kappa_tilde,
        half_life=1.0 / kappa if kappa > 0 else math.nan,
        objective=cost + aversion * variance,
    )


def _check(program: Program) -> float:
    """Return tau after refusing what is out of range."""
    require_finite({"sz": program.sz})
    require_positive({"time": program.time, "eta": program.eta})
    floors = {"sigma": program.sigma, "gamma": program.gamma, "epsilon": program.epsilon}
    require_not_negative(floors)
    if program.slices != int(program.slices) or not 1 <= program.slices <= SLICES_MAX:
        raise ValueError(f"expected 1..{SLICES_MAX} whole slices, was {program.slices!r}")
    tau = program.time / program.slices
    if program.eta <= 0.5 * program.gamma * tau:
        limit = 2.0 * program.eta / program.gamma
        raise ValueError(f"expected a slice shorter than 2 eta/gamma = {limit!r}, was {tau!r}")
    return tau
