"""Portfolios end to end: four strategies on one account, needs, failures, allocations."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hatmanifesto.apps.backtest import run_backtest
from hatmanifesto.apps.demo import run_demo
from hatmanifesto.apps.portfolio import Play, read_portfolio
from hatmanifesto.apps.replay import replay_run
from hatmanifesto.apps.request import BacktestOutcome, BacktestRequest
from hatmanifesto.apps.sample_house import make_house
from hatmanifesto.apps.verify import verify_run
from hatmanifesto.domain.errors import Exit, UsageError
from hatmanifesto.store.dataset import SHIPPED
from hatmanifesto.store.manifest import Manifest

FAILING = """
from typing import NamedTuple

from hatmanifesto.domain.enums import Side, Tif
from hatmanifesto.strategies.contract import Slot, Strategy


class Params(NamedTuple):
    after: int = 100


def decide(p, v, m):
    m[0] += 1.0
    if m[0] > p.after:
        raise RuntimeError("planted")
    return (v.ask_px, v.sz_one if v.position <= 0 else 0)


def build(params):
    return Strategy(
        name="failing",
        decide=decide,
        params=params,
        slots=(Slot("buy", Side.BUY, Tif.IOC),),
        memory=1,
        requote_ns=1,
        why_too_small=lambda p, v: "",
    )
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def house(home: Path) -> BacktestOutcome:
    return run_demo(home=str(home), seed=7, is_house=True)


def ledger(outcome: BacktestOutcome) -> list[dict[str, str]]:
    with Path(outcome.summary["ledger_csv"]).open(newline="") as file:
        return list(csv.DictReader(file))


def request(home: Path, portfolio: str, **more: Any) -> BacktestRequest:
    path = home / "book.toml"
    path.write_text(portfolio)
    return BacktestRequest(
        home=str(home), strategy="", settings={}, data="house", coins=(), portfolio=str(path),
        report=False, **more,
    )  # fmt: skip


@pytest.mark.slow
def test_all_four_strategies_trade_on_one_account(house: BacktestOutcome) -> None:
    assert house.exit_code == Exit.OK
    fills: Counter[str] = Counter()
    coins: dict[str, set[str]] = {}
    for row in ledger(house):
        if row["reason_code"] == "fill":
            fills[row["strategy_name"]] += 1
            coins.setdefault(row["strategy_name"], set()).add(row["symbol"])
    assert set(fills) == {"maker", "carry", "trend", "reversion"}
    assert min(fills.values()) >= 20
    assert min(len(names) for names in coins.values()) >= 3
    assert house.summary["components"]["residual"] == "0"
    assert house.summary["allocations"] > 10
    assert house.summary["evidence"] == "SYN"
    signals = house.summary["signals"]
    assert set(signals) == set(fills)
    assert all(one["unit"] and one["horizon_s"] > 0 < one["logged"] for one in signals.values())


@pytest.mark.slow
def test_every_fill_names_its_signal_and_regime(house: BacktestOutcome) -> None:
    rows = [row for row in ledger(house) if row["reason_code"] == "fill"]
    assert rows
    assert all(row["signal_id"] for row in rows)
    known = [row for row in rows if row["ts"] >= "2025-08-03"]  # 30 bars come before the first
    assert all(row["regime_label"] for row in known)


@pytest.mark.slow
def test_a_house_run_verifies_and_replays(house: BacktestOutcome, home: Path) -> None:
    run = house.summary["run_id"]
    assert verify_run(str(home), run).exit_code == Exit.OK
    assert replay_run(str(home), run).exit_code == Exit.OK


@pytest.mark.slow
def test_the_shipped_house_is_what_its_generator_makes(tmp_path: Path) -> None:
    made = make_house(tmp_path / "made")
    shipped = json.loads((SHIPPED["house"] / "manifest.json").read_bytes())
    assert isinstance(made, Manifest)
    assert made.hash == shipped["hash"]
    files = {p.relative_to(tmp_path / "made"): p for p in (tmp_path / "made").rglob("*.parquet")}
    assert files
    for name, path in files.items():
        assert path.read_bytes() == (SHIPPED["house"] / name).read_bytes()


@pytest.mark.slow
def test_a_failing_strategy_leaves_the_others_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    text = """
[[strategy]]
name = "failing.py"
coins = ["BTC"]
capital = "1000000"

[[strategy]]
name = "trend"
coins = ["ETH", "SOL", "XRP"]
capital = "3000"
"""
    outcome = run_backtest(request(tmp_path, text))
    assert outcome.exit_code == Exit.FAILED
    assert outcome.summary["status"] == "degraded"
    (failed,) = outcome.summary["failed_strategies"]
    assert (failed["strategy"], failed["error"]) == ("failing", "RuntimeError('planted')")
    (note,) = [note for note in outcome.summary["notes"] if note.startswith("failing failed")]
    assert "left holding 1 BTC" in note
    last = {row["strategy_name"]: int(row["ts_ns"]) for row in ledger(outcome) if row["fill_id"]}
    assert last["trend"] > failed["at_ns"] > last["failing"]
    run = outcome.summary["run_id"]
    assert replay_run(str(tmp_path), run).exit_code == Exit.OK
    assert verify_run(str(tmp_path), run).exit_code == Exit.OK


@pytest.mark.parametrize(
    ("strategy", "coins", "need"),
    [("carry", ("BTC", "ETH"), "funding"), ("reversion", ("BTC",), "premium")],
)
def test_a_strategy_is_refused_where_the_data_do_not_tell_its_series(
    tmp_path: Path, strategy: str, coins: tuple[str, ...], need: str
) -> None:
    with pytest.raises(UsageError, match=f"{strategy} needs {need}.*{', '.join(coins)}"):
        run_backtest(
            BacktestRequest(
                home=str(tmp_path), strategy=strategy, settings={}, data="sample", coins=coins
            )
        )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('method = "best"', "Invalid enum value"),
        ("every_hours = 0", "every_hours must lie in"),
        ("floor_pct = 60", "floor_pct 60 does not fit"),
        ("wings = 2", "unknown field"),
    ],
)
def test_a_bad_allocator_is_refused(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "book.toml"
    path.write_text(
        f'[allocator]\n{line}\n[[strategy]]\nname = "trend"\ncoins = ["BTC"]\ncapital = "1"\n'
        '[[strategy]]\nname = "maker"\ncoins = ["BTC"]\ncapital = "1"\n'
    )
    with pytest.raises(UsageError, match=why):
        read_portfolio(path, {}, play=Play("", 0))
