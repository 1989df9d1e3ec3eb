"""Monte Carlo of an Avellaneda-Stoikov market maker, to see what a quoting rule is worth."""

import math
from enum import StrEnum

import msgspec
import numpy as np

from hatmanifesto.signals.checks import require_finite, require_positive
from hatmanifesto.signals.quoting import Market, total_spread

PATHS_MAX = 10**6
STEPS_MAX = 10**6


class Rule(StrEnum):
    """How the simulated maker quotes: leaning against inventory, or evenly about the mid."""

    INVENTORY = "inventory"
    SYMMETRIC = "symmetric"


class Outcome(msgspec.Struct, frozen=True):
    """Profit = cash + q * price at the end [price*size]; standard deviations with ddof 1."""

    average_spread: float
    profit_mean: float
    profit_std: float
    q_std: float


class Setting(msgspec.Struct, frozen=True):
    """Start and grid of a simulation: price, inventory, horizon and step [time], paths."""

    price: float
    q: float
    horizon: float
    step: float
    paths: int


def average_spread(market: Market, *, horizon: float, step: float) -> float:
    """Return the mean total spread over the steps, each taken at its left end [price]."""
    steps = _steps(horizon, step)
    lefts = [total_spread(market, time_left=horizon - i * step) for i in range(steps)]
    return math.fsum(lefts) / steps


def simulate_maker(
    market: Market, setting: Setting, *, rule: Rule, rng: np.random.Generator
) -> Outcome:
    """Return the outcome of quoting one unit a side by ``rule`` until the horizon.

    In a step each side fills with probability min(1, A exp(-k delta) dt), independently; the mid
    then moves by +-sigma sqrt(dt). The symmetric rule quotes half the average spread on both sides.

    Raises:
        ValueError: on a value that is not finite or out of its range.

    Source: Avellaneda & Stoikov (2008), section 3.3.
    """
    require_finite({"price": setting.price, "q": setting.q})
    if not 2 <= setting.paths <= PATHS_MAX:
        raise ValueError(f"expected 2..{PATHS_MAX} paths, was {setting.paths}")
    dt = setting.step
    average = average_spread(market, horizon=setting.horizon, step=dt)
    jump = market.sigma * math.sqrt(dt)
    price = np.full(setting.paths, float(setting.price))
    q = np.full(setting.paths, float(setting.q))
    cash = np.zeros(setting.paths)
    for i in range(_steps(setting.horizon, dt)):
        left = setting.horizon - i * dt
        leaning = rule is Rule.INVENTORY
        half = 0.5 * (total_spread(market, time_left=left) if leaning else average)
        lean = q * (market.gamma * market.sigma**2 * left if leaning else 0.0)
        bid, ask = half + lean, half - lean
        draws = rng.random((3, setting.paths))
        bought = draws[0] < market.intensity * np.exp(-market.k * bid) * dt
        sold = draws[1] < market.intensity * np.exp(-market.k * ask) * dt
        cash += sold * (price + ask) - bought * (price - bid)
        q += bought.astype(np.float64) - sold
        price += np.where(draws[2] < 0.5, -jump, jump)
    profit = cash + q * price
    return Outcome(average, float(profit.mean()), float(profit.std(ddof=1)), float(q.std(ddof=1)))


def _steps(horizon: float, step: float) -> int:
    """Return the number of steps in the horizon."""
    require_positive({"horizon": horizon, "step": step})
    steps = round(horizon / step)
    if not 1 <= steps <= STEPS_MAX:
        raise ValueError(f"expected 1..{STEPS_MAX} steps, was {horizon!r} / {step!r}")
    return steps
