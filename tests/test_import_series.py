"""Public series and recorded answers: every recorded file whole, every planted defect found."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hatmanifesto.domain.errors import DataError
from hatmanifesto.domain.units import NS_HOUR, NS_S
from hatmanifesto.store.importers.answers import Answers
from hatmanifesto.store.importers.candles import Candles
from hatmanifesto.store.importers.contexts import Contexts
from hatmanifesto.store.importers.contract import BATCH_ROWS, Batch, FileImporter, Foreign
from hatmanifesto.store.importers.funding import Funding
from hatmanifesto.store.importers.open_interest import OpenInterest
from hatmanifesto.store.kinds import KINDS

IMPORTERS: tuple[FileImporter, ...] = (
    Candles(),
    Funding(),
    OpenInterest(),
    Contexts(),
    Answers(),
)
OWNERS = {
    "hl_candles": "hl_candles",
    "hl_funding": "hl_funding",
    "hl_api": "hl_answers",
    "BTC_open_interest_1h_2026.json.gz": "hl_open_interest",
    "ETH_open_interest_1h_202511_202602.csv.gz": "hl_open_interest",
    "ws_all_dexs_asset_ctxs.json": "hl_contexts",
    "asset_ctxs.sample.csv": "hl_contexts",
    "allDexsAssetCtxs.json": "hl_contexts",
}
"""Importer by folder or by name; every other recorded file belongs to none of these."""
HOUR = datetime(2025, 7, 1, tzinfo=UTC)
HOUR_MS = int(HOUR.timestamp()) * 1000
ARCHIVE_HEADER = (
    "time,coin,funding,open_interest,prev_day_px,day_ntl_vlm,premium,oracle_px,mark_px,mid_px,"
    "impact_bid_px,impact_ask_px"
)
ARCHIVE_ROW = "2025-11-13T00:01:00Z,ADA,-0.0003,4412,0.15,13.7,-0.0019,0.125,0.126,0.12,0.1,0.2"


def head_of(path: Path) -> bytes:
    """Return a file's first bytes, unpacked."""
    with path.open("rb") as file:
        content = file.read(4096)
    if content[:2] != b"\x1f\x8b":
        return content
    with gzip.open(path) as stream:
        return stream.read(4096)


def recognised(path: Path) -> list[tuple[FileImporter, Foreign]]:
    """Return who claims a file."""
    head = head_of(path)
    pairs = [(importer, importer.recognise(path, head)) for importer in IMPORTERS]
    return [(importer, foreign) for importer, foreign in pairs if foreign is not None]


def read(path: Path) -> list[Batch]:
    """Return the batches of a file that exactly one importer claims, each checked for sense."""
    ((importer, foreign),) = recognised(path)
    batches = list(importer.batches(foreign))
    for batch in batches:
        counts = {len(batch.table[name]) for name in KINDS[batch.kind].names}
        assert set(batch.table) == set(KINDS[batch.kind].names)
        assert counts == {batch.rows_in - batch.merged - len(batch.rejected)}
        assert batch.rows_in <= BATCH_ROWS
        assert isinstance(batch.coins, str) or {len(batch.coins)} == counts
    return batches


def column(batches: Sequence[Batch], name: str) -> np.ndarray[Any, Any]:
    """Return one column of all batches."""
    return np.concatenate([batch.table[name] for batch in batches])


def reasons(batches: Sequence[Batch]) -> dict[str, int]:
    """Return how many rows were set aside, by reason."""
    return dict(Counter(reject.reason for batch in batches for reject in batch.rejected))


def recorded_rows(shared_data: Path) -> dict[str, int]:
    """Return the rows of each recorded file as its list tells them."""
    with (shared_data / "MANIFEST.csv").open(encoding="utf-8") as file:
        return {row["file"]: int(row["rows"]) for row in csv.DictReader(file) if row["rows"]}


# Recorded files ---------------------------------------------------------------------------------


def test_each_file_is_claimed_by_its_own_importer_and_no_other(shared_data: Path) -> None:
    fixtures = shared_data.parent / "hyperliquid" / "fixtures"
    files = [path for path in shared_data.rglob("*") if path.is_file()]
    for folder in ("s3", "node", "ws", "info"):
        files += [path for path in (fixtures / folder).rglob("*") if path.is_file()]
    for path in files:
        owner = OWNERS.get(path.name) or OWNERS.get(path.parent.name)
        assert [importer.name for importer, _ in recognised(path)] == ([owner] if owner else [])


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["hl_candles", "hl_funding", "hl_asset_ctx", "hl_api"])
def test_recorded_files_lose_no_row(shared_data: Path, folder: str) -> None:
    rows = recorded_rows(shared_data)
    for path in sorted((shared_data / folder).iterdir()):
        batches = read(path)
        expected = {"foreign": 1} if "candleSnapshot" in path.name else {}
        assert reasons(batches) == expected, path.name
        listed = rows.get(f"{folder}/{path.name}")
        if listed and not path.name.startswith("ws_"):
            assert sum(batch.rows_in for batch in batches) == listed, path.name
            numbers = [r for b in batches for r in b.table["row"].tolist()]
            numbers += [reject.row for batch in batches for reject in batch.rejected]
            assert sorted(numbers) == list(range(listed)), path.name


@pytest.mark.slow
def test_the_universe_has_135_coins_of_candles_and_funding(shared_data: Path) -> None:
    for name in ("hl_candles/_universe-1h.parquet", "hl_funding/_universe-1h-funding.parquet"):
        coins = {coin for batch in read(shared_data / name) for coin in batch.coins}
        assert len(coins) == 135


def test_candles_hold_the_values_of_the_file(shared_data: Path) -> None:
    path = shared_data / "hl_candles" / "kPEPE-1d.parquet"
    batches, source = read(path), pq.read_table(path)
    stamps = source["date"].cast(pa.int64()).to_numpy()
    assert column(batches, "exch").tolist() == stamps.tolist()
    for name, scale in (("open", 10**10), ("high", 10**10), ("volume", 10**6)):
        told = [value / scale for value in column(batches, name).tolist()]
        assert told == source[name].to_pylist()
    assert set(column(batches, "close_time") - column(batches, "exch")) == {24 * NS_HOUR - 10**6}


def test_the_foreign_bar_is_the_last_of_the_answer(shared_data: Path) -> None:
    path = shared_data / "hl_candles" / "BTC-15m_candleSnapshot_api_202412_202501.json.gz"
    (batch,) = read(path)
    (reject,) = batch.rejected
    assert (reject.row, json.loads(reject.text)["s"]) == (5001, "BTC-PERP")
    assert batch.table["trades"][:2].tolist() == [268, 297]
    assert batch.table["open"][0] == 95_924 * 10**10


def test_both_answers_with_premium_count_14223_rows(shared_data: Path) -> None:
    names = ("SOL_fundingHistory_api_202501_202602.json.gz", "ETH_funding_premium_202508_202602")
    batches = read(shared_data / "hl_funding" / names[0])
    batches += read(shared_data / "hl_funding" / f"{names[1]}.csv.gz")
    assert int(column(batches, "has_premium").sum()) == 14_223
    assert int((column(batches, "exch") % NS_HOUR > NS_S).sum()) == 3  # settled late
    assert (column(batches, "rate")[0], column(batches, "premium")[0]) == (12_500_000, 379838800)


def test_the_message_of_all_dexs_names_perps_by_index(shared_data: Path) -> None:
    (batch,) = read(shared_data / "hl_asset_ctx" / "ws_all_dexs_asset_ctxs.json")
    coins = list(batch.coins)
    assert (len(coins), coins[0], coins[229], coins[230]) == (412, "#0", "#229", "abcd:#0")
    assert batch.table["mark"][0] == 77_562 * 10**10
    assert set(batch.table["exch"].tolist()) == {0}
    assert batch.table["finer"][0] == "day_notional=1516669192.1953897476"
    told = Counter(batch.table["missing"].tolist())
    assert told == {"": 334, "mid,impact_bid,impact_ask,premium": 78}


def test_answers_keep_request_and_response(shared_data: Path) -> None:
    path = shared_data / "hl_api" / "info_api_recorded_responses.json.gz"
    (batch,) = read(path)
    with gzip.open(path) as stream:
        source = json.load(stream)
    for index, name in enumerate(batch.table["name"].tolist()):
        assert json.loads(batch.table["response"][index]) == source[name]["response"]
        asked = {"uri": source[name]["uri"], "request": source[name]["request"]}
        assert json.loads(batch.table["request"][index]) == asked
    assert set(batch.table["status"].tolist()) == {"200"}
    first = datetime(2025, 8, 22, 11, 45, 24, tzinfo=UTC)
    assert batch.table["exch"][0] == int(first.timestamp()) * NS_S


# Planted defects --------------------------------------------------------------------------------


def bars(count: int = 6) -> dict[str, list[Any]]:
    """Return sound hourly bars as columns."""
    return {
        "date": [HOUR + timedelta(hours=index) for index in range(count)],
        "open": [100.0] * count,
        "high": [101.0] * count,
        "low": [99.0] * count,
        "close": [100.5] * count,
        "volume": [1.5] * count,
    }


def write_bars(folder: Path, columns: dict[str, list[Any]], **types: pa.DataType) -> Path:
    """Write bars as Parquet; ``types`` by column, times in ns UTC unless told."""
    types = {"date": pa.timestamp("ns", "UTC")} | types
    path = folder / "BTC-1h.parquet"
    pq.write_table(pa.table({k: pa.array(v, types.get(k)) for k, v in columns.items()}), path)
    return path


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("high", 99.5, "ohlc"),
        ("low", 100.2, "ohlc"),
        ("open", float("nan"), "not_finite"),
        ("close", float("inf"), "not_finite"),
        ("close", None, "null"),
        ("low", 0.0, "non_positive"),
        ("low", -1.0, "non_positive"),
        ("volume", -0.5, "non_positive"),
        ("open", 100.000000000001, "off_grid"),
        ("volume", 1e300, "off_grid"),
        ("date", HOUR + timedelta(minutes=90), "off_interval"),
        ("date", datetime(1970, 1, 1, tzinfo=UTC), "bad_stamp"),
        ("date", None, "bad_stamp"),
    ],
)
def test_a_bad_bar_is_set_aside_alone(tmp_path: Path, name: str, value: Any, reason: str) -> None:
    columns = bars()
    columns[name][1] = value
    batches = read(write_bars(tmp_path, columns))
    assert reasons(batches) == {reason: 1}
    assert column(batches, "row").tolist() == [0, 2, 3, 4, 5]


def test_a_bar_without_volume_is_sound(tmp_path: Path) -> None:
    columns = bars()
    columns["volume"][1] = 0.0
    assert reasons(read(write_bars(tmp_path, columns))) == {}


def test_stamps_may_be_milliseconds_and_numbers_texts(tmp_path: Path) -> None:
    columns = bars()
    columns["date"] = [HOUR_MS + 3_600_000 * index for index in range(6)]
    columns["open"] = ["100.1"] * 6
    batches = read(write_bars(tmp_path, columns, date=pa.int64()))
    assert column(batches, "exch")[0] == HOUR_MS * 10**6
    assert column(batches, "open")[0] == 1001 * 10**9


@pytest.mark.parametrize("factor", [1e-3, 1e3, 1e6])
def test_another_unit_of_time_refuses_the_file(tmp_path: Path, factor: float) -> None:
    columns = bars()
    columns["date"] = [int((HOUR_MS + 3_600_000 * index) * factor) for index in range(6)]
    with pytest.raises(DataError, match="wrong unit of time"):
        read(write_bars(tmp_path, columns, date=pa.int64()))


def test_seconds_read_as_milliseconds_refuse_the_file(tmp_path: Path) -> None:
    columns = bars()
    columns["date"] = [HOUR_MS // 1000 + 3_600 * index for index in range(6)]
    with pytest.raises(DataError, match="wrong unit of time"):
        read(write_bars(tmp_path, columns, date=pa.timestamp("ms", "UTC")))


def test_a_naive_time_refuses_the_file(tmp_path: Path) -> None:
    columns = bars()
    columns["date"] = [stamp.replace(tzinfo=None) for stamp in columns["date"]]
    with pytest.raises(DataError, match="wrong unit of time"):
        read(write_bars(tmp_path, columns, date=pa.timestamp("ns")))


def test_a_missing_or_duplicate_column_refuses_the_file(tmp_path: Path) -> None:
    columns = bars()
    del columns["volume"]
    path = write_bars(tmp_path, columns)
    with pytest.raises(DataError, match="missing column") as caught:
        read(path)
    assert "volume" in caught.value.why
    arrays = [pa.array(values) for values in bars().values()]
    twice = pa.Table.from_arrays([*arrays, arrays[1]], [*bars(), "open"])
    pq.write_table(twice, path)
    with pytest.raises(DataError, match="duplicate column"):
        read(path)


def test_a_separator_in_a_number_refuses_the_file(tmp_path: Path) -> None:
    columns = bars()
    columns["open"] = [*["100"] * 5, "1,000"]
    with pytest.raises(DataError, match="ambiguous number"):
        read(write_bars(tmp_path, columns))


def test_truncated_parquet_refuses_the_file(tmp_path: Path) -> None:
    path = write_bars(tmp_path, bars())
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="damaged or truncated"):
        read(path)


def test_a_coin_that_is_no_name_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "_universe-1h.parquet"
    columns = {"coin": ["BTC", "../BTC", None, "", "xyz:AI", "kPEPE"], **bars()}
    pq.write_table(pa.table(columns), path)
    (batch,) = read(path)
    assert reasons([batch]) == {"unknown_coin": 3}
    assert list(batch.coins) == ["BTC", "xyz:AI", "kPEPE"]


def answer(count: int = 4) -> list[dict[str, Any]]:
    """Return sound bars in the venue's own words."""
    return [
        {
            "t": HOUR_MS + 3_600_000 * index,
            "T": HOUR_MS + 3_600_000 * (index + 1) - 1,
            "s": "BTC",
            "i": "1h",
            "n": 3,
            **dict(zip("ochlv", ("100.0", "100.5", "101.0", "99.0", "1.5"), strict=True)),
        }
        for index in range(count)
    ]


def write_json(path: Path, document: object) -> Path:
    """Write a document, packed when its name says so."""
    text = json.dumps(document).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
    return path


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("s", "ETH", "foreign"),
        ("i", "15m", "off_interval"),
        ("T", HOUR_MS, "off_interval"),
        ("t", "soon", "bad_stamp"),
        ("t", 2**70, "bad_stamp"),
        ("h", "99.9", "ohlc"),
        ("o", "NaN", "not_finite"),
        ("o", float("inf"), "not_finite"),
        ("o", None, "null"),
        ("l", "-1", "non_positive"),
    ],
)
def test_a_bad_bar_of_an_answer_is_set_aside(
    tmp_path: Path, key: str, value: Any, reason: str
) -> None:
    document = answer()
    document[1][key] = value
    batches = read(write_json(tmp_path / "BTC-1h_candles.json", document))
    assert reasons(batches) == {reason: 1}


def test_a_bar_still_open_when_it_was_fetched_is_set_aside(tmp_path: Path) -> None:
    rows = [[bar["t"], bar["T"], 100.0, 101.0, 99.0, 100.5, 1.5] for bar in answer()]
    fetched = (HOUR + timedelta(hours=3, minutes=30)).isoformat()
    document = {"coin": "BTC", "interval": "1h", "fetched_at_utc": fetched, "candles": rows}
    batches = read(write_json(tmp_path / "BTC-1h_rows.json", document))
    assert reasons(batches) == {"open_bar": 1}
    document["interval"] = "15m"
    with pytest.raises(DataError, match="two truths"):
        read(write_json(tmp_path / "BTC-1h_rows.json", document))


def test_truncated_or_damaged_gzip_refuses_the_file(tmp_path: Path) -> None:
    path = write_json(tmp_path / "BTC-1h_candles.json.gz", answer(400))
    whole = path.read_bytes()
    head = gzip.decompress(whole)[:4096]
    (foreign,) = [one for i in IMPORTERS if (one := i.recognise(path, head)) is not None]
    for content in (whole[:-30], whole[:-6] + bytes(6), whole[:40] + b"\xff" * 8 + whole[48:]):
        path.write_bytes(content)
        with pytest.raises(DataError, match="damaged or truncated"):
            list(Candles().batches(foreign))


@pytest.mark.parametrize(
    "text",
    [
        '[{"t":1,"T":2,"s":"BTC","i":"1h","o":"1","c":"1","h":"1","l":"1","v":"1","n":1}',
        '[{"t":1,"t":2,"T":2,"s":"BTC","i":"1h","o":"1","c":"1","h":"1","l":"1"}]',
        '[{"t":1,"T":2,"s":"BTC","i":"1h","o":"1","c":"1","h":"1","l":"\\ud800"}]',
        '[{"t":1,"T":2,"s":"BTC","i":"1h","o":"1","c":"1","h":"1","l":"1"},' + "[" * 100_000,
        '[{"t":1,"T":2,"s":"BTC","i":"1h","o":"1","c":"1","h":"1","l":"1"},' + "9" * 9_999 + "]",
        '[{"t":1,"T":2,"s":"BTC","i":"1h","o":"1","c":"1","h":"1","l":"1"},7]',
        '[{"t":1,"T":2,"s":"BTC","i":"1h","o":"1","c":"1","h":"1","l":"1"}]',
    ],
    ids=["torn", "twice", "surrogate", "deep", "long number", "no object", "no volume"],
)
def test_unsound_json_refuses_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "BTC-1h_candles.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError):
        read(path)


def funding_csv(folder: Path, *rows: str, header: str = "coin,fundingRate,premium,time") -> Path:
    """Write a funding table."""
    path = folder / "ETH_funding.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def test_funding_rows_are_judged_one_by_one(tmp_path: Path) -> None:
    sound = "ETH,0.0000125,-0.0004,2025-08-07 00:00:00.047000+00:00"
    path = funding_csv(
        tmp_path,
        *[sound] * 4,
        "ETH,-2.4e-06,,2025-08-07 01:00:00+00:00",
        "BTC,0.0000125,0,2025-08-07 02:00:00+00:00",
        "ETH,0.00000000000012,0,2025-08-07 03:00:00+00:00",
        "ETH,,0,2025-08-07 03:00:00+00:00",
        "ETH,nan,0,2025-08-07 03:00:00+00:00",
        "ETH,0.0000125,0,2025-08-07 03:00:00",
    )
    batches = read(path)
    assert reasons(batches) == {
        "foreign": 1,
        "off_grid": 1,
        "null": 1,
        "not_finite": 1,
        "bad_stamp": 1,
    }
    assert column(batches, "rate").tolist() == [12_500_000] * 4 + [-2_400_000]
    assert column(batches, "has_premium").tolist() == [1, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("header", "row", "match"),
    [
        ("coin,fundingRate,premium", "ETH,0,0", "missing column"),
        ("coin,fundingRate,premium,time,coin", "ETH,0,0,x,ETH", "duplicate column"),
        ("coin,fundingRate,premium,time", "ETH,0,0", "damaged or truncated"),
        ("coin,fundingRate,premium,time", "ETH,0,0,1754524800", "wrong unit of time"),
        ("coin,fundingRate,premium,time", "ETH,0,0,2025-08-07 00:00:00", "wrong unit of time"),
        ("coin,fundingRate,premium,time", "ETH,1 0,0,2025-08-07T00:00:00Z", "ambiguous number"),
    ],
)
def test_a_table_at_fault_is_refused(tmp_path: Path, header: str, row: str, match: str) -> None:
    with pytest.raises(DataError, match=match):
        read(funding_csv(tmp_path, row, header=header))


def test_a_table_without_its_last_end_of_line_is_refused(tmp_path: Path) -> None:
    path = funding_csv(tmp_path, *["ETH,0.0000125,0,2025-08-07 00:00:00+00:00"] * 3)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="torn tail"):
        read(path)


def test_funding_in_seconds_refuses_the_file(tmp_path: Path) -> None:
    rows = [
        {"coin": "SOL", "fundingRate": "0", "premium": "0", "time": HOUR_MS // 1000 + 3600 * index}
        for index in range(3)
    ]
    with pytest.raises(DataError, match="wrong unit of time"):
        read(write_json(tmp_path / "SOL_fundingHistory.json", rows))


def test_open_interest_is_exact_to_ten_decimals(tmp_path: Path) -> None:
    path = tmp_path / "ETH_open_interest_1h.csv"
    rows = [
        "2025-11-17 16:00:00+00:00,548353.4392,549215.3343999998,522213.3,530156.8046000022",
        "2025-11-17 17:00:00+00:00,1,0.5,1,1",
        "2025-11-17 18:30:00+00:00,1,1,1,1",
        "2025-11-17 19:00:00+00:00,1,1,-1,1",
        "2025-11-17 20:00:00+00:00,19000000000,19000000000,19000000000,19000000000",
    ]
    path.write_text("\n".join(["t,o,h,l,c", *rows, ""]), encoding="utf-8")
    batches = read(path)
    assert column(batches, "close").tolist() == [5_301_568_046_000_022]
    assert reasons(batches) == {"ohlc": 1, "off_interval": 1, "non_positive": 1, "off_grid": 1}


def test_the_archive_is_read_by_name_and_tells_what_is_missing(tmp_path: Path) -> None:
    names = ARCHIVE_HEADER.split(",")
    order = sorted(range(len(names)), key=lambda index: names[index])
    rows = [
        ARCHIVE_ROW,
        ARCHIVE_ROW.replace("-0.0019", "").replace(",0.1,0.2", ",,"),
        ARCHIVE_ROW.replace("13.7", "13.123456789012"),
        ARCHIVE_ROW.replace("0.126", ""),
        ARCHIVE_ROW.replace("0.125", "0"),
    ]
    lines = [[line.split(",")[index] for index in order] for line in (ARCHIVE_HEADER, *rows)]
    path = tmp_path / "20251113.csv"
    path.write_text("\n".join([*map(",".join, lines), ""]), encoding="utf-8")
    (batch,) = read(path)
    assert batch.table["mark"].tolist() == [1_260_000_000] * 3
    assert batch.table["missing"].tolist() == [
        "day_volume",
        "impact_bid,impact_ask,premium,day_volume",
        "day_volume",
    ]
    assert batch.table["finer"].tolist() == ["", "", "day_notional=13.123456789012"]
    assert batch.table["day_notional"][2] == 1_312_345_679
    assert reasons([batch]) == {"null": 1, "non_positive": 1}


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_packed_archive_is_read_and_a_torn_one_refused(tmp_path: Path, codec: str) -> None:
    path = tmp_path / {"lz4": "20251113.csv.lz4", "zstd": "20251113.csv.zst"}[codec]
    text = "\n".join([ARCHIVE_HEADER, *[ARCHIVE_ROW] * 5000, ""]).encode()
    with pa.CompressedOutputStream(str(path), codec) as stream:
        stream.write(text)
    foreign = Contexts().recognise(path, text[:4096])
    assert foreign is not None
    assert sum(batch.rows_in for batch in Contexts().batches(foreign)) == 5000
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DataError):
        list(Contexts().batches(foreign))


def test_answers_that_cannot_be_kept_as_written_refuse_the_file(tmp_path: Path) -> None:
    path = tmp_path / "recorded_responses.json"
    entry = (
        '{"recorded":"Fri, 22 Aug 2025 11:45:24 GMT","uri":"u","request":{},"status":200,'
        '"response":RESPONSE}'
    )
    texts = {"a": entry.replace("RESPONSE", "1.5"), "b": '{"recorded":1}'}
    bad_date = entry.replace("Aug", "Aux").replace("RESPONSE", "[]")
    path.write_text(f'{{"a":{texts["a"]},"b":{texts["b"]},"c":{bad_date}}}', encoding="utf-8")
    (batch,) = read(path)
    assert batch.table["response"].tolist() == ["1.5"]
    assert reasons([batch]) == {"null": 1, "bad_stamp": 1}
    for response in ("1.10", "NaN", "0.1234567890123456789"):
        path.write_text(f'{{"a":{entry.replace("RESPONSE", response)}}}', encoding="utf-8")
        with pytest.raises(DataError, match="no sound JSON"):
            read(path)


def test_a_bar_with_nanoseconds_is_set_aside_with_its_text(tmp_path: Path) -> None:
    path = tmp_path / "BTC-1h.parquet"
    stamps = [1_735_689_600_000_000_000, 1_735_693_200_000_000_001]
    table = pa.table(
        {
            "date": pa.array(stamps, type=pa.timestamp("ns", tz="UTC")),
            **{name: [95_000.0, 95_000.0] for name in ("open", "high", "low", "close")},
            "volume": [1.0, 1.0],
        }
    )
    pq.write_table(table, path)
    found = Candles()
    foreign = found.recognise(path, path.read_bytes()[:4096])
    assert foreign is not None
    rejected = [one for batch in found.batches(foreign) for one in batch.rejected]
    assert [one.reason for one in rejected] == ["off_interval"]
    assert str(stamps[1]) in rejected[0].text
