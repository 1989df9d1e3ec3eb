"""The block clock: arrivals wait for their block, and a block has an order of its own."""

from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.commands import Cancel, Command, Modify, Place
from hatmanifesto.domain.enums import Tif
from hatmanifesto.simex.blocks import BlockQueue, group_of

BLOCK = 75


def place(intent: int, tif: Tif) -> Place:
    return Place(intent, 0, 0, 0, 1, 100, 10, int(tif), False, 200, 0)


def modify(intent: int, tif: Tif) -> Modify:
    return Modify(intent, 1, 0, 0, 0, 1, 100, 10, int(tif), False, 200, 0)


def drain(queue: BlockQueue) -> list[tuple[int, Command]]:
    out = []
    while queue.next_block < 1 << 62:
        out.append((queue.next_block, queue.pop()))
    return out


def test_post_only_comes_before_cancels_and_cancels_before_the_rest() -> None:
    """Source: PROTOCOL 11.2; a modify belongs to the group of its new order."""
    commands: list[Command] = [
        place(1, Tif.IOC),
        Cancel(9, 0, 0, 0, 0),
        place(2, Tif.GTC),
        modify(3, Tif.ALO),
        modify(4, Tif.GTC),
        place(5, Tif.ALO),
        Cancel(8, 0, 0, 0, 0),
    ]
    queue = BlockQueue(BLOCK)
    for command in commands:
        queue.push(command, 10)
    expected = [commands[at] for at in (3, 5, 1, 6, 0, 2, 4)]
    assert [command for _, command in drain(queue)] == expected


def test_an_arrival_on_the_block_makes_it_and_one_after_waits() -> None:
    queue = BlockQueue(BLOCK)
    for arrival in (0, 1, 75, 76, 150):
        queue.push(place(arrival + 1, Tif.ALO), arrival)
    assert [block for block, _ in drain(queue)] == [0, 75, 75, 150, 150]


arrivals_of = st.lists(
    st.tuples(st.integers(0, 500), st.sampled_from(list(Tif))), min_size=1, max_size=30
)


@given(arrivals=arrivals_of)
def test_order_is_block_then_group_then_arrival(arrivals: list[tuple[int, Tif]]) -> None:
    queue = BlockQueue(BLOCK)
    for intent, (arrival, tif) in enumerate(arrivals):
        queue.push(place(intent, tif), arrival)
    keys = [
        (block, group_of(command), command.intent)
        for block, command in drain(queue)
        if not isinstance(command, Cancel)
    ]
    assert keys == sorted(keys)
    for block, _, intent in keys:
        assert 0 <= block - arrivals[intent][0] < BLOCK
