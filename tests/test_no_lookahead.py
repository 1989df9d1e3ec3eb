"""No look-ahead: what comes after a cut changes nothing before it, and planted leaks are caught.

`-s` prints for each case how many commands and fills the run had and how many cuts it changed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from hatmanifesto.apps.data import import_paths, open_dataset
from hatmanifesto.apps.request import BacktestRequest
from hatmanifesto.apps.sample import make_sample
from hatmanifesto.apps.spec import RunSpec, build_spec
from hatmanifesto.domain.enums import RowKind
from hatmanifesto.domain.rows import EXCH, KIND, A, B
from hatmanifesto.domain.units import NS_MS, NS_S
from hatmanifesto.store.dataset import Dataset
from hatmanifesto.store.tape import ParquetTape
from hatmanifesto.store.warehouse import Snapshot
from tests import lookahead, planted_leaks
from tests.lookahead import Market, Scheme, Setup, clean, draw_cuts, judge, run_log

COINS = ("BTC", "ETH")
FIXED, FIXED_NS = "fixed:200ms", 200 * NS_MS
DRAWN = "lognormal:200ms:0.4"
CUTS = 200
CUTS_SAMPLE = 24
COMMANDS_MIN, FILLS_MIN = 200, 50
CAUGHT_MIN = 0.99
WINDOW_S = (620, 800)
"""Part of the recording of 2025-09-04, from its start: a hole of 18 s and a full hour lie in it."""
OTHER_S = 20
"""How much of another day follows a cut."""


class Scene(NamedTuple):
    """A dataset, the part of it that is run, what may follow a cut, and where the cuts are."""

    dataset: Dataset
    market: Market
    other: Market
    cuts: list[int]


def spec_of(dataset: Dataset, latency: str, settings: Mapping[str, str]) -> RunSpec:
    request = BacktestRequest(
        home="nowhere",
        strategy="maker",
        settings=dict(settings),
        data=dataset.spec,
        coins=COINS,
        latency=latency,
    )
    return build_spec(request, dataset)[0]


def part_of(dataset: Dataset, start_s: int, end_s: int) -> Market:
    start = ParquetTape(dataset, coins=COINS).start_ns
    return lookahead.market_of(
        ParquetTape(
            dataset, coins=COINS, start_ns=start + start_s * NS_S, end_ns=start + end_s * NS_S
        )
    )


def scene_of(dataset: Dataset, other: Dataset, window: tuple[int, int], count: int) -> Scene:
    market = part_of(dataset, *window)
    whole = run_log(Setup(spec_of(dataset, FIXED, {}), clean, FIXED_NS), market)
    cuts = draw_cuts(market, whole, count=count, seed=20250904)
    return Scene(dataset, market, part_of(other, 0, OTHER_S), cuts)


@pytest.fixture(scope="module")
def recorded(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    home = tmp_path_factory.mktemp("recorded")
    for day in ("20250903", "20250904"):
        import_paths([shared_data / f"hl_l2_{day}"], dataset=day, home=home)
    days = open_dataset("20250904", home), open_dataset("20250903", home)
    return scene_of(*days, WINDOW_S, CUTS)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    home = tmp_path_factory.mktemp("generated")
    manifest = make_sample(home / "other", seed=8, minutes=1)
    other = Dataset((Snapshot(home / "other", manifest),))
    return scene_of(open_dataset("sample", home), other, (0, 300), CUTS_SAMPLE)


class Case(NamedTuple):
    """A scheme with the latency, the settings and the chunks it runs under."""

    scheme: Scheme
    latency: str = FIXED
    settings: Mapping[str, str] = {}
    chunk_rows: int = 1 << 30

    def setup(self, dataset: Dataset) -> Setup:
        feed_ns_min = FIXED_NS if self.latency == FIXED else 0
        spec = spec_of(dataset, self.latency, self.settings)
        return Setup(spec, self.scheme, feed_ns_min, self.chunk_rows)


HONEST = {
    "maker": Case(clean),
    "maker, closed form": Case(clean, settings={"use_glft": "1"}),
    "maker, drawn latency, chunks of 500 rows": Case(clean, DRAWN, chunk_rows=500),
}
LEAKS = {
    "feature: the mid of 1 s later": Case(planted_leaks.peeking(1 * NS_S)),
    "feature: the mid of 5 s later": Case(planted_leaks.peeking(5 * NS_S)),
    "scaling: volatility of the whole tape": Case(planted_leaks.scaled),
    "time stamp: 500 ms early": Case(planted_leaks.early(500 * NS_MS)),
    "time stamp: content of the next quote": Case(
        planted_leaks.next_content, settings={"requote_ms": "50"}
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HONEST)
def test_decisions_are_the_same_whatever_follows(name: str, recorded: Scene) -> None:
    verdict = judge(
        HONEST[name].setup(recorded.dataset), recorded.market, recorded.other, cuts=recorded.cuts
    )
    print(f"{name}: {verdict}")
    assert verdict.cuts == CUTS
    assert verdict.commands >= COMMANDS_MIN
    assert verdict.fills >= FILLS_MIN
    assert verdict.either == 0, verdict.first


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_caught(name: str, recorded: Scene) -> None:
    verdict = judge(
        LEAKS[name].setup(recorded.dataset), recorded.market, recorded.other, cuts=recorded.cuts
    )
    print(f"{name}: {verdict}")
    assert verdict.cuts == CUTS
    assert verdict.either >= CAUGHT_MIN * CUTS


@pytest.mark.slow
@pytest.mark.parametrize("name", HONEST)
def test_the_sample_shows_no_look_ahead(name: str, generated: Scene) -> None:
    verdict = judge(
        HONEST[name].setup(generated.dataset),
        generated.market,
        generated.other,
        cuts=generated.cuts,
    )
    print(f"{name}: {verdict}")
    assert verdict.either == 0, verdict.first


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAKS)
def test_the_sample_shows_planted_leaks(name: str, generated: Scene) -> None:
    verdict = judge(
        LEAKS[name].setup(generated.dataset),
        generated.market,
        generated.other,
        cuts=generated.cuts,
    )
    print(f"{name}: {verdict}")
    assert verdict.either == CUTS_SAMPLE


@pytest.mark.slow
def test_cuts_lie_where_the_strategy_trades(recorded: Scene) -> None:
    holes = [(row[A], row[B]) for row in recorded.market.rows if row[KIND] == RowKind.GAP]
    assert holes
    assert len(set(recorded.cuts)) == CUTS
    assert not any(start <= cut < end for cut in recorded.cuts for start, end in holes)


@pytest.mark.slow
def test_a_cut_market_has_no_later_row_and_the_other_day_follows(generated: Scene) -> None:
    market, other, cut = generated.market, generated.other, generated.cuts[0]
    short = lookahead.truncated(market, cut)
    long = lookahead.replaced(market, cut, other)
    assert max(row[EXCH] for row in short.rows) == cut
    assert long.rows[: len(short.rows)] == short.rows
    assert len(long.rows) == len(short.rows) + len(other.rows)
    assert all(row[EXCH] > cut for row in long.rows[len(short.rows) :])
