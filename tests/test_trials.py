"""The trial ledger: it only grows, and what stands in it cannot be edited, dropped or moved."""

import multiprocessing
from pathlib import Path

import pytest

from hatmanifesto.domain.errors import MismatchError
from hatmanifesto.store.journal import FRAME_HEADER, SEGMENT_HEADER
from hatmanifesto.store.trials import Trial, append_trial, read_trials, trials_path


def trial(n: int, *, net: str | None = "-1.5") -> Trial:
    return Trial(
        run_id=f"run-{n}",
        strategy="maker",
        config_hash="c" * 64,
        dataset_hash="d" * 64,
        code_hash="e" * 64,
        seed=n,
        evidence="REP",
        status="ok",
        net_pnl_usdc=net,
        manifest_hash="f" * 64,
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    for n in range(4):
        assert append_trial(tmp_path, trial(n)) == n
    return tmp_path


def frames(content: bytes) -> list[bytes]:
    """Return the header and the frames."""
    at, found = SEGMENT_HEADER.size, [content[: SEGMENT_HEADER.size]]
    while at < len(content):
        size = FRAME_HEADER.size + FRAME_HEADER.unpack_from(content, at)[0]
        found.append(content[at : at + size])
        at += size
    return found


def test_no_ledger_holds_no_trials(tmp_path: Path) -> None:
    assert list(read_trials(tmp_path)) == []
    assert not trials_path(tmp_path).exists()


def test_trials_come_back_in_order_unknown_results_included(ledger: Path) -> None:
    append_trial(ledger, trial(4, net=None))
    assert list(read_trials(ledger)) == [*map(trial, range(4)), trial(4, net=None)]


def test_every_flipped_byte_is_found(ledger: Path) -> None:
    path = trials_path(ledger)
    whole = b"".join(frames(path.read_bytes())[:3])
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        path.write_bytes(damaged)
        with pytest.raises(MismatchError, match="frame"):
            list(read_trials(ledger))


@pytest.mark.parametrize(
    "order", [[0, 2, 3, 4], [0, 1, 3, 4], [0, 2, 1, 3, 4], [0, 1, 2, 4, 3], [0, 1, 1, 2, 3, 4]]
)
def test_deleted_moved_and_repeated_trials_are_found(ledger: Path, order: list[int]) -> None:
    path = trials_path(ledger)
    parts = frames(path.read_bytes())
    path.write_bytes(b"".join(parts[n] for n in order))
    with pytest.raises(MismatchError, match="does not continue the chain"):
        list(read_trials(ledger))


def test_an_edited_trial_with_a_mended_checksum_is_still_found(ledger: Path) -> None:
    path = trials_path(ledger)
    parts = frames(path.read_bytes())
    forged = trials_path(ledger / "other")
    for n in range(4):
        append_trial(ledger / "other", trial(n, net="99.5" if n == 1 else "-1.5"))
    other = frames(forged.read_bytes())
    path.write_bytes(b"".join([*parts[:2], other[2], *parts[3:]]))
    with pytest.raises(MismatchError, match="frame 2"):
        list(read_trials(ledger))


def test_dropping_the_newest_trials_leaves_a_whole_chain(ledger: Path) -> None:
    """Known limit: the chain alone cannot miss its own tail; the runs' folders can."""
    path = trials_path(ledger)
    path.write_bytes(b"".join(frames(path.read_bytes())[:-1]))
    assert len(list(read_trials(ledger))) == 3


def test_nothing_is_appended_to_a_broken_ledger(ledger: Path) -> None:
    path = trials_path(ledger)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(MismatchError):
        append_trial(ledger, trial(9))
    assert path.read_bytes() == content


def _append_some(home: Path, first: int) -> None:
    for n in range(first, first + 5):
        append_trial(home, trial(n))


@pytest.mark.slow
def test_processes_do_not_tread_on_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_append_some, args=(tmp_path, 10 * n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert sorted(t.seed for t in read_trials(tmp_path)) == [
        10 * n + k for n in range(3) for k in range(5)
    ]
