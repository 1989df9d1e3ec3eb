"""Stationary block bootstrap: intervals for statistics of dependent series, deterministic by seed.

Theory of operation. Resample the series in blocks of geometric length, wrapped round its end, so
that dependence within blocks survives. The mean block length comes from the series itself.
Source: Politis and Romano 1994; block length Politis and White 2004, corrected by Patton, Politis
and White 2009 (QUANT B.9).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Statistic = Callable[[Float64], Float64]
"""From resamples, shape (n_resamples, n), to one value each, NaN where undefined."""

RESAMPLES = 2_000
RESAMPLES_LONG = 1_000
LONG = 20_000
"""Series longer than this are resampled fewer times."""
N_MIN = 30
"""Fewer observations give no interval. Source: QUANT A.12."""
CELLS_MAX = 2_000_000
"""Cells of one batch of resamples; bounds the memory."""
LEVEL = 0.95


def block_length(values: Float64) -> float:
    """Return the mean block length for the stationary bootstrap, within [1, min(3 sqrt n, n/3)].

    The lag cut-off is the first lag from which five (or log10 n) autocorrelations in a row are
    insignificant, as in the published code.
    """
    n = len(values)
    centred = values - values.mean()
    if n < 10 or not float(centred @ centred) > 0:
        return 1.0
    run = max(5, int(np.log10(n)))
    lags = min(int(np.ceil(np.sqrt(n))) + run, n - 1)
    covariance = np.array([centred[k:] @ centred[: n - k] / n for k in range(lags + 1)])
    limit = 2 * np.sqrt(np.log10(n) / n)
    cut = _first_quiet_lag(np.abs(_correlation(centred, lags)) < limit, run)
    window = min(2 * cut if cut else lags, lags)
    lag = np.arange(1, window + 1)
    taper = np.minimum(1.0, 2 * (1 - lag / window))
    weighted = 2 * taper * covariance[1 : window + 1]
    slope = float((weighted * lag).sum())
    spectrum = float(covariance[0] + weighted.sum())
    if spectrum == 0:
        return 1.0
    length = (slope**2 / spectrum**2) ** (1 / 3) * n ** (1 / 3)
    return float(np.clip(length, 1.0, max(1.0, np.ceil(min(3 * np.sqrt(n), n / 3)))))


def _correlation(centred: Float64, lags: int) -> Float64:
    n = len(centred)
    out = np.zeros(lags + 1)
    for k in range(lags + 1):
        scale = float(centred[k:] @ centred[k:]) * float(centred[: n - k] @ centred[: n - k])
        out[k] = centred[k:] @ centred[: n - k] / np.sqrt(scale) if scale > 0 else 0.0
    return out


def _first_quiet_lag(is_quiet: NDArray[np.bool_], run: int) -> int:
    """Return the first lag >= 1 from which ``run`` lags are quiet; 0 when there is none."""
    for lag in range(1, len(is_quiet) - run + 1):
        if is_quiet[lag : lag + run].all():
            return lag
    return 0


def stationary_index(
    rng: np.random.Generator, *, n: int, count: int, block: float
) -> NDArray[np.int64]:
    """Return resampling indices, shape (count, n)."""
    is_start = rng.random((count, n)) < 1.0 / block
    is_start[:, 0] = True
    start = rng.integers(0, n, size=(count, n))
    place = np.arange(n)
    since = np.maximum.accumulate(np.where(is_start, place, 0), axis=1)
    index: NDArray[np.int64] = (np.take_along_axis(start, since, axis=1) + place - since) % n
    return index


def intervals(
    values: Float64, statistics: dict[str, Statistic], *, seed: int
) -> dict[str, tuple[float, float] | None]:
    """Return the 95 % percentile interval of each statistic, all from the same resamples.

    None when the series is shorter than ``N_MIN`` or a tenth of the resamples leave the statistic
    undefined.
    """
    n = len(values)
    if n < N_MIN:
        return dict.fromkeys(statistics)
    rng = np.random.Generator(np.random.PCG64(seed))
    count = RESAMPLES if n <= LONG else RESAMPLES_LONG
    block = block_length(values)
    batch = max(1, CELLS_MAX // n)
    drawn: dict[str, list[Float64]] = {name: [] for name in statistics}
    for first in range(0, count, batch):
        size = min(batch, count - first)
        sample = values[stationary_index(rng, n=n, count=size, block=block)]
        for name, statistic in statistics.items():
            drawn[name].append(statistic(sample))
    return {name: _percentiles(np.concatenate(parts)) for name, parts in drawn.items()}


def _percentiles(draws: Float64) -> tuple[float, float] | None:
    known = draws[np.isfinite(draws)]
    if len(known) < 0.9 * len(draws):
        return None
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)
