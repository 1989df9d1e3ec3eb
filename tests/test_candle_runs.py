"""`hat backtest` over candles: words, portfolios, all coins, evidence, replay and verification."""

import json
from pathlib import Path
from typing import Any

import pytest

from hatmanifesto.apps.data import open_dataset
from hatmanifesto.apps.portfolio import Play, read_portfolio
from hatmanifesto.apps.request import ALL, BacktestRequest, parse_coins
from hatmanifesto.apps.request_candles import parse_half_spread, parse_interval
from hatmanifesto.apps.spec import RunSpec, build_spec
from hatmanifesto.cli import main
from hatmanifesto.domain.candles import HALF_SPREAD
from hatmanifesto.domain.errors import UsageError
from tests.candle_files import put, walk, write_candles, write_funding
from tests.recorder_files import Recording

HOURS = 60
PORTFOLIO = """interval = "1h"
half_spread_bps = "3.5"

[[strategy]]
name = "maker"
coins = ["all"]
capital = "20000"
set = {{ half_spread_bps = 15 }}
{more}"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    put(root, "ticks", Recording(20).write(root / "t", coin="BTC"))
    bars = [write_candles(root / "c", coin, walk(HOURS)) for coin in ("BTC", "ETH")]
    put(root, "bars", *bars)
    rates = [(hour * 3_600_000 + 29, 0.0000125) for hour in range(HOURS)]
    put(root, "paid", write_funding(root / "f", "BTC", rates))
    return root


def spec_of(home: Path, **words: Any) -> RunSpec:
    known: dict[str, Any] = {"strategy": "maker", "settings": {}, "coins": ("BTC",), **words}
    request = BacktestRequest(home=str(home), **known)
    return build_spec(request, open_dataset(request.data, home))[0]


def test_a_run_over_ticks_does_not_speak_of_candles(home: Path) -> None:
    spec = spec_of(home, data="ticks")
    assert (spec.interval, spec.half_spread, spec.evidence) == ("", 0, "REP")
    assert spec.tie_orders == ("pessimistic", "optimistic")
    assert "half_spread" not in json.loads(spec.header("pessimistic"))["spec"]


def test_a_run_over_candles_is_assumed_and_runs_once(home: Path) -> None:
    spec = spec_of(home, data="bars,paid")
    assert (spec.interval, spec.half_spread, spec.evidence) == ("1h", HALF_SPREAD, "ASSUMED")
    assert spec.tie_orders == ("pessimistic",)
    assert spec_of(home, data="bars", half_spread=1).identity() != spec.identity()


def test_ticks_are_preferred_unless_an_interval_is_named(home: Path) -> None:
    assert spec_of(home, data="bars,ticks").interval == ""
    assert spec_of(home, data="bars,ticks", interval="1h").interval == "1h"
    with pytest.raises(UsageError, match="ticks or candles, not both"):
        spec_of(home, data="bars,ticks", coins=ALL)
    both = spec_of(home, data="bars,ticks", coins=ALL, interval="1h")
    assert both.coins == both.works[0].coins == ("BTC", "ETH")
    with pytest.raises(UsageError, match="no coin to trade"):
        spec_of(home, data="paid", coins=ALL)


def test_a_portfolio_names_its_candles(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text(PORTFOLIO.format(more=""), encoding="utf-8")
    found = read_portfolio(path, {}, play=Play("", HALF_SPREAD))
    assert found.play == Play("1h", 35_000)
    assert found.works[0].coins == ALL
    path.write_text(PORTFOLIO.format(more="").replace('"1h"', "60"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"house\.toml: interval: expected the length of a bar"):
        read_portfolio(path, {}, play=Play("", HALF_SPREAD))


WORDS = [
    ("interval", "1H"),
    ("interval", "h"),
    ("interval", "0h"),
    ("half", "two"),
    ("half", "-1"),
    ("half", "1000.0001"),
    ("half", "1.00001"),
]


@pytest.mark.parametrize(("option", "raw"), WORDS)
def test_wrong_words_are_refused_by_name(option: str, raw: str) -> None:
    parse = parse_interval if option == "interval" else parse_half_spread
    with pytest.raises(UsageError, match="--it: "):
        parse(raw, name="--it")


def test_right_words_are_understood() -> None:
    assert parse_coins("all") == ALL
    assert [parse_interval(raw, name="x") for raw in ("15m", "1d", "")] == ["15m", "1d", ""]
    assert parse_half_spread("1000", name="x") == 10**7
    assert parse_half_spread("0", name="x") == 0


@pytest.mark.slow
def test_a_portfolio_over_candles_runs_replays_and_verifies(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "house.toml"
    more = '\n[[strategy]]\nname = "maker"\ncoins = ["ETH"]\ncapital = "9000"\n'
    path.write_text(PORTFOLIO.format(more=more), encoding="utf-8")
    words = ["--home", str(home), "backtest", "--portfolio", str(path), "--data", "bars,paid"]
    assert main([*words, "--no-report", "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert answer["evidence"] == "ASSUMED"
    assert (
        "spread: half spread of 3.5 bps assumed about the close of each 1h bar" in answer["assumed"]
    )
    assert "funding: unknown for ETH" in answer["assumed"]
    assert answer["coins"] == ["BTC", "ETH"]
    assert answer["fills"] > 0
    assert answer["other_ties"] == {}
    for command in ("replay", "verify"):
        assert main(["--home", str(home), command, answer["run_id"]]) == 0
    assert "identical (pessimistic)" in capfd.readouterr().out


@pytest.mark.slow
def test_a_position_in_a_coin_that_ends_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    short = write_candles(tmp_path / "c", "BTC", walk(20))
    put(tmp_path, "bars", short, write_candles(tmp_path / "c", "ETH", walk(HOURS)))
    words = ["backtest", "maker", "--coin", "BTC,ETH", "--data", "bars", "--capital", "100000"]
    words += ["--set", "half_spread_bps=15", "--no-report", "--json"]
    assert main(["--home", str(tmp_path), *words]) == 0
    notes = json.loads(capfd.readouterr().out)["notes"]
    (note,) = [text for text in notes if "has no prices after" in text]
    assert note.startswith("BTC has no prices after 2025-07-01T20:00:00")
    assert "stays, marked at the last of them." in note
