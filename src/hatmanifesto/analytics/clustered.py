"""Sums of dependent numbers with an error clustered by blocks or by given groups.

Theory of operation. Cut the series into G runs of equal length, much longer than its dependence, or
group it by what belongs together (a day, a minute); the G sums are nearly independent, so their
spread gives the error of the total, on Student's t with G - 1 degrees of freedom.
Source: batch means, Schmeiser (1982); the block length is the bootstrap's.
"""

from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.bootstrap import N_MIN, block_length
from hatmanifesto.analytics.student import critical, two_sided

Float64 = NDArray[np.float64]

GROUPS_MIN = 8
GROUPS_MAX = 40
BLOCKS_A_GROUP = 4.0
"""A run is at least this many mean block lengths long."""
ROUNDING = 1e-12


class Estimate(NamedTuple):
    """A sum with its standard error, degrees of freedom, and the number of observations."""

    total: float
    error: float
    freedom: int
    n: int

    @property
    def p_value(self) -> float:
        """Return the two-sided chance of a sum this far from zero when the truth is zero."""
        if self.error <= ROUNDING * abs(self.total):
            return 1.0 if self.total == 0 else 0.0
        return two_sided(self.total / self.error, self.freedom)

    def span(self, tail: float = 0.05) -> tuple[float, float]:
        """Return the interval that leaves ``tail`` outside."""
        half = critical(tail, self.freedom) * self.error if self.error else 0.0
        assert half < inf
        return self.total - half, self.total + half


def sum_of_series(steps: Float64) -> Estimate | None:
    """Return the estimate for the sum of a series in time order.

    None when fewer than ``N_MIN`` of its values differ from zero, or it is too short for its
    dependence.
    """
    n = int(np.count_nonzero(steps))
    if n < N_MIN:
        return None
    longest = len(steps) / (BLOCKS_A_GROUP * block_length(steps))
    groups = min(GROUPS_MAX, int(longest))
    if groups < GROUPS_MIN:
        return None
    edges = np.linspace(0, len(steps), groups + 1).astype(np.int64)
    return _estimate(np.add.reduceat(steps, edges[:-1]), n)


def sum_of_groups(
    values: Float64, groups: NDArray[np.int64], *, groups_min: int = GROUPS_MIN
) -> Estimate | None:
    """Return the estimate for a sum whose terms depend on one another within a group.

    None when there are fewer than ``groups_min`` groups.
    """
    _, label = np.unique(groups, return_inverse=True)
    if not len(values) or int(label.max()) + 1 < groups_min:
        return None
    sums = np.bincount(label, weights=values).astype(np.float64)
    return _estimate(sums, len(values))


def _estimate(sums: Float64, n: int) -> Estimate:
    groups = len(sums)
    return Estimate(
        total=float(sums.sum()),
        error=float(sums.std(ddof=1)) * sqrt(groups),
        freedom=groups - 1,
        n=n,
    )
