"""Records: everything the journal holds besides facts and commands."""

import msgspec

from hatmanifesto.domain.commands import Cancel, Modify, Place
from hatmanifesto.domain.events import (
    CancelRefused,
    Closed,
    Filled,
    FundingPaid,
    FundingUnknown,
    MarginCalled,
    Opened,
    Refused,
)


class Veto(msgspec.Struct, frozen=True, array_like=True, tag=20, gc=False):
    """A hat refused a desire; ``count`` says how often the same refusal was then met in silence."""

    hat: str
    reason: str
    detail: str
    book: int
    coin: int
    slot: int
    now: int
    count: int = 0


class BatchMark(msgspec.Struct, frozen=True, array_like=True, tag=21, gc=False):
    """The engine took ``rows`` market rows of the tape and then ``facts`` facts, at ``now``."""

    now: int
    rows: int
    facts: int


class GapSeen(msgspec.Struct, frozen=True, array_like=True, tag=22, gc=False):
    """A hole in the recording of ``coin``, ``start`` to ``end`` [ns]; ``reason`` in GAP_REASONS."""

    coin: int
    start: int
    end: int
    reason: int


class Began(msgspec.Struct, frozen=True, array_like=True, tag=23):
    """First record of a run: canonical JSON of everything that decides its course."""

    header: str


class Ended(msgspec.Struct, frozen=True, array_like=True, tag=24):
    """Last record of a run: how it ended, rows taken, and the hash of the final State."""

    reason: str
    rows: int
    state_hash: str


class Snapshot(msgspec.Struct, frozen=True, array_like=True, tag=25):
    """Hash of State after the batch before it, for replay and restart."""

    now: int
    state_hash: str


Record = (
    Opened
    | Filled
    | Closed
    | Refused
    | CancelRefused
    | FundingPaid
    | FundingUnknown
    | MarginCalled
    | Place
    | Modify
    | Cancel
    | Veto
    | BatchMark
    | GapSeen
    | Began
    | Ended
    | Snapshot
)
