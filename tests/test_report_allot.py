"""The table of capital shows what changed, folds the rest, and loses nothing."""

import pytest

from hatmanifesto.apps.report.tables_allot import SHOWN_MAX, changed, why_text
from hatmanifesto.domain.records import Allocation, Allotted


def division(at, *weights):
    books = tuple(Allotted(i, 10**6, w, None, None, 24 * at) for i, w in enumerate(weights))
    return Allocation(at, "risk_parity", "weekly", books)


@pytest.mark.parametrize(
    ("shares", "kept"),
    [
        ([0.5], [0]),
        ([0.5, 0.5], [0, 1]),
        ([0.5, 0.5, 0.5, 0.5], [0, 3]),
        ([0.5, 0.52, 0.54, 0.56, 0.56, 0.5], [0, 3, 5]),  # small steps add up to a change
        ([0.5, 0.6, 0.5, 0.5], [0, 1, 2, 3]),
    ],
)
def test_first_last_and_changed_divisions_are_shown(shares, kept):
    assert changed([division(i, w, 1 - w) for i, w in enumerate(shares)]) == kept


def test_of_many_changes_the_largest_are_shown():
    shares = [0.5 + (-1) ** i * (0.1 + i / 1_000) for i in range(60)]
    kept = changed([division(i, w, 1 - w) for i, w in enumerate(shares)])
    assert len(kept) == SHOWN_MAX
    assert kept[0] == 0
    assert kept[-1] == 59
    assert kept[1:-1] == list(range(49, 59))


def test_a_strategy_that_comes_or_goes_is_a_change():
    every = [division(0, 0.5, 0.5), division(1, 0.5, 0.5), division(2, 1.0), division(3, 1.0)]
    assert changed(every) == [0, 2, 3]


def test_money_in_a_reason_is_told_in_usdc():
    assert why_text("equity 19549835874 micro-USDC") == "equity 19,549.84 USDC"
    assert why_text("unchanged: fewer than 48 hours") == "unchanged: fewer than 48 hours"
