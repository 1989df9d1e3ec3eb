"""One running instance per account: an advisory lock file that names its holder."""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from hatmanifesto.domain.errors import BusyError


class AccountLock:
    """Hold ``HOME/locks/ACCOUNT.lock`` for as long as the context lasts.

    The kernel drops the lock when the process ends, however it ends; the file stays and is no
    evidence of a running instance by itself.

    Raises:
        BusyError: on entry, if another process holds it; names the process.
    """

    def __init__(self, home: Path, account: str) -> None:
        self.path = home / "locks" / f"{account.lower() or 'local'}.lock"
        self._descriptor = -1

    def __enter__(self) -> "AccountLock":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 64).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise BusyError(
                "another instance holds this account",
                why=f"process {holder} holds the lock {self.path}",
                fix="stop that process, or use another account or home",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)
        self._descriptor = -1
