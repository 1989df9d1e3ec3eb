"""All numbers derive from one ledger: recomputed from its CSV alone, and seen to move with it.

A week of two strategies over the shipped candles with funding; nothing here shares code with what
it checks but the names of the columns.
"""

import csv
import io
import json
import shutil
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hatmanifesto.apps.run_folder import LEDGER_CSV, LEDGER_PARQUET, REPORT, SUMMARY
from hatmanifesto.cli import main
from hatmanifesto.domain.errors import Exit
from tests.test_rebuild import change, hat, run_in
from tests.test_runs import Hat

pytestmark = pytest.mark.slow
__all__ = ["hat"]

BOOK = """
[[strategy]]
name = "carry"
coins = ["BTC", "ETH"]
capital = "5000"
[[strategy]]
name = "trend"
coins = ["BTC", "ETH"]
capital = "5000"
set = {sample_s = 3600, look_a = 2, look_b = 3, look_c = 0, look_d = 0}
"""
SPAN = ["--from", "2025-09-01T00:00:00Z", "--to", "2025-09-08T12:00:00Z"]
DAYS = [f"2025-09-0{day}" for day in range(1, 9)]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with one run of eight days, not to be changed."""
    root = tmp_path_factory.mktemp("week")
    (root / "book.toml").write_text(BOOK, encoding="utf-8")
    words = ["--portfolio", str(root / "book.toml"), "--data", "house", *SPAN]
    assert main(["--home", str(root / "home"), "backtest", *words]) == Exit.OK
    return root / "home"


@pytest.fixture
def copy(week: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(week, tmp_path / "home"))


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def sums_of(rows: list[dict[str, str]]) -> dict[str, Decimal]:
    """Return what the rows say by themselves."""
    fills = [row for row in rows if row["side"]]
    sign = {"buy": 1, "sell": -1}
    return {
        "fills": Decimal(len(fills)),
        "turnover": sum((Decimal(row["qty"]) * Decimal(row["price"]) for row in fills), Decimal(0)),
        "fees": sum((Decimal(row["fee"]) for row in fills), Decimal(0)),
        "funding": sum((Decimal(row["funding"]) for row in rows if row["funding"]), Decimal(0)),
        "cash": -sum(
            (sign[row["side"]] * Decimal(row["qty"]) * Decimal(row["price"]) for row in fills),
            Decimal(0),
        ),
    }


def fees_of(components: dict[str, str]) -> Decimal:
    return -Decimal(components["fees"]) - Decimal(components["rebates"])


def test_every_page_says_what_the_ledger_says(copy: Path, hat: Hat) -> None:
    run = run_in(copy)
    rows = rows_of(run / LEDGER_CSV)
    told = sums_of(rows)
    assert told["fills"] > 50
    assert told["funding"] != 0
    assert {row["strategy_name"] for row in rows} >= {"carry", "trend"}
    summary = json.loads((run / SUMMARY).read_bytes())
    answer = hat(copy, "report", "--daily", "--weekly", "--json").json
    latest = json.loads((Path(answer["folder"]) / "tearsheets/latest.json").read_bytes())
    for one in (summary, latest):
        assert fees_of(one["components"]) == told["fees"]
        assert Decimal(one["components"]["funding"]) == told["funding"]
        assert Decimal(one["memo"]["turnover_usdc"]) == told["turnover"]
        assert one["metrics"]["fills"]["value"] == told["fills"]
    tax = hat(copy, "export", "--year", "2025", "--tax", "--json").json["totals_usdc"]
    assert Decimal(tax["fees"]) == told["fees"]
    assert Decimal(tax["funding"]) == told["funding"]
    days = answer["periods"]["daily"]
    assert [day["period"] for day in days] == DAYS
    for day in days:
        mine = sums_of([row for row in rows if row["ts"].startswith(day["period"])])
        assert fees_of(day["components"]) == mine["fees"]
        assert Decimal(day["components"]["funding"]) == mine["funding"]
        assert Decimal(day["turnover_usdc"]) == mine["turnover"]
        assert day["fills"] == mine["fills"]
    page = (run / REPORT).read_text(encoding="utf-8")
    assert f"{told['fees']:,.2f}".rstrip("0") in page


def test_days_open_where_the_day_before_closed(week: Path, tmp_path: Path, hat: Hat) -> None:
    home = Path(shutil.copytree(week, tmp_path / "home"))
    days = hat(home, "report", "--daily", "--json").json["periods"]["daily"]
    assert days[0]["opening_equity_usdc"] == "10000"
    assert len({day["opening_equity_usdc"] for day in days}) == len(days)
    for before, after in pairwise(days):
        assert after["opening_equity_usdc"] == before["closing_equity_usdc"]
    for day in days:
        parts: dict[str, Decimal] = defaultdict(Decimal)
        for group in ("by_coin", "by_strategy"):
            for one in day[group].values():
                parts[group] += Decimal(one["net_pnl_usdc"])
        assert set(parts.values()) == {Decimal(day["net_pnl_usdc"])}


def test_a_payment_of_another_size_moves_everything_that_stands_on_it(copy: Path, hat: Hat) -> None:
    run = run_in(copy)
    folder = Path(hat(copy, "report", "--daily", "--json").json["folder"])
    row = next(row for row in rows_of(run / LEDGER_CSV) if row["funding"])
    assert row["funding"] == row["funding_account"]
    day = f"tearsheets/daily/{row['ts'][:10]}.html"
    names = (day, "funding/funding.csv", "pnl_attribution/by_coin.csv", "tearsheets/daily.csv")
    before = [(folder / name).read_bytes() for name in names]
    change(run, {"funding": "1.5", "funding_account": "1.5"}, reason="funding")
    hat(copy, "report", "--daily")
    after = [(folder / name).read_bytes() for name in names]
    assert all(old != new for old, new in zip(before, after, strict=True))
    told = differences(hat(copy, "report", run.name, "--rebuild", "--json").json)
    assert "funding is 1.5" in told[LEDGER_PARQUET]
    assert set(told) >= {LEDGER_PARQUET, SUMMARY, REPORT, "net (pessimistic)"}
    said = hat(copy, "verify", run.name)
    assert f"{LEDGER_PARQUET}: changed" in said.out
    assert "funding is 1.5" in said.out
    assert hat(copy, "export", "--year", "2025", "--tax", "--json").json["is_sealed"] is False


def differences(answer: dict[str, Any]) -> dict[str, str]:
    """Return what a rebuild found, by file."""
    return dict(text.split(": ", 1) for text in answer["differences"])


def test_shares_that_do_not_add_up_are_drawn_nowhere(copy: Path, hat: Hat) -> None:
    run = run_in(copy)
    change(run, {"funding": "1.5"}, reason="funding")
    for words in (
        ["report", "--daily"],
        ["export", "--year", "2025", "--tax"],
        ["compare", run.name, run.name],
    ):
        said = hat(copy, *words)
        assert said.code == Exit.MISMATCH
        assert "funding does not add up" in said.err
    said = hat(copy, "report", run.name, "--rebuild")
    assert said.code == Exit.MISMATCH
    assert "funding does not add up" in said.out
