"""The contract of a hat: it may refuse a command, observes records, and reports evidence."""

from typing import Protocol

import msgspec

from hatmanifesto.books.state import State
from hatmanifesto.domain.commands import Cancel, Command, Modify, Place
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.reasons import Reason
from hatmanifesto.domain.records import Record, Veto


class Finding(msgspec.Struct, frozen=True):
    """One piece of evidence: what is claimed, what was measured, on how much."""

    claim: str
    measured: float | None
    target: float
    n: int
    n_min: int
    evidence: Evidence
    source: str


class Hat(Protocol):
    """One role. ``veto`` is pure and bounded and may only refuse; ``observe`` is a fold."""

    name: str
    reasons: frozenset[Reason]

    def veto(self, command: Command, state: State) -> Veto | None:
        """Return a refusal, or None to let the command pass."""
        ...

    def observe(self, record: Record) -> None:
        """Fold one journaled record into the evidence."""
        ...

    def report(self, evidence: Evidence) -> tuple[Finding, ...]:
        """Return the evidence so far, of the given class."""
        ...


def refuse(hat: str, reason: Reason, detail: str, command: Command) -> Veto:
    """Return the veto of ``hat`` on ``command``."""
    return Veto(
        hat=hat,
        reason=reason.value,
        detail=detail,
        book=command.book,
        coin=command.coin,
        slot=command.slot,
        now=command.now,
    )


def only_reduces(command: Command, state: State) -> bool:
    """Say whether ``command`` can only lower the account's position in its coin.

    A cancel always does. An order does when it is on the other side of the net position and, with
    everything else open on its side, no larger than it.
    """
    if isinstance(command, Cancel):
        return True
    net = state.net[command.coin]
    if net * command.side >= 0:
        return False
    blotter = state.blotter
    open_sz = blotter.open_buy if command.side > 0 else blotter.open_sell
    return open_sz[command.coin] + command.sz <= abs(net)


class VetoCount:
    """A fold shared by hats: how many commands passed and how often each reason refused."""

    __slots__ = ("hat", "passed", "refused")

    def __init__(self, hat: str) -> None:
        self.hat = hat
        self.passed = 0
        self.refused: dict[str, int] = {}

    def observe(self, record: Record) -> None:
        """Count commands, and this hat's vetoes."""
        if isinstance(record, (Modify, Place, Cancel)):
            self.passed += 1
        elif isinstance(record, Veto) and record.hat == self.hat:
            self.refused[record.reason] = self.refused.get(record.reason, 0) + 1
