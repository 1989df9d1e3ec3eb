"""No look-ahead over candles: a cut at a boundary changes nothing before it; planted leaks show.

At a cut the bars that begin there are changed too: what the venue knows of them is the future.
"""

import numpy as np
import pytest

from hatmanifesto.apps.data import open_dataset
from hatmanifesto.apps.request import BacktestRequest
from hatmanifesto.apps.spec import build_spec
from hatmanifesto.domain.enums import RowKind
from hatmanifesto.domain.events import Filled
from hatmanifesto.domain.rows import EXCH, KIND, C, D
from hatmanifesto.domain.units import NS_HOUR, NS_MS
from hatmanifesto.store.dataset import Dataset
from hatmanifesto.store.tape import ParquetTape
from tests import lookahead, planted_leaks
from tests.candle_files import at, put, walk, write_candles, write_funding
from tests.lookahead import Log, Market, Scheme, Setup, clean, judge, run_log

COINS = ("BTC", "ETH")
FEED_NS = 200 * NS_MS
CUTS = 25
CAUGHT_MIN = 22
"""Some bars close where they opened: then nothing leaks."""
HOURS = 400
FILLS_MIN = 50
SETTINGS = {
    "maker": {"half_spread_bps": "15", "size_pct": "20", "inventory_pct": "100"},
    "trend": {
        "sample_s": "3600",
        "look_a": "2",
        "look_b": "3",
        "look_c": "5",
        "look_d": "8",
        "vol_half_life": "8",
        "band_pct": "1",
    },
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Return bars of two coins with a hole in one, and funding of both."""
    home = tmp_path_factory.mktemp("candles")
    rates = [(hour * 3_600_000 + 29, 0.00001 * (hour % 5 - 2)) for hour in range(HOURS)]
    paths = [write_funding(home / "f", coin, rates) for coin in COINS]
    bars = walk(HOURS)
    paths.append(write_candles(home / "c", "BTC", bars[:150] + bars[155:]))
    paths.append(write_candles(home / "c", "ETH", walk(HOURS, px=90_000.0)))
    put(home, "all", *paths)
    return open_dataset("all", home)


def setup_of(dataset: Dataset, scheme: Scheme, *, strategy: str = "maker") -> Setup:
    request = BacktestRequest(
        home="nowhere",
        strategy=strategy,
        settings=SETTINGS[strategy],
        data=dataset.spec,
        coins=COINS,
        capital=1_000_000 * 10**6,
    )
    return Setup(build_spec(request, dataset)[0], scheme, FEED_NS)


def market_of(dataset: Dataset, first: int = 0, last: int = HOURS) -> Market:
    return lookahead.market_of(
        ParquetTape(dataset, coins=COINS, start_ns=at(first), end_ns=at(last))
    )


def cuts_of(market: Market, log: Log) -> list[int]:
    """Return boundaries between the first and the last fill, drawn once each."""
    fills = [entry.exch for entry in log.entries if isinstance(entry, Filled)]
    assert len(fills) >= FILLS_MIN
    ends = {row[EXCH] for row in market.rows if row[KIND] == RowKind.BBO}
    open_ = [stamp for stamp in sorted(ends) if fills[0] < stamp < fills[-1]]
    rng = np.random.Generator(np.random.PCG64(20250701))
    return sorted(int(one) for one in rng.choice(np.asarray(open_), CUTS, replace=False))


@pytest.mark.slow
@pytest.mark.parametrize("strategy", SETTINGS)
def test_decisions_are_the_same_whatever_follows(strategy: str, dataset: Dataset) -> None:
    setup = setup_of(dataset, clean, strategy=strategy)
    market = market_of(dataset)
    cuts = cuts_of(market, run_log(setup, market))
    verdict = judge(setup, market, market_of(dataset, 40, 60), cuts=cuts)
    print(f"{strategy}: {verdict}")
    assert verdict.either == 0, verdict.first


LEAKS: dict[str, Scheme] = {
    "the close of the coming bar": planted_leaks.peeking(NS_HOUR),
    "volatility of the whole tape": planted_leaks.scaled,
    "the quote of the next boundary": planted_leaks.next_content,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_caught(name: str, dataset: Dataset) -> None:
    market = market_of(dataset)
    cuts = cuts_of(market, run_log(setup_of(dataset, clean), market))
    verdict = judge(setup_of(dataset, LEAKS[name]), market, market_of(dataset, 40, 60), cuts=cuts)
    print(f"{name}: {verdict}")
    assert verdict.either >= CAUGHT_MIN


@pytest.mark.slow
def test_a_cut_takes_the_bar_under_way_along(dataset: Dataset) -> None:
    market = market_of(dataset)
    cut = at(50)
    begun = [row for row in market.rows if row[EXCH] == cut and row[KIND] == RowKind.BAR]
    short = [row for row in lookahead.truncated(market, cut).rows if row[EXCH] == cut]
    assert all(row[C] and row[D] for row in begun)
    assert [(row[C], row[D]) for row in short if row[KIND] == RowKind.BAR] == [(0, 0), (0, 0)]
    long = lookahead.replaced(market, cut, market_of(dataset, 40, 60)).rows
    bars = [row for row in long if row[EXCH] == cut and row[KIND] == RowKind.BAR]
    assert [(row[C], row[D]) for row in bars] == [lookahead.OTHER_BAR] * 2
