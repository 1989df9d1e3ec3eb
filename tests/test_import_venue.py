"""Importers of node files, raw frames, archives and a context recorder."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.importers.ctx_recorder import CONTEXT, HEADER
from tests.import_cases import claims, compact, read, write

MS = 1_694_854_799_647
NODE_FILLS = "hl_node_fills/node_fills_by_block_20251027T17_open.jsonl.gz"
CTX = "hl_l2_ctx_btc_2025/hyperliquid_orderbook_20250203.csv.gz"


@pytest.fixture(scope="module")
def fixtures(shared_data: Path) -> Path:
    """Return the folder of recorded answers and archive lines beside the data."""
    path = shared_data.parent / "hyperliquid" / "fixtures"
    if not path.is_dir():
        pytest.skip(f"data: no recorded answers at {path}")
    return path


# Who reads what -------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_file_has_one_reader_at_most_and_ours_are_ours(
    shared_data: Path, fixtures: Path
) -> None:
    found = {}
    for root in (shared_data, fixtures):
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            for importer, _ in claims(path):
                assert path.relative_to(root) not in found
                found[path.relative_to(root)] = importer.name
    by_folder = Counter((path.parts[0], name) for path, name in found.items())
    assert by_folder == {
        ("hl_account", "hl_account"): 7,
        ("hl_account", "hl_vaults"): 2,
        ("hl_l2_ctx_btc_2025", "hl_ctx_recorder"): 1,
        ("hl_node_fills", "hl_node"): 1,
        ("hl_trades_2023", "hl_trades_2023"): 3,
        ("hl_ws_raw", "hl_ws_raw"): 1,
        ("node", "hl_node"): 4,
        ("s3", "hl_archive"): 1,
    }


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "PAR1", "\x00\xff", "a,b\n1,2", "[]"])
def test_other_files_are_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text, encoding="latin-1")
    assert claims(tmp_path / "file") == []


# Node -----------------------------------------------------------------------------------------


def event(tid: int, side: str, /, **change: Any) -> list[Any]:
    """Return one side of a trade as a node writes it."""
    fill = {
        "coin": "BTC",
        "px": "115540.0",
        "sz": "0.001",
        "side": side,
        "time": MS,
        "startPosition": "0.0",
        "dir": "Open Long" if side == "B" else "Open Short",
        "closedPnl": "0.0",
        "hash": "0x1",
        "oid": 1,
        "crossed": side == "B",
        "fee": "0.05",
        "tid": tid,
        "feeToken": "USDC",
        "twapId": None,
    }
    return [f"0x{'a' if side == 'B' else 'b'}{'0' * 39}", {**fill, **change}]


def block(number: int, *events: list[Any]) -> str:
    """Return one line of a node's fills by block."""
    stamps = {
        "local_time": "2023-09-16T09:00:00.000000001",
        "block_time": "2023-09-16T08:59:59.647563798",
    }
    return compact({**stamps, "block_number": number, "events": list(events)})


def fills_of(tmp_path: Path, *lines: str) -> Any:
    """Return the fills of a small node file."""
    return read(write(tmp_path / "blocks.jsonl", lines))["fill"]


def test_recorded_blocks_are_whole(shared_data: Path) -> None:
    fills = read(shared_data / NODE_FILLS)["fill"]
    assert (fills.accepted, fills.rejected) == (4_924, [])
    assert set(Counter(fills.columns["tid"]).values()) == {2}
    assert sum(fills.columns["side"]) == 0
    blocks = fills.columns["block"]
    assert (min(blocks), max(blocks)) == (777_010_829, 777_011_528)
    assert sum(text != "" for text in fills.columns["extra"]) == 126
    assert sum(text != "" for text in fills.columns["builder"]) == 367


def test_the_sample_tells_its_holes(fixtures: Path) -> None:
    fills = read(fixtures / "node/node_fills_by_block.sample.jsonl")["fill"]
    assert (fills.accepted, fills.reasons) == (744, {"missing_block": 6})
    holes = [json.loads(reject.text) for reject in fills.rejected]
    missing = sum(hole["missing_to"] - hole["missing_from"] + 1 for hole in holes)
    assert missing == 777_010_921 - 777_010_829 + 1 - 70


def test_documented_events_are_read(fixtures: Path) -> None:
    status = read(fixtures / "node/node_order_statuses.doc.json")["order_status"]
    assert (status.coins, status.columns["status"]) == (["INJ"], ["canceled"])
    assert status.columns["limit_px"] == [253_810_000_000]
    assert json.loads(status.columns["order"][0])["tif"] == "Alo"
    diffs = read(fixtures / "node/node_raw_book_diffs.doc.jsonl")["book_diff"]
    assert diffs.columns["action"] == ["new", "update", "remove"]
    assert diffs.columns["side"] == [1, 1, -1]
    assert diffs.columns["sz"] == [18_691_000_000_000, 20_760_000, 0]
    assert diffs.columns["orig_sz"] == [0, 20_860_000, 0]
    trade = read(fixtures / "node/node_trades.doc.json")["trade"]
    assert (trade.coins, trade.columns["side"], trade.rejected) == (["COMP"], [1], [])
    assert trade.columns["exch"] == [1_721_982_385_899_000_000]
    assert trade.columns["tid"][0] < 0


def test_a_sound_block_is_accepted(tmp_path: Path) -> None:
    fills = fills_of(tmp_path, block(7, event(5, "B"), event(5, "A")), block(8))
    assert (fills.accepted, fills.rejected) == (2, [])
    assert fills.columns["exch"] == [MS * 10**6] * 2
    assert fills.columns["recv"] == [1_694_854_800_000_000_001] * 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"side": "X"}, "bad_side"),
        ({"sz": "-0.001"}, "non_positive"),
        ({"px": "NaN"}, "not_finite"),
        ({"mystery": 1}, "unknown_field"),
        ({"time": MS + 1}, "bad_stamp"),
    ],
)
def test_a_planted_fault_sets_one_fill_aside(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    fills = fills_of(tmp_path, block(7, event(5, "B"), event(5, "A", **change)))
    assert (fills.accepted, fills.reasons) == (1, {reason: 1})
    assert '"tid":5' in fills.rejected[0].text


def test_a_trade_has_two_sides(tmp_path: Path) -> None:
    events = [event(5, "B"), event(5, "A"), event(5, "A", oid=9), event(6, "B")]
    fills = fills_of(tmp_path, block(7, *events))
    assert fills.accepted == 2
    assert [reject.reason for reject in fills.rejected] == ["repeated_id", "one_sided"]


def test_what_is_no_trade_needs_no_other_side(tmp_path: Path) -> None:
    dust = event(0, "A", dir="Spot Dust Conversion", coin="@142")
    fills = fills_of(tmp_path, block(7, dust, event(9, "B", dir="Settlement", px="0.0")))
    assert (fills.accepted, fills.rejected) == (2, [])


def test_blocks_follow_each_other(tmp_path: Path) -> None:
    pair = event(5, "B"), event(5, "A")
    fills = fills_of(tmp_path, block(7, *pair), block(10), block(10, *pair), block(9, *pair))
    assert fills.reasons == {"missing_block": 1, "backward": 4}
    assert fills.accepted == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"local_time":', "truncated"),
        ("[1,2]", "foreign"),
        (block(8).replace('"events":[]', '"events":null'), "null"),
        (block(8).replace('"events":[]', '"events":[],"extra":1'), "unknown_field"),
        (block(8).replace("59.647", "61.647"), "bad_stamp"),
        (block(8).replace("[]", "[7]"), "foreign"),
    ],
)
def test_a_broken_line_within_is_set_aside(tmp_path: Path, line: str, reason: str) -> None:
    fills = fills_of(tmp_path, block(7), line, block(8, event(5, "B"), event(5, "A")))
    assert fills.reasons.get(reason) == 1


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_half_a_line_at_the_end_is_a_torn_tail(tmp_path: Path, end: str) -> None:
    lines = [block(7, event(5, "B"), event(5, "A")), block(8)[:-30]]
    with pytest.raises(DataError, match="torn tail"):
        read(write(tmp_path / "blocks.jsonl", lines, end=end))


def test_a_missing_last_line_feed_is_no_fault(tmp_path: Path) -> None:
    path = write(tmp_path / "blocks.jsonl", [block(7, event(5, "B"), event(5, "A"))], end="")
    assert read(path)["fill"].accepted == 2


def test_fills_by_line_are_read(tmp_path: Path) -> None:
    lines = [compact(event(5, "B")), compact(event(5, "A", surprise=1)), compact([1])]
    fills = read(write(tmp_path / "fills.jsonl", lines))["fill"]
    assert (fills.accepted, fills.reasons) == (1, {"unknown_field": 1, "null": 1})
    assert fills.columns["block"] == [0]


DIFF: dict[str, Any] = {
    "user": "0xa",
    "oid": 1,
    "coin": "BTC",
    "side": "Bid",
    "px": "1.36",
    "raw_book_diff": {"new": {"sz": "1.0"}},
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"side": "Buy"}, "bad_side"),
        ({"raw_book_diff": "removed"}, "unknown_field"),
        ({"raw_book_diff": {"new": {"sz": "1", "odd": 1}}}, "unknown_field"),
        ({"raw_book_diff": {"new": {"sz": "-1"}}}, "non_positive"),
        ({"raw_book_diff": {"update": {"newSz": "1"}}}, "null"),
        ({"px": "1.36e400"}, "off_grid"),
        ({"coin": ""}, "null"),
    ],
)
def test_a_faulty_difference_is_set_aside(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    lines = [compact(DIFF), compact({**DIFF, **change}), compact(DIFF)]
    diffs = read(write(tmp_path / "diffs.jsonl", lines))["book_diff"]
    assert (diffs.accepted, diffs.reasons) == (2, {reason: 1})


def test_an_object_over_several_lines_may_not_be_cut(tmp_path: Path, fixtures: Path) -> None:
    text = (fixtures / "node/node_trades.doc.json").read_text()
    (tmp_path / "two.json").write_text(text + text)
    assert read(tmp_path / "two.json")["trade"].accepted == 2
    (tmp_path / "cut.json").write_text(text + text[:-60])
    with pytest.raises(DataError, match="torn tail"):
        read(tmp_path / "cut.json")


# Raw frames and the archive -------------------------------------------------------------------


def levels(best: int, step: int, count: int = 3) -> list[dict[str, Any]]:
    """Return one side of a book in whole prices."""
    return [{"px": f"{best + step * n}.0", "sz": "1.5", "n": 1} for n in range(count)]


def book(bids: Any, asks: Any, coin: str = "BTC") -> dict[str, Any]:
    """Return an l2Book frame."""
    return {"channel": "l2Book", "data": {"coin": coin, "time": MS, "levels": [bids, asks]}}


BIDS, ASKS = levels(100_000, -1), levels(100_001, 1)
BOOK_FAULTS = [
    (book(ASKS, BIDS), "non_monotonic"),
    (book(levels(100_002, -1), ASKS), "crossed"),
    (book(levels(100_001, -1), ASKS), "locked"),
    (book([], ASKS), "one_sided"),
    (book(BIDS, [{"px": "100001.5", "sz": "1"}]), "off_grid"),
    (book(BIDS, [{"px": "100001", "sz": "0.000001"}]), "off_grid"),
    (book(BIDS, [{"px": "100001", "sz": "-1"}]), "non_positive"),
    (book(BIDS, [{"px": "NaN", "sz": "1"}]), "not_finite"),
    (book(BIDS, [{"px": "100001"}]), "null"),
    (book(BIDS, None), "null"),
    (book(BIDS, ASKS, coin="NOSUCH"), "unknown_coin"),
    ({"channel": "l2Book", "data": None}, "null"),
]


def test_recorded_frames(shared_data: Path) -> None:
    found = read(shared_data / "hl_ws_raw/btcusd_20250126.gz")
    assert {kind: (rows.accepted, rows.rejected) for kind, rows in found.items()} == {
        "book": (46, []),
        "trade": (64, []),
    }
    books, trades = found["book"].columns, found["trade"].columns
    assert (books["exch"][0], books["recv"][0]) == (
        1_737_918_843_542_000_000,
        1_737_918_843_893_903_000,
    )
    assert (books["bid_px_0"][0], books["ask_sz_19"][0]) == (1_050_550, 637)
    assert (trades["tid"][0], trades["side"][0], trades["sz"][0]) == (121_451_470_284_048, 1, 219)
    assert min(books["bid_px_19"]) > 0
    assert len(set(books["row"]) | set(trades["row"])) == 110


def frames(tmp_path: Path, *texts: str, end: str = "\n") -> Path:
    """Write frames with receive stamps."""
    lines = [f"{MS * 10**6 + n} {text}" for n, text in enumerate(texts)]
    return write(tmp_path / "frames.gz", lines, end=end)


@pytest.mark.parametrize(("frame", "reason"), BOOK_FAULTS)
def test_a_faulty_book_is_set_aside(tmp_path: Path, frame: dict[str, Any], reason: str) -> None:
    books = read(frames(tmp_path, compact(book(BIDS, ASKS)), compact(frame)))["book"]
    assert (books.accepted, books.reasons) == (1, {reason: 1})
    assert (books.columns["bid_px_2"], books.columns["bid_px_3"]) == ([999_980], [0])


def test_other_channels_are_kept_as_they_came(tmp_path: Path) -> None:
    text = compact({"channel": "bbo", "data": {"coin": "BTC"}})
    trade = {"coin": "BTC", "px": "1.0", "sz": "1.0", "side": "S", "time": MS, "tid": 1}
    trades = compact({"channel": "trades", "data": [trade, {**trade, "side": "A"}]})
    found = read(frames(tmp_path, text, trades, "[1]", "{oops", text))
    assert found["frame"].columns["text"] == [text, text]
    assert found["frame"].reasons == {"foreign": 1, "truncated": 1}
    assert (found["trade"].accepted, found["trade"].reasons) == (1, {"bad_side": 1})


def test_a_torn_frame_is_refused(tmp_path: Path) -> None:
    text = compact(book(BIDS, ASKS))
    with pytest.raises(DataError, match="torn tail"):
        read(frames(tmp_path, text, text[:-9], end=""))


def archived(frame: dict[str, Any], **change: Any) -> str:
    """Return a line of the archive."""
    return compact({"time": "2023-09-16T09:00:01.039593170", "ver_num": 1, "raw": frame, **change})


def test_the_recorded_archive_line(fixtures: Path) -> None:
    books = read(fixtures / "s3/market_data_l2Book.SOL.20230916-9.jsonl")["book"]
    assert (books.coins, books.rejected) == (["SOL"], [])
    assert books.columns["exch"] == [MS * 10**6]
    assert books.columns["recv"] == [1_694_854_801_039_593_170]
    assert (books.columns["bid_px_0"], books.columns["ask_sz_1"]) == ([191_070], [573_108])


def test_an_archive_in_lz4_reads_the_same(tmp_path: Path) -> None:
    lines = [archived(frame) for frame in (book(BIDS, ASKS), *(frame for frame, _ in BOOK_FAULTS))]
    lines += [archived(book(BIDS, ASKS), ver_num=2), archived(book(BIDS, ASKS), time="soon"), "{"]
    lines.append(lines[0])
    plain = write(tmp_path / "BTC.jsonl", lines)
    packed = tmp_path / "BTC.lz4"
    with pa.OSFile(str(packed), "wb") as file, pa.CompressedOutputStream(file, "lz4") as stream:
        stream.write(plain.read_bytes())
    books = read(packed)["book"]
    expected = [*(reason for _, reason in BOOK_FAULTS), "foreign", "bad_stamp", "truncated"]
    assert [reject.reason for reject in books.rejected] == expected
    assert books == read(plain)["book"]
    assert books.accepted == 2


def test_a_torn_archive_is_refused(tmp_path: Path) -> None:
    lines = [archived(book(BIDS, ASKS)), archived(book(BIDS, ASKS))[:50]]
    with pytest.raises(DataError, match="torn tail"):
        read(write(tmp_path / "BTC", lines))


# The context recorder -------------------------------------------------------------------------


@pytest.mark.slow
def test_recorded_contexts(shared_data: Path) -> None:
    found = read(shared_data / CTX)
    assert {kind: (rows.rows_in, rows.accepted, rows.merged) for kind, rows in found.items()} == {
        "book": (5_029, 5_029, 0),
        "ctx": (3_649, 2_064, 520),
        "trade": (5_057, 5_057, 0),
    }
    assert found["ctx"].reasons == {"same_stamp": 1_065}
    stamps = found["book"].columns["exch"] + found["trade"].columns["exch"]
    assert (min(stamps), max(stamps)) == (1_738_556_147 * 10**9, 1_738_558_985 * 10**9)
    assert (found["book"].columns["bid_px_9"][0], found["book"].columns["bid_px_10"][0]) == (
        939_960,
        0,
    )
    assert found["ctx"].columns["oracle"][0] == 93_950 * 10**10
    assert found["ctx"].columns["funding"][0] == 18_250_000
    assert found["ctx"].columns["day_notional"][0] == 465_335_698_678_278_828
    told = set(found["ctx"].columns["missing"][0].split(","))
    assert told.isdisjoint(CONTEXT)
    assert "mid" in told
    assert len(set(found["trade"].columns["tid"])) == 5_057
    assert max(found["trade"].columns["tid"]) < 0


CELLS = {
    "Last Update": "2/3/2025, 9:46:01 AM",
    "Coin": "BTC",
    **{f"Ask L{n} Price": f"{94_020 + n}.0" for n in range(1, 11)},
    **{f"Bid L{n} Price": f"{94_020 - n}.0" for n in range(1, 11)},
    **{f"{side} L{n} Size": "0.5" for side in ("Ask", "Bid") for n in range(1, 11)},
    "Mark Price": "94010.0",
    "Oracle Price": "93950.0",
    "Funding Rate": "0.00001825",
    "Open Interest": "9747.5991",
    "24h Volume": "4653356986.78278828",
}
PRINT = {"Last Update": "2/3/2025, 9:46:01 AM", "Coin": "BTC", "Trade Price": "94020.0"}
PRINT |= {"Trade Side": "Sell (Ask)", "Trade Size": "0.1"}


def recording(tmp_path: Path, *rows: dict[str, str]) -> Any:
    """Return what is read of a small recording."""
    lines = [",".join(HEADER)]
    for row in rows:
        cells = [row.get(name, "") for name in HEADER]
        lines.append(",".join(f'"{cell}"' if "," in cell else cell for cell in cells))
    return read(write(tmp_path / "book.csv.gz", lines))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Last Update": "2025-02-03"}, "bad_stamp"),
        ({"Coin": "NOSUCH"}, "unknown_coin"),
        ({"Ask L1 Price": "94019.0"}, "locked"),
        ({"Ask L1 Price": "94018.0"}, "crossed"),
        ({"Ask L2 Price": "94021.0"}, "non_monotonic"),
        ({"Bid L1 Size": "nan"}, "not_finite"),
        ({"Bid L1 Size": ""}, "null"),
        ({"Bid L1 Size": "-0.5"}, "non_positive"),
        ({"Trade Price": "94020.0"}, "foreign"),
    ],
)
def test_a_faulty_book_row_is_set_aside(
    tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    books = recording(tmp_path, CELLS, {**CELLS, **change})["book"]
    assert (books.accepted, books.reasons) == (1, {reason: 1})


def test_a_faulty_print_or_context_is_set_aside(tmp_path: Path) -> None:
    found = recording(
        tmp_path,
        PRINT,
        {**PRINT, "Trade Side": "Sell"},
        {**PRINT, "Trade Size": "0"},
        {**CELLS, "Mark Price": ""},
        {**CELLS, "Oracle Price": "inf"},
        CELLS,
        CELLS,
        {**CELLS, "Mark Price": "94011.0"},
        {"Last Update": CELLS["Last Update"], "Coin": "BTC"},
    )
    assert (found["trade"].accepted, found["trade"].columns["side"]) == (1, [-1])
    assert found["trade"].reasons == {"bad_side": 1, "non_positive": 1}
    assert found["ctx"].reasons == {"null": 1, "not_finite": 1, "same_stamp": 1}
    assert (found["ctx"].accepted, found["ctx"].merged) == (1, 1)
    assert (found["book"].accepted, found["book"].reasons) == (5, {"null": 1})
