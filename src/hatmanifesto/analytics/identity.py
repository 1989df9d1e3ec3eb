"""Profit of a perp position in floats: the attribution identity and markouts, for studies.

The exact twin for a run's ledger is `attribution`; this one takes plain numbers of any source. Mids
are the last at or before a time; before the first one the first. Source: QUANT A.8 and A.9.
"""

from collections.abc import Sequence
from math import fsum, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.markouts import markout
from hatmanifesto.analytics.returns import Vector, finite_series

Float64 = NDArray[np.float64]


class MidSeries(NamedTuple):
    """Mids at ascending times, shape (n,) each, n >= 1; times in any one unit."""

    times: Float64
    prices: Float64

    def at(self, when: Vector) -> Float64:
        """Return the last mid at or before each time."""
        index = np.searchsorted(self.times, np.asarray(when, dtype=np.float64), side="right") - 1
        return np.asarray(self.prices[np.maximum(index, 0)], dtype=np.float64)


def mid_series(times: Vector, prices: Vector) -> MidSeries:
    """Return the checked mids.

    Raises:
        ValueError: if there is none, lengths differ, times fall, or a number is not finite.
    """
    ts, mids = finite_series("times", times), finite_series("prices", prices)
    if not len(ts) or len(ts) != len(mids):
        raise ValueError(f"expected as many times as mids, at least one, were {len(ts)}")
    if bool((np.diff(ts) < 0).any()):
        raise ValueError("times: expected ascending times")
    return MidSeries(ts, mids)


class PlainFill(NamedTuple):
    """One fill: side +1 or -1, ``fee`` positive when paid, ``arrival`` the mid at the decision."""

    t: float
    side: int
    qty: float
    px: float
    fee: float
    arrival: float


class PlainFunding(NamedTuple):
    """One payment: rate positive when longs pay, on the position held strictly before ``t``."""

    t: float
    oracle: float
    rate: float


class Identity(NamedTuple):
    """Parts of the profit; costs negative. ``adverse`` and ``residual`` by horizon.

    ``total`` is told by cash flows and marks alone: it equals spread + adverse + residual + fees +
    funding at every horizon, or something is missing.
    """

    total: float
    spread: float
    price: float
    fees: float
    funding: float
    slippage: float
    timing: float
    position: float
    adverse: tuple[float, ...]
    residual: tuple[float, ...]


def identity_of(
    mids: MidSeries,
    fills: Sequence[PlainFill],
    *,
    funding: Sequence[PlainFunding] = (),
    start: float = 0.0,
    end: float,
    horizons: Sequence[float] = (),
) -> Identity:
    """Return the parts of the profit from the first mid to ``end``.

    Args:
        mids: of the coin.
        fills: in any order.
        funding: in any order.
        start: position held from the first mid on [coins].
        end: time of the last mark.
        horizons: of adverse selection; a fill's later mid is never taken after ``end``.

    Raises:
        ValueError: on a number that is not finite.
    """
    finite_series("fills", [value for row in fills for value in row])
    finite_series("funding", [value for row in funding for value in row])
    first, last = float(mids.prices[0]), float(mids.at([end])[0])
    t = np.array([row.t for row in fills])
    x = np.array([row.side * row.qty for row in fills])
    px = np.array([row.px for row in fills])
    arrival = np.array([row.arrival for row in fills])
    mid = mids.at(t)
    fees = -fsum(row.fee for row in fills)
    paid = [-(start + float(x[t < row.t].sum())) * row.oracle * row.rate for row in funding]
    later = [mids.at(np.minimum(t + horizon, end)) for horizon in horizons]
    drift = start * (last - first)
    position = start + fsum(x.tolist())
    return Identity(
        total=fsum([*(-x * px).tolist(), position * last, -start * first, fees, *paid]),
        spread=fsum((x * (mid - px)).tolist()),
        price=fsum([drift, *(x * (last - mid)).tolist()]),
        fees=fees,
        funding=fsum(paid),
        slippage=fsum((x * (arrival - px)).tolist()),
        timing=fsum((x * (arrival - mid)).tolist()),
        position=position,
        adverse=tuple(fsum((x * (then - mid)).tolist()) for then in later),
        residual=tuple(fsum([drift, *(x * (last - then)).tolist()]) for then in later),
    )


class MarkoutTable(NamedTuple):
    """Markouts [bps]: by fill and horizon, shape (n_fills, n_horizons), and notional-weighted.

    NaN where the later mid lies after the last one; such fills are left out of the mean.
    """

    fills: Float64
    weighted: list[float]


def markouts_of(
    mids: MidSeries, fills: Sequence[PlainFill], *, horizons: Sequence[float]
) -> MarkoutTable:
    """Return the markouts of fills at horizons.

    Raises:
        ValueError: on a number that is not finite.
    """
    finite_series("fills", [value for row in fills for value in row])
    t = np.array([row.t for row in fills])
    side = np.array([row.side for row in fills], dtype=np.float64)
    px = np.array([row.px for row in fills])
    weight = px * np.array([row.qty for row in fills])
    out = np.full((len(fills), len(horizons)), np.nan)
    means: list[float] = []
    for column, horizon in enumerate(horizons):
        is_known = t + horizon <= mids.times[-1]
        bps = markout(side, px=px, mid=mids.at(t), later=mids.at(t + horizon))
        out[:, column] = np.where(is_known, bps, np.nan)
        whole = float(weight[is_known].sum())
        known = fsum((weight * bps)[is_known].tolist())
        means.append(known / whole if whole > 0 else nan)
    return MarkoutTable(out, means)
