"""The trial ledger: every evaluated configuration, in one hash-chained file that only grows."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hatmanifesto.domain.errors import MismatchError
from hatmanifesto.store.journal import (
    GENESIS,
    KIND_TRIAL,
    MAGIC,
    SEGMENT_HEADER,
    VERSION,
    frame_bytes,
    read_frames,
)


class Trial(msgspec.Struct, frozen=True):
    """One evaluated configuration and what came of it. Money as decimal text."""

    run_id: str
    strategy: str
    config_hash: str
    dataset_hash: str
    code_hash: str
    seed: int
    evidence: str
    status: str
    net_pnl_usdc: str | None
    manifest_hash: str
    kind: str = "backtest"
    commit: str | None = None
    dirty: bool | None = None
    lock_hash: str | None = None


def trials_path(home: Path) -> Path:
    """Return where the ledger of a home lies."""
    return home / "trials" / "trials.hatj"


def append_trial(home: Path, trial: Trial) -> int:
    """Append ``trial``, synced to disk, and return its number (from 0).

    Raises:
        MismatchError: if the ledger so far is damaged: nothing is appended to a broken chain.
    """
    path = trials_path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if file.tell() == 0 and path.stat().st_size == 0:
            file.write(SEGMENT_HEADER.pack(MAGIC, VERSION, 1, GENESIS))
            file.flush()
        chain, seq = GENESIS, 0
        for _, payload in read_frames([path]):
            chain = hashlib.sha256(chain + payload).digest()
            seq += 1
        payload = msgspec.msgpack.encode(trial)
        chain = hashlib.sha256(chain + payload).digest()
        file.write(frame_bytes(payload, seq=seq, epoch=0, kind=KIND_TRIAL, chain=chain))
        file.flush()
        os.fsync(file.fileno())
    return seq


def read_trials(home: Path) -> Iterator[Trial]:
    """Yield the trials of a home in order; none when no back-test was run there.

    Raises:
        MismatchError: if the chain is broken; it names the first bad trial.
    """
    path = trials_path(home)
    if not path.exists():
        return
    for number, (_, payload) in enumerate(read_frames([path])):
        try:
            yield msgspec.msgpack.decode(payload, type=Trial)
        except msgspec.DecodeError as error:
            raise MismatchError(f"trial {number} is unreadable", why=str(error)) from error
