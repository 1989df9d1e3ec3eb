"""What trading does to the price: square-root law, Almgren's direct estimate, Kyle's lambda."""

import math

import msgspec
import numpy as np

from hatmanifesto.signals.checks import (
    Vector,
    finite_array,
    require_finite,
    require_not_negative,
    require_positive,
    same_length,
)

BPS = 1e4
STEADY_SHARE = 2.0 / 3.0
"""Average over peak of a square-root profile: the integral of sqrt(u) over [0, 1]."""
PERMANENT, TEMPORARY = 0.314, 0.142
"""Gamma and eta of US equities. Source: Almgren, Thum, Hauptmann & Li (2005), section 4."""
TURNOVER_POWER, RATE_POWER = 0.25, 0.6
"""Delta and beta of the same paper."""


class SquareRootImpact(msgspec.Struct, frozen=True):
    """Peak price move and average cost of a steady execution [fraction of price]."""

    peak: float
    average: float


def square_root_impact(
    *, coefficient: float, sigma: float, sz: float, volume: float
) -> SquareRootImpact:
    """Return Y sigma sqrt(Q/V), NaN without volume.

    Args:
        coefficient: Y, about 1, >= 0.
        sigma: volatility over the span of ``volume``, >= 0 [fraction of price].
        sz: order, >= 0 [same unit as volume].
        volume: of the market, >= 0.

    Raises:
        ValueError: on a value that is not finite or negative.

    Source: Toth et al. (2011).
    """
    floors = {"coefficient": coefficient, "sigma": sigma, "sz": sz, "volume": volume}
    require_not_negative(floors)
    peak = coefficient * sigma * math.sqrt(sz / volume) if volume > 0 else math.nan
    return SquareRootImpact(peak, STEADY_SHARE * peak)


class DirectImpact(msgspec.Struct, frozen=True):
    """Permanent impact, temporary impact and expected cost, signed like the order [bps]."""

    permanent: float
    temporary: float
    cost: float


def direct_impact(
    *, sz: float, volume: float, outstanding: float, sigma: float, time: float
) -> DirectImpact:
    """Return I = gamma sigma X/V (Theta/V)^(1/4), K = eta sigma |X/VT|^(3/5), J = I/2 + K.

    Calibrated on equities: a check of formulas, not a forecast for a perp.

    Args:
        sz: X, positive to buy, negative to sell [shares].
        volume: V per day, > 0 [shares].
        outstanding: Theta, > 0 [shares].
        sigma: daily volatility, >= 0 [fraction].
        time: T of the execution, > 0 [days of volume time].

    Raises:
        ValueError: on a value that is not finite or out of its range.

    Source: Almgren, Thum, Hauptmann & Li (2005), section 4.
    """
    require_finite({"sz": sz})
    require_positive({"volume": volume, "outstanding": outstanding, "time": time})
    require_not_negative({"sigma": sigma})
    share = sz / volume
    permanent = BPS * PERMANENT * sigma * share * (outstanding / volume) ** TURNOVER_POWER
    temporary = BPS * TEMPORARY * sigma * abs(share / time) ** RATE_POWER
    temporary = math.copysign(temporary, sz)
    return DirectImpact(permanent, temporary, 0.5 * permanent + temporary)


class KyleLambda(msgspec.Struct, frozen=True):
    """Slope [price per size], intercept [price], t statistic of the slope, and R squared."""

    slope: float
    intercept: float
    t_stat: float
    r_squared: float


def kyle_lambda(*, moves: Vector, signed_volume: Vector) -> KyleLambda:
    """Return the regression of price moves on signed volume, with homoskedastic errors.

    Bars without signed volume are dropped. NaN where the sample does not determine a number.

    Args:
        moves: price changes per bar, shape (n,) [price].
        signed_volume: bought less sold per bar, shape (n,) [size].

    Raises:
        ValueError: on a value that is not finite or unequal lengths.

    Source: Kyle (1985); Hasbrouck (2009).
    """
    y, x = finite_array("moves", moves), finite_array("signed_volume", signed_volume)
    same_length({"moves": y, "signed_volume": x})
    y, x = y[x != 0], x[x != 0]
    if len(x) < 2 or np.ptp(x) == 0:
        return KyleLambda(math.nan, math.nan, math.nan, math.nan)
    dx, dy = x - x.mean(), y - y.mean()
    spread = float(dx @ dx)
    slope = float(dx @ dy) / spread
    intercept = float(y.mean()) - slope * float(x.mean())
    errors = dy - slope * dx
    loss, total = float(errors @ errors), float(dy @ dy)
    variance = loss / (len(x) - 2) / spread if len(x) > 2 else 0.0
    t_stat = slope / math.sqrt(variance) if variance > 0 else math.nan
    return KyleLambda(slope, intercept, t_stat, 1.0 - loss / total if total > 0 else math.nan)
