"""Vectorised checks of foreign numbers: exact conversion, the price grid, one reason a row."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.asset import PX_DIGITS_MAX

Mask = NDArray[np.bool_]

EXACT_MAX = 10**15
"""Below it a double names its decimal text uniquely (15 significant digits)."""
STAMP_MS_MIN = 1_577_836_800_000
"""2020-01-01: no earlier stamp can be of this venue [ms]."""
STAMP_MS_MAX = 4_102_444_800_000
"""2100-01-01 [ms]: a later stamp is in another unit."""
REASON_TYPE = "<U24"
"""Wide enough for every reason; NumPy cuts longer texts in silence."""
POWERS = 10 ** np.arange(19, dtype=np.int64)


def fixed_from_floats(
    values: NDArray[np.float64], *, decimals: int
) -> tuple[NDArray[np.int64], Mask]:
    """Return floats as integer counts of 10**-decimals, and where that is exact.

    A value is exact when it is the double nearest to the decimal: dividing the integer back gives
    it bit for bit. Equal to ``domain.units.float_to_fixed`` below ``EXACT_MAX``; 0 where not exact.
    """
    scale = 10.0**decimals
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.rint(values * scale)
        exact = (np.abs(scaled) < EXACT_MAX) & (scaled / scale == values)
    return np.where(exact, scaled, 0.0).astype(np.int64), exact


def on_grid(px: NDArray[np.int64], *, px_decimals: int) -> Mask:
    """Say where ``px`` [px units] lies on the venue's grid; twin of ``domain.asset.is_on_grid``."""
    if not len(px):
        return np.ones(0, dtype=np.bool_)
    low, high = int(px.min()), int(px.max())
    if low > 0 and len(str(low)) == len(str(high)):  # one step for all
        one = 10 ** min(max(len(str(low)) - PX_DIGITS_MAX, 0), px_decimals)
        return np.asarray(px // one * one == px, dtype=np.bool_)
    digits = np.searchsorted(POWERS, px, side="right")
    step = np.minimum(POWERS[np.maximum(digits - PX_DIGITS_MAX, 0)], POWERS[px_decimals])
    return np.asarray((px > 0) & (px % step == 0), dtype=np.bool_)


def first_reason(reasons: Sequence[tuple[str, Mask]]) -> NDArray[np.str_]:
    """Return each row's first reason whose mask holds, or an empty text: the row is good."""
    masks = [mask for _, mask in reasons]
    names = [name for name, _ in reasons]
    return np.select(masks, names, default="").astype(REASON_TYPE)


def bad_stamps(stamps_ms: NDArray[np.int64]) -> Mask:
    """Say where a stamp cannot be milliseconds of this venue's life."""
    return (stamps_ms < STAMP_MS_MIN) | (stamps_ms >= STAMP_MS_MAX)


def backward(stamps: NDArray[np.int64]) -> Mask:
    """Say which rows are older than a row before them."""
    return stamps < np.maximum.accumulate(stamps) if len(stamps) else np.zeros(0, dtype=np.bool_)


def repeated_ids(ids: NDArray[np.int64]) -> Mask:
    """Say which rows carry an id that an earlier row carried."""
    mask = np.ones(len(ids), dtype=np.bool_)
    mask[np.unique(ids, return_index=True)[1]] = False
    return mask


def rank_within(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many earlier rows have the same key; ``keys`` must not fall."""
    positions = np.arange(len(keys), dtype=np.int64)
    starts = np.ones(len(keys), dtype=np.bool_)
    starts[1:] = keys[1:] != keys[:-1]
    return positions - np.maximum.accumulate(np.where(starts, positions, 0))
