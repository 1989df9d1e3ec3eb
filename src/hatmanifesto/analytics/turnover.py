"""Turnover and exposure of a book of weights, weight being signed notional over equity."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.returns import DAYS_A_YEAR

Float64 = NDArray[np.float64]
Table = Sequence[Sequence[float]] | Float64


class Turnover(NamedTuple):
    """Shares of equity; NaN without a period. ``held`` is the share of periods with a position."""

    two_sided: float
    two_sided_annual: float
    one_sided_annual: float
    gross_mean: float
    net_mean: float
    gross_max: float
    held: float


def turnover_of(target: Table, before: Table, *, periods: float = DAYS_A_YEAR) -> Turnover:
    """Return turnover and exposure.

    Args:
        target: weights after each rebalance, shape (n_periods, n_coins).
        before: weights just before it, after drift, the same shape.
        periods: a year.

    Raises:
        ValueError: if the shapes differ or a weight is not finite.

    Source: QUANT A.7.
    """
    after, drifted = np.asarray(target, dtype=np.float64), np.asarray(before, dtype=np.float64)
    if after.shape != drifted.shape:
        raise ValueError(f"expected tables of one shape, were {after.shape} and {drifted.shape}")
    if not (np.isfinite(after).all() and np.isfinite(drifted).all()):
        raise ValueError("expected finite weights")
    if not len(after):
        return Turnover(*[float("nan")] * 7)
    after, drifted = after.reshape(len(after), -1), drifted.reshape(len(after), -1)
    moved = float(np.abs(after - drifted).sum(axis=1).mean())
    gross = np.abs(after).sum(axis=1)
    return Turnover(
        two_sided=moved,
        two_sided_annual=moved * periods,
        one_sided_annual=moved * periods / 2,
        gross_mean=float(gross.mean()),
        net_mean=float(after.sum(axis=1).mean()),
        gross_max=float(gross.max()),
        held=float((gross > 0).mean()),
    )
