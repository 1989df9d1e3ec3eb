"""The wall clock of the shell, in one place so that tests can set it."""

import time

from hatmanifesto.domain.units import Ns


def now_ns() -> Ns:
    """Return the time now [UTC ns]."""
    return Ns(time.time_ns())
