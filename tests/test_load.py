"""Stored rows come out for people: exact, chosen, lazy, and refused in words."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hatmanifesto.apps.data import import_paths
from hatmanifesto.apps.data_export import export_dataset
from hatmanifesto.data import load
from hatmanifesto.domain.errors import DataError, UsageError
from hatmanifesto.store.dataset import resolve


def test_quotes_are_the_doubles_nearest_to_the_stored_decimals(tmp_path: Path) -> None:
    frame = load("sample", "bbo", "BTC", home=tmp_path)
    shown, stored = frame.polars(), frame.polars(exact=True)
    assert shown.height == stored.height == frame.rows
    assert np.array_equal(shown["bid_px"].to_numpy(), stored["bid_px"].to_numpy() / 10)
    assert np.array_equal(shown["bid_sz"].to_numpy(), stored["bid_sz"].to_numpy() / 10**5)
    assert stored["exch"].dtype.is_integer()
    assert shown["exch"].dtype.is_temporal()


def test_only_the_chosen_columns_and_times_come(tmp_path: Path) -> None:
    whole = load("sample", "trade", "ETH", home=tmp_path).numpy(exact=True)
    middle = int(whole["exch"][len(whole["exch"]) // 2])
    text = datetime.fromtimestamp(middle // 10**9, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    late = load("sample", "trade", "ETH", columns=("px", "sz"), start=text, home=tmp_path)
    table = late.arrow(exact=True)
    assert table.column_names == ["px", "sz"]
    assert table.num_rows == int((whole["exch"] >= middle // 10**9 * 10**9).sum())
    early = load("sample", "trade", "ETH", end=text, home=tmp_path).arrow()
    assert early.num_rows + table.num_rows == len(whole["exch"])


def test_the_schema_says_which_decimals_an_integer_counts(tmp_path: Path) -> None:
    schema = load("sample", "bbo", "ETH", home=tmp_path).arrow(exact=True).schema
    assert schema.field("ask_px").metadata == {b"decimals": b"2"}
    assert schema.field("ask_sz").metadata == {b"decimals": b"4"}


def test_books_of_a_coin_equal_the_engines_own_reading(tmp_path: Path) -> None:
    snapshot = resolve("sample", tmp_path).snapshots[0]
    columns = snapshot.columns("book", "BTC", ("exch", "bid_px_0", "ask_sz_19"))
    table = load("sample", "book", "BTC", home=tmp_path).arrow(exact=True)
    for name, values in columns.items():
        assert np.array_equal(table[name].to_numpy(), values)


def test_what_does_not_exist_is_named(tmp_path: Path) -> None:
    for arguments, error, words in (
        (("sample", "news", "BTC"), UsageError, "no kind 'news'"),
        (("sample", "bbo", "DOGE"), DataError, "no bbo rows of DOGE"),
        (("nothing", "bbo", "BTC"), DataError, "no dataset nothing"),
    ):
        with pytest.raises(error, match=words):
            load(*arguments, home=tmp_path).arrow()
    with pytest.raises(UsageError, match="no column 'price'"):
        load("sample", "bbo", "BTC", columns=("price",), home=tmp_path)
    with pytest.raises(UsageError, match=r"(?i)zone|time"):
        load("sample", "bbo", "BTC", start="2026-01-05T00:00:00", home=tmp_path)


def test_nothing_is_read_before_a_table_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def spy(path: Path, kind: str, names: tuple[str, ...]) -> pa.Table:
        read.append(path.name)
        return pa.table({name: pa.array([], type=pa.int64()) for name in names})

    monkeypatch.setattr("hatmanifesto.data.frame.read_arrow", spy)
    frame = load("sample", "bbo", "BTC", columns=("bid_px",), home=tmp_path)
    assert frame.rows > 0
    assert read == []
    frame.arrow()
    assert len(read) == 1


def test_what_a_source_did_not_tell_is_null_and_never_zero(tmp_path: Path) -> None:
    page = tmp_path / "SOL_fundingHistory_api.json"
    told = {"coin": "SOL", "fundingRate": "0.0000001", "premium": "0.0003", "time": 1735675200076}
    page.write_text(json.dumps([told]), encoding="utf-8")
    import_paths([page], dataset="told", home=tmp_path)
    assert load("told", "funding", "SOL", home=tmp_path).polars()["premium"].to_list() == [0.0003]
    table = pa.table(
        {
            "coin": ["XRP"],
            "time": pa.array([1735675200076000000], type=pa.timestamp("ns", tz="UTC")),
            "funding_rate": [0.0000001],
        }
    )
    pq.write_table(table, tmp_path / "XRP-1h-funding.parquet")
    import_paths([tmp_path / "XRP-1h-funding.parquet"], dataset="untold", home=tmp_path)
    rows = load("untold", "funding", "XRP", columns=("rate", "premium"), home=tmp_path).polars()
    assert rows.columns == ["rate", "premium"]
    assert rows.rows() == [(1e-7, None)]
    done = export_dataset("untold", tmp_path, kind="funding", coin="XRP", form="csv", out="xrp.csv")
    line = Path(done["path"]).read_text(encoding="utf-8").splitlines()[1]
    assert "0.0000001" in line
    assert "E-" not in line
    assert line.split(",")[4] == ""
