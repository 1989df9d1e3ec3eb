"""Ports: what the machines need from the shell, as Protocols. `apps/` wires them, once."""

from collections.abc import Sequence
from typing import Protocol

from hatmanifesto.domain.commands import Command
from hatmanifesto.domain.events import Fact
from hatmanifesto.domain.records import Record
from hatmanifesto.domain.rows import Row

Batch = tuple[Sequence[Row], Sequence[Fact]]
"""All market rows and facts with one receive time."""


class Journal(Protocol):
    """The only door to everything that looks."""

    def mark(self, now: int, rows: int, facts: Sequence[Fact]) -> None:
        """Write that the engine took ``rows`` more tape rows and these facts at ``now``."""
        ...

    def write(self, records: Sequence[Record]) -> None:
        """Append records after the current mark."""
        ...


class Signer(Protocol):
    """Turns a command that passed the warden into something sendable."""

    def sign(self, command: Command, now: int) -> bytes:
        """Return the signed bytes; the null signer returns none."""
        ...
