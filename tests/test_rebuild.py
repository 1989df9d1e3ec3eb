"""A report is made anew from ledger, journal and mids; one changed row of the ledger is seen."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from hatmanifesto.apps.run_folder import (
    ENDINGS,
    LEDGER_CSV,
    LEDGER_PARQUET,
    MANIFEST,
    REPORT,
    SUMMARY,
    load_manifest,
)
from hatmanifesto.cli import main
from hatmanifesto.domain.errors import Exit
from hatmanifesto.store.ledger_columns import Row
from hatmanifesto.store.ledger_file import ledger_csv, ledger_parquet
from hatmanifesto.store.ledger_read import read_ledger_parquet
from tests.test_runs import MAKER, Hat, Said

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with one run of three minutes, not to be changed."""
    home = tmp_path_factory.mktemp("made") / "home"
    assert main(["--home", str(home), "backtest", *MAKER]) == Exit.OK
    return home


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """Return a copy of that home, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "home"))


def run_in(home: Path) -> Path:
    """Return the folder of the one run of a home."""
    (folder,) = (path for path in (home / "runs").iterdir() if not path.name.startswith("."))
    return folder


@pytest.fixture
def hat(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def call(home: Path, *words: str) -> Said:
        capfd.readouterr()
        code = main(["--home", str(home), *words])
        return Said(code, *capfd.readouterr())

    return call


def change(folder: Path, changes: Row, *, reason: str = "fill", also_csv: bool = False) -> None:
    """Change cells of the first row of the ledger that has this reason."""
    rows = read_ledger_parquet((folder / LEDGER_PARQUET).read_bytes())
    next(row for row in rows if row["reason_code"] == reason).update(changes)
    (folder / LEDGER_PARQUET).write_bytes(ledger_parquet(rows))
    if also_csv:
        (folder / LEDGER_CSV).write_bytes(ledger_csv(rows))


def first_fill(folder: Path) -> Row:
    rows = read_ledger_parquet((folder / LEDGER_PARQUET).read_bytes())
    return next(row for row in rows if row["reason_code"] == "fill")


def changes_of(row: Row) -> dict[str, Row]:
    """Return a believable forgery of each fact of a fill."""
    return {
        "price": {"price": str(int(float(row["price"])) + 1)},
        "fee": {"fee": "0"},
        "qty": {"qty": row["order_qty"], "order_qty": row["order_qty"]}
        if row["qty"] != row["order_qty"]
        else {"qty": "0.0011"},
        "side": {"side": "sell" if row["side"] == "buy" else "buy"},
        "maker_flag": {"maker_flag": "false" if row["maker_flag"] == "true" else "true"},
    }


def test_a_run_is_rebuilt_twice_to_the_same_bytes(made: Path, hat: Hat) -> None:
    folder = run_in(made)
    for name in ("a.html", "b.html"):
        said = hat(made, "report", folder.name, "--rebuild", "--out", name)
        assert (said.code, said.out) == (
            0,
            f"{folder.name}: ledger, summary and report identical\n",
        )
        assert (made / "reports" / name).read_bytes() == (folder / REPORT).read_bytes()
    said = hat(made, "report", folder.name, "--rebuild", "--json")
    assert said.json["identical"] is True
    assert hat(made, "verify", folder.name).code == Exit.OK


@pytest.mark.parametrize("name", ["price", "fee", "qty", "side", "maker_flag"])
def test_one_changed_cell_changes_the_page_and_is_named(copy: Path, hat: Hat, name: str) -> None:
    folder = run_in(copy)
    before = json.loads((folder / SUMMARY).read_bytes())
    change(folder, changes_of(first_fill(folder))[name])
    said = hat(copy, "report", folder.name, "--rebuild", "--out", "new.html", "--json")
    assert said.code == Exit.MISMATCH
    told = said.json["differences"]
    places = [text.split(":")[0] for text in told]
    assert places[0] == LEDGER_PARQUET
    assert f"row 1: {name} is" in told[0]
    assert SUMMARY in places
    assert REPORT in places
    assert (copy / "reports" / "new.html").read_bytes() != (folder / REPORT).read_bytes()
    assert json.loads((folder / SUMMARY).read_bytes()) == before
    said = hat(copy, "verify", folder.name)
    assert said.code == Exit.MISMATCH
    assert f"{LEDGER_PARQUET}: changed" in said.out
    assert f"{LEDGER_PARQUET}: row 1: {name} is" in said.out
    assert f"{LEDGER_CSV}: row" not in said.out


def test_a_net_that_is_not_that_of_the_books_is_told(copy: Path, hat: Hat) -> None:
    folder = run_in(copy)
    change(folder, {"fee": "0"})
    said = hat(copy, "report", folder.name, "--rebuild")
    assert "net (pessimistic): the ledger's is 0." in said.out


def test_a_derived_cell_needs_the_mids_to_be_found(copy: Path, hat: Hat) -> None:
    folder = run_in(copy)
    change(folder, {"fill_mid": "1"}, also_csv=True)
    said = hat(copy, "report", folder.name, "--rebuild")
    assert said.code == Exit.MISMATCH
    assert "row 1: fill_mid is 1," in said.out
    assert "ledger.csv: row 1: fill_mid is 1," in said.out


def test_a_ledger_that_cannot_be_read_is_a_mismatch(copy: Path, hat: Hat) -> None:
    folder = run_in(copy)
    change(folder, {"symbol": "XRP"})
    said = hat(copy, "report", folder.name, "--rebuild")
    assert said.code == Exit.MISMATCH
    assert "row 1: symbol cannot be right" in said.out
    (folder / LEDGER_PARQUET).write_bytes(b"PAR1")
    assert hat(copy, "report", folder.name, "--rebuild").code == Exit.MISMATCH
    assert "is no Parquet file" in hat(copy, "verify", folder.name).out


def test_a_changed_page_or_summary_is_named_with_its_place(copy: Path, hat: Hat) -> None:
    folder = run_in(copy)
    page = (folder / REPORT).read_text(encoding="utf-8")
    (folder / REPORT).write_text(page.replace("Deepest drawdown", "Drawdown", 1), encoding="utf-8")
    summary = (folder / SUMMARY).read_text(encoding="utf-8")
    (folder / SUMMARY).write_text(summary.replace('"fills": ', '"fills": 1', 1), encoding="utf-8")
    told = hat(copy, "report", folder.name, "--rebuild", "--json").json["differences"]
    assert [text.split(":")[0] for text in told] == [SUMMARY, REPORT]
    assert "fills was" in told[0]
    assert "Deepest drawdown" in told[1]


def test_a_run_of_an_earlier_release_is_verified_without_its_rows(copy: Path, hat: Hat) -> None:
    folder = run_in(copy)
    manifest = load_manifest(copy, folder.name)
    files = {name: digest for name, digest in manifest.files.items() if name != ENDINGS}
    older = msgspec.structs.replace(manifest, files=files).sealed()
    (folder / MANIFEST).write_bytes(older.encoded())
    (folder / ENDINGS).unlink()
    said = hat(copy, "verify", folder.name, "--json")
    assert said.json["ledger_compared"] is False
    assert said.json["wrong"] == ["trial ledger: no trial names this manifest"]
    assert hat(copy, "report", folder.name, "--rebuild").code == Exit.MISMATCH
