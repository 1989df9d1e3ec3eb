"""The warehouse: immutable, addressed by content, whole or not there at all."""

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hatmanifesto.apps import data_export
from hatmanifesto.apps.data import (
    check_dataset,
    import_paths,
    list_datasets,
    open_dataset,
    show_dataset,
)
from hatmanifesto.apps.data_diff import diff_datasets
from hatmanifesto.apps.data_export import export_dataset
from hatmanifesto.apps.data_text import text_of
from hatmanifesto.domain.errors import BusyError, DataError, MismatchError, UsageError
from hatmanifesto.store import intake_settle, warehouse
from hatmanifesto.store.atomic import canonical_json, write_atomic
from hatmanifesto.store.columns import ColumnWriter
from hatmanifesto.store.intake_quarantine import Quarantine
from tests.recorder_files import START_MS, STEP_MS, Recording, book_row, trade_row


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Recording(20).write(tmp_path / "source")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return Recording(20, start_ms=START_MS + 86_400_000).write(tmp_path / "other")


def test_importing_twice_changes_nothing(source: Path, tmp_path: Path) -> None:
    first = import_paths([source], dataset="x", home=tmp_path / "home")
    before = files_of(tmp_path / "home")
    second = import_paths([source], dataset="x", home=tmp_path / "home")
    assert (first.is_new, second.is_new) == (True, False)
    assert files_of(tmp_path / "home") == before


def test_same_content_has_the_same_bytes_and_hash_anywhere(source: Path, tmp_path: Path) -> None:
    first = import_paths([source], dataset="x", home=tmp_path / "one").snapshot
    second = import_paths([source], dataset="y", home=tmp_path / "two").snapshot
    assert first.manifest.hash == second.manifest.hash
    ours, theirs = files_of(first.folder), files_of(second.folder)
    del ours["manifest.json"], theirs["manifest.json"]
    assert ours == theirs


def test_snapshots_stay_and_the_name_means_the_latest(
    source: Path, other: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    first = import_paths([source], dataset="x", home=home).manifest.hash
    second = import_paths([other], dataset="x", home=home).manifest.hash
    assert open_dataset("x", home).dataset_hash == second
    assert open_dataset(f"x@{first}", home).dataset_hash == first
    assert open_dataset(f"x@{first[:8]}", home).dataset_hash == first
    entry = next(one for one in list_datasets(home) if one["name"] == "x")
    assert entry["hashes"] == sorted([first, second])


STEPS = {
    "a batch is written": (ColumnWriter, "add"),
    "a partition is settled": (intake_settle, "repeats_of"),
    "the quarantine is closed": (Quarantine, "close"),
    "the folder is renamed": (warehouse, "publish_folder"),
    "the name is pointed at it": (warehouse, "write_atomic"),
}


@pytest.mark.parametrize("step", STEPS)
def test_interrupted_import_leaves_the_old_state(
    step: str, source: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    first = import_paths([source], dataset="x", home=home).manifest.hash

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*STEPS[step], fail)
        with pytest.raises(KeyboardInterrupt):
            import_paths([other], dataset="x", home=home)
    assert open_dataset("x", home).dataset_hash == first
    assert list((home / "data" / "x").glob(".import*")) == []
    assert check_dataset("x", home)["status"] == "ok"
    assert import_paths([other], dataset="x", home=home).is_new


def test_leftovers_of_a_killed_import_are_swept(source: Path, tmp_path: Path) -> None:
    leftover = tmp_path / "data" / "x" / ".import" / "kind=bbo"
    leftover.mkdir(parents=True)
    (leftover / "half.parquet").write_bytes(b"half")
    import_paths([source], dataset="x", home=tmp_path)
    assert not leftover.exists()


def test_two_imports_into_one_dataset_do_not_meet(source: Path, tmp_path: Path) -> None:
    parent = tmp_path / "data" / "x"
    parent.mkdir(parents=True)
    with warehouse._lock(parent), pytest.raises(BusyError, match="another import"):
        import_paths([source], dataset="x", home=tmp_path)


def test_every_flipped_byte_is_named(source: Path, tmp_path: Path) -> None:
    snapshot = import_paths([source], dataset="x", home=tmp_path).snapshot
    for name, content in files_of(snapshot.folder).items():
        path = snapshot.folder / name
        for at in (0, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            with pytest.raises((MismatchError, DataError), match=path.name):
                check_dataset("x", tmp_path)
        path.write_bytes(content)
    assert check_dataset("x", tmp_path)["files"] == 4


def test_missing_and_foreign_files_are_named(source: Path, tmp_path: Path) -> None:
    snapshot = import_paths([source], dataset="x", home=tmp_path).snapshot
    stray = snapshot.folder / "stray.parquet"
    stray.write_bytes(b"")
    with pytest.raises(MismatchError, match=r"stray\.parquet was changed: it is not in"):
        check_dataset("x", tmp_path)
    stray.unlink()
    (snapshot.folder / "quarantine.parquet").unlink()
    with pytest.raises(MismatchError, match=r"quarantine\.parquet was changed: it is missing"):
        check_dataset("x", tmp_path)


def test_evidence_cannot_be_edited(source: Path, tmp_path: Path) -> None:
    snapshot = import_paths([source], dataset="x", home=tmp_path).snapshot
    path = snapshot.folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"REP"', b'"LIV"'))
    with pytest.raises(MismatchError, match=r"manifest\.json was changed"):
        open_dataset("x", tmp_path)


def test_missing_dataset_says_which_there_are(source: Path, tmp_path: Path) -> None:
    import_paths([source], dataset="known", home=tmp_path)
    with pytest.raises(DataError, match="no dataset unknown") as caught:
        open_dataset("unknown", tmp_path)
    assert "known" in caught.value.why
    assert "hat data import" in caught.value.fix
    with pytest.raises(DataError, match="no dataset known@123456"):
        open_dataset("known@123456", tmp_path)
    with pytest.raises(DataError, match="no dataset is named"):
        open_dataset(" , ", tmp_path)


def test_sessions_are_ordered_and_may_not_overlap(
    source: Path, other: Path, tmp_path: Path
) -> None:
    import_paths([source], dataset="early", home=tmp_path)
    import_paths([other], dataset="late", home=tmp_path)
    both = open_dataset("late,early", tmp_path)
    assert [one.dataset for one in both.manifests] == ["early", "late"]
    assert both.dataset_hash == open_dataset("early,late", tmp_path).dataset_hash
    with pytest.raises(DataError, match="overlap in time"):
        open_dataset("early,early", tmp_path)


def test_show_speaks_plain_json(source: Path, tmp_path: Path) -> None:
    digest = import_paths([source], dataset="x", home=tmp_path).manifest.hash
    shown = json.loads(canonical_json(show_dataset("x", tmp_path)))
    assert (shown["dataset_hash"], shown["evidence"], shown["gaps"]) == (digest, "REP", [])
    names = {"files", "rows_in", "rows_out", "quarantined", "gaps", "dataset_hash", "evidence"}
    assert names <= set(shown)


def test_atomic_write_keeps_the_old_file_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"


def test_canonical_json_refuses_what_has_no_text() -> None:
    assert canonical_json({"b": 1, "a": [True, None]}) == b'{"a":[true,null],"b":1}'
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"a": float("nan")})


def test_diff_says_which_rows_only_one_side_has(tmp_path: Path) -> None:
    recording = Recording(20)
    import_paths([recording.write(tmp_path / "one")], dataset="one", home=tmp_path)
    recording.trades.pop(3)
    recording.trades[7]["size"] = 0.02
    import_paths([recording.write(tmp_path / "two")], dataset="two", home=tmp_path)
    found = diff_datasets("one", "two", tmp_path)
    (partition,) = found["partitions"]
    assert (partition["kind"], partition["coin"]) == ("trade", "BTC")
    assert partition["rows"] == {"left": 20, "right": 19}
    assert partition["rows_only"] == {"left": 2, "right": 1}
    assert partition["first_exch"] == (START_MS + 3 * STEP_MS) * 1_000_000
    assert found["sources"]["left"] == ["one/trades_BTC.parquet"]
    assert diff_datasets("one", "one", tmp_path)["is_equal"] is True


def test_export_gives_exact_decimals_and_no_formulas(tmp_path: Path) -> None:
    recording = Recording(5)
    recording.trades.append(trade_row(START_MS, trade_id=1))
    recording.trades[-1]["side"] = "=cmd()"
    import_paths([recording.write(tmp_path / "in")], dataset="x", home=tmp_path)
    found = export_dataset(
        "x", tmp_path, kind="trade", coin="BTC", form="parquet", out="a/b.parquet"
    )
    table = pq.read_table(found["path"])
    assert found["rows"] == table.num_rows == 5
    assert table["px"][0].as_py() == Decimal("110001.0")
    assert table["sz"][0].as_py() == Decimal("0.01000")
    csv = export_dataset("x", tmp_path, kind="book", coin="BTC", form="csv", out="b.csv")
    header, first, *_ = Path(csv["path"]).read_text().splitlines()
    row = dict(zip(header.replace('"', "").split(","), first.split(","), strict=True))
    assert row["ask_px_19"] == '"110020"'
    aside = export_dataset("x", tmp_path, kind="quarantine", coin="", form="csv", out="q.csv")
    assert aside["rows"] == 1


def test_texts_that_a_spreadsheet_would_run_are_quoted() -> None:
    words = ["=1+1", "+1", "-1", "@x", "\t=1", "fine", ""]
    made = data_export._harmless(pa.table({"text": words, "n": ["-1"] * 7}), ["text"])
    assert made["text"].to_pylist() == ["'=1+1", "'+1", "'-1", "'@x", "'\t=1", "fine", ""]
    assert made["n"].to_pylist() == ["-1"] * 7


@pytest.mark.parametrize("out", ["", "..", "../x.csv", "/etc/x.csv", "a/../../x.csv"])
def test_exports_stay_below_their_folder(out: str, source: Path, tmp_path: Path) -> None:
    import_paths([source], dataset="x", home=tmp_path)
    with pytest.raises(UsageError, match="cannot export"):
        export_dataset("x", tmp_path, kind="trade", coin="BTC", form="csv", out=out)
    link = tmp_path / "exports" / "link"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path.parent)
    with pytest.raises(UsageError, match="cannot export"):
        export_dataset("x", tmp_path, kind="trade", coin="BTC", form="csv", out="link/x.csv")


def test_coverage_is_drawn(tmp_path: Path) -> None:
    recording = Recording(48)
    for index in range(48):
        stamp = START_MS + (96 + index) * STEP_MS
        recording.books.append(book_row(stamp))
    snapshot = import_paths([recording.write(tmp_path / "in")], dataset="x", home=tmp_path).snapshot
    lines = [line for line in text_of(snapshot).splitlines() if line.startswith("book BTC")]
    assert "|###############+................+###############| 65.7 % of 71 s" in lines[0]


def test_deep_check_reads_every_value(source: Path, tmp_path: Path) -> None:
    snapshot = import_paths([source], dataset="x", home=tmp_path).snapshot
    assert check_dataset("x", tmp_path, is_deep=True)["files"] == 4
    files = tuple(
        msgspec.structs.replace(file, content_sha256="0" * 64) for file in snapshot.manifest.files
    )
    forged = snapshot._replace(manifest=msgspec.structs.replace(snapshot.manifest, files=files))
    assert warehouse.check_snapshot(forged) == 4
    with pytest.raises(MismatchError, match="its values do not match"):
        warehouse.check_snapshot(forged, is_deep=True)
