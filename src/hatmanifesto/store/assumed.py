"""Says what stands in for the series that a run lacks, series by series and coin by coin."""

from collections.abc import Sequence

import numpy as np

from hatmanifesto.domain.candles import PARTICIPATION_PCT, SPREAD_BP
from hatmanifesto.domain.enums import RowKind
from hatmanifesto.domain.legs import base_of
from hatmanifesto.domain.units import NS_HOUR, format_fixed
from hatmanifesto.store.columns import Ints
from hatmanifesto.store.dataset import Dataset
from hatmanifesto.store.playing import Played

OWN = ("funding", "mark", "oracle")
"""What a run finds out itself; what a dataset says of them holds for that dataset alone."""


def assumptions_of(
    dataset: Dataset, coins: Sequence[str], played: Played, *, interval: str, half_spread: int
) -> tuple[str, ...]:
    """Return ``name: value`` of every assumption about the data of a run, sorted.

    Args:
        dataset: what is played; its own assumptions are taken over.
        coins: names, in slot order.
        played: the rows.
        interval: length of the candles, '' for ticks.
        half_spread: assumed about the closes of candles [1e-8 of the price].
    """
    mid = "mid" if interval else "book mid"
    told = played.told
    start, end = int(played.market.exch.min()), int(played.market.exch.max())
    legs = [coin for coin in coins if base_of(coin) is not None]
    perps = [coin for coin in coins if coin not in legs]
    unpaid = [coin for coin in perps if not _has_funding(dataset, coin, start, end)]
    texts = {text for text in dataset.assumed if text.partition(":")[0] not in OWN}
    texts.add(f"mark: {mid}")
    texts |= _for_coins("funding: unknown", unpaid, perps)
    known = told.coin[(told.kind == RowKind.CTX) & (told.b > 0)]
    lacking = [coin for coin in _lacking(known, coins) if coin not in legs]
    texts |= _for_coins(f"oracle: {mid}", lacking, perps)
    if legs:
        texts.add(
            f"second leg: {','.join(legs)} at the index price, close / (1 + mean premium of the "
            "hour); depth and spread as the perp's; spot fees; margined in full"
        )
    if interval:
        bps = format_fixed(half_spread, decimals=len(str(SPREAD_BP)) - 1)
        texts.add(
            f"spread: half spread of {bps} bps assumed about the close of each {interval} bar"
        )
        texts.add(
            f"fills inside a bar: at most {PARTICIPATION_PCT} % of its volume; takers pay the "
            "worse of last close and coming open plus the half spread; resting orders fill when "
            "the bar went through their price"
        )
    if played.ended:
        names = ", ".join(coins[slot] for slot in sorted(played.ended))
        texts.add(
            f"delisting: {names} end before the recording does; what is still held then stands at "
            "the last close, cannot be traded and pays no funding"
        )
    if played.finer:
        texts.add(
            f"prices finer than the units of their coin: {played.finer} of candles, rounded so "
            "that it never helps"
        )
    return tuple(sorted(texts))


def _has_funding(dataset: Dataset, coin: str, start: int, end: int) -> bool:
    """Say whether payments of the coin are recorded about the time of the run."""
    return any(
        one.kind == "funding"
        and one.coin == coin
        and one.start <= end + NS_HOUR
        and one.end >= start - NS_HOUR
        for manifest in dataset.manifests
        for one in manifest.coverage
    )


def _lacking(known: Ints, coins: Sequence[str]) -> list[str]:
    there = np.bincount(known, minlength=len(coins))
    return [coin for slot, coin in enumerate(coins) if not there[slot]]


def _for_coins(text: str, lacking: Sequence[str], coins: Sequence[str]) -> set[str]:
    """Return the sentence for all coins, or for those that lack the series by name."""
    if not lacking:
        return set()
    return {text if len(lacking) == len(coins) else f"{text} for {','.join(lacking)}"}
