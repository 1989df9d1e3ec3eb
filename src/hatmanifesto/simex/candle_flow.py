"""A seeded generator of hourly candles, premiums and funding of several coins (evidence SYN).

Theory of operation. Every hour is cut into steps. A market factor and each coin's own noise move
the oracle; volatility switches between calm and wild, a drift between falling, none and rising, and
both last for days. The perp stands off its oracle by a premium that returns to a level of the
coin's own; its candle is made of the perp's prices. An hour's funding is the venue's formula over
the mean premium, told a moment after the hour. Only integers, uniforms, normals and exponentials
are drawn and the state is integers, so that a seed gives the same rows on every machine.
"""

from collections.abc import Sequence
from math import floor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.asset import Asset, tick_of
from hatmanifesto.domain.units import NS_HOUR, NS_MS

Ints = NDArray[np.int64]

STEPS = 12
"""Steps of an hour."""
ONE = 10**12
"""Premiums, rates and moves are in units of 1e-12."""
CALM, WILD = 900_000_000, 2_600_000_000
"""Deviation of a step's move [1e-12]: 0.09 % and 0.26 %."""
MARKET_MILLI = 600
"""Weight of the market's move in a coin's [1e-3]."""
DRIFT = 40_000_000
"""Drift of a step while the market trends [1e-12]."""
STAY_HOURS = 60
"""Hours a volatility or a drift lasts in the mean."""
PULL_MILLI = 60
"""Share of its distance to its level that a premium returns in an hour [1e-3]."""
PREMIUM_NOISE = 200_000_000
"""Deviation of a premium's step [1e-12]."""
INTEREST = 100_000_000
"""Of eight hours [1e-12]. Source: PROTOCOL 13."""
CLAMP = 500_000_000
"""Largest distance of the interest from the premium [1e-12]. Source: PROTOCOL 13."""
SETTLE_DELAY_NS = 40 * NS_MS
"""A payment is told this long after its hour."""


class CandleShape(NamedTuple):
    """How a coin trades: first price [px units], mean volume an hour [sz units], premium level.

    ``premium`` [1e-12] is the level that the coin's premium returns to.
    """

    px: int
    volume: int
    premium: int


class CandleSession(NamedTuple):
    """Hours of one coin as columns, shape (n,) each; prices in px units, volume in sz units.

    ``exch`` is the opening of each bar [ns]; ``settled`` the stamp of the payment for the hour that
    the bar covers, ``rate`` and ``premium`` [1e-12] what was paid and the mean premium behind it.
    """

    exch: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    settled: Ints
    rate: Ints
    premium: Ints


class _Weather:
    """Volatility and drift of the market, which last for days."""

    def __init__(self, draws: np.random.Generator) -> None:
        self._draws = draws
        self.deviation = CALM
        self.drift = 0

    def hour(self) -> None:
        """Change, seldom."""
        if int(self._draws.integers(0, STAY_HOURS)) == 0:
            self.deviation = WILD if self.deviation == CALM else CALM
        if int(self._draws.integers(0, STAY_HOURS)) == 0:
            self.drift = (int(self._draws.integers(0, 3)) - 1) * DRIFT

    def moves(self) -> list[int]:
        """Return the market's moves of an hour [1e-12]."""
        noise = self._draws.standard_normal(STEPS) * self.deviation
        return [self.drift + floor(value) for value in noise.tolist()]


class _Coin:
    """Oracle and premium of one coin."""

    def __init__(self, draws: np.random.Generator, asset: Asset, shape: CandleShape) -> None:
        self._draws = draws
        self._px_decimals = asset.px_decimals
        self._shape = shape
        self._oracle = shape.px * ONE
        self._premium = shape.premium

    def hour(self, market: list[int], deviation: int) -> tuple[list[int], int, int]:
        """Advance an hour: its prices [px units], mean premium [1e-12], volume [sz units]."""
        own = (self._draws.standard_normal(STEPS) * deviation).tolist()
        noise = (self._draws.standard_normal(STEPS) * PREMIUM_NOISE).tolist()
        prices = [self._px()]
        premiums = 0
        for step in range(STEPS):
            move = (MARKET_MILLI * market[step] + (1000 - MARKET_MILLI) * floor(own[step])) // 1000
            self._oracle += self._oracle * move // ONE
            back = (self._shape.premium - self._premium) * PULL_MILLI // (1000 * STEPS)
            self._premium += back + floor(noise[step])
            premiums += self._premium
            prices.append(self._px())
        size = self._draws.standard_exponential() * self._shape.volume
        return prices, premiums // STEPS, 1 + floor(size)

    def _px(self) -> int:
        """Return the perp's price on the grid."""
        px = self._oracle * (ONE + self._premium) // ONE // ONE
        return px - px % tick_of(px, px_decimals=self._px_decimals)


def funding_of(premium: int) -> int:
    """Return the rate of one hour for a mean ``premium`` [1e-12], truncated toward zero.

    Source: PROTOCOL 13: an eighth of premium + clamp(interest - premium, +-0.05 %).
    """
    whole = premium + max(-CLAMP, min(CLAMP, INTEREST - premium))
    return whole // 8 if whole >= 0 else -(-whole // 8)


def generate_candles(
    seed: int, *, assets: Sequence[Asset], shapes: Sequence[CandleShape], start_ns: int, hours: int
) -> list[CandleSession]:
    """Return ``hours`` of hourly candles and payments of every coin, a pure function of ``seed``.

    Args:
        seed: of every draw.
        assets, shapes: one each per coin.
        start_ns: opening of the first bar, a full hour [ns].
        hours: length, > 0.
    """
    assert hours > 0
    assert start_ns % NS_HOUR == 0
    weather = _Weather(np.random.Generator(np.random.PCG64([seed, 0])))
    coins = [
        _Coin(np.random.Generator(np.random.PCG64([seed, 1 + asset.index])), asset, shape)
        for asset, shape in zip(assets, shapes, strict=True)
    ]
    rows: list[list[tuple[int, ...]]] = [[] for _ in coins]
    for hour in range(hours):
        weather.hour()
        market = weather.moves()
        opened = start_ns + hour * NS_HOUR
        for coin, found in zip(coins, rows, strict=True):
            prices, premium, volume = coin.hour(market, weather.deviation)
            bar = (prices[0], max(prices), min(prices), prices[-1], volume)
            paid = (opened + NS_HOUR + SETTLE_DELAY_NS, funding_of(premium), premium)
            found.append((opened, *bar, *paid))
    width = len(CandleSession._fields)
    tables = [np.asarray(found, dtype=np.int64).reshape(hours, width) for found in rows]
    return [CandleSession(*(np.ascontiguousarray(c) for c in table.T)) for table in tables]
