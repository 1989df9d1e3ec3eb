"""Candles, contexts and funding on the tape: what is told, when, and in which order."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.apps.data import open_dataset
from hatmanifesto.domain.asset import grid_step
from hatmanifesto.domain.candles import HALF_SPREAD, ask_over, bid_under
from hatmanifesto.domain.enums import Evidence, RowKind
from hatmanifesto.domain.errors import DataError, UsageError
from hatmanifesto.domain.rows import COIN, EXCH, GAP_REASONS, KIND, NEVER_AGAIN, A, B, C, Row
from hatmanifesto.domain.units import NS_HOUR, NS_S
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.store.bars import grid_steps, units_of
from hatmanifesto.store.context_rows import ctx_rows, funding_rows
from hatmanifesto.store.series import TICKS, choose_interval, intervals_of, known_coins
from hatmanifesto.store.tape import ParquetTape
from tests.candle_files import START_NS, Bar, at, put, walk, write_candles, write_funding
from tests.recorder_files import START_MS, Recording

GAP, BAR, BBO = RowKind.GAP, RowKind.BAR, RowKind.BBO
DAY = [
    Bar(0, 100_000.0, 100_200.0, 99_900.0, 100_100.0, 12.34567),
    Bar(1, 100_150.0, 100_300.0, 100_000.0, 100_250.0, 0.0),
    Bar(4, 99_000.0, 99_500.0, 98_000.0, 98_500.0, 30.0),
    Bar(5, 98_500.0, 98_700.0, 98_400.0, 98_600.0, 10.0),
]
"""Bars of BTC; two are missing."""


def rows_of(tape: ParquetTape) -> list[Row]:
    return [row for chunk in tape.chunks() for row in chunk.rows]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with candles of two coins, funding of one, ticks of another, and 4 h bars."""
    root = tmp_path_factory.mktemp("candles")
    btc = write_candles(root / "a", "BTC", DAY)
    eth = write_candles(root / "a", "ETH", walk(3, first=4, px=2_000.0))
    put(root, "bars", btc, eth)
    put(root, "rest", write_candles(root / "b", "BTC", walk(2, first=8)))
    rates = [(0, 0.0001), (3_600_029, 0.0000125), (4 * 3_600_000, -0.00001), (6 * 3_600_000, 0.0)]
    put(root, "paid", write_funding(root / "c", "BTC", rates))
    put(root, "wide", write_candles(root / "d", "BTC", walk(2), interval="4h"))
    put(root, "ticks", Recording(20).write(root / "e", coin="SOL"))
    return root


def bars(home: Path, spec: str = "bars", **how: Any) -> ParquetTape:
    return ParquetTape(open_dataset(spec, home), **how)


def test_each_boundary_is_a_bar_for_the_venue_and_then_a_quote(home: Path) -> None:
    tape = bars(home, coins=("BTC",))
    assert tape.interval == "1h"
    half = {"half_spread": HALF_SPREAD, "px_one": 10}
    found = [row[:2] + row[4:] if row[KIND] != BBO else row[:2] + row[4:8] for row in rows_of(tape)]

    def quote(px: int, sz: int) -> tuple[int, ...]:
        return (BBO, 0, bid_under(px, **half), sz, ask_over(px, **half), sz)

    assert found == [
        (BAR, 0, 0, 0, 1_000_000, 1_234_567, 0),
        (BAR, 0, 1_002_000, 999_000, 1_001_500, 0, 1_234_567),
        quote(1_001_000, 123_456),
        (BAR, 0, 1_003_000, 1_000_000, 0, 0, 0),
        quote(1_002_500, 1),
        (GAP, 0, at(2), at(4), GAP_REASONS.index("silence"), 0, -1),
        (BAR, 0, 0, 0, 990_000, 3_000_000, 0),
        (BAR, 0, 995_000, 980_000, 985_000, 1_000_000, 3_000_000),
        quote(985_000, 300_000),
        (BAR, 0, 987_000, 984_000, 0, 0, 1_000_000),
        quote(986_000, 100_000),
    ]
    stamps = [at(hour) for hour in (0, 1, 1, 2, 2, 4, 4, 5, 5, 6, 6)]
    assert [row[EXCH] for row in rows_of(tape)] == stamps


def test_bars_of_all_coins_come_before_quotes_and_payments_last(home: Path) -> None:
    rows = rows_of(bars(home, "bars,paid"))
    five = [(row[KIND], row[COIN]) for row in rows if row[EXCH] == at(5)]
    assert five == [(BAR, 0), (BAR, 1), (BBO, 0), (BBO, 1)]
    four = [(row[KIND], row[COIN]) for row in rows if row[EXCH] == at(4)]
    assert four == [(GAP, 0), (BAR, 0), (BAR, 1), (RowKind.FUNDING, 0)]


def test_coins_are_listed_and_end_when_they_do(home: Path) -> None:
    rows = [row for row in rows_of(bars(home)) if row[COIN] == 1]
    assert (rows[0][EXCH], rows[-1][EXCH]) == (at(4), at(7))
    last = next(row for row in rows if row[KIND] == BAR and row[EXCH] == at(7))
    assert last[C : C + 2] == (0, 0), "after its last bar nothing of the coin can trade"


def test_a_coin_that_ends_before_the_others_is_marked_and_named(tmp_path: Path) -> None:
    btc = write_candles(tmp_path / "a", "BTC", walk(60))
    eth = write_candles(tmp_path / "a", "ETH", walk(60 - 25, px=2_000.0))
    sol = write_candles(tmp_path / "a", "SOL", walk(60 - 24, px=2_000.0))
    put(tmp_path, "bars", btc, eth, sol)
    tape = ParquetTape(open_dataset("bars", tmp_path), coins=("BTC", "ETH", "SOL"))
    bars = [row for row in rows_of(tape) if row[KIND] == BAR]
    last = [[row for row in bars if row[COIN] == slot][-1] for slot in range(3)]
    assert [row[C] for row in last] == [0, NEVER_AGAIN, 0]
    (named,) = [text for text in tape.assumed if text.startswith("delisting: ")]
    assert named.startswith("delisting: ETH end")
    alone = ParquetTape(open_dataset("bars", tmp_path), coins=("ETH",))
    assert not [text for text in alone.assumed if text.startswith("delisting: ")]


def test_a_window_knows_nothing_beyond_it_but_the_bar_under_way(home: Path) -> None:
    tape = bars(home, coins=("BTC",), start_ns=at(1), end_ns=at(5))
    assert (tape.start_ns, tape.end_ns) == (at(1), at(4))
    assert rows_of(tape) == [
        row for row in rows_of(bars(home, coins=("BTC",))) if at(1) <= row[EXCH] < at(5)
    ]


def test_payments_keep_their_stamp_and_those_before_and_after_the_bars_are_left_out(
    home: Path,
) -> None:
    rows = rows_of(bars(home, "bars,paid", coins=("BTC",)))
    paid = [(row[EXCH], *row[4:]) for row in rows if row[KIND] == RowKind.FUNDING]
    assert paid == [
        (START_NS, 1_000_000, 1, 0, 0, -1),
        (at(1) + 29_000_000, 125_000, 1, 0, 0, -1),
        (at(4), -100_000, 1, 0, 0, -1),
    ], "that of hour 6 comes after the last bar"
    short = rows_of(bars(home, "bars,paid", coins=("BTC",), start_ns=at(2), end_ns=at(6)))
    assert [row[EXCH] for row in short if row[KIND] == RowKind.FUNDING] == [at(4)]


def test_a_pause_between_two_sets_of_candles_is_a_session(home: Path) -> None:
    gaps = bars(home, "bars,rest", coins=("BTC",)).gap_rows()
    assert [(row[A], row[B], GAP_REASONS[row[C]]) for row in gaps] == [
        (at(2), at(4), "silence"),
        (at(6), at(8), "session"),
    ]


def test_repeats_keep_hours_and_are_parted_by_holes(home: Path) -> None:
    tape = bars(home, "bars,paid", coins=("BTC",), repeat=2)
    rows = rows_of(tape)
    assert len(rows) == tape.rows_total
    assert tape.shift_ns % NS_HOUR == 0
    assert [GAP_REASONS[row[C]] for row in tape.gap_rows()] == ["silence", "session", "silence"]


def test_mids_are_those_of_the_quotes(home: Path) -> None:
    stamps, mids2 = bars(home, coins=("BTC",)).mids(0)
    assert stamps.tolist() == [at(hour) for hour in (1, 2, 5, 6)]
    assert mids2.tolist() == [2 * px for px in (1_001_000, 1_002_500, 985_000, 986_000)]


def test_what_is_lacking_is_named_coin_by_coin(home: Path) -> None:
    tape = bars(home, "bars,paid")
    texts = {text.partition(":")[0]: text for text in tape.assumed}
    assert tape.evidence == Evidence.ASSUMED
    assert texts["funding"] == "funding: unknown for ETH"
    assert texts["oracle"] == "oracle: mid"
    assert texts["mark"] == "mark: mid"
    assert texts["spread"].startswith("spread: half spread of 2 bps assumed")
    assert texts["fills inside a bar"].startswith("fills inside a bar: at most 10 %")
    wide = bars(home, "bars,paid", coins=("BTC",), half_spread=12_345)
    assert any("half spread of 1.2345 bps" in text for text in wide.assumed)
    assert not any(text.startswith("funding: unknown") for text in wide.assumed)


def test_ticks_keep_their_evidence_and_may_have_funding(home: Path) -> None:
    tape = bars(home, "ticks")
    assert (tape.interval, tape.evidence) == (TICKS, Evidence.REP)
    assert "funding: unknown" in tape.assumed


# -- one kind of market rows a run -----------------------------------------------------------------


def test_one_run_plays_ticks_or_candles(home: Path) -> None:
    both = open_dataset("bars,ticks,wide", home)
    assert choose_interval(both, ("SOL",)) == TICKS
    assert choose_interval(both, ("BTC",)) == "1h"
    assert choose_interval(both, ("BTC",), asked="4h") == "4h"
    assert intervals_of(both, "BTC") == ("1h", "4h")
    with pytest.raises(UsageError, match="ticks or candles, not both"):
        choose_interval(both, ("BTC", "SOL"))
    with pytest.raises(UsageError, match="no 1h candles of SOL") as caught:
        choose_interval(both, ("BTC", "SOL"), asked="1h")
    assert "SOL has ticks" in caught.value.why


def test_coins_with_candles_of_other_lengths_are_refused(home: Path, tmp_path: Path) -> None:
    put(home, "quarter", write_candles(tmp_path / "v", "ETH", walk(2), interval="15m"))
    both = open_dataset("wide,quarter", home)
    with pytest.raises(UsageError, match="no candles of one length") as caught:
        choose_interval(both, ("ETH", "BTC"))
    assert caught.value.why == "ETH: 15m; BTC: 4h"


def test_only_the_longest_that_is_left_is_taken_when_none_is_short(home: Path) -> None:
    assert choose_interval(open_dataset("wide", home), ("BTC",)) == "4h"


def test_a_coin_with_nothing_to_trade_is_refused(home: Path) -> None:
    with pytest.raises(DataError, match="neither books nor candles of BTC"):
        bars(home, "paid", coins=("BTC",))
    assert known_coins(open_dataset("bars,paid,ticks", home)) == (("BTC", "ETH", "SOL"), ())


# -- overlap ---------------------------------------------------------------------------------------


def test_datasets_may_overlap_unless_they_hold_one_series(home: Path, tmp_path: Path) -> None:
    assert len(open_dataset("bars,paid,wide,ticks,rest", home).snapshots) == 5
    put(home, "again", write_candles(tmp_path / "x", "BTC", walk(3, first=5)))
    with pytest.raises(DataError, match="overlap in time: both hold 1h candle of BTC"):
        open_dataset("bars,paid,again", home)
    put(home, "twice", Recording(20, start_ms=START_MS + 100).write(tmp_path / "y", coin="SOL"))
    with pytest.raises(DataError, match="both hold ticks of SOL"):
        open_dataset("ticks,twice", home)


def test_pauses_are_those_of_the_coins_own_ticks(home: Path, tmp_path: Path) -> None:
    later = START_MS + 3_600_000
    put(home, "later", Recording(20, start_ms=later).write(tmp_path / "z", coin="SOL"))
    between = Recording(20, start_ms=START_MS + 1_800_000).write(tmp_path / "w", coin="ETH")
    put(home, "between", between)
    tape = bars(home, "ticks,between,later", coins=("SOL", "ETH"))
    assert [(row[COIN], GAP_REASONS[row[C]]) for row in tape.gap_rows()] == [(0, "session")]


# -- units -----------------------------------------------------------------------------------------


def test_prices_finer_than_the_coin_are_rounded_against_us() -> None:
    one = 10**9
    candles = {
        "open": np.asarray([5 * one + 1, 5 * one + 1, 5 * one - 1]),
        "high": np.asarray([9 * one + 1] * 3),
        "low": np.asarray([2 * one + 1] * 3),
        "close": np.asarray([5 * one, 5 * one + 3, 5 * one]),
        "volume": np.asarray([1, 19, 20]),
    }
    units = units_of(PERPS["BTC"], candles, half_spread=0)
    assert units.open.tolist() == [6, 6, 4], "away from the close before it"
    assert (units.high.tolist(), units.low.tolist()) == ([9] * 3, [3] * 3)
    assert (units.bid.tolist(), units.ask.tolist()) == ([5, 5, 5], [5, 6, 5])
    assert units.volume.tolist() == [0, 1, 2]
    assert units.finer == 10


@given(st.lists(st.integers(1, 10**10), min_size=1), st.sampled_from([1, 10, 1_000, 10**6]))
def test_grid_steps_are_those_of_the_asset(prices: list[int], px_one: int) -> None:
    expected = [grid_step(px, px_one) for px in prices]
    assert grid_steps(np.asarray(prices), px_one).tolist() == expected


@given(
    st.lists(st.integers(1, 10**7), min_size=1, max_size=5),
    st.integers(0, 10**7),
    st.sampled_from(["BTC", "ETH", "kPEPE", "SOL"]),
)
def test_quotes_on_the_tape_are_those_of_the_venue(
    closes: list[int], half_spread: int, coin: str
) -> None:
    asset = PERPS[coin]
    px_one = 10**asset.px_decimals
    px = np.asarray(closes) * 10 ** (10 - asset.px_decimals)
    candles = dict.fromkeys(("open", "high", "low", "close"), px)
    units = units_of(asset, {**candles, "volume": px}, half_spread=half_spread)
    how = {"half_spread": half_spread, "px_one": px_one}
    assert units.bid.tolist() == [bid_under(close, **how) for close in closes]
    assert units.ask.tolist() == [ask_over(close, **how) for close in closes]


def test_contexts_tell_what_they_know_and_no_payment() -> None:
    columns = {
        "exch": np.asarray([1, 2, 3, 4]),
        "row": np.arange(4),
        "mark": np.asarray([10, 11, 12, 0]),
        "oracle": np.asarray([20, 21, 22, 0]),
        "premium": np.asarray([-150, 250, 0, 0]),
        "funding": np.asarray([1, 1, 1, 1]),
        "missing": np.asarray(
            ["", "oracle,mid", "mark,impact_bid,premium", "mark,oracle,premium"], dtype=object
        ),
    }
    rows = ctx_rows(3, columns)
    assert [list(row) for row in zip(*rows, strict=True)] == [
        [RowKind.CTX, 3, 1, 10, 20, -1, 1, -1, 0],
        [RowKind.CTX, 3, 2, 11, 0, 2, 1, -1, 1],
        [RowKind.CTX, 3, 3, 0, 22, 0, 0, -1, 2],
    ]


def test_a_payment_is_known_at_its_hour_or_after_it() -> None:
    stamps = [NS_HOUR, NS_HOUR + 29, 2 * NS_HOUR - 1, 2 * NS_HOUR - 61 * NS_S]
    columns = {
        "exch": np.asarray(stamps),
        "row": np.arange(4),
        "rate": np.asarray([12_500_000, -99, 199, 0]),
        "premium": np.asarray([0, -150, 0, 0]),
        "has_premium": np.asarray([0, 1, 1, 0]),
    }
    rows = funding_rows(0, columns)
    assert rows.exch.tolist() == [NS_HOUR, NS_HOUR + 29, 2 * NS_HOUR, stamps[3]]
    assert rows.a.tolist() == [125_000, 0, 1, 0], "cut toward zero"
    assert rows.b.tolist() == [1] * 4
    assert (rows.c.tolist(), rows.d.tolist()) == ([0, -1, 0, 0], [0, 1, 1, 0])
