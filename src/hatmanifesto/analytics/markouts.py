"""Markouts: where the mid went after our fills, in basis points, by horizon and liquidity."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.analytics.mids import MidPath, tick_at, tick_before, touches_gap
from hatmanifesto.analytics.places import places_of
from hatmanifesto.domain.units import NS_S

HORIZONS_S = (1, 5, 30, 60, 300)
BIN_NS = 60 * NS_S
"""Fills of one minute are one cluster. Source: QUANT A.9."""

Float64 = NDArray[np.float64]


class Markout(NamedTuple):
    """Notional-weighted mean of side * (mid(t+h) - px) / mid(t) [bps], with its standard error.

    ``bps`` is None without a fill that has a known future mid, ``se`` None with fewer than two
    minutes of fills; ``n_left_out`` counts fills whose window leaves the data or touches a hole.
    """

    liquidity: str
    horizon_s: int
    bps: float | None
    se: float | None
    n: int
    n_left_out: int


def markout_table(fills: Sequence[FillRow], paths: Mapping[int, MidPath]) -> list[Markout]:
    """Return markouts of makers and takers at every horizon."""
    return markouts_by([0] * len(fills), fills, paths).get(0) or [
        Markout(name, horizon, None, None, 0, 0)
        for horizon in HORIZONS_S
        for name in ("maker", "taker")
    ]


def markouts_by(
    keys: Sequence[int], fills: Sequence[FillRow], paths: Mapping[int, MidPath]
) -> dict[int, list[Markout]]:
    """Return the markouts of each key's makers and takers at every horizon, keys in order."""
    is_taker = np.array([row.is_taker for row in fills], dtype=bool)
    weight = np.array([row.notional for row in fills], dtype=np.float64)
    minute = np.array([row.ts // BIN_NS for row in fills], dtype=np.int64)
    owners, owner = np.unique(np.array(keys, dtype=np.int64), return_inverse=True)
    order = np.argsort(owner, kind="stable")
    places = np.split(order, np.cumsum(np.bincount(owner, minlength=len(owners)))[:-1])
    out: dict[int, list[Markout]] = {key: [] for key in owners.tolist()}
    for horizon in HORIZONS_S:
        bps = markout_bps(fills, paths, horizon_ns=horizon * NS_S)
        for rows, mine in zip(out.values(), places, strict=False):
            for name, chosen in (("maker", ~is_taker[mine]), ("taker", is_taker[mine])):
                known = mine[chosen & np.isfinite(bps[mine])]
                mean, se = clustered_mean(bps[known], weight[known], minute[known])
                left_out = int(chosen.sum()) - len(known)
                rows.append(Markout(name, horizon, mean, se, len(known), left_out))
    return out


def markout_bps(
    fills: Sequence[FillRow], paths: Mapping[int, MidPath], *, horizon_ns: int
) -> Float64:
    """Return each fill's markout [bps], shape (n_fills,); NaN where the future mid is unknown.

    Unknown means after the last mid, across a hole of the recording, or inferred inside one.
    """
    out = np.full(len(fills), np.nan)
    for coin, index in places_of(fills).items():
        path = paths[coin]
        rows = [fills[i] for i in index.tolist()]
        ts = np.array([row.ts for row in rows], dtype=np.int64)
        side = np.array([row.side for row in rows], dtype=np.int64)
        px2 = np.array([2 * row.px for row in rows], dtype=np.int64)
        at, _ = tick_before(path, ts)
        then = path.mid2[tick_at(path, ts + horizon_ns)]
        bps = markout(side, px=px2, mid=path.mid2[at], later=then)
        is_unknown = (ts + horizon_ns > path.ts[-1]) | touches_gap(path, ts, ts + horizon_ns)
        is_unknown |= np.array([row.is_gap for row in rows], dtype=bool)
        out[index] = np.where(is_unknown, np.nan, bps)
    return out


def markout(
    side: NDArray[Any], *, px: NDArray[Any], mid: NDArray[Any], later: NDArray[Any]
) -> Float64:
    """Return side * (later - px) / mid [bps]; prices in one unit, twice the price if you like."""
    return np.asarray(1e4 * side * (later - px) / mid, dtype=np.float64)


def clustered_mean(
    values: Float64, weights: Float64, cluster: NDArray[np.int64]
) -> tuple[float | None, float | None]:
    """Return the weighted mean and its standard error, clustered; None where undefined.

    The error linearises the ratio: over G clusters, sqrt(G/(G-1) * sum (sum w(v-mean))**2) / sum w.
    """
    whole = float(weights.sum())
    if whole <= 0:
        return None, None
    mean = float((weights * values).sum() / whole)
    _, label = np.unique(cluster, return_inverse=True)
    sums = np.bincount(label, weights=weights * (values - mean))
    groups = len(sums)
    if groups < 2:
        return mean, None
    return mean, float(np.sqrt(groups / (groups - 1) * (sums**2).sum()) / whole)
