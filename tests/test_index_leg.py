"""Second legs: prices from premiums, spot fees, no funding, the hedged carry and its basis."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from hatmanifesto.analytics.attribution import attribute
from hatmanifesto.analytics.fold import FillRow, RunFacts, fold, hedged_of
from hatmanifesto.analytics.mids import Mids
from hatmanifesto.apps.backtest import run_backtest
from hatmanifesto.apps.data import open_dataset
from hatmanifesto.apps.request import BacktestRequest
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.legs import base_of, leg_asset, leg_name
from hatmanifesto.domain.records import Began
from hatmanifesto.domain.units import NS_HOUR
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.simex.account import Account
from hatmanifesto.simex.clearing import FeeSchedule
from hatmanifesto.simex.funding import FundingClock
from hatmanifesto.store.columns import Columns
from hatmanifesto.store.index_leg import index_candles, premiums_of, with_leg
from hatmanifesto.strategies.carry import CELLS, SHARED, TARGET, Params, build
from hatmanifesto.strategies.carry_hedged import decide
from hatmanifesto.strategies.contract import View
from tests.conftest import shared_data_path

SOL = PERPS["SOL"]
HOUR = 1_000 * NS_HOUR


def candles(closes: list[int]) -> Columns:
    close = np.asarray(closes, dtype=np.int64) * 10**10
    opened = np.concatenate([close[:1], close[:-1]])
    count = len(close)
    return {
        "exch": HOUR + np.arange(count) * NS_HOUR,
        "open": opened,
        "high": np.maximum(opened, close) + 10**10,
        "low": np.minimum(opened, close) - 10**10,
        "close": close,
        "volume": np.full(count, 10**9),
        "session": np.zeros(count, dtype=np.int64),
    }


def test_a_leg_is_named_after_its_perp_and_held_outright() -> None:
    leg = leg_asset(SOL)
    assert (leg.coin, leg.sz_decimals, leg.is_spot) == ("SOL/INDEX", SOL.sz_decimals, True)
    assert base_of(leg_name("SOL")) == "SOL"
    assert base_of("SOL") is None
    assert not SOL.is_spot
    assert leg.leverage_max == 1


def test_the_index_is_the_close_over_one_plus_the_premium() -> None:
    hours = HOUR + np.array([1, 2, 3]) * NS_HOUR
    premiums = np.array([0, 10**10, -2 * 10**10])  # 0, 1 %, -2 %
    made = index_candles(candles([200, 202, 196]), hours, premiums, length_ns=NS_HOUR)
    assert (made["close"] / 1e10).tolist() == [200, 200, 200]
    assert (made["open"] / 1e10).tolist() == [200, 200, 200]
    assert (made["high"] >= np.maximum(made["open"], made["close"])).all()
    assert (made["low"] <= np.minimum(made["open"], made["close"])).all()


def test_a_bar_whose_premium_nobody_told_is_left_out() -> None:
    hours = HOUR + np.array([1, 3]) * NS_HOUR
    made = index_candles(
        candles([200, 202, 196]), hours, np.zeros(2, dtype=np.int64), length_ns=NS_HOUR
    )
    assert made["exch"].tolist() == [HOUR, HOUR + 2 * NS_HOUR]
    none = np.zeros(0, dtype=np.int64)
    assert len(index_candles(candles([200]), none, none, length_ns=NS_HOUR)["exch"]) == 0


def test_bars_within_the_hour_take_its_premium() -> None:
    quarter = NS_HOUR // 4
    bars = candles([200] * 5)
    bars["exch"] = HOUR + np.arange(5) * quarter
    hours = HOUR + np.array([1]) * NS_HOUR
    made = index_candles(bars, hours, np.array([0]), length_ns=quarter)
    assert len(made["exch"]) == 4


def test_a_leg_pays_spot_fees_and_no_funding() -> None:
    fees, leg = FeeSchedule(), leg_asset(SOL)
    rates = [(fees.rate(one, is_taker=False), fees.rate(one, is_taker=True)) for one in (SOL, leg)]
    assert rates == [(1_500_000, 4_500_000), (4_000_000, 7_000_000)]
    clock = FundingClock([not one.is_spot for one in (SOL, leg)])
    account = Account("a", assets=(SOL, leg), cash=0)
    account.positions[:] = [-5, 5]
    list(clock.cross(HOUR - 1, {"a": account}))
    list(clock.cross(HOUR, {"a": account}))
    assert [fact.coin for _, fact in clock.unknown(HOUR + 1)] == [0]


def test_pairs_are_made_of_coins_with_premiums(tmp_path: Path) -> None:
    house = open_dataset("house", tmp_path)
    assert with_leg(house, ("SOL", "BTC")) == (("SOL", "SOL/INDEX", "BTC", "BTC/INDEX"), ())
    ticks = open_dataset("sample", tmp_path)
    assert with_leg(ticks, ("BTC",)) == ((), ("BTC",))
    hours, premiums = premiums_of(house, "SOL")
    assert (hours % NS_HOUR == 0).all()
    assert len(hours) == len(premiums) == 3_600


# -- decisions ------------------------------------------------------------------------------------


def view(now: int, *, rate: int = 100_000, position: int = 0, age: int = 0) -> View:
    return View(
        now=now, exch=now - age, bid_px=1_999_000, bid_sz=9, ask_px=2_001_000, ask_sz=9,
        trade_px=0, trade_sz=0, position=position, capital=5_000 * 10**6, px_one=10**4, sz_one=100,
        funding_rate=rate, funding_exch=now - 10**9,
    )  # fmt: skip


def played(rate: int, **last: Any) -> tuple[tuple[int, ...], list[float]]:
    """Decide hourly for 85 hours of one rate, the last view changed; return quotes and memory."""
    params, memory = Params(hedge=1), [0.0] * (SHARED + 2 * CELLS)
    quotes: tuple[int, ...] = ()
    for hour in range(85):
        now = HOUR + hour * NS_HOUR
        leg = view(now)._replace(funding_exch=0)
        if hour == 84:
            leg = leg._replace(**last)
        quotes = decide(params, (view(now, rate=rate), leg), memory)
    return quotes, memory


def test_a_pair_that_pays_is_short_the_perp_and_long_as_many_coins_of_the_leg() -> None:
    quotes, memory = played(200_000)  # 0.2 bps an hour: 14.4 bps in 72 hours are too few
    assert quotes == (0,) * 8
    quotes, memory = played(600_000)
    buy_perp, sell_perp, buy_leg, sell_leg = quotes[1], quotes[3], quotes[5], quotes[7]
    assert (buy_perp, sell_leg) == (0, 0)
    assert sell_perp == buy_leg > 0
    assert memory[SHARED + TARGET] == -2_500  # half of 10,000 USDC at 200: 25.00 coins


def test_funding_that_is_paid_by_shorts_is_not_harvested() -> None:
    assert played(-600_000)[0] == (0,) * 8


def test_a_leg_without_a_fresh_quote_leaves_its_perp_alone() -> None:
    assert played(600_000, exch=HOUR)[0] == (0,) * 8


def test_the_hedged_form_asks_for_legs_and_the_other_does_not() -> None:
    assert build(Params(hedge=1)).has_legs
    assert not build(Params()).has_legs


# -- basis ----------------------------------------------------------------------------------------

HEADER = msgspec.json.encode(
    {"spec": {"coins": ["SOL", "SOL/INDEX"], "works": [{"coins": ["SOL", "SOL/INDEX"]}]}}
).decode()


def pair_facts() -> tuple[RunFacts, dict[int, Mids]]:
    """Return a short perp against a long leg: 10 coins, perp 200 to 203, leg 199 to 204."""

    def fill(coin: int, side: int, px: int) -> FillRow:
        return FillRow(
            ts=10, recv=11, intent=coin + 1, tid=coin + 1, book=0, coin=coin, slot=0, side=side,
            px=px, sz=1_000, fee=7, is_taker=True, is_gap=False, mid2_decision=2 * px,
            placed_now=9, sz_order=1_000, px_order=px,
        )  # fmt: skip

    facts = fold([Began(HEADER)])
    fills = (fill(0, -1, 2_000_000), fill(1, 1, 1_990_000))
    facts = msgspec.structs.replace(facts, fills=fills)
    ts = np.array([5, 20], dtype=np.int64)
    perp, leg = np.array([4_000_000, 4_060_000]), np.array([3_980_000, 4_080_000])
    return facts, {0: Mids(ts, perp), 1: Mids(ts, leg)}


def test_basis_is_size_times_the_move_of_perp_less_leg() -> None:
    facts, mids = pair_facts()
    assert facts.hedged == {(0, 0), (0, 1)}
    total = attribute(facts, mids)[0].total
    # -10 coins x (203 - 200) + 10 coins x (204 - 199) = 20 USDC, in half micro-USDC
    assert (total.basis, total.price, total.residual) == (2 * 20 * 10**6, 0, 0)
    assert total.net == total.basis - 2 * 14


def test_without_a_second_leg_there_is_no_basis() -> None:
    facts, mids = pair_facts()
    total = attribute(msgspec.structs.replace(facts, hedged=frozenset()), mids)[0].total
    assert (total.basis, total.price, total.residual) == (0, 2 * 20 * 10**6, 0)
    assert hedged_of("") == frozenset()


@pytest.mark.parametrize("times", [0, 2])
def test_a_basis_left_out_or_counted_twice_shows_as_residual(times: int) -> None:
    facts, mids = pair_facts()
    total = attribute(facts, mids)[0].total
    wrong = msgspec.structs.replace(total, basis=times * total.basis)
    assert abs(wrong.net - wrong.explained()) == total.basis


@pytest.mark.slow
def test_a_hedged_carry_earns_funding_and_little_price(tmp_path: Path) -> None:
    request = BacktestRequest(
        home=str(tmp_path), strategy="carry", settings={"hedge": "1"}, data="house",
        coins=("SOL", "BTC"), report=False,
    )  # fmt: skip
    summary = run_backtest(request).summary
    parts = {name: float(text) for name, text in summary["components"].items()}
    assert parts["funding"] > 100
    assert parts["price"] == parts["residual"] == 0
    assert 0 < abs(parts["basis"]) < parts["funding"]
    assert any(text.startswith("second leg: ") for text in summary["assumed"])


def test_a_hedge_without_second_leg_data_is_refused(tmp_path: Path) -> None:
    request = BacktestRequest(
        home=str(tmp_path), strategy="carry", settings={"hedge": "1"}, data="sample",
        coins=("BTC",),
    )  # fmt: skip
    with pytest.raises(UsageError, match="no second-leg data for BTC"):
        run_backtest(request)


@pytest.mark.slow
def test_the_hedge_runs_on_recorded_premiums(tmp_path: Path) -> None:
    from hatmanifesto.apps.data import import_paths

    data = shared_data_path()
    bars, rates = data / "hl_candles" / "SOL-1h.parquet", data / "hl_funding"
    if not bars.exists():
        pytest.skip("data: no recorded candles")
    import_paths([bars], dataset="bars", home=tmp_path)
    premiums = sorted(rates.glob("SOL_fundingHistory*"))
    import_paths(premiums, dataset="rates", home=tmp_path)
    request = BacktestRequest(
        home=str(tmp_path), strategy="carry", settings={"hedge": "1", "hold_h": "336"},
        data="bars,rates", coins=("SOL",), report=False,
    )  # fmt: skip
    summary = run_backtest(request).summary
    assert summary["status"] == "ok"
    assert summary["fills"] >= 4
    assert summary["components"]["residual"] == "0"
    assert float(summary["components"]["funding"]) > 0
