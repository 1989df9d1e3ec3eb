"""`hat backtest` end to end: its answer, its exit codes, its run folder, its portfolios."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest

from hatmanifesto.apps.data import import_paths, open_dataset
from hatmanifesto.apps.execute import execute
from hatmanifesto.apps.request import BacktestRequest
from hatmanifesto.apps.run_folder import SOURCES, load_manifest, read_summary, runs_folder
from hatmanifesto.apps.sample import START_NS
from hatmanifesto.apps.spec import build_spec
from hatmanifesto.cli import main
from hatmanifesto.domain.errors import Exit
from hatmanifesto.domain.units import MICRO, NS_S
from hatmanifesto.simex.replay import TRADER
from hatmanifesto.store.journal import HashJournal, read_origin
from hatmanifesto.store.ledger_read import read_ledger_csv
from hatmanifesto.store.trials import read_trials
from tests.recorder_files import Recording, bbo_rows, book_row, trade_row

FIELDS = """
    run_id status evidence assumed dataset_hash code_hash config_hash commit dirty events orders
    fills net_pnl_usdc components memo metrics max_drawdown journal_hash ledger_csv report_html
    wall_s events_per_s engine
""".split()
COMPONENTS = "price basis spread adverse_selection timing fees rebates funding gap residual".split()
MEMO = "slippage_usdc turnover_usdc".split()
ORIGIN = "dataset_hash config_hash code_hash lock_hash commit dirty seed".split()
METRIC = {"value", "ci_low", "ci_high", "n", "unit", "annualisation"}
SPAN = ["--from", "2026-01-05T12:10:00Z", "--to", "2026-01-05T12:13:00Z"]
MAKER = ["maker", "--data", "sample", "--coin", "BTC,ETH", *SPAN]

BUYER = '''"""Buys with orders that take, up to a multiple of its capital, and holds."""

from typing import Any, NamedTuple

from hatmanifesto.domain.asset import grid_step
from hatmanifesto.domain.enums import Side, Tif
from hatmanifesto.strategies.contract import Quotes, Slot, Strategy, View


class Params(NamedTuple):
    times: float = 1.0
    lot: float = 0.5
    requote_ms: int = 2000


def decide(p: Params, v: View, m: Any) -> Quotes:
    target = int(v.capital * p.times / v.ask_px)
    sz = min(target - v.position, int(v.capital * p.lot / v.ask_px))
    step = grid_step(v.ask_px, v.px_one)
    return ((v.ask_px + 20 * step) // step * step, sz if sz * v.ask_px > 11_000_000 else 0)


def why_too_small(p: Params, v: View) -> str:
    return ""


def build(params: Params) -> Strategy:
    return Strategy(
        name="buyer",
        decide=decide,
        params=params,
        slots=(Slot("take", Side.BUY, Tif.IOC),),
        memory=0,
        requote_ns=params.requote_ms * 1_000_000,
        why_too_small=why_too_small,
    )
'''

LOOSE_LIMITS = """schema = 1
order_notional_max_pct = 1000
position_notional_max_pct = 4000
leverage_max_pct = 4000
open_orders_max = 50
collar_bps = 300
loss_max_pct = 100
drawdown_max_pct = 100
"""


class Said(NamedTuple):
    """What a command answered: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out, parse_constant=pytest.fail)
        return found


Hat = Callable[..., Said]


@pytest.fixture
def hat(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Hat:
    """Return a function that calls ``hat`` in this process, in a home of the test's own."""

    def call(*words: str) -> Said:
        capfd.readouterr()
        code = main(["--home", str(tmp_path / "home"), *words])
        return Said(code, *capfd.readouterr())

    return call


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


def total(components: dict[str, str | None]) -> Decimal:
    return sum((Decimal(value) for value in components.values() if value is not None), Decimal())


@pytest.mark.slow
def test_the_answer_has_every_promised_field(hat: Hat) -> None:
    said = hat("backtest", *MAKER, "--json")
    answer = said.json
    assert said.code == Exit.OK
    assert [name for name in FIELDS if name not in answer] == []
    assert list(answer["components"]) == COMPONENTS
    assert [name for name in MEMO if name not in answer["memo"]] == []
    assert all(set(metric) == METRIC for metric in answer["metrics"].values())
    assert answer["status"] == "ok"
    assert answer["evidence"] == "SYN"
    assert Path(answer["ledger_csv"]).is_file()
    assert Path(answer["report_html"]).is_file()
    assert answer["fills"] == int(answer["metrics"]["fills"]["value"]) > 0


@pytest.mark.slow
def test_components_sum_exactly_to_net_and_to_the_ledger(hat: Hat) -> None:
    answer = hat("backtest", *MAKER, "--json").json
    assert total(answer["components"]) == Decimal(answer["net_pnl_usdc"])
    assert Decimal(answer["components"]["residual"]) == 0
    rows = read_ledger_csv(Path(answer["ledger_csv"]).read_bytes())
    fees = sum((Decimal(row["fee"]) for row in rows if row["fee"]), Decimal())
    assert -fees == Decimal(answer["components"]["fees"]) + Decimal(answer["components"]["rebates"])


@pytest.mark.slow
def test_every_artefact_says_what_made_it(hat: Hat, home: Path) -> None:
    answer = hat("backtest", *MAKER, "--json").json
    folder = Path(answer["ledger_csv"]).parent
    origin = {name: str(answer[name]) for name in ORIGIN} | {
        "commit": answer["commit"] or "unknown",
        "dirty": {True: "yes", False: "no", None: "unknown"}[answer["dirty"]],
    }
    assert all(origin.values())
    csv_rows = read_ledger_csv((folder / "ledger.csv").read_bytes())
    assert csv_rows
    assert all({name: row[name] for name in origin} == origin for row in csv_rows)
    table = pq.read_table(folder / "ledger.parquet")
    stored = {name.decode(): text.decode() for name, text in table.schema.metadata.items()}
    assert {name: stored[name] for name in origin} == origin
    assert {name: str(table[name][0].as_py()) for name in origin} == origin
    journal = read_origin(folder / "journal")
    assert journal is not None
    assert journal == origin | {"run_id": answer["run_id"], "evidence_class": "SYN"}
    summary = read_summary(folder)
    assert {name: summary[name] for name in ORIGIN} == {name: answer[name] for name in ORIGIN}
    page = (folder / "report.html").read_text("utf-8")
    assert [name for name, text in origin.items() if text not in page] == []
    manifest = load_manifest(home, answer["run_id"])
    assert (manifest.commit, manifest.dirty) == (answer["commit"], answer["dirty"])
    assert (manifest.lock_hash, manifest.evidence) == (answer["lock_hash"], "SYN")
    (trial,) = [one for one in read_trials(home) if one.manifest_hash == manifest.seal]
    assert (trial.commit, trial.dirty) == (answer["commit"], answer["dirty"])
    assert (trial.lock_hash, trial.seed) == (answer["lock_hash"], answer["seed"])


@pytest.mark.slow
def test_money_is_text_and_what_is_unknown_is_null(hat: Hat) -> None:
    answer = hat("backtest", *MAKER, "--json").json
    money = [answer["net_pnl_usdc"], answer["max_drawdown"], *answer["memo"].values()]
    money += answer["components"].values()
    assert all(isinstance(value, str) and Decimal(value).is_finite() for value in money)
    for name, metric in answer["metrics"].items():
        assert isinstance(metric["value"], str | None) or metric["unit"] != "USDC", name


@pytest.mark.slow
def test_words_and_object_tell_the_same(hat: Hat) -> None:
    answer = hat("backtest", *MAKER, "--json").json
    said = hat("backtest", *MAKER)
    assert said.code == Exit.OK
    assert said.out.splitlines()[0].startswith("maker ")
    assert answer["run_id"] in said.out
    assert answer["ledger_csv"] in said.out


@pytest.mark.slow
def test_capital_too_small_to_quote_is_an_empty_result_that_says_why(hat: Hat) -> None:
    said = hat("backtest", *MAKER, "--capital", "5", "--json")
    answer = said.json
    assert said.code == Exit.EMPTY
    assert answer["status"] == "empty"
    assert answer["fills"] == 0
    assert answer["net_pnl_usdc"] is None
    assert len(answer["notes"]) == len(answer["coins"])
    assert all("too small because" in note for note in answer["notes"])
    assert "too small because" in hat("backtest", *MAKER, "--capital", "5").out


@pytest.mark.slow
def test_both_tie_orders_are_told_and_kept(hat: Hat, home: Path) -> None:
    answer = hat("backtest", *MAKER, "--ties", "both", "--json").json
    assert answer["ties"] == "pessimistic"
    assert list(answer["other_ties"]) == ["optimistic"]
    other = answer["other_ties"]["optimistic"]
    assert total(other["components"]) == Decimal(other["net_pnl_usdc"])
    hashes = load_manifest(home, answer["run_id"]).journal_hashes
    assert hashes == {
        "pessimistic": answer["journal_hash"],
        "optimistic": other["journal_hash"],
    }
    for ties, journal_hash in hashes.items():
        alone = hat("backtest", *MAKER, "--ties", ties, "--no-report", "--json").json
        assert alone["other_ties"] == {}
        net = answer["net_pnl_usdc"] if ties == "pessimistic" else other["net_pnl_usdc"]
        assert alone["net_pnl_usdc"] == net
        assert alone["journal_hash"] != journal_hash  # the specification is its first record


def test_an_unknown_dataset_is_a_data_error(hat: Hat, home: Path) -> None:
    said = hat("backtest", "maker", "--data", "nowhere", "--coin", "BTC", "--json")
    assert said.code == Exit.DATA
    assert "nowhere" in said.err
    assert "fix:" in said.err
    assert list(home.iterdir()) == []


def test_a_coin_that_is_not_in_the_data_is_a_data_error(hat: Hat) -> None:
    said = hat("backtest", "maker", "--data", "sample", "--coin", "SOL", "--json")
    assert said.code == Exit.DATA
    assert "SOL" in said.err


def test_a_span_without_rows_is_an_empty_result(hat: Hat) -> None:
    span = ["--from", "2030-01-01T00:00:00Z", "--to", "2030-01-02T00:00:00Z"]
    said = hat("backtest", "maker", "--data", "sample", "--coin", "BTC", *span)
    assert said.code == Exit.EMPTY


@pytest.mark.slow
def test_a_file_of_the_user_is_run_kept_and_replayed_without_the_original(
    hat: Hat, home: Path, buyer: Path
) -> None:
    said = hat("backtest", str(buyer), "--set", "times=0.8", *MAKER[1:], "--json")
    assert said.code == Exit.OK, said.err
    answer = said.json
    assert answer["strategy"] == "buyer"
    assert answer["fills"] > 0
    copy = runs_folder(home) / answer["run_id"] / SOURCES / "strategy_buyer.py"
    assert copy.read_text(encoding="utf-8") == BUYER
    buyer.write_text("raise RuntimeError\n", encoding="utf-8")
    assert hat("replay", answer["run_id"], "--json").json["identical"]
    buyer.unlink()
    assert hat("replay", answer["run_id"], "--json").json["identical"]
    assert hat("verify", answer["run_id"]).code == Exit.OK


@pytest.mark.slow
def test_another_text_of_the_same_strategy_is_another_run(hat: Hat, buyer: Path) -> None:
    names = set()
    for text in (BUYER, BUYER + "\n\nSECOND = True\n"):
        buyer.write_text(text, encoding="utf-8")
        answer = hat("backtest", str(buyer), *MAKER[1:], "--no-report", "--json").json
        names.add(answer["run_id"])
    assert len(names) == 2


def test_a_file_that_is_no_strategy_is_refused_before_anything_runs(
    hat: Hat, home: Path, tmp_path: Path
) -> None:
    source = tmp_path / "empty.py"
    source.write_text("", encoding="utf-8")
    said = hat("backtest", str(source), *MAKER[1:])
    assert said.code == Exit.USAGE
    assert "no strategy" in said.err
    assert list((home / "runs").glob("*")) == []


PORTFOLIO = """
[[strategy]]
name = "maker"
coins = ["BTC", "ETH"]
capital = "3000"

[[strategy]]
name = "maker"
coins = ["BTC"]
capital = "7000"
set = { half_spread_bps = 0.5 }
"""


@pytest.mark.slow
def test_a_portfolio_names_each_of_its_books(hat: Hat, tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text(PORTFOLIO, encoding="utf-8")
    words = ["backtest", "--portfolio", str(file), "--data", "sample", *SPAN]
    said = hat(*words, "--json")
    assert said.code == Exit.OK, said.err
    answer = said.json
    assert answer["capital_usdc"] == "10000"
    assert total(answer["components"]) == Decimal(answer["net_pnl_usdc"])
    rows = read_ledger_csv(Path(answer["ledger_csv"]).read_bytes())
    assert {row["strategy_name"] for row in rows if row["reason_code"] == "fill"} == {
        "maker#1",
        "maker#2",
    }
    assert hat("replay", answer["run_id"], "--json").json["identical"]


@pytest.mark.slow
def test_sub_ledgers_of_a_portfolio_sum_to_the_account(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text(PORTFOLIO, encoding="utf-8")
    dataset = open_dataset("sample", home)
    request = BacktestRequest(
        str(home), "", {}, "sample", (), end_ns=START_NS + 180 * NS_S, portfolio=str(file)
    )
    spec, _ = build_spec(request, dataset)
    journal = HashJournal()
    machines = execute(
        spec, dataset, ties="pessimistic", sources=tmp_path, journal=journal
    ).machines
    account = machines.clearing.accounts[TRADER]
    books = machines.engine.state.ledgers
    assert spec.capital == 10_000 * MICRO
    assert all(sum(ledger.fills for ledger in book) > 0 for book in books)
    for coin in range(len(spec.coins)):
        assert sum(book[coin].position for book in books) == account.positions[coin]
    flows = [one.cash - one.fees + one.funding for book in books for one in book]
    assert spec.capital + sum(flows) == account.cash


START_MS = 1_756_987_200_000 - 30_000
"""Half a minute before a full hour, of whose funding the recording knows nothing."""


@pytest.fixture
def fall(home: Path, tmp_path: Path) -> str:
    """Import BTC that falls by 8 % from the hour on, and return its name."""
    recording = Recording(0)
    for index in range(300):
        stamp = START_MS + 500 * index
        bid = 110_000 - 40 * max(0, index - 80)
        recording.books.append(book_row(stamp, bid=bid))
        recording.bbo += bbo_rows(stamp, bid=bid)
        recording.trades.append(trade_row(stamp, trade_id=index + 1, px=float(bid + 1)))
    import_paths([recording.write(tmp_path / "files")], dataset="fall", home=home)
    return "fall"


@pytest.fixture
def buyer(tmp_path: Path) -> Path:
    """Return the file of a user's strategy."""
    path = tmp_path / "my buyer" / "buyer.py"
    path.parent.mkdir()
    path.write_text(BUYER, encoding="utf-8")
    return path


def words_of(buyer: Path, data: str, **settings: float) -> list[str]:
    """Return the command that runs the buyer over ``data`` with 1,000 USDC."""
    pairs = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    return ["backtest", str(buyer), *pairs, "--data", data, "--coin", "BTC", "--capital", "1000"]


@pytest.mark.slow
def test_funding_that_the_data_do_not_know_is_null(hat: Hat, fall: str, buyer: Path) -> None:
    components = hat(*words_of(buyer, fall), "--json").json["components"]
    assert components["funding"] is None


@pytest.mark.slow
def test_one_decision_is_not_traded_twice(hat: Hat, fall: str, buyer: Path) -> None:
    said = hat(*words_of(buyer, fall, times=1, lot=1, requote_ms=20_000), "--json")
    rows = read_ledger_csv(Path(said.json["ledger_csv"]).read_bytes())
    first = [Decimal(row["notional"]) for row in rows if row["reason_code"] == "fill"][:2]
    assert 900 < first[0] <= 1_000
    assert first[1] < 100, "the second buys what the price moved, not the same again"


@pytest.mark.slow
def test_a_run_below_maintenance_margin_ends_there_and_says_so(
    hat: Hat, home: Path, fall: str, buyer: Path
) -> None:
    (home / "limits.toml").write_text(LOOSE_LIMITS, encoding="utf-8")
    said = hat(*words_of(buyer, fall, times=19, lot=5), "--json")
    answer = said.json
    assert said.code == Exit.FAILED
    assert answer["status"] == "failed"
    assert answer["ended"] == "margin"
    assert any("maintenance margin" in note for note in answer["notes"])
    assert Decimal(answer["net_pnl_usdc"]) < 0
    assert total(answer["components"]) == Decimal(answer["net_pnl_usdc"])
    assert answer["components"]["residual"] == "0"
    assert hat("replay", answer["run_id"]).code == Exit.OK
    assert hat("report", answer["run_id"], "--rebuild").code == Exit.OK
    assert hat("verify", answer["run_id"]).code == Exit.OK


@pytest.mark.slow
def test_shipped_limits_keep_the_same_strategy_from_a_margin_call(
    hat: Hat, fall: str, buyer: Path
) -> None:
    answer = hat(*words_of(buyer, fall, times=19, lot=0.9), "--json").json
    assert answer["ended"] == "end"
    assert answer["metrics"]["vetoes"]["value"] > 0
