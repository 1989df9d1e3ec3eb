"""A share of the recorded house in the suite: sums, fills, funding, and the audit that can fail."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hatmanifesto.engine.engine import Engine
from tests.conftest import shared_data_path
from tests.recorded_house.cases import CASES, DATASETS, PORTFOLIO
from tests.recorded_house.raw import COLUMNS, audit
from tests.recorded_house.results import FILLS_MIN, Result, faults_of, hat, import_all, markdown
from tests.test_house import check_sums

pytestmark = pytest.mark.slow

TWENTY = (
    *("BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "ARB", "kPEPE", "HYPE", "FARTCOIN", "TRUMP"),
    *("WIF", "ADA", "NEAR", "OP", "TIA", "TON", "TRX", "RUNE", "LDO"),
)


END = (1_740_787_200 - 3_600) * 10**9
"""The last boundary before 2025-03-01 [ns]: the run ends there, its payment is beyond it."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with the recordings."""
    data = shared_data_path()
    for files in DATASETS.values():
        for name in files:
            if not (data / name).exists():
                pytest.skip(f"data: no {name}")
    folder = tmp_path_factory.mktemp("recorded")
    import_all(folder, data)
    return folder


@pytest.fixture(scope="module")
def house(home: Path) -> tuple[Mapping[str, Any], Path]:
    """Return summary and ledger of two months, the books summed up after every step."""
    step = Engine.step
    steps = 0

    def checked(self: Engine, batch: Any, now: int) -> Any:
        nonlocal steps
        records = step(self, batch, now)
        steps += 1
        if batch[1] or steps % 8 == 0:  # without facts only the marks move
            check_sums(self.state)
        return records

    (home / "house.toml").write_text(PORTFOLIO)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "step", checked)
        code, out, err = hat(
            home,
            ["backtest", "--portfolio", str(home / "house.toml"), "--data", "bars,rates",
             "--from", "2025-01-01T00:00:00Z", "--to", "2025-03-01T00:00:00Z", "--json"],
        )  # fmt: skip
    assert code == 0, err
    summary = json.loads(out)
    assert steps > 1_000
    return summary, home / "runs" / summary["run_id"] / "ledger.parquet"


def fills_of(ledger: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(ledger).to_pylist()
    return [row for row in rows if row["reason_code"].startswith("fill")]


def test_four_strategies_fill_and_their_books_sum_to_the_account(
    house: tuple[Mapping[str, Any], Path],
) -> None:
    """That they sum after every step is asserted while the fixture runs."""
    summary, ledger = house
    counts = Counter(row["strategy_name"] for row in fills_of(ledger))
    assert set(counts) == {"maker", "carry", "trend", "reversion"}
    assert min(counts.values()) >= FILLS_MIN
    assert len({row["symbol"] for row in fills_of(ledger)}) >= 3
    assert summary["components"]["residual"] == "0"
    assert summary["evidence"] == "ASSUMED"
    assert summary["allocations"] >= 8
    assert summary["failed_strategies"] == []
    known = summary["components"]["funding"] is not None
    assert known or any("funding hour" in note for note in notes_of(ledger))
    assert not summary["edge"]["is_shown"]


def notes_of(ledger: Path) -> list[str]:
    return (ledger.parent / "report.html").read_text().split("<li>")


def test_strategies_that_disagree_do_not_trade_with_each_other(
    house: tuple[Mapping[str, Any], Path],
) -> None:
    rows = fills_of(house[1])
    held: Counter[tuple[str, str]] = Counter()
    disagreed = 0
    for row in rows:
        szi = row["qty"] if row["side"] == "buy" else -row["qty"]
        held[row["symbol"], row["strategy_name"]] += szi
        mine = [one for (coin, _), one in held.items() if coin == row["symbol"] and one]
        disagreed += min(mine, default=0) < 0 < max(mine, default=0)
    assert disagreed > 100, "else this shows nothing"
    ids = Counter(row["fill_id"] for row in rows)
    assert max(ids.values()) == 1, "a trade with ourselves would be two fills of one match"
    met = Counter((row["ts_ns"], row["symbol"], row["price"], row["maker_flag"]) for row in rows)
    assert not [key for key in met if (*key[:3], not key[3]) in met]


def test_the_ledger_stands_the_audit_from_the_raw_files(
    house: tuple[Mapping[str, Any], Path],
) -> None:
    seen = audit(house[1], shared_data_path(), until=END)
    assert seen.misfits == []
    assert seen.fills == house[0]["fills"]
    assert seen.payments > 5_000


@pytest.mark.parametrize(
    ("reason", "column", "change", "told"),
    [
        ("fill", "price", lambda value: value * 2, "give"),
        ("fill", "fee", lambda value: value + value.scaleb(-3), "not"),
        ("fill", "qty", lambda value: value * 1_000_000, "of a bar's"),
        ("funding", "funding_account", lambda value: -value, "is not minus"),
        ("funding", "funding_rate", lambda value: value * 2, "recorded"),
        ("funding", "oracle_price", lambda value: value * 2, "the last close is"),
        ("funding", "", None, "has no payment"),
    ],
)
def test_the_audit_sees_a_planted_fault(
    house: tuple[Mapping[str, Any], Path],
    tmp_path: Path,
    reason: str,
    column: str,
    change: Any,
    told: str,
) -> None:
    table = pq.read_table(house[1], columns=list(COLUMNS)).slice(0, 4_000)
    rows = table.to_pylist()
    at = next(
        i
        for i, row in enumerate(rows)
        if row["reason_code"] == reason and not row["maker_flag"] and row["funding"] != 0
    )
    if column:
        rows[at][column] = change(rows[at][column]).quantize(rows[at][column])
    else:
        gone = rows[at]["symbol"], rows[at]["ts_ns"]
        rows = [row for row in rows if (row["symbol"], row["ts_ns"]) != gone]
    planted = tmp_path / "ledger.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), planted)
    assert any(told in one for one in audit(planted, shared_data_path()).misfits)


def test_trend_on_twenty_coins_reports_costs_and_an_interval(home: Path) -> None:
    code, out, err = hat(
        home,
        ["backtest", "trend", "--data", "bars,rates", "--coin", ",".join(TWENTY),
         "--capital", "10000", "--from", "2025-05-01T00:00:00Z", "--to", "2025-07-01T00:00:00Z",
         "--no-report", "--json"],
    )  # fmt: skip
    assert code == 0, err
    summary = json.loads(out)
    traded = {
        row["symbol"] for row in fills_of(home / "runs" / summary["run_id"] / "ledger.parquet")
    }
    assert len(traded) >= 18
    assert summary["components"]["residual"] == "0"
    assert float(summary["components"]["fees"]) < 0
    assert float(summary["components"]["spread"]) < 0
    net = summary["metrics"]["net_pnl"]
    assert float(net["ci_low"]) < float(net["value"]) < float(net["ci_high"])
    assert (
        audit(home / "runs" / summary["run_id"] / "ledger.parquet", shared_data_path()).misfits
        == []
    )


def test_runs_that_cannot_trade_say_why(home: Path) -> None:
    cases = {case.name: case for case in CASES}
    code, _, err = hat(home, cases["carry-hedged-btc"].command())
    assert code == cases["carry-hedged-btc"].code
    assert "no second-leg data for BTC" in err
    for name, told in (
        ("reversion-btc", "its warm-up takes 100 pairs"),
        ("reversion-sol", "was never farther than"),
        ("carry-hedged-sol-72h", "hold_h allows 72"),
    ):
        code, out, _ = hat(home, [*cases[name].command(), "--no-report", "--json"])
        assert code == cases[name].code
        assert any(told in note for note in json.loads(out)["notes"]), name


def test_the_page_is_made_of_summaries_andfaults_of_are_found() -> None:
    refused = Result(CASES[5], 2, "hat: no", {}, "", {}, None, (), False, ())
    page = markdown([refused], "tests")
    assert "| carry-hedged-btc | refused |" in page
    assert "Exit 2: hat: no" in page
    empty = refused._replace(summary={"fills": 0, "notes": []}, code=0)
    assert len(faults_of(empty)) == 2
    assert faults_of(empty._replace(rebuilds=(61.0,)))[-1:] == ["no fill, and not a word why"]
