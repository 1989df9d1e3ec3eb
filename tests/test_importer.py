"""Importers: exact numbers, every defect named and counted, nothing lost."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.apps.data import ImportReport, import_paths
from hatmanifesto.domain.asset import is_on_grid
from hatmanifesto.domain.errors import DataError, UsageError
from hatmanifesto.domain.units import float_to_fixed
from hatmanifesto.store.importers import recorder
from hatmanifesto.store.importers.checks import fixed_from_floats, on_grid, repeated_ids
from hatmanifesto.store.warehouse import list_names
from tests.recorder_files import START_MS, STEP_MS, Recording, bbo_rows, book_row, trade_row

Plant = Callable[[Recording], object]


def run(recording: Recording, tmp_path: Path, **names: str) -> ImportReport:
    folder = recording.write(tmp_path / "source", **names)
    return import_paths([folder], dataset="planted", home=tmp_path / "home")


def set_value(row: dict[str, object], name: str, value: object) -> None:
    row[name] = value


def test_sound_rows_all_come_out(tmp_path: Path) -> None:
    manifest = run(Recording(40), tmp_path).manifest
    assert manifest.quarantined == {}
    assert (manifest.rows_in, manifest.merged, manifest.rows_out) == (160, 40, 120)
    assert manifest.gaps == ()
    assert manifest.evidence.value == "REP"
    assert "funding: unknown" in manifest.assumed


PLANTS: dict[str, tuple[Plant, dict[str, int]]] = {
    "a crossed book": (
        lambda r: set_value(r.books[3], "bid_price_0", 110_002.0),
        {"crossed": 1},
    ),
    "a locked book": (
        lambda r: set_value(r.books[3], "bid_price_0", 110_001.0),
        {"locked": 1},
    ),
    "levels out of order": (
        lambda r: set_value(r.books[3], "ask_price_5", 110_100.0),
        {"non_monotonic": 1},
    ),
    "a null level": (lambda r: set_value(r.books[3], "ask_size_9", None), {"null": 1}),
    "a level without size": (
        lambda r: set_value(r.books[3], "bid_size_19", 0.0),
        {"non_positive": 1},
    ),
    "a book gone backward": (
        lambda r: set_value(r.books[3], "exchange_timestamp", START_MS + 1),
        {"backward": 1},
    ),
    "a stamp in seconds": (
        lambda r: set_value(r.books[3], "exchange_timestamp", START_MS // 1000),
        {"bad_stamp": 1},
    ),
    "a book sent twice": (lambda r: r.books.insert(4, dict(r.books[3])), {"repeated": 1}),
    "a crossed bbo": (lambda r: set_value(r.bbo[6], "price", 110_009.0), {"crossed": 2}),
    "a locked bbo": (lambda r: set_value(r.bbo[6], "price", 110_001.0), {"locked": 2}),
    "a bbo without its ask": (lambda r: r.bbo.pop(7), {"bbo_one_side": 1}),
    "a bbo with a null ask": (
        lambda r: set_value(r.bbo[7], "price", None),
        {"bbo_one_side": 1, "null": 1},
    ),
    "a bbo sent twice": (lambda r: r.bbo.extend(r.bbo[-2:]), {"repeated": 1}),
    "a repeated trade id": (lambda r: r.trades.append(dict(r.trades[5])), {"repeated_id": 1}),
    "a price off the grid": (
        lambda r: set_value(r.trades[5], "price", 110_001.5),
        {"off_grid": 1},
    ),
    "a price with too many decimals": (
        lambda r: set_value(r.trades[5], "price", 99_999.123456),
        {"off_grid": 1},
    ),
    "a size finer than the lot": (
        lambda r: set_value(r.trades[5], "size", 0.000001),
        {"off_grid": 1},
    ),
    "a negative price": (lambda r: set_value(r.trades[5], "price", -1.0), {"non_positive": 1}),
    "an infinite price": (lambda r: set_value(r.trades[5], "price", float("inf")), {"null": 1}),
    "a null trade id": (lambda r: set_value(r.trades[5], "trade_id", None), {"null": 1}),
    "a side nobody knows": (lambda r: set_value(r.trades[5], "side", "long"), {"bad_side": 1}),
}


@pytest.mark.parametrize("name", PLANTS)
def test_planted_defect_is_set_aside_by_reason(name: str, tmp_path: Path) -> None:
    plant, expected = PLANTS[name]
    recording = Recording(20)
    plant(recording)
    rows = len(recording.books) + len(recording.bbo) + len(recording.trades)
    report = run(recording, tmp_path)
    manifest = report.manifest
    assert manifest.quarantined == expected
    assert manifest.rows_in == rows
    assert manifest.rows_in == manifest.rows_out + manifest.merged + sum(expected.values())
    kept = pq.read_table(report.snapshot.folder / "quarantine.parquet").to_pylist()
    assert sorted(row["reason"] for row in kept) == sorted(
        reason for reason, count in expected.items() for _ in range(count)
    )
    assert all("exch" in row["text"] for row in kept)
    assert {row["coin"] for row in kept} == {"BTC"}


def test_trades_are_sorted_and_keep_source_order_within_a_stamp(tmp_path: Path) -> None:
    recording = Recording(20)
    late = START_MS + 3 * STEP_MS
    recording.trades += [trade_row(late, trade_id=901), trade_row(late, trade_id=900)]
    columns = run(recording, tmp_path).snapshot.columns("trade", "BTC")
    assert np.all(np.diff(columns["exch"]) >= 0)
    same = columns["tid"][columns["exch"] == late * 1_000_000].tolist()
    assert same[-2:] == [901, 900]


def test_trades_before_the_first_quote_or_in_a_hole_are_kept_but_set_aside(tmp_path: Path) -> None:
    recording = Recording(20)
    resumed = START_MS + 20 * STEP_MS + 18_000
    for index in range(20):
        stamp = resumed + index * STEP_MS
        recording.books.append(book_row(stamp))
        recording.bbo += bbo_rows(stamp)
    recording.trades += [
        trade_row(START_MS - 4000, trade_id=700),
        trade_row(START_MS + 20 * STEP_MS + 5000, trade_id=701),
        trade_row(resumed, trade_id=702),
    ]
    report = run(recording, tmp_path)
    assert report.manifest.set_aside == {"backlog": 2}
    (hole,) = report.manifest.gaps
    assert (hole.reason, hole.end) == ("reconnect", resumed * 1_000_000)
    assert hole.start == (START_MS + 19 * STEP_MS) * 1_000_000
    columns = report.snapshot.columns("trade", "BTC")
    assert columns["tid"][columns["aside"] == 1].tolist() == [700, 701]


def test_two_recordings_of_a_coin_become_sessions(tmp_path: Path) -> None:
    first = Recording(20).write(tmp_path / "one")
    second = Recording(20, start_ms=START_MS + 3_600_000).write(tmp_path / "two")
    forward = import_paths([first, second], dataset="both", home=tmp_path / "a").manifest
    backward = import_paths([second, first], dataset="both", home=tmp_path / "b").manifest
    assert [hole.reason for hole in forward.gaps] == ["session"]
    assert forward.hash == backward.hash


@pytest.mark.parametrize("portion", [1, 3, 7])
def test_portions_of_a_file_do_not_show(
    portion: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording(20)
    for name in ("a bbo with a null ask", "a book sent twice", "a repeated trade id"):
        PLANTS[name][0](recording)
    recording.bbo.pop(20)
    whole = run(recording, tmp_path)
    monkeypatch.setattr(recorder, "BATCH_ROWS", portion)
    cut = import_paths([tmp_path / "source"], dataset="cut", home=tmp_path / "home")
    assert cut.manifest.quarantined == whole.manifest.quarantined
    for kind in ("book", "bbo", "trade"):
        ours, theirs = (one.snapshot.columns(kind, "BTC") for one in (cut, whole))
        assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_quotes_alone_are_split_into_sessions(tmp_path: Path) -> None:
    recording = Recording(20)
    for index in range(20):
        recording.bbo += bbo_rows(START_MS + 86_400_000 + index * STEP_MS)
    folder = recording.write(tmp_path / "source")
    (folder / "orderbooks_BTC.parquet").unlink()
    (hole,) = import_paths([folder], dataset="x", home=tmp_path).manifest.gaps
    assert (hole.reason, hole.kind) == ("session", "tick")
    assert hole.end == (START_MS + 86_400_000) * 1_000_000


def test_families_of_two_venues_are_not_mixed(tmp_path: Path, shared_data: Path) -> None:
    other = shared_data / "other_venue" / "standx_btcusd_trades_2026-01-06.parquet"
    folder = Recording(5).write(tmp_path / "source")
    with pytest.raises(DataError, match="several venues"):
        import_paths([folder, other], dataset="x", home=tmp_path)


def test_unknown_files_are_ignored_in_a_folder_and_refused_by_name(tmp_path: Path) -> None:
    folder = Recording(5).write(tmp_path / "source")
    stray = folder / "notes.txt"
    stray.write_text("hello")
    report = import_paths([folder], dataset="x", home=tmp_path / "home")
    assert report.ignored == (stray,)
    with pytest.raises(DataError, match=r"nothing to import in .*notes\.txt"):
        import_paths([stray], dataset="x", home=tmp_path / "home")


def test_refusals_name_the_fault(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(DataError, match="no such file"):
        import_paths([tmp_path / "nowhere"], dataset="x", home=home)
    folder = Recording(5).write(tmp_path / "odd", coin="NOSUCH")
    with pytest.raises(DataError, match="decimals of NOSUCH"):
        import_paths([folder], dataset="x", home=home)
    whole = Recording(5).write(tmp_path / "cut")
    path = whole / "trades_BTC.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"trades_BTC\.parquet"):
        import_paths([whole], dataset="x", home=home)
    with pytest.raises(UsageError, match="cannot name a dataset"):
        import_paths([whole], dataset="../evil", home=home)
    with pytest.raises(DataError, match="shipped"):
        import_paths([whole], dataset="sample", home=home)
    assert list_names(home) == ()
    assert list(home.rglob("*.parquet")) == []


def test_a_file_without_a_usable_row_is_refused(tmp_path: Path) -> None:
    recording = Recording(5)
    for row in recording.trades:
        row["side"] = "none"
    with pytest.raises(DataError, match="no usable trade row of BTC"):
        run(recording, tmp_path)


@given(st.integers(0, 10**13), st.integers(0, 8))
def test_floats_become_the_integers_their_text_says(units: int, decimals: int) -> None:
    value = float(f"{units}e-{decimals}")
    fixed, exact = fixed_from_floats(np.asarray([value]), decimals=decimals)
    assert exact[0]
    assert fixed[0] == units == float_to_fixed(value, decimals=decimals)


@given(st.floats(0, 1e9, allow_nan=False), st.integers(0, 6))
def test_any_float_is_judged_as_its_shortest_text_is(value: float, decimals: int) -> None:
    fixed, exact = fixed_from_floats(np.asarray([value]), decimals=decimals)
    try:
        expected = float_to_fixed(value, decimals=decimals)
    except ValueError:
        assert not exact[0]
    else:
        assert (bool(exact[0]), int(fixed[0])) == (True, expected)


@given(st.integers(-10, 10**13), st.integers(0, 6))
def test_grid_check_equals_the_plain_one(px: int, px_decimals: int) -> None:
    found = on_grid(np.asarray([px]), px_decimals=px_decimals)
    assert bool(found[0]) == is_on_grid(px, px_decimals=px_decimals)


@given(st.lists(st.integers(0, 9)))
def test_first_of_each_id_is_kept(ids: list[int]) -> None:
    expected = [value in ids[:index] for index, value in enumerate(ids)]
    assert repeated_ids(np.asarray(ids, dtype=np.int64)).tolist() == expected


EXPECTED = {
    "hl_l2_20250904": {
        "rows": (79_439, 50_261, 29_155),
        "quarantined": {"repeated": 6, "repeated_id": 17},
        "backlog": 103,
        "repeated_ids": {"ETH": 17},
        "holes_ms": [17_976],
    },
    "hl_l2_20250903": {
        "rows": (17_655, 11_407, 6_191),
        "quarantined": {"repeated": 4, "repeated_id": 53},
        "backlog": 307,
        "repeated_ids": {"BTC": 30, "ETH": 1, "SOL": 1, "WLFI": 21},
        "holes_ms": [249_648, 50_709],
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_recorded_set_comes_in_with_its_known_defects(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    expected = EXPECTED[name]
    manifest = import_paths([shared_data / name], dataset=name, home=tmp_path).manifest
    assert (manifest.rows_in, manifest.rows_out, manifest.merged) == expected["rows"]
    assert manifest.quarantined == expected["quarantined"]
    assert manifest.set_aside == {"backlog": expected["backlog"]}
    repeated = {
        table.coin: table.quarantined["repeated_id"]
        for table in manifest.tables
        if "repeated_id" in table.quarantined
    }
    assert repeated == expected["repeated_ids"]
    for coin in manifest.coins:
        holes = [hole for hole in manifest.gaps if hole.coin == coin]
        lengths = [(hole.end - hole.start) // 1_000_000 for hole in holes]
        assert lengths == expected["holes_ms"]
        assert {hole.reason for hole in holes} == {"reconnect"}
