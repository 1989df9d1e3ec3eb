"""The examples of docs/strategies.md run as they stand, alone and as a portfolio."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from hatmanifesto.apps.backtest import run_backtest
from hatmanifesto.apps.new_file import new_strategy
from hatmanifesto.apps.replay import replay_run
from hatmanifesto.apps.request import BacktestRequest
from hatmanifesto.apps.strategies_file import SHIPPED, load_strategy
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.ops.config_schema import STRATEGIES

PAGE = Path(__file__).parent.parent / "docs" / "strategies.md"


def block(language: str, containing: str) -> str:
    """Return the block of the page in ``language`` that contains a text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return next(text for text in blocks if containing in text)


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    """Return the page's example strategy as a file."""
    path = tmp_path / "patient.py"
    path.write_text(block("python", "def build"), encoding="utf-8")
    return path


def request_of(home: Path, **changes: object) -> BacktestRequest:
    fields: dict[str, object] = {
        "home": str(home),
        "strategy": "maker",
        "settings": {},
        "data": "sample",
        "coins": ("BTC",),
        "ties": "pessimistic",
        "report": False,
    }
    return BacktestRequest(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_example_trades_and_replays_from_its_copy(patient: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    request = request_of(home, strategy=str(patient), settings={"offset": "2", "size": "5000"})
    outcome = run_backtest(request)
    assert outcome.summary["orders"] > 0
    patient.unlink()
    assert replay_run(str(home), outcome.summary["run_id"]).exit_code == 0


def test_the_portfolio_example_keeps_sub_ledgers_that_sum(patient: Path, tmp_path: Path) -> None:
    portfolio = tmp_path / "two.toml"
    portfolio.write_text(block("toml", "patient.py"), encoding="utf-8")
    request = request_of(tmp_path / "home", strategy="", coins=(), portfolio=str(portfolio))
    outcome = run_backtest(request)
    summary = outcome.summary
    assert summary["capital_usdc"] == "1000"
    assert summary["strategy"] == "maker+patient"
    known = [Decimal(part) for part in summary["components"].values() if part is not None]
    assert sum(known) == Decimal(summary["net_pnl_usdc"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ofset": "2"}, "no parameter 'ofset'"),
        ({"offset": "two"}, "must be a number"),
    ],
)
def test_settings_that_do_not_fit_name_the_parameter(
    settings: dict[str, str], words: str, patient: Path
) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        load_strategy("patient", settings, source=patient)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_parameter_has_bounds_and_a_line_on_the_page(name: str) -> None:
    strategy = load_strategy(name, {})
    assert strategy.name == name
    assert set(strategy.bounds) == set(strategy.params._fields)
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition(f"## The {name}")[2].partition("\n## ")[0]
    for key in strategy.bounds:
        assert f"`{key}`" in section, f"{name}: {key}"
        low, _ = strategy.bounds[key]
        with pytest.raises(UsageError, match=f"{key}=.* is out of bounds"):
            load_strategy(name, {key: str(int(low) - 1)})


def test_shipped_strategies_are_those_of_the_configuration() -> None:
    assert sorted(SHIPPED) == sorted(STRATEGIES)


@pytest.mark.slow
def test_a_new_strategy_runs_at_once_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    assert "hat backtest" in new_strategy(str(path)).text
    content = path.read_bytes()
    with pytest.raises(UsageError, match="exists"):
        new_strategy(str(path))
    assert path.read_bytes() == content
    outcome = run_backtest(request_of(tmp_path / "home", strategy=str(path)))
    assert outcome.exit_code == 0
    assert outcome.summary["strategy"] == "mine"
    assert outcome.summary["fills"] > 0


@pytest.mark.parametrize("name", ["mine", "mine.txt", "my-file.py", "1.py", "class.py", ".py", ""])
def test_a_strategy_needs_the_name_of_a_python_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be a strategy"):
        new_strategy(str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        new_strategy(str(tmp_path / "absent" / "mine.py"))


def test_a_file_that_is_no_strategy_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "empty.py"
    path.write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"defines no Params and build\(params\)"):
        load_strategy("empty", {}, source=path)


def test_a_run_whose_orders_were_all_refused_says_by_whom(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shipped = Path(__file__).parent.parent / "src" / "hatmanifesto" / "risk" / "limits.toml"
    text = shipped.read_text(encoding="utf-8")
    closed = text.replace("order_notional_max_pct = 100", "order_notional_max_pct = 0")
    assert closed != text
    (home / "limits.toml").write_text(closed, encoding="utf-8")
    outcome = run_backtest(request_of(home))
    assert outcome.exit_code == 5
    assert outcome.summary["status"] == "empty"
    assert any("risk hat refused" in note for note in outcome.summary["notes"])
    assert "order_notional_over_max" in outcome.text
