"""Generated flow: plausible, consistent with itself, the same for the same seed."""

from pathlib import Path

import numpy as np
import pytest

from hatmanifesto.apps.data import check_dataset, open_dataset
from hatmanifesto.apps.sample import SHAPES, make_sample
from hatmanifesto.domain.asset import is_on_grid
from hatmanifesto.domain.enums import Evidence, RowKind
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.rows import COIN, EXCH, KIND, A, B, C, D
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.simex.flow import Session, generate_session
from hatmanifesto.store.dataset import SHIPPED
from hatmanifesto.store.tape import ParquetTape

START_NS = 1_767_615_000_000_000_000
COIN_NAMES = tuple(SHAPES)


def make(coin: str, *, seed: int = 3, minutes: int = 2) -> Session:
    return generate_session(
        np.random.Generator(np.random.PCG64(seed)),
        asset=PERPS[coin],
        shape=SHAPES[coin],
        start_ns=START_NS,
        minutes=minutes,
        hole_s=(40, 52),
    )


@pytest.fixture(scope="module", params=COIN_NAMES)
def session(request: pytest.FixtureRequest) -> Session:
    return make(request.param)


def test_same_seed_same_rows_other_seed_other_rows() -> None:
    first, again, other = make("BTC"), make("BTC"), make("BTC", seed=4)
    assert all(np.array_equal(x, y) for x, y in zip(first, again, strict=True))
    assert not np.array_equal(first.trades, other.trades)


def test_books_are_full_monotonic_and_never_crossed(session: Session) -> None:
    bid, ask = session.levels[:, :, 0], session.levels[:, :, 2]
    assert session.levels.min() > 0
    assert (np.diff(bid) < 0).all()
    assert (np.diff(ask) > 0).all()
    assert (bid[:, 0] < ask[:, 0]).all()
    assert (session.bbo[:, 1] < session.bbo[:, 3]).all()


@pytest.mark.parametrize("coin", COIN_NAMES)
def test_prices_are_on_the_grid(coin: str) -> None:
    made = make(coin)
    prices = {*made.levels[:, :, 0::2].ravel().tolist(), *made.trades[:, 1].tolist()}
    decimals = PERPS[coin].px_decimals
    assert all(is_on_grid(px, px_decimals=decimals) for px in prices)


def test_book_and_bbo_agree(session: Session) -> None:
    at = np.searchsorted(session.bbo[:, 0], session.book_exch, side="right") - 1
    assert np.array_equal(session.bbo[at, 1:], session.levels[:, 0, :])


def test_trades_print_at_the_touch_and_take_its_size(session: Session) -> None:
    bbo = {row[0]: row[1:] for row in session.bbo.tolist()}
    stamps = sorted(bbo)
    before = dict(zip(stamps[1:], stamps, strict=False))
    checked = 0
    for exch in np.unique(session.trades[:, 0]).tolist():
        prints = session.trades[session.trades[:, 0] == exch]
        buys = prints[prints[:, 3] == 1]
        if not len(buys) or exch not in before:
            continue
        shown = bbo[before[exch]]
        assert buys[0, 1] == shown[2]
        at_touch = int(buys[buys[:, 1] == shown[2], 2].sum())
        after = bbo[exch]
        left = after[3] if after[2] == shown[2] else 0
        assert left == shown[3] - at_touch
        checked += 1
    assert checked > 20


def test_stamps_rise_and_the_hole_is_silent(session: Session) -> None:
    low, high = START_NS + 40 * 10**9, START_NS + 52 * 10**9
    for stamps in (session.trades[:, 0], session.bbo[:, 0], session.book_exch):
        assert (np.diff(stamps) >= 0).all()
        assert not ((stamps > low) & (stamps < high)).any()
    assert len(np.unique(session.trades[:, 4])) == len(session.trades)


def test_books_come_about_every_half_second(session: Session) -> None:
    assert 0.4e9 < np.median(np.diff(session.book_exch)) < 0.6e9


def test_making_a_sample_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        make_sample(folder, seed=11, minutes=1)
    names = sorted(path.relative_to(folders[0]) for path in folders[0].rglob("*.*"))
    assert len(names) == 8
    for name in names:
        if (folders[0] / name).is_file():
            assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    with pytest.raises(UsageError, match="not empty"):
        make_sample(folders[0])


def test_shipped_sample_is_whole_small_and_says_what_it_is(tmp_path: Path) -> None:
    assert check_dataset("sample", tmp_path)["files"] == 7
    size = sum(path.stat().st_size for path in SHIPPED["sample"].rglob("*") if path.is_file())
    assert size < 3_000_000
    dataset = open_dataset("sample", tmp_path)
    assert dataset.evidence is Evidence.SYN
    (manifest,) = dataset.manifests
    assert manifest.quarantined == {}
    for coin in ("BTC", "ETH"):
        (hole,) = [hole for hole in manifest.gaps if hole.coin == coin]
        assert 12.0e9 <= hole.end - hole.start < 13.2e9
    assert open_dataset(f"sample@{manifest.hash}", tmp_path) == dataset


@pytest.mark.slow
def test_shipped_sample_is_what_its_seed_makes(tmp_path: Path) -> None:
    (shipped,) = open_dataset("sample", tmp_path).manifests
    made = make_sample(
        tmp_path / "again", seed=shipped.generator["seed"], minutes=shipped.generator["minutes"]
    )
    assert made.hash == shipped.hash


def test_sample_replays(tmp_path: Path) -> None:
    tape = ParquetTape(open_dataset("sample", tmp_path))
    rows = [row for chunk in tape.chunks() for row in chunk.rows]
    last: dict[int, tuple[int, ...]] = {}
    for row in rows:
        if row[KIND] in (RowKind.BBO, RowKind.L2):
            shown = row[A : D + 1]
            assert row[A] < row[C]
            if row[KIND] == RowKind.L2 and row[EXCH] == last.get(row[COIN], (0,))[0]:
                assert shown == last[row[COIN]][1:]
            last[row[COIN]] = (row[EXCH], *shown)
    assert min(row[B] for row in rows) > 0
