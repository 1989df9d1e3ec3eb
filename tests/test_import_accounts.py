"""Importers of account histories: recorded counts, and planted defects one by one."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.importers.account import HEADERS
from hatmanifesto.store.importers.fill_rows import fill_row
from hatmanifesto.store.importers.rowwise import (
    SetAside,
    made_id,
    near,
    number,
    stamp_iso,
    stamp_ms,
)
from tests.import_cases import read, write

FILL: dict[str, Any] = {
    "coin": "BTC",
    "px": "63614.0",
    "sz": "0.00031",
    "side": "B",
    "time": 1781326295955,
    "startPosition": "0.0",
    "dir": "Open Long",
    "closedPnl": "0.0",
    "hash": "0x33",
    "oid": 467314605340,
    "crossed": False,
    "fee": "0.002958",
    "tid": 205791279505247,
    "feeToken": "USDC",
    "twapId": None,
}
CSV_FILL = (
    "fill-1,1781326295955,1781326295955,2026-06-13T12:51:35.955000+08:00,BTC,Open Long,B,63614.0,"
    "0.00031,0.0,0.0,0.002958,USDC,,467314605340,205791279505247,0x33,False,"
)
CSV_PAYMENT = (
    "funding-1,1781326800006,1781326800006,2026-06-13T13:00:00.006000+08:00,0x0,BTC,-0.000246,"
    "0.00031,0.0000125,,funding"
)
VAULT_ROW: dict[str, Any] = {
    **{name: FILL[name] for name in ("coin", "side", "time", "dir", "hash", "oid", "crossed")},
    "px": 3317.940724769,
    "sz": 95.3766,
    "startPosition": 95.3766,
    "fee": 142.404246,
    "closedPnl": -83668.0994580001,
    "tid": 7,
    "feeToken": "USDC",
    "twapId": None,
    "vault": "0x85",
    "liquidation": None,
    "cloid": None,
}
VAULT_ORDER = (
    "coin px sz side time startPosition dir closedPnl hash oid crossed fee tid feeToken twapId "
    "vault liquidation cloid"
).split()


# Recorded files -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("hl_account/account_fills_2026-06.csv", "fill", 182),
        ("hl_account/account_fills_2026-07.csv", "fill", 141),
        ("hl_account/account_funding_2026-06.csv", "payment", 291),
        ("hl_account/account_funding_2026-07.csv", "payment", 286),
        ("hl_account/account_ledger_2026-06.csv", "ledger", 2),
        ("hl_account/account_ledger_2026-07.csv", "ledger", 2),
        ("hl_account/liquidation_fills_quasareum.csv.gz", "liquidation", 12_283),
        ("hl_account/vault_portfolio.parquet", "portfolio", 22_250),
        ("hl_trades_2023/non_mm_trades.csv.gz", "fill", 35_691),
        ("hl_trades_2023/liquidations.csv", "liquidation", 62),
        ("hl_trades_2023/non_mm_ledger_updates.csv.gz", "ledger", 560),
    ],
)
@pytest.mark.slow
def test_every_recorded_row_is_accepted(
    shared_data: Path, name: str, kind: str, count: int
) -> None:
    found = read(shared_data / name)
    assert {key: (rows.accepted, rows.rejected) for key, rows in found.items()} == {
        kind: (count, [])
    }


def test_stamps_of_the_account_are_utc(shared_data: Path) -> None:
    fills = read(shared_data / "hl_account/account_fills_2026-06.csv")["fill"]
    assert fills.columns["exch"][0] == 1_781_326_295_955_000_000
    assert set(fills.columns["user"]) == {"account"}
    assert sum(text != "" for text in fills.columns["liquidation"]) == 1


@pytest.mark.slow
def test_vault_fills_are_all_kept_and_their_averages_are_exact(shared_data: Path) -> None:
    fills = read(shared_data / "hl_account/vault_fills.parquet")["fill"]
    assert (fills.accepted, fills.rejected) == (95_656, [])
    extra = [text for text in fills.columns["extra"] if text]
    assert len(extra) == 113  # sums with the noise of doubles
    assert not any('"px"' in text for text in extra)
    assert len(set(zip(fills.columns["user"], fills.columns["tid"], strict=True))) == 95_656


@pytest.mark.slow
def test_made_ids_of_2023_are_unique_and_negative(shared_data: Path) -> None:
    fills = read(shared_data / "hl_trades_2023/non_mm_trades.csv.gz")["fill"]
    assert len(set(fills.columns["tid"])) == fills.accepted
    assert max(fills.columns["tid"]) < 0
    assert fills.columns["px"][0] == 1655_5 * 10**9


# Planted defects ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"newField": 1}, "unknown_field"),
        ({"side": "X"}, "bad_side"),
        ({"side": None}, "null"),
        ({"px": "NaN"}, "not_finite"),
        ({"px": float("inf")}, "not_finite"),
        ({"px": "1_000"}, "off_grid"),
        ({"px": "٣"}, "off_grid"),
        ({"px": True}, "off_grid"),
        ({"px": "0.0"}, "non_positive"),
        ({"sz": "-1.0"}, "non_positive"),
        ({"sz": "0.0"}, "non_positive"),
        ({"sz": "92233720369.0"}, "off_grid"),
        ({"px": None}, "null"),
        ({"tid": None}, "null"),
        ({"fee": None}, "null"),
        ({"oid": 1.5}, "off_grid"),
        ({"time": 1_781_326_295}, "bad_stamp"),
        ({"time": 1_781_326_295_955_000_000}, "bad_stamp"),
        ({"time": "noon"}, "bad_stamp"),
        ({"crossed": "yes"}, "null"),
        ({"dir": ["Open Long"]}, "null"),
        ({"coin": {}}, "null"),
    ],
)
def test_a_fault_of_a_fill_is_named(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(SetAside) as caught:
        fill_row("0xa", {**FILL, **change}, row=0)
    assert caught.value.reason == reason


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(SetAside) as caught:
        fill_row("0xa", {**FILL, "surprise": "0.0"}, row=0)
    assert "surprise" in caught.value.detail


def test_what_no_column_holds_is_kept_word_for_word() -> None:
    fill = {**FILL, "startPosition": "1699341329.5351579189", "deployerFee": "0.01"}
    _, row = fill_row("0xa", fill, row=0)
    assert row["start_position"] == 169_934_132_953_515_792
    assert row["extra"] == '{"deployerFee":"0.01","startPosition":"1699341329.5351579189"}'


def test_a_settlement_may_have_no_price() -> None:
    _, row = fill_row("0xa", {**FILL, "dir": "Settlement", "px": "0.0"}, row=0)
    assert row["px"] == 0


def test_numbers_are_exact_or_say_so() -> None:
    assert number("1e-05", 8) == 1_000
    assert number(0.1, 8) == 10_000_000
    assert near("0.00000000015", 10) == (2, False)
    assert near("0.00000000025", 10) == (2, False)
    assert near("-9223372036854775807", 0) == (-(2**63) + 1, True)
    for text in ("9223372036854775808", "1e999"):
        with pytest.raises(SetAside, match="off_grid"):
            near(text, 0)


def test_stamps_know_their_zone() -> None:
    assert stamp_iso("2023-09-16T09:00:01.039593170") == 1_694_854_801_039_593_170
    assert stamp_iso("2026-06-13T12:51:35.955000+08:00") == stamp_ms(1_781_326_295_955)
    for text in ("2023-02-30T00:00:00Z", "2023-02-01", "1999-01-01T00:00:00Z", None, 5):
        with pytest.raises(SetAside, match="bad_stamp"):
            stamp_iso(text)


def test_made_ids_differ_by_second_and_row() -> None:
    assert len({made_id(exch * 10**9, row) for exch in (10, 11) for row in (0, 1)}) == 4


def test_a_csv_fault_sets_its_row_aside(tmp_path: Path) -> None:
    faults = [
        (CSV_FILL.replace("12:51:35", "12:51:36"), "bad_stamp"),
        (CSV_FILL.replace(",B,", ",Q,"), "bad_side"),
        (CSV_FILL.replace("False", "maybe"), "null"),
        (CSV_FILL.replace("63614.0", "nan"), "not_finite"),
        (CSV_FILL + ",one too many", "truncated"),
    ]
    lines = [",".join(HEADERS["fill"]), *(line for line, _ in faults), CSV_FILL]
    fills = read(write(tmp_path / "fills.csv", lines))["fill"]
    assert [reject.reason for reject in fills.rejected] == [reason for _, reason in faults]
    assert fills.columns["row"] == [len(faults)]
    assert "12:51:36" in fills.rejected[0].text


def test_an_average_of_hours_is_no_payment(tmp_path: Path) -> None:
    lines = [
        ",".join(HEADERS["payment"]),
        CSV_PAYMENT.replace(",,funding", ",24,funding"),
        CSV_PAYMENT.replace(",,funding", ",,rebate"),
        CSV_PAYMENT,
    ]
    payments = read(write(tmp_path / "funding.csv", lines))["payment"]
    assert payments.reasons == {"aggregated": 1, "foreign": 1}
    assert payments.columns["usdc"] == [-24_600]
    assert payments.columns["rate"] == [12_500_000]


@pytest.mark.parametrize("cut", ["fill-2,1781326295955", '"open quote'])
def test_a_torn_csv_is_refused(tmp_path: Path, cut: str) -> None:
    lines = [",".join(HEADERS["fill"]), CSV_FILL, cut]
    with pytest.raises(DataError, match="torn tail"):
        read(write(tmp_path / "fills.csv.gz", lines, end=""))


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    lines = [",".join(HEADERS["fill"]), *[CSV_FILL.replace("fill-1", f"f{n}") for n in range(999)]]
    path = write(tmp_path / "fills.csv.gz", lines)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="truncated"):
        read(path)


def test_2023_faults_are_named(tmp_path: Path) -> None:
    lines = [
        "time,user,coin,side,px,sz,crossed",
        "2023-02-27T15:02:26Z,0xa,ETH,Ask,1655.5,0.0452,true",
        "2023-02-27 15:02:26Z,0xa,ETH,Ask,1655.5,0.0452,true",
        "2023-02-27T15:02:26Z,0xa,ETH,Sell,1655.5,0.0452,true",
        "2023-02-27T15:02:26Z,0xa,ETH,Ask,-1,0.0452,true",
        "2023-02-27T15:02:26Z,,ETH,Ask,1,0.0452,true",
    ]
    fills = read(write(tmp_path / "trades.csv", lines))["fill"]
    assert fills.reasons == {"bad_stamp": 1, "bad_side": 1, "non_positive": 1, "null": 1}
    assert (fills.columns["side"], fills.columns["crossed"]) == ([-1], [1])


def vault_file(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write vault fills as the recording has them."""
    pq.write_table(pa.table({name: [row[name] for row in rows] for name in VAULT_ORDER}), path)
    return path


def test_vault_faults_are_named_and_noise_is_kept(tmp_path: Path) -> None:
    rows = [
        VAULT_ROW,
        {**VAULT_ROW, "px": float("nan")},
        {**VAULT_ROW, "sz": -1.0},
        {**VAULT_ROW, "side": "?"},
        {**VAULT_ROW, "vault": None},
    ]
    fills = read(vault_file(tmp_path / "vaults.parquet", rows))["fill"]
    assert [reject.reason for reject in fills.rejected] == [
        "not_finite",
        "non_positive",
        "bad_side",
        "null",
    ]
    assert fills.columns["px"] == [33_179_407_247_690]
    assert fills.columns["closed_pnl"] == [-8_366_809_945_800]
    assert fills.columns["extra"] == ['{"closedPnl":"-83668.0994580001"}']


def test_a_cut_parquet_file_is_nobodys(tmp_path: Path) -> None:
    path = vault_file(tmp_path / "vaults.parquet", [VAULT_ROW])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="not enough values"):
        read(path)
