"""Tapes: venue order, holes as rows, chunks that never split a stamp."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.apps.data import import_paths, open_dataset
from hatmanifesto.domain.enums import RowKind
from hatmanifesto.domain.errors import DataError, EmptyResultError
from hatmanifesto.domain.rows import COIN, EXCH, GAP_REASONS, KIND, RECV, REF, A, B, C, D, Row
from hatmanifesto.store.dataset import Dataset
from hatmanifesto.store.tape import ArrayTape, ParquetTape, _bounds
from tests.recorder_files import START_MS, STEP_MS, Recording, bbo_rows, book_row, trade_row

HOUR_MS = 3_600_000
RANKS = {
    "pessimistic": (RowKind.GAP, RowKind.TRADE, RowKind.BBO, RowKind.L2),
    "optimistic": (RowKind.GAP, RowKind.BBO, RowKind.L2, RowKind.TRADE),
}


def rows_of(tape: ParquetTape | ArrayTape) -> list[Row]:
    return [row for chunk in tape.chunks() for row in chunk.rows]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Return two sessions of BTC and ETH; the first has a hole of 18 s."""
    root = tmp_path_factory.mktemp("tape")
    for name, start in (("early", START_MS), ("late", START_MS + HOUR_MS)):
        for coin in ("BTC", "ETH"):
            recording = Recording(20, start_ms=start)
            for index in range(20) if name == "early" else ():
                stamp = start + 18_000 + (20 + index) * STEP_MS
                recording.books.append(book_row(stamp, sz=2.5))
                recording.bbo += bbo_rows(stamp, sz=2.5)
                recording.trades.append(trade_row(stamp, trade_id=5000 + index))
            recording.write(root / name, coin=coin)
        import_paths([root / name], dataset=name, home=root)
    return open_dataset("early,late", root)


@pytest.mark.parametrize("ties", RANKS)
def test_rows_come_in_venue_order(ties: str, dataset: Dataset) -> None:
    keys = [
        (row[EXCH], RANKS[ties].index(RowKind(row[KIND])), row[COIN])
        for row in rows_of(ParquetTape(dataset, ties=ties))
    ]
    assert keys == sorted(keys)


def test_both_tie_orders_hold_the_same_rows(dataset: Dataset) -> None:
    kinds = [
        sorted((*row[:REF], row[REF] >= 0) for row in rows_of(ParquetTape(dataset, ties=ties)))
        for ties in RANKS
    ]
    assert kinds[0] == kinds[1]


def test_every_kept_row_is_there_once(dataset: Dataset) -> None:
    tape = ParquetTape(dataset)
    expected = sum(one.rows_out - one.set_aside.get("backlog", 0) for one in dataset.manifests)
    rows = rows_of(tape)
    assert len(rows) == tape.rows_total == expected + len(tape.gap_rows())
    assert all(row[RECV] == row[EXCH] for row in rows)
    assert (tape.start_ns, tape.end_ns) == (rows[0][EXCH], rows[-1][EXCH])


def test_coin_slots_follow_the_order_asked_for(dataset: Dataset) -> None:
    tape = ParquetTape(dataset, coins=("ETH", "BTC"))
    assert [asset.coin for asset in tape.assets] == ["ETH", "BTC"]
    first = next(row for row in rows_of(tape) if row[KIND] == RowKind.L2 and row[COIN] == 0)
    assert first[A] == 110_000 * 100  # ETH has two price decimals
    only = ParquetTape(dataset, coins=("ETH",))
    assert {row[COIN] for row in rows_of(only)} == {0}
    with pytest.raises(DataError, match="SOL is not in"):
        ParquetTape(dataset, coins=("SOL",))


@pytest.mark.parametrize("chunk_rows", [1, 7, 50, 100_000])
def test_chunks_never_split_a_stamp_and_levels_match(chunk_rows: int, dataset: Dataset) -> None:
    chunks = list(ParquetTape(dataset, chunk_rows=chunk_rows).chunks())
    for before, after in pairwise(chunks):
        assert before.rows[-1][EXCH] < after.rows[0][EXCH]
    for chunk in chunks:
        books = [row for row in chunk.rows if row[KIND] == RowKind.L2]
        assert [row[REF] for row in books] == list(range(len(chunk.levels)))
        tops = [list(row[A : D + 1]) for row in books]
        assert chunk.levels[:, 0, :].tolist() == tops
        assert all(row[REF] == -1 for row in chunk.rows if row[KIND] != RowKind.L2)


@given(st.lists(st.integers(0, 20), min_size=1), st.integers(1, 9))
def test_bounds_cover_everything_and_cut_between_stamps(steps: list[int], aim: int) -> None:
    exch = np.cumsum(np.asarray(steps) // 8)
    bounds = _bounds(exch, aim)
    assert (bounds[0], bounds[-1]) == (0, len(exch))
    assert all(low < high for low, high in pairwise(bounds))
    assert all(exch[cut - 1] < exch[cut] for cut in bounds[1:-1])


def test_hole_is_a_row_before_the_first_row_after_it(dataset: Dataset) -> None:
    rows = rows_of(ParquetTape(dataset, coins=("BTC",)))
    marks = [index for index, row in enumerate(rows) if row[KIND] == RowKind.GAP]
    reasons = [GAP_REASONS[rows[index][C]] for index in marks]
    assert reasons == ["reconnect", "session"]
    for index in marks:
        gap = rows[index]
        assert gap[EXCH] == gap[B] == rows[index + 1][EXCH]
        assert gap[A] <= rows[index - 1][EXCH] < gap[B]
    assert rows[marks[0]][B] - rows[marks[0]][A] == 18_500 * 1_000_000


def test_window_keeps_what_lies_in_it(dataset: Dataset) -> None:
    low = (START_MS + 10 * STEP_MS) * 1_000_000
    high = (START_MS + 15 * STEP_MS) * 1_000_000
    tape = ParquetTape(dataset, start_ns=low, end_ns=high)
    assert (tape.start_ns, tape.end_ns) == (low, high - STEP_MS * 1_000_000)
    assert tape.gap_rows() == []
    with pytest.raises(EmptyResultError, match="no row of BTC, ETH"):
        ParquetTape(dataset, start_ns=high, end_ns=high)


def test_repeats_shift_time_and_nothing_else(dataset: Dataset) -> None:
    once = ParquetTape(Dataset(dataset.snapshots[:1]))
    thrice = ParquetTape(Dataset(dataset.snapshots[:1]), repeat=3, chunk_rows=10)
    rows = rows_of(thrice)
    assert len(rows) == thrice.rows_total
    assert all(before[EXCH] <= after[EXCH] for before, after in pairwise(rows))
    second = [row for row in rows if once.end_ns < row[EXCH] <= once.end_ns + once.shift_ns]
    back = [
        (*row[:EXCH], row[EXCH] - once.shift_ns)
        for row in second
        if GAP_REASONS.index("session") != row[C] or row[KIND] != RowKind.GAP
    ]
    assert back == [row[: EXCH + 1] for row in rows_of(once)]
    seams = [row for row in thrice.gap_rows() if row[C] == GAP_REASONS.index("session")]
    assert len(seams) == 2 * len(once.coins)
    assert all(row[A] < row[B] == row[EXCH] for row in seams)


def test_mids_are_the_quotes_of_the_tape(dataset: Dataset) -> None:
    tape = ParquetTape(dataset, repeat=2)
    expected = [
        (row[EXCH], row[A] + row[C])
        for row in rows_of(tape)
        if row[COIN] == 1 and row[KIND] in (RowKind.BBO, RowKind.L2)
    ]
    stamps, mid2 = tape.mids(1)
    assert list(zip(stamps.tolist(), mid2.tolist(), strict=True)) == expected


def test_tape_tells_where_it_comes_from(dataset: Dataset) -> None:
    tape = ParquetTape(dataset)
    assert tape.dataset_hash == dataset.dataset_hash
    assert tape.evidence == "REP"
    assert tape.assumed == ("funding: unknown", "mark: book mid", "oracle: book mid")


def test_reading_twice_gives_the_same_rows(dataset: Dataset) -> None:
    tape = ParquetTape(dataset)
    assert rows_of(tape) == rows_of(tape)


def test_list_tape_gives_back_its_rows() -> None:
    rows: list[Row] = [
        (RowKind.BBO, 0, 10, 10, 100, 5, 110, 6, -1),
        (RowKind.TRADE, 0, 11, 11, 110, 1, 1, 77, -1),
        (RowKind.GAP, 0, 20, 20, 11, 20, 1, 0, -1),
        (RowKind.BBO, 0, 20, 20, 0, 0, 110, 6, -1),
    ]
    tape = ArrayTape(("BTC",), rows)
    assert rows_of(tape) == rows
    assert tape.gap_rows() == [rows[2]]
    assert [column.tolist() for column in tape.mids(0)] == [[10], [210]]
    assert (tape.start_ns, tape.end_ns, tape.rows_total) == (10, 20, 4)
    with pytest.raises(DataError, match="NOSUCH"):
        ArrayTape(("NOSUCH",), [])


@pytest.mark.slow
def test_recorded_set_replays_with_its_holes(shared_data: Path, tmp_path: Path) -> None:
    for name in ("hl_l2_20250904", "hl_l2_20250903"):
        import_paths([shared_data / name], dataset=name, home=tmp_path)
    tape = ParquetTape(open_dataset("hl_l2_20250904,hl_l2_20250903", tmp_path), coins=("BTC",))
    lengths = [(row[B] - row[A]) // 1_000_000 for row in tape.gap_rows()]
    assert lengths[:2] == [249_648, 50_709]
    assert lengths[3] == 17_976
    assert [GAP_REASONS[row[C]] for row in tape.gap_rows()][2] == "session"
    rows = rows_of(tape)
    assert rows[0][KIND] in (RowKind.BBO, RowKind.L2, RowKind.TRADE)
    assert all(row[A] < row[C] for row in rows if row[KIND] in (RowKind.BBO, RowKind.L2))
