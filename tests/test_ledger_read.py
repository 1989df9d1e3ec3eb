"""The ledger is read back exactly, from both of its files, and a planted fault is named."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.analytics.fold import FillRow, RunFacts
from hatmanifesto.analytics.mids import Mids
from hatmanifesto.apps.report_build import RunIdentity, ledger_of
from hatmanifesto.domain.errors import MismatchError
from hatmanifesto.domain.events import FundingPaid, FundingUnknown
from hatmanifesto.domain.records import Signal
from hatmanifesto.domain.units import NS_S
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.store.ledger_columns import COLUMNS, NAMES, Row
from hatmanifesto.store.ledger_file import ledger_csv, ledger_parquet
from hatmanifesto.store.ledger_read import (
    facts_of,
    first_difference,
    read_ledger_csv,
    read_ledger_parquet,
)

T0 = 1_756_987_200 * NS_S
ASSETS = (PERPS["BTC"], PERPS["ETH"], PERPS["DOGE"])
MIDS = {
    slot: Mids(np.array([T0 - 5], dtype=np.int64), np.array([2_000_001], dtype=np.int64))
    for slot in range(len(ASSETS))
}

stamps = st.integers(T0, T0 + 10**13)
positive = st.integers(1, 10**6)
fills = st.builds(
    FillRow,
    ts=stamps,
    recv=stamps,
    intent=st.integers(1, 10**6),
    tid=st.integers(0, 2**62),
    book=st.integers(0, 2),
    coin=st.integers(0, len(ASSETS) - 1),
    slot=st.integers(0, 5),
    side=st.sampled_from((-1, 1)),
    px=positive,
    sz=positive,
    fee=st.integers(-(10**9), 10**9),
    is_taker=st.booleans(),
    is_gap=st.booleans(),
    mid2_decision=st.integers(0, 10**7),
    placed_now=stamps,
    sz_order=positive,
    px_order=positive,
    signal=st.integers(0, 10**6),
    regime=st.integers(0, 9),
)
payments = st.builds(
    FundingPaid,
    coin=st.integers(0, len(ASSETS) - 1),
    szi=st.integers(-(10**6), 10**6),
    oracle=st.integers(0, 10**15),
    rate=st.integers(-(10**8), 10**8),
    usdc=st.integers(-(10**9), 10**9),
    exch=stamps,
    recv=stamps,
)
unknowns = st.builds(
    FundingUnknown,
    coin=st.integers(0, len(ASSETS) - 1),
    szi=st.integers(-(10**6), 10**6),
    exch=stamps,
    recv=stamps,
)


def facts(
    rows: Sequence[FillRow],
    paid: Sequence[FundingPaid] = (),
    unknown: Sequence[FundingUnknown] = (),
    signals: Sequence[Signal] = (),
) -> RunFacts:
    """Return the facts of a run that has only these, in order of their stamps."""
    return RunFacts(
        header="{}",
        fills=tuple(sorted(rows, key=lambda row: row.ts)),
        orders=len(rows),
        cancels=0,
        cancels_refused=0,
        statuses=(),
        refusals=(),
        vetoes=(),
        funding=tuple(sorted(dict.fromkeys(paid), key=lambda event: event.exch)),
        funding_unknown=tuple(sorted(dict.fromkeys(unknown), key=lambda event: event.exch)),
        gaps=(),
        margin_called=None,
        ended="end",
        rows=0,
        start=0,
        end=0,
        signals=tuple(signals),
        rested={row.intent: row.ts - 3 for row in rows[::2]},
    )


def rows_of(told: RunFacts) -> list[Row]:
    identity = RunIdentity(ASSETS, ["maker", "carry"], 650 * 10**6, 7, "r", "REP", None, ["ab", ""])
    return ledger_of(told, MIDS, identity)


@given(st.lists(fills, max_size=8), st.lists(payments, max_size=4), st.lists(unknowns, max_size=2))
def test_what_is_written_is_read_back_exactly(
    rows: list[FillRow], paid: list[FundingPaid], unknown: list[FundingUnknown]
) -> None:
    told = facts(rows, paid, unknown)
    ledger = rows_of(told)
    assert read_ledger_csv(ledger_csv(ledger)) == ledger
    assert read_ledger_parquet(ledger_parquet(ledger)) == ledger
    read = facts_of(ledger, ASSETS)
    assert (read.fills, read.funding, read.funding_unknown) == (
        told.fills,
        told.funding,
        told.funding_unknown,
    )


FILL = FillRow(T0, T0 + 9, 4, 7, 0, 0, 1, 1, 1_112_000, 90, 15, False, False, 0, T0 - 5, 90, 10**6)
PAID = FundingPaid(0, 90, 10**15, 125_000, -12, T0 + NS_S, T0 + NS_S)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("side", "long"),
        ("qty", "0"),
        ("qty", "0.000001"),
        ("price", "1e5"),
        ("price", ""),
        ("fee", "nan"),
        ("fee", "0.0000001"),
        ("symbol", "XRP"),
        ("reason_code", "gift"),
        ("maker_flag", "yes"),
        ("latency_ms", ""),
        ("decision_mid", "1.23"),
        ("order_qty", "-1"),
        ("ts_ns", "12"),
    ],
)
def test_a_cell_that_cannot_have_been_written_is_named(name: str, text: str) -> None:
    rows = rows_of(facts([FILL._replace(ts=T0 - 1), FILL]))
    rows[1][name] = text
    with pytest.raises(MismatchError, match=f"row 2: {name}"):
        facts_of(rows, ASSETS)


def test_shares_of_funding_that_do_not_add_up_are_refused() -> None:
    rows = rows_of(facts([FILL, FILL._replace(book=1)], [PAID]))
    paid = [row for row in rows if row["reason_code"] == "funding"]
    assert [row["book"] for row in paid] == ["0", "1"]
    assert {row["funding_account"] for row in paid} == {"-0.000012"}
    paid[0]["funding"] = "-0.000007"
    with pytest.raises(MismatchError, match="does not add up"):
        facts_of(rows, ASSETS)


def test_a_payment_of_nothing_to_nobody_is_not_lost() -> None:
    nothing = FundingPaid(0, 0, 10**15, 125_000, 0, T0 + NS_S, T0 + NS_S)
    rows = rows_of(facts([], [nothing]))
    assert [row["strategy_name"] for row in rows] == ["house"]
    assert facts_of(rows, ASSETS).funding == (nothing,)


def test_files_of_another_schema_are_refused() -> None:
    rows = rows_of(facts([FILL]))
    content = ledger_csv(rows)
    with pytest.raises(MismatchError, match="schema ledger/2"):
        read_ledger_csv(content.replace(b"order_qty", b"order_size"))
    with pytest.raises(MismatchError, match="row 1"):
        read_ledger_csv(content[:-1] + b",x\n")
    with pytest.raises(MismatchError, match="no Parquet file"):
        read_ledger_parquet(b"PAR1")


def test_the_first_difference_names_row_and_column() -> None:
    rows = rows_of(facts([FILL, FILL._replace(ts=T0 + 1)]))
    other = [dict(row) for row in rows]
    assert first_difference(rows, other) == ""
    other[1]["fee"] = "1"
    assert first_difference(rows, other) == "row 2: fee is 0.000015, expected 1"
    assert first_difference(rows, other, ["qty"]) == ""
    assert first_difference(rows[:1], rows) == "row 2: 1 rows, expected 2"


def test_an_order_tells_what_it_acted_on_and_when_it_rested() -> None:
    told = FILL._replace(signal=12, regime=4)
    signal = Signal(12, 0, 0, -1.5e-7, NS_S, T0, "ab", 4, T0)
    row = rows_of(facts([told], signals=[signal]))[0]
    assert (row["signal_id"], row["signal_value"]) == ("12", "-1.5e-07")
    assert row["regime_label"] == "wild falling"
    assert row["arrived_ns"] == str(T0 - 3)
    assert row["arrival_mid"] == "100000.05"
    assert read_ledger_parquet(ledger_parquet([row])) == [row]


def test_the_quoted_spread_is_that_of_the_mid_before_the_fill() -> None:
    identity = RunIdentity(ASSETS, ["maker"], 650 * 10**6, 7, "r", "REP")
    ticks = np.array([T0 - 9, T0, T0 + 5], dtype=np.int64)
    mids = {0: Mids(ticks, np.array([2_000_000, 2_000_000, 2_000_000], dtype=np.int64))}
    spreads = {0: np.array([50, 70, 90], dtype=np.int64)}
    told = facts([FILL, FILL._replace(ts=T0 + 9, is_gap=True), FILL._replace(ts=T0 - 99)])
    rows = ledger_of(told, mids, identity, spreads=spreads)
    assert [row.get("spread_bps") for row in rows] == [None, "0.5", None]
    assert "spread_bps" not in rows_of(told)[1]


def test_what_is_not_known_is_an_empty_cell() -> None:
    row = rows_of(facts([FILL]))[0]
    unknown = "cloid leverage margin_used retry_count error_code decision_mid funding".split()
    assert [name for name in unknown if name in row] == []
    assert set(row) <= set(NAMES)
    assert row["model_version"] == "ab"
    assert len({name for name, _ in COLUMNS}) == len(COLUMNS)
