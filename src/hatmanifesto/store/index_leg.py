"""Prices a perp's second leg from its candles and recorded premiums.

The premium of an hour is the mean of perp over index less one. So the index at the end of a bar is
taken as its close over one plus the premium of the hour that the bar ends in; open, high and low
move with it. A bar of an hour whose premium nobody told is left out: the leg cannot be traded then.
Depth and spread of the second market are not recorded: the perp's volume and the assumed half
spread stand in for them. All of it is ASSUMED, and the run says so.
"""

from collections.abc import Sequence

import numpy as np

from hatmanifesto.domain.legs import leg_name
from hatmanifesto.domain.units import NS_HOUR
from hatmanifesto.store.columns import Columns, Ints, take
from hatmanifesto.store.dataset import Dataset

PREMIUM_ONE = 10**12
PRICES = ("open", "high", "low", "close")


def has_premium(dataset: Dataset, coin: str) -> bool:
    """Say whether any premium of the coin is recorded."""
    return bool(len(premiums_of(dataset, coin)[0]))


def with_leg(dataset: Dataset, coins: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return each coin that has a second leg followed by it, and the coins that have none."""
    pairs = [coin for coin in coins if has_premium(dataset, coin)]
    named = tuple(name for coin in pairs for name in (coin, leg_name(coin)))
    return named, tuple(coin for coin in coins if coin not in pairs)


def premiums_of(dataset: Dataset, coin: str) -> tuple[Ints, Ints]:
    """Return the hours [ns, their ends, rising] with a known premium, and the premiums [1e-12]."""
    stamps, values = [], []
    for snapshot in dataset.snapshots:
        columns = snapshot.columns("funding", coin, ("exch", "premium", "has_premium"))
        known = columns["has_premium"] > 0
        stamps.append(columns["exch"][known] // NS_HOUR * NS_HOUR)
        values.append(columns["premium"][known])
    hours, first = np.unique(np.concatenate(stamps), return_index=True)
    return hours, np.concatenate(values)[first]


def index_candles(candles: Columns, hours: Ints, premiums: Ints, *, length_ns: int) -> Columns:
    """Return candles of the index for those bars whose hour has a known premium.

    Args:
        candles: of the perp, in time order.
        hours: ends of the hours with a known premium [ns], rising.
        premiums: of these hours [1e-12].
        length_ns: of a bar, no more than an hour.
    """
    assert length_ns <= NS_HOUR
    ends = -(-(candles["exch"] + length_ns) // NS_HOUR) * NS_HOUR
    at = np.minimum(np.searchsorted(hours, ends), max(len(hours) - 1, 0))
    known = hours[at] == ends if len(hours) else np.zeros(len(ends), dtype=np.bool_)
    bars = take(candles, known)
    if not len(bars["exch"]):
        return bars
    above = PREMIUM_ONE + premiums[at[known]]
    before = np.concatenate([above[:1], above[:-1]])
    out = {name: _without(bars[name], above) for name in PRICES}
    out["open"] = _without(bars["open"], before)
    out["high"] = np.maximum(out["high"], np.maximum(out["open"], out["close"]))
    out["low"] = np.minimum(out["low"], np.minimum(out["open"], out["close"]))
    return {**bars, **out}


def _without(prices: Ints, above: Ints) -> Ints:
    """Return price / (1 + premium); as Python integers, since 64 bits do not hold the product."""
    pairs = zip(prices.tolist(), above.tolist(), strict=True)
    return np.asarray([px * PREMIUM_ONE // one for px, one in pairs], dtype=np.int64)
