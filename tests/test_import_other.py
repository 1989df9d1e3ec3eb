"""Recordings of other venues: every row counted, ids chained, defects of a feed set aside."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.containers import peek
from hatmanifesto.store.importers.binance import Binance
from hatmanifesto.store.importers.contract import BATCH_ROWS, Batch
from hatmanifesto.store.importers.standx import StandX
from hatmanifesto.store.kinds import KINDS
from hatmanifesto.store.sequence import Break, find_breaks
from tests.conftest import shared_data_path

FOLDER = shared_data_path() / "other_venue"
RECV = 1_723_161_255_030_314_667
STAMP = 1_723_161_256_299
SPOT = "binance_spot_ethbtc_2020-11-01T09-00-00_{}.json.gz"


def read(path: Path) -> list[Batch]:
    head = peek(path)
    for importer in (Binance(), StandX()):
        foreign = importer.recognise(path, head)
        if foreign:
            return [checked(batch) for batch in importer.batches(foreign)]
    raise AssertionError("not recognised")


def checked(batch: Batch) -> Batch:
    count = len(batch.table["exch"])
    assert batch.rows_in == count + batch.merged + len(batch.rejected) <= BATCH_ROWS
    assert tuple(batch.table) == KINDS[batch.kind].names
    assert all(len(v) == count and v.dtype == np.int64 for v in batch.table.values())
    return batch


def counts(batches: list[Batch]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for batch in batches:
        found[batch.kind] += batch.rows_in
        found.update(row.reason for row in batch.rejected)
    return dict(found)


def column(batches: list[Batch], kind: str, name: str) -> list[int]:
    found: list[int] = []
    for batch in batches:
        if batch.kind == kind:
            found += batch.table[name].tolist()
    return found


# Binance ----------------------------------------------------------------------------------------


def depth(first: int, last: int, previous: int, *levels: tuple[str, str]) -> dict[str, Any]:
    stamps = {"E": STAMP, "T": STAMP - 1, "s": "BTCUSDT"}
    ids = {"U": first, "u": last, "pu": previous}
    return {"e": "depthUpdate", **stamps, **ids, "b": list(levels or [("61800.20", "0")]), "a": []}


def ticker(**over: Any) -> dict[str, Any]:
    prices = {"b": "61800.20", "B": "2.507", "a": "61800.30", "A": "2.510"}
    row = {"e": "bookTicker", "u": 5, "s": "BTCUSDT", **prices, "T": STAMP, "E": STAMP}
    return {**row, **over}


def trade(**over: Any) -> dict[str, Any]:
    row = {"e": "trade", "E": STAMP, "T": STAMP, "s": "BTCUSDT", "t": 7, "X": "MARKET"}
    return {**row, "p": "61800.30", "q": "0.006", "m": False, **over}


def stream(folder: Path, *events: dict[str, Any] | str, end: str = "\n") -> Path:
    lines = [
        f"{RECV + i} "
        + (event if isinstance(event, str) else json.dumps({"stream": "x", "data": event}))
        for i, event in enumerate(events)
    ]
    path = folder / "recording.gz"
    path.write_bytes(gzip.compress(("\n".join(lines) + end).encode()))
    return path


def test_every_event_of_a_stream_is_read_exactly(tmp_path):
    snapshot = json.dumps({"lastUpdateId": 9, "T": STAMP, "bids": [["1.5", "2"]], "asks": []})
    events = (ticker(), trade(m=True), depth(3, 4, 2, ("61800.20", "0.014")), snapshot)
    batches = read(stream(tmp_path, *events))
    assert counts(batches) == {"quote": 1, "print": 1, "diff": 2}
    assert column(batches, "quote", "bid_px") == [618_002 * 10**9]
    assert column(batches, "quote", "ask_sz") == [251_000_000]
    assert column(batches, "print", "side") == [-1]
    assert column(batches, "print", "recv") == [RECV + 1]
    assert column(batches, "diff", "exch") == [(STAMP - 1) * 10**6, STAMP * 10**6]
    assert column(batches, "diff", "previous_id") == [2, -1]
    assert column(batches, "diff", "is_snapshot") == [0, 1]
    assert {coin for batch in batches for coin in batch.coins} == {"BTCUSDT"}


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (ticker(b="61800.30"), "locked"),
        (ticker(b="61800.31"), "crossed"),
        (ticker(B="0"), "non_positive"),
        (trade(p="0"), "non_positive"),
        (trade(p="NaN"), "not_finite"),
        (trade(p="1.00000000001"), "off_grid"),
        (trade(p="99999999999"), "off_grid"),
        (trade(T=1), "bad_stamp"),
        (trade(s="../x"), "unknown_coin"),
        (trade(t=2**63), "foreign"),
        (trade(e="kline"), "foreign"),
        (depth(1, 2, 0, ("-1", "1")), "non_positive"),
        ('{"stream": "x", "data": {"e"', "truncated"),
        ('{"lastUpdateId": 1, "bids": [["1", "1"]], "asks": []}', "unknown_coin"),
    ],
)
def test_a_bad_event_is_set_aside(tmp_path, event, reason):
    lines = (event, trade(t=8)) if reason == "unknown_coin" else (trade(t=8), event, ticker())
    batches = read(stream(tmp_path, *lines))
    assert [row.reason for batch in batches for row in batch.rejected] == [reason]
    assert column(batches, "print", "tid") == [8]


def test_an_update_with_a_bad_level_is_set_aside_whole_and_missed(tmp_path):
    sound = depth(1, 2, 0), depth(3, 4, 2), depth(7, 8, 6)
    bad = depth(5, 6, 4, ("1", "1"), ("0", "1"))
    batches = read(stream(tmp_path, *sound[:2], bad, sound[2]))
    assert counts(batches) == {"diff": 5, "non_positive": 2}
    assert [found[2:] for found in find_breaks(batches[0].table)] == [(4, 7)]


def test_a_torn_line_refuses_the_file(tmp_path):
    with pytest.raises(DataError, match="torn tail"):
        read(stream(tmp_path, trade(), '{"stream":"x","data":{"e"', end=""))


def test_a_snapshot_that_nothing_places_is_refused(tmp_path):
    for name in ("snapshot.json", "binance_spot_x_2020-99-01T09-00-00_snapshot.json"):
        (tmp_path / name).write_text('{"lastUpdateId": 1, "bids": [], "asks": []}')
        with pytest.raises(DataError, match="which coin and time"):
            read(tmp_path / name)


def test_other_files_are_not_recognised(tmp_path):
    for head in (b"", b"{}", b"[]", b'1723161255030314667 {"channel":"l2Book"}', b'[{"t": 1}]'):
        path = tmp_path / "x"
        path.write_bytes(head)
        assert Binance().recognise(path, head) is None
        assert StandX().recognise(path, head) is None


# Chains of ids ----------------------------------------------------------------------------------


def chain(*rows: tuple[int, int, int, int]) -> dict[str, Any]:
    names = ("first_id", "last_id", "previous_id", "is_snapshot")
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return {**dict(zip(names, columns, strict=True)), "exch": np.arange(len(rows)) * 10}


def test_a_chain_that_is_whole_has_no_breaks():
    named = [(1, 2, 0, 0), (1, 2, 0, 0), (5, 6, 2, 0), (9, 9, -1, 1), (7, 8, 6, 0)]
    told_by_first = [(1, 2, -1, 0), (3, 6, -1, 0), (7, 7, -1, 0)]
    assert find_breaks(chain(*named)) == find_breaks(chain(*told_by_first)) == []
    assert find_breaks(chain()) == find_breaks(chain((1, 1, -1, 1))) == []


def test_a_missing_update_is_a_break_with_its_stamps():
    assert find_breaks(chain((1, 2, 0, 0), (5, 6, 4, 0))) == [Break(0, 10, 2, 5)]
    assert find_breaks(chain((1, 2, -1, 0), (4, 6, -1, 0))) == [Break(0, 10, 2, 4)]


# StandX -----------------------------------------------------------------------------------------


def book(*, bid: float = 100.5, bids: int = 20, sz: float = 0.5) -> dict[str, Any]:
    stamp = {"timestamp": STAMP * 10**6, "received_at": RECV}
    return {
        **stamp,
        "bid_prices": [bid - i for i in range(bids)],
        "bid_quantities": [sz] * bids,
        "ask_prices": [101.0 + i for i in range(20)],
        "ask_quantities": [0.25] * 20,
    }


def standx(folder: Path, *rows: dict[str, Any], name: str = "standx_btcusd_l2_x.parquet") -> Path:
    path = folder / name
    stamp = pa.timestamp("ns", "UTC")
    table = pa.Table.from_pylist(list(rows))
    for index, column_name in enumerate(("timestamp", "received_at")):
        table = table.set_column(index, column_name, table[column_name].cast(stamp))
    pq.write_table(table, path)
    return path


def test_books_are_read_exactly_and_short_ones_padded(tmp_path):
    batches = read(standx(tmp_path, book(), book(bids=2)))
    assert counts(batches) == {"depth": 2}
    assert column(batches, "depth", "bid_px_1") == [995 * 10**9] * 2
    assert column(batches, "depth", "bid_px_2") == [985 * 10**9, 0]
    assert column(batches, "depth", "recv") == [RECV, RECV]
    assert batches[0].coins == "BTCUSD"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (book(bid=101.0), "locked"),
        (book(bid=102.0), "crossed"),
        (book(sz=0.0), "non_positive"),
        (book(sz=float("nan")), "not_finite"),
        (book(sz=1e-9), "off_grid"),
        (book(bids=0), "one_sided"),
        ({**book(), "bid_quantities": [1.0]}, "truncated"),
        ({**book(), "bid_prices": [100.0] * 20}, "non_monotonic"),
        ({**book(), "timestamp": 0}, "bad_stamp"),
    ],
)
def test_a_bad_book_is_set_aside(tmp_path, row, reason):
    batches = read(standx(tmp_path, book(), row, book(), book()))
    assert counts(batches) == {"depth": 4, reason: 1}


def test_a_coin_that_nothing_tells_and_a_deeper_book_are_refused(tmp_path):
    with pytest.raises(DataError, match="no coin"):
        read(standx(tmp_path, book(), name="mine.parquet"))
    with pytest.raises(DataError, match="deeper"):
        read(standx(tmp_path, book(bids=21)))


# Recorded files ---------------------------------------------------------------------------------

RECORDED = {
    "binance_usdm_btcusdt_20240808.gz": {"diff": 445_521, "quote": 66_089, "print": 21_313},
    SPOT.format("snapshot"): {"diff": 2_000},
    SPOT.format("update"): {"diff": 67_601},
    SPOT.format("trades"): {"print": 1_736},
    "standx_btcusd_l2_2026-01-06.parquet": {"depth": 86_572, "locked": 35_388},
    "standx_btcusd_trades_2026-01-06.parquet": {"print": 68_509},
}
"""Rows in and set aside, counted independently; of ``diff`` the price levels."""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(RECORDED))
def test_recorded_files_give_the_counts_of_their_description(name):
    if not (FOLDER / name).is_file():
        pytest.skip("data: the recordings of other venues are not here")
    batches = read(FOLDER / name)
    assert counts(batches) == RECORDED[name]
    if name.startswith("standx") and "trades" in name:
        assert set(column(batches, "print", "side")) == {0}


@pytest.mark.slow
def test_the_recorded_chains_are_unbroken_and_one_lost_update_is_seen():
    if not FOLDER.is_dir():
        pytest.skip("data: the recordings of other venues are not here")
    for name, updates in (
        ("binance_usdm_btcusdt_20240808.gz", 6_551),
        (SPOT.format("update"), 3_600),
    ):
        tables = [batch.table for batch in read(FOLDER / name) if batch.kind == "diff"]
        whole = {key: np.concatenate([table[key] for table in tables]) for key in tables[0]}
        ids = whole["last_id"][whole["is_snapshot"] == 0]
        assert len(np.unique(ids)) == updates
        assert find_breaks(whole) == []
        lost = ids[len(ids) // 2]
        kept = {key: values[whole["last_id"] != lost] for key, values in whole.items()}
        assert len(find_breaks(kept)) == 1
