"""How one-sided the volume is: bulk classification, volume buckets and VPIN."""

import math

import msgspec
import numpy as np

from hatmanifesto.signals.checks import (
    Floats,
    Vector,
    finite_array,
    require_not_negative,
    require_positive,
    same_length,
)
from hatmanifesto.signals.distributions import normal_cdf, student_cdf

HALF = 0.5
ROUNDING = 1e-9
"""Share of a bucket that sums of volumes may be short of a full one through rounding."""


def buy_shares(moves: Vector, *, sigma: float, nu: float | None = None) -> Floats:
    """Return the share of each bar's volume taken as bought, shape (n,), in [0, 1].

    Args:
        moves: price changes, shape (n,) [price].
        sigma: their standard deviation, >= 0 [price]; zero says nothing: every share is 1/2.
        nu: degrees of freedom of Student's t, > 0; None for the normal.

    Raises:
        ValueError: on a value that is not finite or out of its range.

    Source: Easley, Lopez de Prado & O'Hara (2012), section 2.
    """
    changes = finite_array("moves", moves)
    require_not_negative({"sigma": sigma})
    if nu is not None:
        require_positive({"nu": nu})
    if sigma == 0:
        return np.full(len(changes), HALF)
    scores = (changes / sigma).tolist()
    shares = [normal_cdf(z) if nu is None else student_cdf(z, nu) for z in scores]
    return np.array(shares, dtype=np.float64)


def vpin(shares: Vector, volumes: Vector, *, window: int) -> Floats:
    """Return the imbalance of volume over every run of ``window`` buckets, shape (n - window + 1,).

    Empty when there are fewer buckets; NaN over a run without volume.

    Args:
        shares: bought, shape (n,), in [0, 1].
        volumes: of the buckets, shape (n,), >= 0 [size].
        window: buckets per value, >= 1.

    Raises:
        ValueError: on a value that is not finite or out of its range, or unequal lengths.

    Source: Easley, Lopez de Prado & O'Hara (2012), section 3.
    """
    share, volume = finite_array("shares", shares), finite_array("volumes", volumes)
    same_length({"shares": share, "volumes": volume})
    if window != int(window) or window < 1:
        raise ValueError(f"expected a whole window >= 1, was {window!r}")
    if (volume < 0).any():
        raise ValueError(f"expected volumes >= 0, was {volume.tolist()!r}")
    if len(share) < window:
        return np.zeros(0)
    runs = np.lib.stride_tricks.sliding_window_view
    total = runs(volume, int(window)).sum(axis=1)
    gap = runs(volume * np.abs(2.0 * share - 1.0), int(window)).sum(axis=1)
    ratio = np.full(len(total), np.nan)
    np.divide(gap, total, out=ratio, where=total > 0)
    return ratio


class Buckets(msgspec.Struct, frozen=True):
    """Volume bought in each full bucket, shape (n_buckets,) [size], and the sigma used [price]."""

    bought: Floats
    sigma: float


def volume_buckets(prices: Vector, volumes: Vector, *, bucket: float) -> Buckets:
    """Return bars cut into buckets of equal volume, classified in bulk.

    A bar over an edge is shared out pro rata with one and the same price change; what is left at
    the end short of a full bucket is dropped. Sigma is that of all changes, ddof 1.

    Args:
        prices: shape (n + 1,) [price].
        volumes: of the bars between them, shape (n,), >= 0 [size].
        bucket: volume of a bucket, > 0 [size].

    Raises:
        ValueError: on a value that is not finite or out of its range, or lengths that do not fit.

    Source: Easley, Lopez de Prado & O'Hara (2012), appendix.
    """
    changes = np.diff(finite_array("prices", prices))
    volume = finite_array("volumes", volumes)
    same_length({"price changes": changes, "volumes": volume})
    require_positive({"bucket": bucket})
    if (volume < 0).any():
        raise ValueError(f"expected volumes >= 0, was {volume.tolist()!r}")
    sigma = float(np.std(changes, ddof=1)) if len(changes) > 1 else math.nan
    total = float(volume.sum())
    edges = bucket * np.arange(math.floor(total / bucket + ROUNDING) + 1)
    if not math.isfinite(sigma):
        return Buckets(np.full(len(edges) - 1, np.nan), sigma)
    bought = volume * buy_shares(changes, sigma=sigma)
    traded = np.concatenate(([0.0], np.cumsum(volume)))
    ahead = np.interp(edges, traded, np.concatenate(([0.0], np.cumsum(bought))))
    return Buckets(np.diff(ahead), sigma)
