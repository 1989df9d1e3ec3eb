"""The intake: every row counted, order and identity kept, memory of no consequence."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.errors import DataError
from hatmanifesto.store import columns as columns_module
from hatmanifesto.store import intake as intake_module
from hatmanifesto.store import intake_spool
from hatmanifesto.store.columns import Columns, ContentHash, join, read_columns, to_arrow
from hatmanifesto.store.draft import Origin
from hatmanifesto.store.gaps import (
    HOURLY_SINCE_NS,
    bar_absences,
    funding_absences,
    regular_absences,
)
from hatmanifesto.store.importers.contract import Batch, Rejected
from hatmanifesto.store.intake import SourceId
from hatmanifesto.store.intake_lane import path_of
from hatmanifesto.store.intake_run import Source, import_sources
from hatmanifesto.store.kinds import KINDS
from hatmanifesto.store.warehouse import Snapshot

START = 1_757_015_216_000_000_000
SECOND = 10**9
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def rows(kind: str, stamps: Sequence[int], **values: Sequence[object]) -> Columns:
    """Return rows of a kind: zeros and empty texts but for what is given."""
    table: Columns = {}
    for one in KINDS[kind].columns:
        empty: object = 0 if one.type == "int" else ""
        told = values.get(one.name, [empty] * len(stamps))
        table[one.name] = np.asarray(told, dtype=np.int64 if one.type == "int" else object)
    table["exch"] = np.asarray(stamps, dtype=np.int64)
    table["row"] = np.arange(len(stamps), dtype=np.int64)
    return table


def batch(
    kind: str, table: Columns, *, coins: object = "BTC", rejected: Sequence[Rejected] = ()
) -> Batch:
    named = coins if isinstance(coins, str) else np.asarray(coins, dtype=object)
    return Batch(kind, named, table, len(table["exch"]) + len(rejected), 0, rejected)


def take_in(home: Path, *files: Sequence[Batch], venue: str = "hyperliquid") -> Snapshot:
    origin = Origin("x", venue, Evidence.REP, {"test": 1}, (), {})
    sources = [
        Source(
            SourceId(f"file{index}", f"{index:064d}", "test", "rows"),
            Path(f"file{index}"),
            lambda batches=batches: iter(batches),
        )
        for index, batches in enumerate(files)
    ]
    return import_sources(home, origin, sources, say=lambda _: None)[0]


def candles(stamps: Sequence[int], closes: Sequence[int], **more: Sequence[object]) -> Columns:
    minutes = [60_000] * len(stamps)
    return rows("candle", stamps, interval_ms=minutes, close=closes, **more)


def test_keys_that_say_the_same_twice_count_once(tmp_path: Path) -> None:
    first = candles([START, START + 60 * SECOND], [5, 6])
    again = candles([START + 60 * SECOND, START + 120 * SECOND], [6, 7])
    snapshot = take_in(tmp_path, [batch("candle", first)], [batch("candle", again)])
    assert snapshot.columns("candle", "BTC")["close"].tolist() == [5, 6, 7]
    assert snapshot.manifest.quarantined == {"repeated": 1}
    assert [one.quarantined for one in snapshot.manifest.sources] == [{}, {"repeated": 1}]
    assert [one.rows_out for one in snapshot.manifest.sources] == [2, 1]


def test_two_truths_for_one_key_refuse_the_import_and_name_both(tmp_path: Path) -> None:
    take_in(tmp_path, [batch("candle", candles([START], [5]))])
    before = sorted(path for path in tmp_path.rglob("*"))
    with pytest.raises(DataError, match="two truths for one candle of BTC") as caught:
        take_in(
            tmp_path,
            [batch("candle", candles([START, START + 60 * SECOND], [5, 6]))],
            [batch("candle", candles([START + 60 * SECOND], [7]))],
        )
    assert "file0 row 1 and file1 row 0" in caught.value.why
    assert f"exch {START + 60 * SECOND}" in caught.value.why
    assert "close 6 and 7" in caught.value.why
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_a_row_that_tells_less_is_no_other_truth_and_gives_way(tmp_path: Path) -> None:
    poor = candles([START], [5], trades=[-1])
    rich = candles([START], [5], trades=[12])
    snapshot = take_in(tmp_path, [batch("candle", poor)], [batch("candle", rich)])
    assert snapshot.columns("candle", "BTC")["trades"].tolist() == [12]
    assert snapshot.manifest.quarantined == {"repeated": 1}


def test_trades_with_one_id_and_other_content_are_two_truths(tmp_path: Path) -> None:
    same = rows("trade", [START, START + 1], tid=[7, 7], px=[1, 1], sz=[2, 2])
    assert take_in(tmp_path / "a", [batch("trade", same)]).manifest.quarantined == {
        "repeated_id": 1
    }
    other = rows("trade", [START, START + 1], tid=[7, 7], px=[1, 1], sz=[2, 3])
    with pytest.raises(DataError, match="two truths for one trade"):
        take_in(tmp_path / "b", [batch("trade", other)])


def test_files_may_come_in_any_order(tmp_path: Path) -> None:
    early = rows("book", [START, START + SECOND], bid_px_0=[1, 2])
    late = rows("book", [START + 2 * SECOND], bid_px_0=[3])
    forward = take_in(tmp_path / "a", [batch("book", early)], [batch("book", late)])
    back = take_in(tmp_path / "b", [batch("book", late)], [batch("book", early)])
    for snapshot in (forward, back):
        assert snapshot.columns("book", "BTC")["bid_px_0"].tolist() == [1, 2, 3]
        assert snapshot.columns("book", "BTC")["row"].tolist() == [0, 1, 2]
        assert snapshot.manifest.quarantined == {}


def test_rising_rows_are_judged_across_batches_days_and_files(tmp_path: Path) -> None:
    midnight = START // DAY * DAY + DAY
    first = rows("book", [midnight - SECOND, midnight], bid_px_0=[1, 2])
    second = rows("book", [midnight, midnight - SECOND, midnight + 1], bid_px_0=[2, 9, 3])
    snapshot = take_in(tmp_path, [batch("book", first), batch("book", second)])
    assert snapshot.manifest.quarantined == {"backward": 1, "repeated": 1}
    assert [one.path.rpartition("=")[2] for one in snapshot.files_of("book", "BTC")] == [
        "2025-09-04.parquet",
        "2025-09-05.parquet",
    ]
    assert snapshot.columns("book", "BTC", ("bid_px_0",))["bid_px_0"].tolist() == [1, 2, 3]


def test_many_coins_are_spooled_and_come_out_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coins = ["BTC", "ETH", "SOL", "ARB"] * 50
    stamps = [START + index * SECOND for index in range(200)]
    batches = [
        batch(kind, rows(kind, stamps, **{name: range(200)}), coins=coins)
        for kind, name in (("book", "bid_px_3"), ("fill", "oid"), ("trade", "tid"))
    ]
    plain = take_in(tmp_path / "a", batches)
    monkeypatch.setattr(intake_module, "DIRECT_MAX", 1)
    monkeypatch.setattr(intake_spool, "WAITING_BYTES_MAX", 2000)
    monkeypatch.setattr(columns_module, "GROUP_BYTES", 1000)
    spooled = take_in(tmp_path / "b", batches)
    assert spooled.manifest.hash == plain.manifest.hash
    assert spooled.columns("fill", "SOL")["oid"].tolist() == list(range(2, 200, 4))
    assert not list((tmp_path / "b").rglob("*.arrow"))


def test_no_importer_may_lose_a_row(tmp_path: Path) -> None:
    table = rows("trade", [START], tid=[1])
    with pytest.raises(AssertionError, match="a row was lost"):
        take_in(tmp_path, [Batch("trade", "BTC", table, 2, 0, ())])
    with pytest.raises(AssertionError, match="wrong columns"):
        take_in(tmp_path, [Batch("bbo", "BTC", table, 1, 0, ())])


def test_rejects_of_many_coins_belong_to_none(tmp_path: Path) -> None:
    reject = Rejected(3, 0, "unknown_coin", "half a pair: \ud800")
    table = rows("fill", [START, START], oid=[1, 2])
    snapshot = take_in(tmp_path, [batch("fill", table, coins=["A", "B"], rejected=[reject])])
    counts = {one.coin: (one.rows_in, one.rows_out) for one in snapshot.manifest.tables}
    assert counts == {"-": (1, 0), "A": (1, 1), "B": (1, 1)}
    assert snapshot.manifest.coins == ("A", "B")
    (text,) = snapshot.columns("quarantine", "", ("text",))["text"]
    assert text == "half a pair: \\ud800"


@pytest.mark.parametrize("coin", ["../../evil", "xyz:NVDA", "@107", "A/B", ".."])
def test_a_coin_names_a_folder_and_never_leaves_it(coin: str, tmp_path: Path) -> None:
    snapshot = take_in(tmp_path, [batch("fill", rows("fill", [START]), coins=coin)])
    (file,) = snapshot.files_of("fill", coin)
    path = (snapshot.folder / file.path).resolve()
    assert path.relative_to(snapshot.folder.resolve()).parts[0] == "kind=fill"
    assert len(Path(path_of("fill", coin, "2025")).parts) == 3
    with pytest.raises(DataError, match="cannot be a coin"):
        take_in(tmp_path, [batch("fill", rows("fill", [START]), coins="new\nline")])


def test_units_are_those_of_the_venue(tmp_path: Path) -> None:
    table = rows("trade", [START], tid=[1])
    known = take_in(tmp_path / "a", [batch("trade", table, coins="MATIC")])
    assert known.decimals("MATIC").px_decimals == 5
    other = take_in(tmp_path / "b", [batch("trade", table, coins="BTCUSDT")], venue="binance")
    assert other.decimals("BTCUSDT").px_decimals == 10
    assert other.manifest.assets == ()
    with pytest.raises(DataError, match="no margin tiers"):
        other.asset("BTCUSDT")
    with pytest.raises(DataError, match="decimals of BTCUSDT"):
        take_in(tmp_path / "c", [batch("trade", table, coins="BTCUSDT")])


def test_texts_come_back_as_they_were(tmp_path: Path) -> None:
    words = ["", "=1+1", "na\u00efve \U0001f3a9", "line\nbreak", "x" * 100_000]
    table = rows("frame", range(START, START + 5), text=words)
    snapshot = take_in(tmp_path, [batch("frame", table, coins="-")])
    assert snapshot.columns("frame", "-")["text"].tolist() == words
    (file,) = snapshot.files_of("frame", "-")
    again = read_columns(snapshot.folder / file.path, "frame", ("text", "exch"))
    assert list(again) == ["exch", "text"]


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.text(max_size=5))), st.data())
def test_hash_of_values_does_not_know_how_they_were_grouped(
    values: list[tuple[int, str]], data: st.DataObject
) -> None:
    table = rows("frame", [one for one, _ in values], text=[word for _, word in values])
    cut = data.draw(st.integers(0, len(values)))
    whole, parts = ContentHash("frame"), ContentHash("frame")
    whole.add(to_arrow(table, "frame"))
    arrow = to_arrow(table, "frame")
    for part in (arrow.slice(0, cut), arrow.slice(cut)):
        parts.add(part)
    assert parts.hexdigest() == whole.hexdigest()
    if values:
        other = ContentHash("frame")
        other.add(to_arrow({**table, "exch": table["exch"] ^ 1}, "frame"))
        assert other.hexdigest() != whole.hexdigest()


def test_nothing_joined_is_empty_columns_of_the_kind() -> None:
    none = join([], "fill")
    assert list(none) == list(KINDS["fill"].names)
    assert none["user"].dtype == np.object_
    assert none["exch"].dtype == np.int64


def test_holes_in_bars_are_sized() -> None:
    opens = np.asarray([0, 60, 240, 300], dtype=np.int64) * SECOND
    assert bar_absences(opens, step_ns=60 * SECOND) == [
        (60 * SECOND, 240 * SECOND, 2, "missing_bar")
    ]


def test_steps_of_funding_are_told_apart() -> None:
    hours = np.asarray([0, 8, 9, 11, 12.25, 13])
    early = (HOURLY_SINCE_NS - 30 * HOUR + hours * HOUR).astype(np.int64)
    assert [(one.reason, one.missing) for one in funding_absences(early)] == [
        ("settled_8h", 0),
        ("missing_hour", 1),
        ("late", 0),
    ]
    late = early + 60 * HOUR
    assert [one.missing for one in funding_absences(late)] == [7, 1, 0]


def test_other_series_are_held_to_their_own_step() -> None:
    hourly = np.asarray([0, 1, 2, 5, 6], dtype=np.int64) * HOUR
    assert [(one.reason, one.missing) for one in regular_absences(hourly)] == [("missing_row", 2)]
    seconds = np.asarray([0, 1, 2, 9, 10], dtype=np.int64) * SECOND
    assert [(one.reason, one.missing) for one in regular_absences(seconds)] == [("silence", 0)]
    assert regular_absences(seconds[:1]) == []


def test_a_manifest_of_the_first_format_is_refused_with_the_cure(tmp_path: Path) -> None:
    snapshot = take_in(tmp_path, [batch("fill", rows("fill", [START]))])
    content = msgspec.to_builtins(snapshot.manifest)
    del content["venue"]
    (snapshot.folder / "manifest.json").write_bytes(msgspec.json.encode(content))
    from hatmanifesto.store.warehouse import load_snapshot

    with pytest.raises(DataError, match="cannot read") as caught:
        load_snapshot(snapshot.folder)
    assert "import the source again" in caught.value.fix
