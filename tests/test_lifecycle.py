"""The life of an order: the table is closed, final states are final, every status has a cause."""

from itertools import product

import pytest

from hatmanifesto.books.lifecycle import (
    CAUSE_OF,
    FINAL,
    NEXT,
    Cause,
    IllegalTransitionError,
    Phase,
    next_phase,
)
from hatmanifesto.domain.enums import Status

STATUSES_OF_THE_VENUE = """
open filled canceled triggered rejected marginCanceled vaultWithdrawalCanceled
openInterestCapCanceled selfTradeCanceled reduceOnlyCanceled siblingFilledCanceled delistedCanceled
liquidatedCanceled outcomeSettledCanceled scheduledCancel internalCancel tickRejected
minTradeNtlRejected minTradeSpotNtlRejected perpMarginRejected insufficientSpotBalanceRejected
reduceOnlyRejected badAloPxRejected iocCancelRejected badTriggerPxRejected
marketOrderNoLiquidityRejected positionIncreaseAtOpenInterestCapRejected
positionFlipAtOpenInterestCapRejected tooAggressiveAtOpenInterestCapRejected
openInterestIncreaseRejected oracleRejected perpMaxPositionRejected tooManyOpenOrdersRejected
""".split()
"""Source: PROTOCOL 5.2, in its order."""

MOVES = sorted(product(Phase, Cause))


def test_every_status_of_the_venue_is_known_and_no_other() -> None:
    assert {status.value for status in Status} == set(STATUSES_OF_THE_VENUE)


@pytest.mark.parametrize("text", STATUSES_OF_THE_VENUE)
def test_every_status_has_the_cause_its_ending_says(text: str) -> None:
    cause = CAUSE_OF[Status(text)]
    if text.endswith(("ejected", "rejected")):
        assert cause is Cause.REFUSED
    elif text.endswith(("anceled", "Cancel")) or text == "filled":
        assert cause is Cause.ENDED
    else:
        assert text in {"open", "triggered"}
        assert cause is Cause.OPENED


def test_an_unknown_status_is_an_error() -> None:
    with pytest.raises(ValueError, match="mysteryCanceled"):
        Status("mysteryCanceled")


@pytest.mark.parametrize(("phase", "cause"), [move for move in MOVES if move in NEXT])
def test_a_listed_move_is_made(phase: Phase, cause: Cause) -> None:
    assert next_phase(phase, cause) is NEXT[phase, cause]


@pytest.mark.parametrize(("phase", "cause"), [move for move in MOVES if move not in NEXT])
def test_an_unlisted_move_is_an_error(phase: Phase, cause: Cause) -> None:
    with pytest.raises(IllegalTransitionError, match=f"{phase.name} does not allow {cause.name}"):
        next_phase(phase, cause)


def test_final_is_final() -> None:
    assert not {phase for phase, _ in NEXT} & FINAL
    assert {Phase.FILLED, Phase.CLOSED, Phase.REJECTED} == FINAL


def test_every_phase_is_reached_and_every_open_one_can_end() -> None:
    assert set(NEXT.values()) | {Phase.SENT} == set(Phase)
    for phase in set(Phase) - FINAL:
        reached, fresh = {phase}, {phase}
        while fresh:
            fresh = {after for (before, _), after in NEXT.items() if before in fresh} - reached
            reached |= fresh
        assert reached & FINAL


def test_a_refusal_only_answers_what_was_sent() -> None:
    assert [phase for phase, cause in NEXT if cause is Cause.REFUSED] == [Phase.SENT]
