"""Bad inputs are refused for the right reason, and their valid twins are accepted."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests import bad_inputs, bad_inputs_box
from tests.bad_inputs import check_file
from tests.bad_inputs_config import base_toml

OWN = Path(__file__).parent / "data" / "bad_inputs_own.json"
CATEGORIES = ("config", "cli_args")


def shared_file() -> Path:
    default = Path(__file__).resolve().parents[2] / "shared" / "reliability"
    folder = Path(os.environ.get("HAT_SHARED_RELIABILITY", default))
    return folder / "bad_inputs.json"


def cases_of(path: Path) -> list[dict]:
    return json.loads(path.read_bytes())["cases"]


@pytest.mark.slow
def test_own_cases_pass_with_their_twins():
    report = check_file(cases_of(OWN), categories=CATEGORIES)
    assert report.lines == []
    assert sum(report.passed.values()) == sum(report.twins.values()) > 100


@pytest.mark.slow
def test_shared_cases_pass_with_none_unmapped():
    if not shared_file().is_file():
        pytest.skip("data: the shared reliability cases are not here")
    report = check_file(cases_of(shared_file()), categories=CATEGORIES)
    assert report.lines == []
    assert not report.unmapped


@pytest.mark.slow
def test_a_product_that_refuses_everything_fails():
    def refuse(argv: list[str]) -> int:
        sys.stderr.write("hat: refused: secret, zone required, unknown key, limits, --config\n")
        return 2

    report = check_file(cases_of(OWN), categories=CATEGORIES, product=refuse)
    assert report.is_bad
    assert not sum(report.twins.values())


@pytest.mark.slow
def test_a_product_that_accepts_everything_fails():
    def accept(argv: list[str]) -> int:
        sys.stdout.write("preflight passed\n")
        return 0

    report = check_file(cases_of(OWN), categories=CATEGORIES, product=accept)
    refusals = [c for c in cases_of(OWN) if c["expected"]["outcome"] != "accept"]
    assert report.is_bad
    assert sum(report.failed.values()) >= len(refusals)


def one_case(**over: object) -> list[dict]:
    case = {
        "id": "X-1",
        "category": "config",
        "title": "Only comments",
        "input": {"encoding": "utf8", "data": "# nothing\n"},
        "expected": {"outcome": "refuse_start"},
    }
    return [{**case, **over}]


def crash(argv: list[str]) -> int:
    raise RuntimeError("empty")


def leak(argv: list[str]) -> int:
    sys.stderr.write("hat: password_key holds a secret: hunter2-hunter2\n")
    return 2


def write_outside(argv: list[str]) -> int:
    Path("pwned").write_text("x", encoding="utf-8")
    sys.stderr.write("hat: empty\n")
    return 2


def start_program(argv: list[str]) -> int:
    subprocess.run([sys.executable, "-c", ""], check=True)
    sys.stderr.write("hat: empty\n")
    return 2


def spin(argv: list[str]) -> int:
    while True:
        pass


def wait(argv: list[str]) -> int:
    threading.Event().wait(30)
    return 2


@pytest.mark.parametrize("product", [spin, wait])
def test_what_does_not_come_back_is_seen(product, monkeypatch):
    monkeypatch.setattr(bad_inputs_box, "DEADLINE_S", 0.05)
    monkeypatch.setattr(bad_inputs_box, "WAIT_S", 30.0 if product is spin else 0.05)
    report = check_file(one_case(), categories=("config",), product=product)
    assert "hangs" in report.lines[0]


@pytest.mark.parametrize(
    ("product", "says"),
    [(crash, "crashes"), (write_outside, "writes outside"), (start_program, "starts a program")],
)
def test_what_a_refusal_must_not_do_is_seen(product, says):
    report = check_file(one_case(), categories=("config",), product=product)
    assert says in report.lines[0]


def test_a_shown_secret_is_seen():
    secret = {"encoding": "argv", "argv": ["run", "--password", "hunter2-hunter2"]}
    cases = one_case(category="cli_args", title="Password", input=secret)
    report = check_file(cases, categories=("cli_args",), product=leak)
    assert "prints a secret" in report.lines[0]


def test_a_message_that_names_another_fault_fails():
    def wrong(argv: list[str]) -> int:
        sys.stderr.write("hat: c.toml: duplicate key network\n")
        return 2

    report = check_file(one_case(), categories=("config",), product=wrong)
    assert "does not say" in report.lines[0]


@pytest.mark.parametrize(
    ("categories", "says"),
    [(("nonsense",), "unknown category"), (("keystore",), "no case"), (("config", "x"), "unknown")],
)
def test_unknown_and_empty_categories_fail(categories, says):
    report = check_file(one_case(), categories=categories)
    assert report.is_bad
    assert says in "\n".join(report.lines)


def test_an_unmapped_case_fails_unless_allowed():
    cases = one_case(input={"encoding": "mutation"})
    assert check_file(cases, categories=("config",)).is_bad
    for name in ("config", "X-1"):
        assert not check_file(cases, categories=("config",), allowed=frozenset({name})).is_bad


def test_an_unreadable_file_is_exit_2(tmp_path, capsys):
    assert bad_inputs.main([str(tmp_path / "none.json")]) == 2
    (tmp_path / "bad.json").write_text("[]", encoding="utf-8")
    assert bad_inputs.main([str(tmp_path / "bad.json")]) == 2
    assert "cannot read" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (["preflight", "--config", "c.toml"], 0, "preflight passed"),
        (["preflight", "--config", "bad.toml"], 2, "duplicate key network"),
        (["preflight", "--config", "fifo.toml"], 2, "FIFO"),
        (["order", "check"], 2, "--coin"),
        ([], 2, "usage"),
    ],
)
def test_the_real_program_agrees(tmp_path, argv, code, says):
    (tmp_path / "c.toml").write_bytes(base_toml())
    (tmp_path / "bad.toml").write_bytes(base_toml() + b"\n")
    content = b'schema = 1\nnetwork = "local"\nnetwork = "mainnet"\n'
    (tmp_path / "bad.toml").write_bytes(content)
    for name in ("c.toml", "bad.toml"):
        (tmp_path / name).chmod(0o600)
    os.mkfifo(tmp_path / "fifo.toml")
    env = {"PATH": os.environ.get("PATH", ""), "HAT_HOME": str(tmp_path / "home")}
    found = subprocess.run(
        [sys.executable, "-m", "hatmanifesto", *argv],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert found.returncode == code
    assert says in found.stdout + found.stderr
    assert "Traceback" not in found.stderr
