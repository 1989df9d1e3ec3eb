"""`hat export`: the year's rows and the disposals of a run, through the command line."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from hatmanifesto.apps.run_folder import LEDGER_CSV, LEDGER_PARQUET, SUMMARY
from hatmanifesto.domain.errors import Exit
from hatmanifesto.store.ledger_file import totals_of
from hatmanifesto.store.ledger_read import read_ledger_csv
from tests.test_rebuild import change, changes_of, copy, first_fill, hat, made, run_in
from tests.test_runs import Hat

pytestmark = pytest.mark.slow
__all__ = ["copy", "hat", "made"]


def test_the_year_of_the_newest_run_equals_its_parquet(copy: Path, hat: Hat) -> None:
    run = run_in(copy)
    said = hat(copy, "export", "--year", "2026", "--json")
    assert said.code == Exit.OK
    answer = said.json
    path = Path(answer["path"])
    assert path == copy / "exports" / f"{run.name}-2026.csv"
    assert path.read_bytes() == (run / LEDGER_CSV).read_bytes()
    rows = read_ledger_csv(path.read_bytes())
    stored = pq.read_table(run / LEDGER_PARQUET)
    assert answer["rows"] == stored.num_rows == len(rows)
    for name, total in totals_of(rows).items():
        assert (pc.sum(stored[name]).as_py() or 0) == total
    assert {row["evidence_class"] for row in rows} == {"SYN"}
    beside = json.loads(path.with_suffix(".json").read_bytes())
    assert "no real trade" in beside["warnings"][0]


@pytest.mark.parametrize("method", ["fifo", "average"])
def test_disposals_fees_and_funding_sum_to_the_run(copy: Path, hat: Hat, method: str) -> None:
    run = run_in(copy)
    words = ("--tax", "--method", method, "--run", run.name, "--out", "t/x.csv")
    said = hat(copy, "export", "--year", "2026", *words, "--json")
    assert said.code == Exit.OK
    answer = said.json
    lines = list(csv.DictReader(io.StringIO(Path(answer["path"]).read_text(encoding="utf-8"))))
    for name, column in (("gain", "gain"), ("fees", "fee"), ("funding", "funding")):
        total = sum(Decimal(line[column]) for line in lines if line[column])
        assert total == Decimal(answer["totals_usdc"][name])
    assert {line["evidence_class"] for line in lines} == {"SYN"}
    assert all("no tax advice" in line["note"] for line in lines)
    assert answer["reconciliation_usdc"]["difference"] == "0"
    summary = json.loads((run / SUMMARY).read_bytes())
    fees = Decimal(summary["components"]["fees"]) + Decimal(summary["components"]["rebates"])
    assert Decimal(answer["totals_usdc"]["fees"]) == -fees
    said = hat(copy, "export", "--year", "2026", *words)
    assert "no evidence of profit" in said.out
    assert "no tax advice" in said.out


@pytest.mark.parametrize("name", ["price", "fee", "qty", "side"])
def test_one_changed_row_changes_the_export(copy: Path, hat: Hat, name: str) -> None:
    run = run_in(copy)
    before = Path(hat(copy, "export", "--year", "2026", "--json").json["path"]).read_bytes()
    change(run, changes_of(first_fill(run))[name])
    said = hat(copy, "export", "--year", "2026", "--json")
    assert said.json["is_sealed"] is False
    assert Path(said.json["path"]).read_bytes() != before
    said = hat(copy, "export", "--year", "2026", "--tax")
    if name == "fee":
        assert said.code == Exit.OK
    else:  # its realised profit is no longer that of its price, size and side
        assert said.code == Exit.MISMATCH
        assert "do not reconcile" in said.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], Exit.USAGE, "--year is missing"),
        (["--year", "26"], Exit.USAGE, "--year: must be a whole number"),
        (["--year", "2026.0"], Exit.USAGE, "--year: must be a whole number"),
        (["--year", "2025"], Exit.EMPTY, "nothing of 2025: it has 2026"),
        (["--year", "2026", "--method", "fifo"], Exit.USAGE, "--method needs --tax"),
        (["--year", "2026", "--tax", "--method", "lifo"], Exit.USAGE, "fifo, average"),
        (["--year", "2026", "--run", "none"], Exit.DATA, "no run none"),
        (["--year", "2026", "--out", "../x.csv"], Exit.USAGE, "cannot export to"),
        (["--year", "2026", "--out", "x.txt"], Exit.USAGE, "does not end in .csv"),
    ],
)
def test_bad_words_are_refused(
    made: Path, hat: Hat, words: list[str], code: int, says: str
) -> None:
    said = hat(made, "export", *words)
    assert said.code == code
    assert says in said.err
    assert not (made / "exports").exists()
