"""Folding the journal: joins, final statuses, vetoes aloud and in silence, repeats counted once."""

import pytest

from hatmanifesto.analytics.allot import allot_funding
from hatmanifesto.analytics.fold import fold
from hatmanifesto.books.allot import HOUSE, allot
from hatmanifesto.domain.commands import Cancel, Modify, Place
from hatmanifesto.domain.enums import Status
from hatmanifesto.domain.events import (
    CancelRefused,
    Closed,
    Filled,
    FundingPaid,
    Opened,
    Refused,
)
from hatmanifesto.domain.records import BatchMark, Began, Ended, GapSeen, Veto


def place(intent, *, side=1, px=100, sz=4, book=0, coin=0):
    return Place(intent, book, coin, 0, side, px, sz, 0, False, 2 * px, 1)


def test_a_fill_takes_book_coin_side_and_decision_from_its_order():
    order = Place(7, 2, 1, 3, -1, 105, 9, 0, False, 209, 40)
    facts = fold([order, Filled(7, 11, 106, 4, -3, False, True, 50, 60)])
    (row,) = facts.fills
    assert (row.book, row.coin, row.slot, row.side) == (2, 1, 3, -1)
    assert (row.mid2_decision, row.placed_now, row.sz_order, row.px_order) == (209, 40, 9, 105)
    assert (row.ts, row.recv, row.fee, row.is_gap, row.szi) == (50, 60, -3, True, -4)


def test_a_fill_of_an_order_never_placed_is_an_error():
    with pytest.raises(AssertionError, match="expected a placed intent, was 5"):
        fold([Filled(5, 1, 100, 1, 0, False, False, 1, 1)])


def test_statuses_count_every_order_once_by_its_end():
    records = [
        place(1),
        place(2),
        place(3),
        place(4),
        Opened(1, 1, 4, 1, 1),
        Opened(2, 2, 4, 1, 1),
        Modify(5, 2, 0, 0, 0, 1, 99, 4, 0, False, 199, 2),
        Closed(2, Status.CANCELED, 0, 2, 2),
        Filled(1, 1, 100, 1, 0, False, False, 3, 3),
        Filled(1, 2, 100, 3, 0, False, False, 3, 3),
        Refused(3, Status.BAD_ALO_PX_REJECTED, "crossed", 2, 2),
        Cancel(1, 0, 0, 0, 4),
        CancelRefused(1, 5, 5),
    ]
    facts = fold(records)
    assert facts.orders == 5
    assert dict(facts.statuses) == {"filled": 1, "canceled": 1, "badAloPxRejected": 1, "sent": 2}
    assert dict(facts.refusals) == {"badAloPxRejected": 1}
    assert (facts.cancels, facts.cancels_refused) == (1, 1)


def test_vetoes_count_aloud_and_in_silence_apart():
    loud = Veto("risk", "loss_over_max", "loss=5 max=4", 0, 0, 0, 1)
    silent = Veto("risk", "loss_over_max", "loss=5 max=4", 0, 0, 0, 9, 17)
    (count,) = fold([loud, silent]).vetoes
    assert (count.hat, count.reason, count.loud, count.silent) == ("risk", "loss_over_max", 1, 17)
    assert count.example == "loss=5 max=4"


def test_a_fact_told_twice_counts_once():
    fill = Filled(1, 1, 100, 1, 3, False, False, 3, 3)
    paid = FundingPaid(0, 4, 100, 5, -2, 9, 9)
    gap = GapSeen(0, 5, 8, 1)
    once = fold([place(1), fill, paid, gap])
    assert fold([place(1), fill, fill, paid, paid, gap, gap]) == once


def test_the_frame_of_the_run_is_kept():
    facts = fold([Began("{}"), BatchMark(10, 5, 0), BatchMark(30, 7, 0), Ended("end", 12, "x")])
    assert (facts.header, facts.ended, facts.rows) == ("{}", "end", 12)
    assert (facts.start, facts.end) == (10, 30)


def test_allotment_sums_to_the_amount_whatever_the_signs():
    for amount in (-7, -1, 0, 1, 10, 101):
        for weights in ({0: 1, 1: 2}, {0: -3, 1: 5}, {0: -1, 1: -1, 2: -1}, {0: 2, 1: -9}):
            assert sum(allot(amount, weights).values()) == amount
    assert allot(10, {0: 1, 1: 1, 2: 1}) == {0: 4, 1: 3, 2: 3}
    assert allot(5, {0: 1, 1: -1}) == {HOUSE: 5}


def test_funding_goes_to_the_books_that_held_before_the_stamp():
    records = [
        place(1, sz=30, book=0),
        place(2, sz=10, book=1),
        place(3, sz=99, book=2),
        Filled(1, 1, 100, 30, 0, False, False, 5, 5),
        Filled(2, 2, 100, 10, 0, False, False, 6, 6),
        Filled(3, 3, 100, 99, 0, False, False, 10, 10),
        FundingPaid(0, 40, 1, 1, -8, 10, 10),
    ]
    facts = fold(records)
    assert allot_funding(facts.funding, facts.fills) == {0: -6, 1: -2}
