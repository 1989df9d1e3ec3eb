"""`hat report --daily`: one folder a run, the same bytes twice, and every place is answered for."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from hatmanifesto.apps.index_page import ABOUT, NOT_PRODUCED
from hatmanifesto.apps.report_folder import PLACES
from hatmanifesto.apps.run_folder import LEDGER_CSV, SUMMARY
from hatmanifesto.domain.errors import Exit
from hatmanifesto.store.atomic import sha256_file
from hatmanifesto.store.ledger_read import read_ledger_csv
from tests.test_rebuild import change, changes_of, copy, first_fill, hat, made, run_in
from tests.test_runs import Hat

pytestmark = pytest.mark.slow
__all__ = ["copy", "hat", "made"]


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_newest_run_is_reported_and_sums_to_its_summary(copy: Path, hat: Hat) -> None:
    run = run_in(copy)
    said = hat(copy, "report", "--daily", "--weekly", "--monthly", "--json")
    assert said.code == Exit.OK
    answer = said.json
    summary = json.loads((run / SUMMARY).read_bytes())
    assert answer["run_id"] == run.name
    assert answer["is_sealed"] is True
    assert list(answer["periods"]) == ["daily", "weekly", "monthly"]
    for periods in answer["periods"].values():
        assert sum(Decimal(one["net_pnl_usdc"]) for one in periods) == Decimal(
            summary["net_pnl_usdc"]
        )
        assert periods[0]["opening_equity_usdc"] == summary["capital_usdc"]
        assert periods[0]["components"] == summary["components"]
    (day,) = answer["periods"]["daily"]
    assert day["period"] == "2026-01-05"
    folder = Path(answer["folder"])
    stored = json.loads((folder / "tearsheets/daily/2026-01-05.json").read_bytes())
    assert day.items() <= stored.items()
    page = (folder / "tearsheets/daily/2026-01-05.html").read_text(encoding="utf-8")
    assert "no evidence of profit" in page
    assert not re.search(r"src=|https?:|url\(|@import", page)
    rows = read_ledger_csv((folder / "tearsheets/daily/2026-01-05.csv").read_bytes())
    assert rows == read_ledger_csv((run / LEDGER_CSV).read_bytes())
    assert rows == read_ledger_csv((folder / "ledgers/trades.csv").read_bytes())


def test_the_same_run_gives_the_same_bytes_and_old_files_go(copy: Path, hat: Hat) -> None:
    said = hat(copy, "report", "--daily", "--json")
    folder = Path(said.json["folder"])
    first = bytes_of(folder)
    mine = folder / "mine.txt"
    mine.write_text("kept", encoding="utf-8")
    hashes = folder / "hash_manifest.json"
    listed = json.loads(hashes.read_bytes())
    for name, digest in listed["files"].items():
        assert sha256_file(folder / name) == digest
    assert set(listed["files"]) == set(first) - {"hash_manifest.json"}
    stale = folder / "tearsheets/daily/1999-01-01.html"
    stale.write_text("old", encoding="utf-8")
    listed["files"]["tearsheets/daily/1999-01-01.html"] = "0"
    listed["files"]["../../config.toml"] = "0"
    hashes.write_text(json.dumps(listed), encoding="utf-8")
    (copy / "config.toml").touch()
    hat(copy, "report", run_in(copy).name, "--weekly")
    assert not stale.exists()
    assert (copy / "config.toml").exists()
    assert bytes_of(folder) == {**first, "mine.txt": b"kept"}


def test_the_index_answers_for_every_place(copy: Path, hat: Hat) -> None:
    folder = Path(hat(copy, "report", "--daily", "--json").json["folder"])
    index = (folder / "index.html").read_text(encoding="utf-8")
    for name, _ in PLACES:
        assert f"<td>{name}</td>" in index
        assert ABOUT[name] in index
    assert NOT_PRODUCED in index
    for path in (folder / "index.html", *folder.glob("tearsheets/*/*.html")):
        page = path.read_text(encoding="utf-8")
        assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))
        for target in re.findall(r'href="([^"#]+)"', page):
            assert (path.parent / target).is_file(), (path.name, target)


@pytest.mark.parametrize("name", ["price", "fee", "qty", "side"])
def test_one_changed_row_changes_the_day_and_is_said(copy: Path, hat: Hat, name: str) -> None:
    run = run_in(copy)
    folder = Path(hat(copy, "report", "--daily", "--json").json["folder"])
    before = bytes_of(folder)
    change(run, changes_of(first_fill(run))[name])
    said = hat(copy, "report", "--daily", "--json")
    assert said.json["is_sealed"] is False
    assert "rests on a changed ledger" in said.json["warnings"][0]
    after = bytes_of(folder)
    changed = {path for path, content in after.items() if before[path] != content}
    expected = {
        *("tearsheets/daily/2026-01-05.html", "tearsheets/daily/2026-01-05.json"),
        *("tearsheets/daily/2026-01-05.csv", "tearsheets/daily.csv", "tearsheets/latest.json"),
        *("ledgers/trades.csv", "ledgers/trades.parquet", "pnl_attribution/by_coin.csv"),
        *("pnl_attribution/by_strategy.csv", "maker_taker/maker_taker.csv"),
    }
    assert expected - ({"maker_taker/maker_taker.csv"} if name == "side" else set()) <= changed


def test_a_run_without_fills_has_no_result(tmp_path: Path, hat: Hat) -> None:
    home = tmp_path / "home"
    words = ("--data", "sample", "--coin", "BTC", "--capital", "15", "--no-report")
    span = ("--from", "2026-01-05T12:10:00Z", "--to", "2026-01-05T12:11:00Z")
    assert hat(home, "backtest", "maker", *words, *span).code == Exit.EMPTY
    said = hat(home, "report", "--daily")
    assert said.code == Exit.EMPTY
    assert "no result: the run made no fills" in said.out
    assert "2026-01-05  no fills: opened 15, net 0, closed 15 USDC, 0 fills" in said.out
    (page,) = (home / "reports").glob("*/tearsheets/daily/*.html")
    text = page.read_text(encoding="utf-8")
    assert "maker made no fills on Monday 2026-01-05; it held nothing that moved." in text
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(re.findall(r'id="([^"]+)"', text))
    assert "Parts of net" not in text
    again = hat(home, "report", run_in(home).name, "--rebuild")
    assert again.out.strip().endswith("ledger and summary identical")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--daily", "--rebuild"], Exit.USAGE, "goes with neither"),
        (["--daily", "--out", "x.html"], Exit.USAGE, "goes with neither"),
        (["../x", "--daily"], Exit.USAGE, "plain name"),
        (["none", "--daily"], Exit.DATA, "no run none"),
    ],
)
def test_bad_words_are_refused(
    made: Path, hat: Hat, words: list[str], code: int, says: str
) -> None:
    said = hat(made, "report", *words)
    assert said.code == code
    assert says in said.err


def test_a_home_without_runs_says_so(tmp_path: Path, hat: Hat) -> None:
    said = hat(tmp_path / "home", "report", "--daily")
    assert said.code == Exit.DATA
    assert "no run in this home" in said.err
