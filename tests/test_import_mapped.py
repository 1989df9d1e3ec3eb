"""A user's own file: mapped by name, exact or refused; one bad row aside, one bad file refused."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.containers import peek
from hatmanifesto.store.importers.contract import Batch
from hatmanifesto.store.importers.mapped import own_importers, usual_step_ms
from hatmanifesto.store.importers.mapping import Options

T0 = 1_795_345_200_000
NOW = 1_795_348_800_000 * 10**6
ANY = Options()
BTC = Options(coin="BTC", now=NOW)
HEADER = "t,o,h,l,c,v,n\n"
BAR = "95000,95010,94990,95005,1.5,10"
BARS = [f"{T0 + 60_000 * i},{BAR}\n" for i in range(5)]
TRADES = "t,coin,side,px,sz,tid\n"


def read(path: Path, options: Options = BTC) -> list[Batch]:
    """Return the batches of a file as the registry would ask for them."""
    head = peek(path)
    for importer in own_importers(options):
        foreign = importer.recognise(path, head)
        if foreign:
            batches = list(importer.batches(foreign))
            for batch in batches:
                count = len(batch.table["exch"])
                assert batch.rows_in == count + batch.merged + len(batch.rejected)
                assert {len(values) for values in batch.table.values()} == {count}
            return batches
    raise AssertionError("not recognised")


def one(folder: Path, content: str | bytes, options: Options = BTC, name: str = "x.csv") -> Batch:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (batch,) = read(path, options)
    return batch


def reasons(batch: Batch) -> list[str]:
    return [row.reason for row in batch.rejected]


def values(batch: Batch, name: str) -> list[int]:
    found: list[int] = batch.table[name].tolist()
    return found


# Plain candles ----------------------------------------------------------------------------------


def test_a_bar_is_read_exactly(tmp_path):
    batch = one(tmp_path, HEADER + BARS[0])
    row = {name: values(batch, name)[0] for name in batch.table}
    assert (batch.kind, batch.coins) == ("candle", "BTC")
    assert row["exch"] == T0 * 10**6
    assert row["close_time"] == (T0 + 59_999) * 10**6
    assert (row["open"], row["close"]) == (95_000 * 10**10, 95_005 * 10**10)
    assert (row["volume"], row["trades"], row["interval_ms"]) == (1_500_000, 10, 60_000)


@pytest.mark.parametrize(
    "content",
    [
        "n,v,c,l,h,o,t\n10,1.5,95005,94990,95010,95000,1795345200000\n",
        "t,o,h,l,c,v,n,x\n1795345200000,95000,95010,94990,95005,1.5,10,zzz\n",
        (HEADER + BARS[0]).replace("\n", "\r\n"),
        "\ufeff" + HEADER + BARS[0],
        (HEADER + BARS[0]).rstrip("\n"),
        HEADER + f'{T0},"95000",95010,94990,9.5005e4,1.50,10\n',
    ],
)
def test_what_looks_odd_but_is_sound_reads_the_same(tmp_path, content):
    plain = one(tmp_path, HEADER + BARS[0])
    odd = one(tmp_path, content)
    assert {n: values(odd, n) for n in odd.table} == {n: values(plain, n) for n in plain.table}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"{T0},95000,90000,95000,95005,1.5,10", "ohlc"),
        (f"{T0},95000,95010,94990,99999,1.5,10", "ohlc"),
        (f"{T0},95000,95010,94990,nan,1.5,10", "not_finite"),
        (f"{T0},95000,inf,94990,95005,1.5,10", "not_finite"),
        (f"{T0},95000,95010,-94990,95005,1.5,10", "non_positive"),
        (f"{T0},95000,95010,94990,95005,-1.5,10", "non_positive"),
        (f"{T0},95000,95010,94990,,1.5,10", "null"),
        (f"{T0},95000,95010,94990,95005.00000000001,1.5,10", "off_grid"),
        (f"{T0 + 7},{BAR}", "off_interval"),
        (f"0,{BAR}", "bad_stamp"),
        (f"{T0 + 86_400_000},{BAR}", "bad_stamp"),
        (f"{NOW // 10**6},{BAR}", "open_bar"),
        (f"{NOW // 10**6 - 60_000 + 1},{BAR}", "off_interval"),
    ],
)
def test_one_bad_row_is_set_aside_with_its_reason_and_text(tmp_path, row, reason):
    batch = one(tmp_path, HEADER + "".join(BARS) + row + "\n")
    assert reasons(batch) == [reason]
    assert batch.rejected[0].row == 5
    assert sorted(json.loads(batch.rejected[0].text).values()) == sorted(row.split(","))
    assert len(values(batch, "exch")) == 5


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("t,o,h,l,c,v\n1,1,1,1,1,1\n", "missing column.*n"),
        ("t,o,h,l,c,v,n,c\n1,1,1,1,1,1,1,1\n", "duplicate column"),
        (HEADER + "".join(BARS) + f"{T0},95000\n", "torn tail.*allow-torn-tail"),
        (HEADER + f"{T0},95000\n" + BARS[0], "torn row"),
        (HEADER + f"{T0},{BAR},1\n", "torn tail"),
        (HEADER + f'{T0},"95,000",95010,94990,95005,1.5,10\n', "ambiguous number.*95,000"),
        (HEADER + f"{T0}, 95000,95010,94990,95005,1.5,10\n", "ambiguous"),
        (HEADER + f"{T0 * 10**6},{BAR}\n", "wrong unit of time.*ns"),
        (HEADER + f"{T0 // 1000},{BAR}\n", "wrong unit of time.*s, expected ms"),
        (HEADER + f"{'9' * 26},{BAR}\n", "out of range"),
        (HEADER + BARS[0] + "\0" * 100, "NUL"),
        (HEADER, "no rows"),
        (HEADER.encode() + b"\xff\xfe\n", "no text"),
        (HEADER + f'{T0},"95000,95010,94990,95005,1.5,10\n', "broken CSV|torn"),
    ],
)
def test_what_makes_every_number_doubtful_refuses_the_file(tmp_path, content, says):
    with pytest.raises(DataError) as caught:
        one(tmp_path, content)
    assert re.search(says, str(caught.value), re.DOTALL), str(caught.value)


def test_a_torn_tail_is_left_out_and_counted_when_allowed(tmp_path):
    options = BTC._replace(allow_torn_tail=True)
    batch = one(tmp_path, HEADER + "".join(BARS) + f"{T0},95000", options)
    assert (batch.rows_in, reasons(batch)) == (6, ["truncated"])
    with pytest.raises(DataError, match="torn row"):
        one(tmp_path, HEADER + f"{T0},95000\n" + BARS[0], options)


@pytest.mark.parametrize("coin", ["", "btc", "NOSUCH", "=1+1", "../x"])
def test_candles_need_a_coin_that_exists(tmp_path, coin):
    with pytest.raises(DataError, match="coin"):
        one(tmp_path, HEADER + BARS[0], Options(coin=coin))


def test_the_interval_is_the_step_most_bars_have():
    hour = 3_600_000 * 10**6
    assert usual_step_ms(T0 * 10**6 + hour * np.array([0, 1, 2, 9])) == 3_600_000
    assert usual_step_ms(T0 * 10**6 + hour * np.array([0, 2])) == 60_000
    assert usual_step_ms(np.array([0, 0])) == 60_000


# Plain trades -----------------------------------------------------------------------------------


def test_trades_are_on_the_coins_own_grid(tmp_path):
    rows = f"{T0},BTC,B,95000,1,7\n{T0},ETH,A,3000.1,0.25,8\n"
    batch = one(tmp_path, TRADES + rows, Options(now=NOW))
    assert batch.kind == "trade"
    assert list(batch.coins) == ["BTC", "ETH"]
    assert values(batch, "px") == [950_000, 300_010]
    assert values(batch, "sz") == [100_000, 2_500]
    assert values(batch, "side") == [1, -1]
    assert values(batch, "tid") == [7, 8]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('"=HYPERLINK(""http://evil.example"",""x"")",B,95000,1,7', "unknown_coin"),
        ("@SUM(A1),B,95000,1,7", "unknown_coin"),
        ("NOSUCH,B,95000,1,7", "unknown_coin"),
        (",B,95000,1,7", "unknown_coin"),
        ("BTC,X,95000,1,7", "bad_side"),
        ("BTC,B,95000.5,1,7", "off_grid"),
        ("BTC,B,95000,0.000001,7", "off_grid"),
        ("BTC,B,0,1,7", "non_positive"),
        ("BTC,B,95000,-1,7", "non_positive"),
        ("BTC,B,95000,1,7.5", "off_grid"),
    ],
)
def test_one_bad_trade_is_set_aside(tmp_path, row, reason):
    batch = one(tmp_path, TRADES + f"{T0},{row}\n{T0},BTC,B,95000,1,9\n", Options(now=NOW))
    assert reasons(batch) == [reason]
    assert values(batch, "tid") == [9]


def test_trades_without_ids_get_ids_of_their_stamp_and_row(tmp_path):
    rows = f"{T0},BTC,B,95000,1\n{T0},BTC,B,95000,1\n"
    batch = one(tmp_path, "t,coin,side,px,sz\n" + rows, Options(now=NOW))
    assert values(batch, "tid") == [-T0 * 10**6, -T0 * 10**6 - 1]


def test_json_lines_keep_every_digit(tmp_path):
    row = {"time": T0, "coin": "BTC", "px": "95000", "sz": "1", "side": "B", "tid": 1}
    exact = json.dumps({**row, "tid": 2}).replace('"95000"', "95000.0")
    batch = one(tmp_path, json.dumps(row) + "\n" + exact + "\n", Options(now=NOW), "x.jsonl")
    assert values(batch, "px") == [950_000, 950_000]
    torn = json.dumps(row) + '\n{"time":17953'
    with pytest.raises(DataError, match="torn tail"):
        one(tmp_path, torn, Options(now=NOW))
    allowed = one(tmp_path, torn, Options(now=NOW, allow_torn_tail=True))
    assert reasons(allowed) == ["truncated"]


@pytest.mark.parametrize(
    "text", ['{"time":1,"time":2}', "[" * 100_000, '{"time": true', '"x"', "{}", '{"time": [1]}']
)
def test_strange_json_is_refused_without_a_crash(tmp_path, text):
    row = {"time": T0, "coin": "BTC", "px": "95000", "sz": "1", "side": "B", "tid": 1}
    content = f"{json.dumps(row)}\n{text}\n{json.dumps(row)}\n"
    try:
        batch = one(tmp_path, content, Options(now=NOW))
    except DataError:
        return
    assert len(reasons(batch)) == 1


def test_a_coin_that_was_not_asked_for_is_foreign(tmp_path):
    batch = one(tmp_path, TRADES + f"{T0},BTC,B,95000,1,7\n{T0},ETH,B,3000,1,8\n")
    assert reasons(batch) == ["foreign"]


# Parquet ----------------------------------------------------------------------------------------


def write_parquet(folder: Path, **columns: Any) -> Path:
    path = folder / "x.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def bars(kind: Any, prices: list[Any]) -> dict[str, Any]:
    names = {name: pa.array(prices, type=kind) for name in ("o", "h", "l", "c", "v")}
    return {"t": pa.array([T0], pa.int64()), **names, "n": pa.array([1], pa.int64())}


@pytest.mark.parametrize(
    ("kind", "price"),
    [(pa.float64(), 94_990.1), (pa.string(), "94990.1"), (pa.large_string(), "94990.10")],
)
def test_exact_parquet_numbers_are_read(tmp_path, kind, price):
    (batch,) = read(write_parquet(tmp_path, **bars(kind, [price])))
    assert values(batch, "open") == [949_901 * 10**9]


def test_parquet_decimals_are_read(tmp_path):
    from decimal import Decimal

    columns = bars(pa.decimal128(20, 4), [Decimal("94990.1000")])
    (batch,) = read(write_parquet(tmp_path, **columns))
    assert values(batch, "open") == [949_901 * 10**9]


def test_rounded_numbers_are_refused(tmp_path):
    for columns in (bars(pa.float32(), [1.5]), {"t": [T0], "px": pa.array([1.5], pa.float32())}):
        with pytest.raises(DataError, match="rounded numbers"):
            read(write_parquet(tmp_path, **columns))


# Mapping files ----------------------------------------------------------------------------------

MAPPING = """
kind = "candle"
coin = "ETH"
interval = "1h"
time = "iso"
separator = ";"
[columns]
exch = "Date"
open = "Open"
high = "High"
low = "Low"
close = "Close"
volume = "Volume"
"""
OWN = "Volume;Close;Low;High;Open;Date\n2;3001;2990;3010;3000;2025-07-01T00:00:00Z\n"


def mapped(folder: Path, mapping: str, content: str = OWN, options: Options = ANY) -> Batch:
    (folder / "x.csv.map.toml").write_text(mapping, encoding="utf-8")
    return one(folder, content, options)


def test_a_mapping_beside_the_file_names_its_columns(tmp_path):
    batch = mapped(tmp_path, MAPPING)
    assert (batch.kind, batch.coins) == ("candle", "ETH")
    assert values(batch, "high") == [3010 * 10**10]
    assert values(batch, "interval_ms") == [3_600_000]
    assert values(batch, "trades") == [-1]


def test_a_mapping_may_be_named(tmp_path):
    path = tmp_path / "elsewhere.toml"
    path.write_text(MAPPING, encoding="utf-8")
    assert one(tmp_path, OWN, Options(mapping=path)).coins == "ETH"


@pytest.mark.parametrize(
    ("unit", "stamp"),
    [
        ("s", "1757015216.253"),
        ("ms", "1757015216253"),
        ("us", "1757015216253000"),
        ("ns", "1757015216253000000"),
        ("iso", "2025-09-04T21:46:56.253+02:00"),
    ],
)
def test_every_unit_of_time(tmp_path, unit, stamp):
    mapping = f"""
    kind = "bbo"
    coin = "BTC"
    time = "{unit}"
    columns = {{exch = "at", bid_px = "b", bid_sz = "bs", ask_px = "a", ask_sz = "as"}}
    """
    rows = "at,b,bs,a,as\n" + f"{stamp},95000,1,95001,2\n{stamp},95001,1,95001,2\n"
    batch = mapped(tmp_path, mapping, rows + f"{stamp},95002,1,95001,2\n")
    assert values(batch, "exch") == [1_757_015_216_253 * 10**6]
    assert values(batch, "ask_px") == [950_010]
    assert reasons(batch) == ["locked", "crossed"]


def test_a_book_of_fewer_levels(tmp_path):
    mapping = """
    kind = "book"
    coin = "BTC"
    time = "ms"
    levels = 2
    [columns]
    exch = "t"
    bid_px = "bp{level}"
    bid_sz = "bs{level}"
    ask_px = "ap{level}"
    ask_sz = "as{level}"
    """
    header = "t,bp0,bs0,ap0,as0,bp1,bs1,ap1,as1\n"
    good = f"{T0},95000,1,95001,1,94999,1,95002,1\n"
    bad = f"{T0},95000,1,95001,1,95000,1,95002,1\n"
    batch = mapped(tmp_path, mapping, header + good + bad)
    assert values(batch, "bid_px_1") == [949_990]
    assert values(batch, "bid_px_2") == [0]
    assert reasons(batch) == ["non_monotonic"]


def test_funding_and_own_words_for_sides(tmp_path):
    funding = """
    kind = "funding"
    coin = "BTC"
    time = "ms"
    columns = {exch = "t", rate = "r", premium = "p"}
    """
    batch = mapped(tmp_path, funding, f"t,r,p\n{T0},1.25e-05,-0.0001\n")
    assert values(batch, "rate") == [12_500_000]
    assert values(batch, "premium") == [-100_000_000]
    trades = """
    kind = "trade"
    coin = "BTC"
    time = "ms"
    columns = {exch = "t", px = "p", sz = "q", side = "d"}
    sides = {buy = ["long"], sell = ["short"]}
    """
    batch = mapped(tmp_path, trades, f"t,p,q,d\n{T0},95000,1,short\n{T0},95000,1,B\n")
    assert values(batch, "side") == [-1]
    assert reasons(batch) == ["bad_side"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('kind = "candle"', 'kind = "tick"', "kind"),
        ('kind = "candle"', 'kind = "candle"\nsurprise = 1', "surprise"),
        ('interval = "1h"', 'interval = "7m"', "interval"),
        ('low = "Low"', "", "missing.*low"),
        ('low = "Low"', 'low = "Low"\nlower = "Low"', "unknown.*lower"),
        ('low = "Low"', 'low = "Tief"', "missing column.*Tief"),
        ('time = "iso"', 'time = "weeks"', "time"),
        ('coin = "ETH"', "coin = ", "mapping file"),
        ('coin = "ETH"', 'coin = "ETH"\nsha256 = "00"', "64"),
        ('coin = "ETH"', f'coin = "ETH"\nsha256 = "{"0" * 64}"', "SHA-256"),
        ('coin = "ETH"', 'coin = "ETH"\nnetwork = "testnet"', "network"),
    ],
)
def test_a_wrong_mapping_is_refused_by_the_key_at_fault(tmp_path, old, new, says):
    with pytest.raises(DataError) as caught:
        mapped(tmp_path, MAPPING.replace(old, new))
    assert re.search(says, str(caught.value), re.DOTALL), str(caught.value)


def test_the_right_hash_and_network_are_accepted(tmp_path):
    told = f'sha256 = "{hashlib.sha256(OWN.encode()).hexdigest()}"\nnetwork = "testnet"\n'
    batch = mapped(tmp_path, told + MAPPING, options=Options(network="testnet"))
    assert batch.rows_in == 1


@pytest.mark.parametrize("head", [b"", b"\x80\x04\x95", b"\x93NUMPY", b"a,b\n1,2\n", b"hello"])
def test_what_is_no_table_of_ours_is_not_recognised(tmp_path, head):
    path = tmp_path / "x.npy"
    path.write_bytes(head)
    assert [importer.recognise(path, head) for importer in own_importers(BTC)] == [None, None]
