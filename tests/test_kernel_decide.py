"""The compiled maker quotes what plain Python quotes, integer for integer, memory bit for bit."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
import pytest

from hatmanifesto.apps.compose import build, open_tape
from hatmanifesto.apps.data import import_paths, open_dataset
from hatmanifesto.apps.request import BacktestRequest
from hatmanifesto.apps.spec import build_spec
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.events import Fact
from hatmanifesto.domain.records import Record
from hatmanifesto.kernel.decide import compiled_copy
from hatmanifesto.kernel.entry import entry_text, params_row
from hatmanifesto.kernel.quotes import (
    Floats,
    Ints,
    Kernel,
    check_columns,
    first_difference,
    run_quotes,
    run_quotes_slow,
)
from hatmanifesto.kernel.reach import reach
from hatmanifesto.signals import closed_form
from hatmanifesto.store.dataset import SAMPLE
from hatmanifesto.store.kernel_cache import load_kernel
from hatmanifesto.strategies import maker
from hatmanifesto.strategies.contract import Strategy, View

ROWS = 3_000
"""Views per coin and parameter set."""


class Market(NamedTuple):
    """A coin's decimals, where its price starts, and how large one level is [units]."""

    px_one: int
    sz_one: int
    px: int
    level_sz: int


MARKETS = {
    "btc": Market(px_one=10, sz_one=100_000, px=1_116_740, level_sz=600_000),
    "eth": Market(px_one=100, sz_one=10_000, px=438_210, level_sz=250_000),
    "grid_edge": Market(px_one=100, sz_one=10_000, px=100_004, level_sz=90_000),
}
SETTINGS: dict[str, dict[str, float]] = {
    "default": {},
    "mid_only": {"micro_weight": 0.0, "half_spread_bps": 0.0},
    "wide_and_leaning": {"half_spread_bps": 7.3, "lean": 4.1, "inventory_pct": 333.0},
    "odd_numbers": {"micro_weight": 1 / 3, "size_pct": 7.77, "half_life_s": 0.9},
    "averse": {"gamma": 1.7, "intensity_k": 0.05, "intensity_a": 3.3, "half_life_s": 5.0},
}


@pytest.fixture(scope="module")
def kernel(home: Path) -> Kernel:
    """Compile the maker once for all tests; parameters are arguments, not part of the code."""
    return load_kernel(maker.build(maker.Params()), home)


def generated_views(market: Market, *, seed: int) -> Ints:
    """Return a random walk of views with inventory, five sizes of capital, and equal stamps."""
    dice = np.random.Generator(np.random.PCG64(seed))
    tick = 1 if market.px < 10**6 else 10
    bid = market.px + tick * np.cumsum(dice.integers(-3, 4, ROWS))
    bid = np.maximum(bid, market.px // 2)
    capital = dice.choice([10, 30, 650, 10_000, 2_000_000], ROWS) * 10**6
    held = dice.integers(-120, 121, ROWS) * capital // (100 * market.px)
    columns = {
        "now": 1_757_015_216_000_000_000 + np.cumsum(dice.integers(0, 1_200_000_000, ROWS)),
        "bid_px": bid,
        "bid_sz": dice.integers(1, market.level_sz, ROWS),
        "ask_px": bid + tick * dice.integers(1, 12, ROWS),
        "ask_sz": dice.integers(1, market.level_sz, ROWS),
        "trade_px": bid,
        "trade_sz": dice.integers(-market.level_sz, market.level_sz, ROWS),
        "position": held,
        "capital": capital,
        "px_one": np.full(ROWS, market.px_one),
        "sz_one": np.full(ROWS, market.sz_one),
    }
    columns["now"][1::7] = columns["now"][:-1:7]
    columns["exch"] = columns["now"] - 200_000_000
    untold = np.zeros(len(columns["now"]), dtype=np.int64)
    fields = [columns.get(name, untold) for name in View._fields]
    return np.ascontiguousarray(np.stack(fields, axis=1))


def compare(kernel: Kernel, decide: Callable[..., Any], params: Any, columns: Ints) -> str:
    """Return the first difference of compiled and plain ``decide`` in quotes or memory."""
    fast, slow = np.zeros(kernel.memory), np.zeros(kernel.memory)
    actual = run_quotes(kernel, params, columns, fast)
    expected = run_quotes_slow(decide, params, columns, slow, slots=kernel.slots)
    difference = first_difference(expected, actual, columns)
    if not difference and fast.tobytes() != slow.tobytes():
        return f"memory: expected {slow.tolist()}, was {fast.tolist()}"
    return difference


@pytest.mark.slow
@pytest.mark.parametrize("use_glft", [0, 1])
@pytest.mark.parametrize("settings", SETTINGS)
def test_quotes_of_generated_views_are_equal(kernel: Kernel, settings: str, use_glft: int) -> None:
    params = maker.Params(use_glft=use_glft)._replace(**SETTINGS[settings])
    for seed, market in enumerate(MARKETS.values()):
        columns = generated_views(market, seed=seed)
        assert compare(kernel, maker.decide, params, columns) == ""


def test_generated_views_are_many_and_quote_both_ways() -> None:
    assert len(SETTINGS) * len(MARKETS) * ROWS >= 20_000
    for seed, market in enumerate(MARKETS.values()):
        columns = generated_views(market, seed=seed)
        quotes = run_quotes_slow(
            maker.decide, maker.Params(), columns, np.zeros(maker.MEMORY), slots=2
        )
        is_bid, is_ask = quotes[:, 1] > 0, quotes[:, 3] > 0
        shares = [(is_bid & is_ask).mean(), (is_bid ^ is_ask).mean(), (~is_bid & ~is_ask).mean()]
        assert min(shares) > 0.02, shares


class Seen:
    """Stands in for a strategy's ``decide`` and keeps what went in and what came out."""

    def __init__(self) -> None:
        self.views: list[View] = []
        self.quotes: list[tuple[int, ...]] = []

    def __call__(self, p: Any, v: View, m: Any) -> tuple[int, ...]:
        quotes = maker.decide(p, v, m)
        self.views.append(v)
        self.quotes.append(quotes)
        return quotes


class Silence:
    """A journal that keeps nothing."""

    def mark(self, now: int, rows: int, facts: Sequence[Fact]) -> None:
        """Take a mark."""

    def write(self, records: Sequence[Record]) -> None:
        """Take records."""


def watch_engine(home: Path, data: str, settings: dict[str, str]) -> list[tuple[Seen, Any, Floats]]:
    """Run the engine over ``data``; return per desk what it saw, its parameters and its memory."""
    request = BacktestRequest(
        home=str(home), strategy="maker", settings=settings, data=data, coins=("BTC", "ETH")
    )
    dataset = open_dataset(data, home)
    spec, _ = build_spec(request, dataset)
    tape = open_tape(spec, dataset, ties="pessimistic")
    machines = build(spec, tape, folder=home, journal=Silence())
    seen = []
    for desk in machines.engine.desks:
        seen.append(Seen())
        desk.mind.strategy = desk.strategy._replace(decide=seen[-1])
    machines.replay.run()
    assert machines.engine.desks[0].ledger.fills + machines.engine.desks[1].ledger.fills > 0
    return [
        (one, desk.strategy.params, np.asarray(desk.memory))
        for one, desk in zip(seen, machines.engine.desks, strict=True)
    ]


def assert_replays(kernel: Kernel, home: Path, data: str, settings: dict[str, str]) -> None:
    """Assert that the kernel repeats what the engine's strategy decided over ``data``."""
    for seen, params, memory_after in watch_engine(home, data, settings):
        columns = np.asarray(seen.views, dtype=np.int64)
        memory = np.zeros(kernel.memory)
        actual = run_quotes(kernel, params, columns, memory)
        assert len(columns) > 1_000
        assert first_difference(np.asarray(seen.quotes), actual, columns) == ""
        assert memory.tobytes() == memory_after.tobytes()


GLFT = {"plain": {"requote_ms": "100"}, "glft": {"requote_ms": "100", "use_glft": "1"}}


@pytest.mark.slow
@pytest.mark.parametrize("settings", GLFT)
def test_the_kernel_repeats_the_engine_on_the_sample(
    kernel: Kernel, home: Path, settings: str
) -> None:
    assert_replays(kernel, home, SAMPLE, GLFT[settings])


@pytest.mark.slow
@pytest.mark.parametrize("settings", GLFT)
@pytest.mark.parametrize("name", ["hl_l2_20250904", "hl_l2_20250903"])
def test_the_kernel_repeats_the_engine_on_recorded_books(
    kernel: Kernel, home: Path, shared_data: Path, name: str, settings: str
) -> None:
    import_paths([shared_data / name], dataset=name, home=home)
    assert_replays(kernel, home, name, GLFT[settings])


@pytest.mark.slow
def test_a_planted_constant_is_found(kernel: Kernel) -> None:
    # The maker as it would be with a slightly different half life in one helper of a helper.
    other = with_globals(closed_form.ewma_variance, LN2=math.log(2.0) * (1 + 1e-6))
    planted = with_globals(maker.decide, ewma_variance=other)
    params = maker.Params(use_glft=1, half_life_s=5.0, gamma=1.7)
    columns = generated_views(MARKETS["btc"], seed=0)
    assert compare(kernel, maker.decide, params, columns) == ""
    assert compare(kernel, planted, params, columns) != ""


def test_the_first_difference_is_named() -> None:
    columns = generated_views(MARKETS["btc"], seed=0)[:4]
    expected = np.arange(16, dtype=np.int64).reshape(4, 4)
    actual = expected.copy()
    actual[2, 3] += 1
    text = first_difference(expected, actual, columns)
    assert text.startswith("row 2, 1 of 4 differ: expected [8, 9, 10, 11], was [8, 9, 10, 12]")


def with_globals(function: Any, **values: Any) -> Any:
    """Return a copy of ``function`` that reads other globals."""
    names = {**function.__globals__, **values}
    return FunctionType(function.__code__, names, function.__name__, function.__defaults__)


def test_compiling_leaves_the_modules_alone(kernel: Kernel) -> None:
    assert kernel.slots == 2
    assert isinstance(maker.decide, FunctionType)
    assert all(isinstance(one.function, FunctionType) for one in reach(maker.decide))
    assert maker.__dict__["glft_skew"] is closed_form.glft_skew


def test_the_maker_reaches_its_helpers_and_their_helpers() -> None:
    names = [one.name.rpartition(".")[2] for one in reach(maker.decide)]
    assert names[0] == "decide"
    assert sorted(names[1:]) == [
        "ewma_variance",
        "glft_half_spread",
        "glft_skew",
        "grid_step",
        "quote_base",
        "weighted_mid2",
    ]


@pytest.mark.slow
def test_an_error_in_a_compiled_decision_is_raised(kernel: Kernel) -> None:
    empty_view, quotes = np.zeros(len(View._fields), np.int64), np.zeros(4, np.int64)
    with pytest.raises(ZeroDivisionError):
        kernel.entry.function(
            params_row(maker.Params()), empty_view, np.zeros(maker.MEMORY), quotes
        )


@pytest.mark.parametrize(
    ("field", "value"),
    [("bid_px", 0), ("ask_sz", 0), ("capital", 2**60), ("bid_sz", 2**50), ("position", -(2**60))],
)
def test_a_view_out_of_range_never_reaches_the_loop(field: str, value: int) -> None:
    columns = generated_views(MARKETS["btc"], seed=0)
    check_columns(columns)
    columns[17, View._fields.index(field)] = value
    with pytest.raises(AssertionError):
        check_columns(columns)


def test_columns_of_another_type_or_layout_are_refused() -> None:
    columns = generated_views(MARKETS["btc"], seed=0)
    for wrong in (columns.astype(np.float64), np.asfortranarray(columns), columns[:, :11]):
        with pytest.raises(AssertionError):
            check_columns(np.asarray(wrong))


class Odd(NamedTuple):
    """Parameters with a field that no kernel takes."""

    name: str = "x"


def _uses_numpy(p: Any, v: View, m: Any) -> tuple[int, ...]:
    return (int(np.floor(v.bid_px)), 0)


def _closure(step: int) -> Any:
    def decide(p: Any, v: View, m: Any) -> tuple[int, ...]:
        return (v.bid_px - step, 0)

    return decide


@pytest.mark.parametrize(
    ("decide", "why"),
    [
        (_uses_numpy, "it reads np, which is of type module"),
        (_closure(1), "it closes over variables"),
        (Seen(), "no plain Python function"),
    ],
)
def test_what_cannot_be_compiled_is_named(decide: Any, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        reach(decide)
    with pytest.raises(UsageError, match=why):
        compiled_copy(decide, {})


def test_fields_that_are_no_numbers_are_named() -> None:
    with pytest.raises(UsageError, match="its field name is neither int nor float"):
        entry_text(Odd, View, slots=1)
    with pytest.raises(UsageError, match="requote_ms cannot be passed"):
        params_row(maker.Params(requote_ms=0.5))  # type: ignore[arg-type]


def _float_quote(p: Any, v: View, m: Any) -> tuple[Any, ...]:
    return (0.5 * v.bid_px, 1)


def _one_slot(p: Any, v: View, m: Any) -> tuple[int, ...]:
    return (v.bid_px, 1)


@pytest.mark.slow
def test_a_float_quote_is_refused_and_a_missing_slot_too(home: Path) -> None:
    strategy = maker.build(maker.Params())
    with pytest.raises(UsageError, match="_float_quote cannot be compiled"):
        load_kernel(strategy._replace(decide=_float_quote, slots=strategy.slots[:1]), home)
    with pytest.raises(UsageError, match="_one_slot cannot be compiled"):
        load_kernel(strategy._replace(decide=_one_slot), home)


@pytest.mark.slow
def test_one_loop_serves_every_strategy(kernel: Kernel, home: Path) -> None:
    strategy: Strategy = maker.build(maker.Params())
    other = load_kernel(strategy._replace(decide=_one_slot, slots=strategy.slots[:1]), home)
    assert (other.entry.is_cached, other.loop.is_cached) == (False, True)
    columns = generated_views(MARKETS["eth"], seed=3)
    assert compare(other, _one_slot, maker.Params(), columns) == ""
