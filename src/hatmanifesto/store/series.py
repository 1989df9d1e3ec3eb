"""Chooses what a run plays for its coins: recorded ticks, or candles of one length."""

from collections.abc import Sequence

from hatmanifesto.domain.errors import DataError, UsageError
from hatmanifesto.domain.legs import base_of
from hatmanifesto.domain.units import NS_HOUR
from hatmanifesto.store.dataset import TICK_KINDS, Dataset
from hatmanifesto.store.draft import interval_ns

TICKS = ""
"""In place of an interval: books, best quotes and trades as recorded."""
USUAL = "1h"
"""Where there are candles of several lengths: this one, or else the longest that is shorter."""


def playable(dataset: Dataset) -> tuple[str, ...]:
    """Return the coins that have ticks or candles, by name."""
    kinds = (*TICK_KINDS, "candle")
    return tuple(
        sorted(
            {
                one.coin
                for manifest in dataset.manifests
                for one in manifest.coverage
                if one.kind in kinds
            }
        )
    )


def known_coins(dataset: Dataset) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the playable coins whose decimals are known, and those whose are not."""
    known = {one.coin for manifest in dataset.manifests for one in manifest.assets}
    coins = playable(dataset)
    return (
        tuple(coin for coin in coins if coin in known),
        tuple(coin for coin in coins if coin not in known),
    )


def choose_interval(dataset: Dataset, coins: Sequence[str], *, asked: str = "") -> str:
    """Return the length of the candles to play, or ``TICKS``; one for all coins of a run.

    Args:
        dataset: what is played.
        coins: names.
        asked: the interval that the user named, '' for none.

    Raises:
        DataError: if a coin has neither ticks nor candles.
        UsageError: if some coins have ticks and others only candles, or none of the asked ones.
    """
    series = {coin: intervals_of(dataset, coin) for coin in coins}
    if asked:
        lacking = [coin for coin in coins if asked not in series[coin]]
        if lacking:
            raise UsageError(
                f"no {asked} candles of {', '.join(lacking)} in {dataset.spec}",
                why=f"{lacking[0]} has {_named(series[lacking[0]])}",
                fix="choose another --interval, or --coin among those that have it",
            )
        return asked
    empty = [coin for coin in coins if not series[coin]]
    if empty:
        raise DataError(
            f"{dataset.spec} has neither books nor candles of {', '.join(empty)}",
            why="there is nothing to trade against",
            fix="add a dataset with its candles, or leave the coin out",
        )
    ticks = [coin for coin in coins if TICKS in series[coin]]
    if len(ticks) == len(coins):
        return TICKS
    if ticks:
        bars = [coin for coin in coins if coin not in ticks]
        raise UsageError(
            "one run plays ticks or candles, not both",
            why=f"{', '.join(ticks)} has ticks, {', '.join(bars)} only candles",
            fix="run them apart, or say --interval to play the candles of all",
        )
    return _usual(dataset, coins, series)


def _usual(dataset: Dataset, coins: Sequence[str], series: dict[str, tuple[str, ...]]) -> str:
    shared = [name for name in series[coins[0]] if all(name in one for one in series.values())]
    if not shared:
        raise UsageError(
            f"the coins have no candles of one length in {dataset.spec}",
            why="; ".join(f"{coin}: {_named(series[coin])}" for coin in coins),
            fix="run them apart",
        )
    fitting = [name for name in shared if interval_ns(name) <= interval_ns(USUAL)]
    return fitting[-1] if fitting else shared[0]


def intervals_of(dataset: Dataset, coin: str) -> tuple[str, ...]:
    """Return the lengths of a coin's candles, shortest first, after ``TICKS`` if it has any.

    A second leg has the candles of its perp, those no longer than the hour that a premium speaks
    of.
    """
    base = base_of(coin)
    if base is not None:
        names = intervals_of(dataset, base)
        return tuple(name for name in names if name != TICKS and interval_ns(name) <= NS_HOUR)
    found = {
        one.series if one.kind == "candle" else TICKS
        for manifest in dataset.manifests
        for one in manifest.coverage
        if one.coin == coin and one.kind in (*TICK_KINDS, "candle")
    }
    bars = sorted((name for name in found if name != TICKS), key=interval_ns)
    return (TICKS, *bars) if TICKS in found else tuple(bars)


def _named(series: Sequence[str]) -> str:
    return ", ".join("ticks" if name == TICKS else name for name in series) or "neither"
