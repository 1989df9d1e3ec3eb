"""Reads the kill latch: whether it is set, why, and whether the books agree with the venue."""

from pathlib import Path

import msgspec

from hatmanifesto.domain.errors import UnreconciledError

LATCH_NAME = "latch.json"


class Latch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """State of the kill switch; ``is_reconciled`` False forbids a reset."""

    is_latched: bool = False
    reason: str = ""
    is_reconciled: bool = False


def read_latch(home: Path) -> Latch:
    """Return the latch of ``HOME/state/latch.json``; not latched when there is no such file.

    Raises:
        UnreconciledError: if the file cannot be read; an unreadable latch counts as latched.
    """
    path = home / "state" / LATCH_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Latch)
    except FileNotFoundError:
        return Latch()
    except (OSError, msgspec.DecodeError) as error:
        raise UnreconciledError(
            "the kill latch cannot be read",
            why=f"{path}: {error}",
            fix="treat it as latched and not reconciled; inspect the file",
        ) from error
