"""The blotter: facts in any order, told twice, late: open size and ends come out the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.books.blotter import Blotter
from hatmanifesto.books.lifecycle import Phase
from hatmanifesto.domain.commands import Place
from hatmanifesto.domain.enums import Status, Tif
from hatmanifesto.domain.events import Closed, Fact, Filled, Opened, Refused


def place(intent: int = 1, *, side: int = 1, sz: int = 100) -> Place:
    return Place(intent, 0, 0, 0, side, 1_000, sz, int(Tif.GTC), False, 2_000, 5)


def fill(sz: int, *, tid: int, intent: int = 1) -> Filled:
    return Filled(intent, tid, 1_000, sz, 1, False, False, 6, 7)


def fold(blotter: Blotter, fact: Fact) -> None:
    if isinstance(fact, Opened):
        blotter.opened(fact)
    elif isinstance(fact, Filled):
        blotter.filled(fact)
    elif isinstance(fact, Closed):
        blotter.ended(fact)
    elif isinstance(fact, Refused):
        blotter.refused(fact)


def content(blotter: Blotter) -> list[object]:
    """Return everything but ``late``."""
    orders = [order.dump() for _, order in sorted(blotter.orders.items())]
    return [orders, blotter.open_buy, blotter.open_sell, blotter.placed, blotter.closed]


CLOSED = Closed(1, Status.CANCELED, 60, 8, 9)
LIVES: dict[str, list[Fact]] = {
    "filled": [Opened(1, 9, 100, 6, 7), fill(60, tid=1), fill(40, tid=2)],
    "cancelled": [Opened(1, 9, 100, 6, 7), fill(20, tid=1), fill(40, tid=2), CLOSED],
    "taken at once": [fill(100, tid=1)],
    "refused": [Refused(1, Status.TICK_REJECTED, "no", 6, 7)],
}


@pytest.mark.parametrize("life", LIVES)
def test_a_whole_life_leaves_nothing_open(life: str) -> None:
    blotter = Blotter(1)
    blotter.add(place())
    for fact in LIVES[life]:
        fold(blotter, fact)
    assert content(blotter) == [[], [0], [0], 1, 1]
    assert blotter.late == 0


@pytest.mark.parametrize("life", LIVES)
def test_facts_told_twice_change_nothing_but_late(life: str) -> None:
    once, twice = Blotter(1), Blotter(1)
    for blotter in (once, twice):
        blotter.add(place())
    for fact in LIVES[life]:
        fold(once, fact)
        fold(twice, fact)
        before = content(twice)
        fold(twice, fact)
        assert content(twice) == before
        assert content(twice) == content(once)
    for fact in LIVES[life]:
        fold(twice, fact)
    assert content(twice) == content(once)
    assert (once.late, twice.late > 0) == (0, True)


@given(order=st.permutations(LIVES["cancelled"]))
def test_an_end_waits_for_its_fills_in_any_order(order: list[Fact]) -> None:
    blotter = Blotter(1)
    blotter.add(place())
    for fact in order:
        fold(blotter, fact)
    assert content(blotter) == [[], [0], [0], 1, 1]


def test_an_end_that_overtakes_a_fill_leaves_the_order_closing() -> None:
    blotter = Blotter(1)
    order = blotter.add(place())
    fold(blotter, CLOSED)
    assert order.phase.name == "CLOSING"
    assert blotter.open_buy == [100]
    fold(blotter, fill(60, tid=1))
    assert order.phase.name == "CLOSED"
    assert (blotter.orders, blotter.open_buy) == ({}, [0])


def test_an_acknowledgement_after_the_end_changes_nothing() -> None:
    blotter = Blotter(1)
    order = blotter.add(place())
    fold(blotter, fill(100, tid=1))
    fold(blotter, Opened(1, 9, 100, 6, 7))
    assert order.phase is Phase.FILLED
    assert blotter.late == 1


def test_a_fill_beyond_what_is_left_stops_the_program() -> None:
    blotter = Blotter(1)
    blotter.add(place())
    with pytest.raises(AssertionError, match="never exceeds"):
        blotter.filled(fill(101, tid=1))


def test_an_end_with_a_status_that_is_none_stops_the_program() -> None:
    blotter = Blotter(1)
    blotter.add(place())
    with pytest.raises(AssertionError, match="no end"):
        blotter.ended(Closed(1, Status.OPEN, 0, 8, 9))


def test_an_intent_is_used_once() -> None:
    blotter = Blotter(1)
    blotter.add(place())
    with pytest.raises(AssertionError, match="once"):
        blotter.add(place())


parts = st.lists(st.integers(1, 50), min_size=1, max_size=5)


@given(sizes=parts, side=st.sampled_from([1, -1]), seen=st.integers(0, 5))
def test_open_size_is_what_is_left_of_all_orders(sizes: list[int], side: int, seen: int) -> None:
    blotter = Blotter(1)
    for intent, sz in enumerate(sizes, start=1):
        blotter.add(place(intent, side=side, sz=sz))
    for intent, sz in enumerate(sizes[:seen], start=1):
        blotter.filled(fill((sz + 1) // 2, tid=intent, intent=intent))
    left = sum(order.left for order in blotter.orders.values())
    mine, other = (
        (blotter.open_buy, blotter.open_sell) if side > 0 else (blotter.open_sell, blotter.open_buy)
    )
    assert (mine, other) == ([left], [0])
