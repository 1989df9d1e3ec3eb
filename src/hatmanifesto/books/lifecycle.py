"""The life of an order as one table: which phase follows which cause, and nothing else.

Theory of operation. An order is SENT until the venue answers. OPEN means it rests. The venue
reports its end (`Closed`) and its fills on separate channels that overtake each other, so an end
whose fills have not all arrived leaves the order CLOSING until they agree (SETTLED). FILLED, CLOSED
and REJECTED are final: facts that come later change nothing and are counted as late. Every status
string of the venue (PROTOCOL 5.2) maps to a cause, so an unknown one is an error, never a fill.
"""

from enum import IntEnum

from hatmanifesto.domain.enums import Status


class Phase(IntEnum):
    """Where an order is in its life."""

    SENT = 0
    OPEN = 1
    CLOSING = 2
    FILLED = 3
    CLOSED = 4
    REJECTED = 5


class Cause(IntEnum):
    """What moves an order to its next phase."""

    OPENED = 0
    FILLED_PART = 1
    FILLED_ALL = 2
    ENDED = 3
    SETTLED = 4
    REFUSED = 5


FINAL = frozenset({Phase.FILLED, Phase.CLOSED, Phase.REJECTED})

NEXT: dict[tuple[Phase, Cause], Phase] = {
    (Phase.SENT, Cause.OPENED): Phase.OPEN,
    (Phase.SENT, Cause.FILLED_PART): Phase.SENT,  # a fill may overtake the acknowledgement
    (Phase.SENT, Cause.FILLED_ALL): Phase.FILLED,
    (Phase.SENT, Cause.REFUSED): Phase.REJECTED,
    (Phase.SENT, Cause.ENDED): Phase.CLOSING,  # an IOC's remainder, or an end before the answer
    (Phase.SENT, Cause.SETTLED): Phase.CLOSED,
    (Phase.OPEN, Cause.OPENED): Phase.OPEN,  # told twice: by the reply and by the stream
    (Phase.OPEN, Cause.FILLED_PART): Phase.OPEN,
    (Phase.OPEN, Cause.FILLED_ALL): Phase.FILLED,
    (Phase.OPEN, Cause.ENDED): Phase.CLOSING,
    (Phase.OPEN, Cause.SETTLED): Phase.CLOSED,
    (Phase.CLOSING, Cause.OPENED): Phase.CLOSING,
    (Phase.CLOSING, Cause.FILLED_PART): Phase.CLOSING,
    (Phase.CLOSING, Cause.FILLED_ALL): Phase.FILLED,
    (Phase.CLOSING, Cause.ENDED): Phase.CLOSING,
    (Phase.CLOSING, Cause.SETTLED): Phase.CLOSED,
}

CAUSE_OF: dict[Status, Cause] = {
    Status.OPEN: Cause.OPENED,
    Status.TRIGGERED: Cause.OPENED,
    Status.FILLED: Cause.ENDED,
    Status.CANCELED: Cause.ENDED,
    Status.MARGIN_CANCELED: Cause.ENDED,
    Status.VAULT_WITHDRAWAL_CANCELED: Cause.ENDED,
    Status.OPEN_INTEREST_CAP_CANCELED: Cause.ENDED,
    Status.SELF_TRADE_CANCELED: Cause.ENDED,
    Status.REDUCE_ONLY_CANCELED: Cause.ENDED,
    Status.SIBLING_FILLED_CANCELED: Cause.ENDED,
    Status.DELISTED_CANCELED: Cause.ENDED,
    Status.LIQUIDATED_CANCELED: Cause.ENDED,
    Status.OUTCOME_SETTLED_CANCELED: Cause.ENDED,
    Status.SCHEDULED_CANCEL: Cause.ENDED,
    Status.INTERNAL_CANCEL: Cause.ENDED,
    Status.REJECTED: Cause.REFUSED,
    Status.TICK_REJECTED: Cause.REFUSED,
    Status.MIN_TRADE_NTL_REJECTED: Cause.REFUSED,
    Status.MIN_TRADE_SPOT_NTL_REJECTED: Cause.REFUSED,
    Status.PERP_MARGIN_REJECTED: Cause.REFUSED,
    Status.INSUFFICIENT_SPOT_BALANCE_REJECTED: Cause.REFUSED,
    Status.REDUCE_ONLY_REJECTED: Cause.REFUSED,
    Status.BAD_ALO_PX_REJECTED: Cause.REFUSED,
    Status.IOC_CANCEL_REJECTED: Cause.REFUSED,
    Status.BAD_TRIGGER_PX_REJECTED: Cause.REFUSED,
    Status.MARKET_ORDER_NO_LIQUIDITY_REJECTED: Cause.REFUSED,
    Status.POSITION_INCREASE_AT_OPEN_INTEREST_CAP_REJECTED: Cause.REFUSED,
    Status.POSITION_FLIP_AT_OPEN_INTEREST_CAP_REJECTED: Cause.REFUSED,
    Status.TOO_AGGRESSIVE_AT_OPEN_INTEREST_CAP_REJECTED: Cause.REFUSED,
    Status.OPEN_INTEREST_INCREASE_REJECTED: Cause.REFUSED,
    Status.ORACLE_REJECTED: Cause.REFUSED,
    Status.PERP_MAX_POSITION_REJECTED: Cause.REFUSED,
    Status.TOO_MANY_OPEN_ORDERS_REJECTED: Cause.REFUSED,
}


class IllegalTransitionError(AssertionError):
    """A fact asked for a move the table does not list: the program or the venue model is wrong."""


def next_phase(phase: Phase, cause: Cause) -> Phase:
    """Return the phase after ``cause``.

    Raises:
        IllegalTransitionError: if the table does not list the move.
    """
    try:
        return NEXT[phase, cause]
    except KeyError as error:
        raise IllegalTransitionError(f"{phase.name} does not allow {cause.name}") from error
