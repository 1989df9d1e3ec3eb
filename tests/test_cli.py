"""The command line: help, exit codes, global options anywhere, and its own errors."""

import json
import subprocess
import sys

import pytest

from hatmanifesto.apps.request import BacktestRequest, build_request
from hatmanifesto.apps.times import parse_day_or_time, parse_time
from hatmanifesto.cli import main
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.ops.config import load_config
from tests.bad_inputs_config import base_toml

COMMANDS = (
    *(
        "backtest",
        "demo",
        "replay",
        "verify",
        "runs",
        "report",
        "export",
        "data",
        "trials",
        "config",
    ),
    *("preflight", "live", "order", "kill", "resume", "dashboard", "audit"),
)
ORDER = ["order", "check", "--coin", "BTC", "--side", "buy", "--bid", "95000", "--ask", "95001"]
HEAVY = ("numpy", "polars", "numba", "plotly", "pyarrow", "rich")


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "config.toml").write_bytes(base_toml())
    (folder / "config.toml").chmod(0o600)
    monkeypatch.setenv("HAT_HOME", str(folder))
    return folder


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {name} " in listed for name in COMMANDS)
    assert "Exit codes: 0 ok, 2 usage" in listed


@pytest.mark.slow
def test_help_imports_nothing_heavy():
    code = "import sys; from hatmanifesto.cli import main; main(['--help']); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(found.stdout.split("\n")[-2].split())
    assert not modules & set(HEAVY)


def test_no_arguments_is_usage_on_stderr(capsys):
    assert main([]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert "usage: hat" in said.err


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("hat 0.")


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("form", ["--home {}", "--home={}"])
def test_home_may_stand_anywhere(tmp_path, capsys, at, form):
    words = ["config", "show"]
    option = form.format(tmp_path / "elsewhere").split(" ", 1)
    assert main([*words[:at], *option, *words[at:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["home"] == str(tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_home_twice_is_refused(tmp_path, capsys):
    assert main(["--home", str(tmp_path), "config", "show", "--home", str(tmp_path)]) == 2
    assert "--home is said twice" in capsys.readouterr().err


def test_config_show_names_origins(home, capsys):
    assert main(["config", "show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["settings"]["network"]["origin"].startswith(f"{home}/config.toml:")
    assert shown["settings"]["backtest.ties"]["origin"] == "default"
    assert main(["config", "show"]) == 0
    assert "# default" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (["nonsense"], 2, "No such command"),
        (["preflight", "--net", "mainnet"], 2, "No such option: --net"),
        (["preflight"], 0, "nothing was signed"),
        (["live"], 8, "live trading is not part of this release"),
        (["kill"], 8, "not part of this release"),
        (["resume", "--reason", "r", "--operator", "o"], 8, "nothing is latched"),
        (["dashboard", "--port", "8787"], 8, "not part of this release"),
        (["audit", "verify", "--since", "2020-01-01"], 5, "0 runs"),
        (["report", "none"], 3, "no run"),
        ([*ORDER, "--sz", "0.001", "--px", "94000"], 0, "accepted"),
        ([*ORDER, "--sz", "0.02", "--px", "94000"], 8, "limits.order_notional_max"),
        ([*ORDER, "--sz", "0.001", "--px", "90000"], 8, "collar"),
        ([*ORDER, "--sz", "1e-3", "--px", "94000"], 2, "exponent"),
    ],
)
def test_exit_codes(home, capsys, argv, code, says):
    assert main(argv) == code
    said = capsys.readouterr()
    assert says in said.out + said.err
    assert code != 0 or not said.err


def test_a_reduction_skips_the_limits_but_not_the_collar(home, capsys):
    sell = [word if word != "buy" else "sell" for word in ORDER]
    assert main([*sell, "--sz", "1", "--px", "95001", "--position", "1"]) == 0
    assert main([*sell, "--sz", "1", "--px", "80000", "--position", "1"]) == 8
    assert "collar" in capsys.readouterr().out


def test_resume_is_refused_while_the_books_disagree(home, capsys):
    (home / "state").mkdir()
    latch = home / "state" / "latch.json"
    latch.write_text('{"is_latched": true, "is_reconciled": false}', encoding="utf-8")
    assert main(["resume", "--reason", "r", "--operator", "o"]) == 7
    latch.write_text("{", encoding="utf-8")
    assert main(["resume", "--reason", "r", "--operator", "o"]) == 7
    assert "reconcil" in capsys.readouterr().err


def test_a_report_is_copied_inside_the_home_and_never_over_a_file(home, capsys):
    (home / "runs" / "r1").mkdir(parents=True)
    (home / "runs" / "r1" / "report.html").write_text("<p>r</p>", encoding="utf-8")
    assert main(["report", "r1", "--out", "a/copy.html"]) == 0
    assert (home / "reports" / "a" / "copy.html").read_text(encoding="utf-8") == "<p>r</p>"
    assert main(["report", "r1", "--out", "a/copy.html"]) == 2
    assert main(["report", "r1", "--out", "../runs/r1/report.html"]) == 2
    assert "outside" in capsys.readouterr().err


def test_debug_shows_the_traceback(home, capsys):
    assert main(["report", "none"]) == 3
    assert "Traceback" not in capsys.readouterr().err
    assert main(["report", "none", "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_a_fault_of_the_program_is_one_line_and_exit_4(home, capsys, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("0x" + "ab" * 32)

    monkeypatch.setattr("hatmanifesto.ops.config.read_config", fail)
    assert main(["config", "show"]) == 4
    said = capsys.readouterr().err
    assert "internal error: RuntimeError" in said
    assert "--debug" in said
    assert "abab" not in said


def test_an_interrupt_is_130(home, capsys, monkeypatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hatmanifesto.ops.config.read_config", interrupt)
    assert main(["config", "show"]) == 130


def request_of(home, **words: object) -> BacktestRequest:
    config = load_config(home, environ={})
    return build_request(config, {"strategy": "maker", "data": "d", "coins": "BTC", **words})


def test_a_request_takes_its_defaults_from_the_configuration(tmp_path):
    request = request_of(tmp_path)
    assert request.capital == 10_000 * 10**6
    assert (request.latency, request.queue, request.ties) == (
        *("fixed:200ms", "risk_averse"),
        "both",
    )
    assert len(request.config_hash) == 64


def test_a_request_holds_exact_numbers(tmp_path):
    request = request_of(
        tmp_path, capital="650.25", start="2025-09-04T12:00:00.000000001Z", settings=["gamma=0.1"]
    )
    assert request.capital == 650_250_000
    assert request.start_ns == 1_756_987_200_000_000_001
    assert request.settings == {"gamma": "0.1"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"strategy": "makr"}, "did you mean maker"),
        ({"strategy": "none.py"}, "no such file"),
        ({"strategy": None}, "STRATEGY: is missing"),
        ({"data": None}, "--data: is missing"),
        ({"data": "../x"}, "NAME@HASH"),
        ({"coins": "BTC,btc"}, "did you mean BTC"),
        ({"coins": "BTC,BTC"}, "twice"),
        ({"start": "2025-09-04T12:00:00"}, "zone required"),
        ({"start": "2025-09-04T12:00:00Z", "end": "2025-09-04T12:00:00Z"}, "before --to"),
        ({"capital": "0"}, "above 0"),
        ({"capital": "1e4"}, "exponent"),
        ({"latency": "fixed:0ms"}, "between"),
        ({"queue": "prob"}, "prob:N"),
        ({"ties": "fair"}, "pessimistic, optimistic, both"),
        ({"settings": ["limits.order_notional_max=5"]}, "limits cannot be set"),
        ({"settings": ["gamma"]}, "name=value"),
        ({"settings": ["a=1", "a=2"]}, "twice"),
        ({"portfolio": "p.toml"}, "together with --portfolio"),
        ({"portfolio": "p.toml", "strategy": None}, "no such TOML file"),
    ],
)
def test_a_bad_request_names_its_option(tmp_path, words, says):
    with pytest.raises(UsageError, match=says.replace("?", r"\?")):
        request_of(tmp_path, **words)


def test_times_are_exact_and_have_a_zone():
    assert parse_time("1970-01-01T00:00:01.5Z") == 1_500_000_000
    assert parse_day_or_time("1970-01-02") == 86_400 * 10**9
    for text in ("1970-01-02", "1970-01-01T00:00:00+00:00", "2025-02-30T00:00:00Z", "noon"):
        with pytest.raises(ValueError, match=r"zone|date"):
            parse_time(text)
