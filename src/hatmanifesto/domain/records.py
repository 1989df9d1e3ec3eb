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


class Signal(msgspec.Struct, frozen=True, array_like=True, tag=26, gc=False):
    """What a strategy acted on; written before the first command that names it.

    ``value`` is in the unit of its strategy's ``SignalSpec`` and speaks of the next ``horizon_ns``
    [ns]; ``as_of`` is the venue's stamp of the book it was computed from [ns]; ``features`` is the
    hash of everything the decision could see (``engine/signals.py``); ``regime`` the label then.
    """

    id: int
    book: int
    coin: int
    value: float
    horizon_ns: int
    as_of: int
    features: str
    regime: int
    now: int


class Allotted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one book got, and why: capital [micro-USDC], and its profit a day behind the choice.

    ``mean`` and ``deviation`` are of profit a day over capital, None when fewer than two days are
    known; ``n`` counts the hours observed.
    """

    book: int
    capital: int
    weight: float
    mean: float | None
    deviation: float | None
    n: int


class Allocation(msgspec.Struct, frozen=True, array_like=True, tag=27, gc=False):
    """Capital divided anew over the books; ``why`` says what decided it."""

    now: int
    method: str
    why: str
    books: tuple[Allotted, ...]


class StrategyFailed(msgspec.Struct, frozen=True, array_like=True, tag=28, gc=False):
    """A decision raised or was no decision; its strategy is stopped, its positions stay."""

    book: int
    coin: int
    error: str
    now: int


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
    | Signal
    | Allocation
    | StrategyFailed
)
