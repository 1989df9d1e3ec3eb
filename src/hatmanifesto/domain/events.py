"""Facts about our own orders and account, as the venue tells them. Frozen; compact on disk."""

import msgspec

from hatmanifesto.domain.enums import Status


class Opened(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """The order rests in the venue's book under ``oid``; ``sz`` is what rests."""

    intent: int
    oid: int
    sz: int
    exch: int
    recv: int


class Filled(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    """A fill of one order. Positive ``fee`` [micro-USDC] was paid, negative is a rebate.

    ``is_gap`` marks a fill that happened inside a hole of the recording and is only inferred.
    """

    intent: int
    tid: int
    px: int
    sz: int
    fee: int
    is_taker: bool
    is_gap: bool
    exch: int
    recv: int


class Closed(msgspec.Struct, frozen=True, array_like=True, tag=3, gc=False):
    """The order is gone from the book: ``status`` says why, ``sz_filled`` what it got in all."""

    intent: int
    status: Status
    sz_filled: int
    exch: int
    recv: int


class Refused(msgspec.Struct, frozen=True, array_like=True, tag=4, gc=False):
    """The venue refused the order; it never rested. ``text`` is the venue's own."""

    intent: int
    status: Status
    text: str
    exch: int
    recv: int


class CancelRefused(msgspec.Struct, frozen=True, array_like=True, tag=5, gc=False):
    """The venue found nothing to cancel or modify: filled, cancelled or never placed.

    ``intent`` names the order aimed at.
    """

    intent: int
    exch: int
    recv: int


class FundingPaid(msgspec.Struct, frozen=True, array_like=True, tag=6, gc=False):
    """Funding of one coin at one hour: ``usdc = -szi * oracle * rate``, negative means we paid."""

    coin: int
    szi: int
    oracle: int
    rate: int
    usdc: int
    exch: int
    recv: int


class FundingUnknown(msgspec.Struct, frozen=True, array_like=True, tag=7, gc=False):
    """A funding hour was crossed with a position, and the dataset has no rate for it."""

    coin: int
    szi: int
    exch: int
    recv: int


class MarginCalled(msgspec.Struct, frozen=True, array_like=True, tag=8, gc=False):
    """The account's value fell below its maintenance margin: the run ends here."""

    value: int
    maintenance: int
    exch: int
    recv: int


Fact = (
    Opened | Filled | Closed | Refused | CancelRefused | FundingPaid | FundingUnknown | MarginCalled
)
