"""Folders in which runs are built: out of sight until finished, and cleared away when abandoned."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STAGING = ".staging-"
OLD_SUFFIX = ".old"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of ``folder``, waiting for it; the kernel drops it however a process ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def staging_folder(root: Path) -> Iterator[Path]:
    """Yield a new folder below ``root`` to build a run in; nothing is left of it afterwards.

    It is locked while it is used. What killed processes left, whose locks are free, is cleared.
    """
    root.mkdir(parents=True, exist_ok=True)
    with locked(root):
        _clear_abandoned(root)
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=root))
        descriptor = os.open(staging, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        os.close(descriptor)


def set_aside(target: Path) -> Path:
    """Rename ``target``, which is about to be replaced, and return where it is now."""
    old = target.with_name(f".{target.name}{OLD_SUFFIX}")
    shutil.rmtree(old, ignore_errors=True)
    target.replace(old)
    return old


def _clear_abandoned(root: Path) -> None:
    for staging in root.glob(f"{STAGING}*"):
        if not _is_held(staging):
            shutil.rmtree(staging, ignore_errors=True)
    for old in root.glob(f".*{OLD_SUFFIX}"):
        target = old.with_name(old.name.removeprefix(".").removesuffix(OLD_SUFFIX))
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.replace(target)  # killed between setting aside and replacing: the run is still good


def _is_held(staging: Path) -> bool:
    descriptor = os.open(staging, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
