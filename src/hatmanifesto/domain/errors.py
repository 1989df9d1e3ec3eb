"""The exception tree and the one table of exit codes.

HatError
  +- UsageError        2   the command line or the configuration is wrong
  +- DataError         3   data are missing, damaged or of the wrong kind
  +- RunFailedError    4   a run started and could not finish
  +- EmptyResultError  5   a run finished and there is nothing in it
  +- MismatchError     6   verification or replay disagrees with what was recorded
  +- UnreconciledError 7   our books and the venue's disagree
  +- RefusedError      8   policy, limit or promotion says no
  +- UnhealthyError    9   doctor found something
  +- BusyError        75   another instance holds the account or the home
"""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    USAGE = 2
    DATA = 3
    FAILED = 4
    EMPTY = 5
    MISMATCH = 6
    UNRECONCILED = 7
    REFUSED = 8
    UNHEALTHY = 9
    BUSY = 75


class HatError(Exception):
    """Something a user must know: what, why, and how to fix it.

    Args:
        what: what went wrong, one clause.
        why: the cause, as far as known.
        fix: what the user can do.
    """

    exit_code = Exit.FAILED
    retryable = False

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        self.what = what
        self.why = why
        self.fix = fix
        super().__init__(what)

    def __str__(self) -> str:
        """Return one or two lines: what and why, then how to fix it."""
        head = f"{self.what}: {self.why}" if self.why else self.what
        return f"{head}\n  fix: {self.fix}" if self.fix else head


class UsageError(HatError):
    """The command line or the configuration is wrong."""

    exit_code = Exit.USAGE


class DataError(HatError):
    """Data are missing, damaged or of the wrong kind."""

    exit_code = Exit.DATA


class RunFailedError(HatError):
    """A run started and could not finish."""

    exit_code = Exit.FAILED


class EmptyResultError(HatError):
    """A run finished and there is nothing in it."""

    exit_code = Exit.EMPTY


class MismatchError(HatError):
    """Verification or replay disagrees with what was recorded."""

    exit_code = Exit.MISMATCH


class UnreconciledError(HatError):
    """Our books and the venue's disagree."""

    exit_code = Exit.UNRECONCILED


class RefusedError(HatError):
    """Policy, limit or promotion says no."""

    exit_code = Exit.REFUSED


class UnhealthyError(HatError):
    """The health check found something."""

    exit_code = Exit.UNHEALTHY


class BusyError(HatError):
    """Another instance holds the account or the home."""

    exit_code = Exit.BUSY
    retryable = True
