"""The block clock: when an action that arrives executes, and in which order within its block."""

import heapq

from hatmanifesto.domain.commands import Cancel, Command
from hatmanifesto.domain.enums import Tif

FAR = 1 << 62

FIRST, CANCELS, CROSSING = range(3)


def group_of(command: Command) -> int:
    """Return the group of an action in its block: post-only, then cancels, then the rest.

    Source: PROTOCOL 11.2; a modify belongs to the group of its new order.
    """
    if isinstance(command, Cancel):
        return CANCELS
    return FIRST if command.tif == Tif.ALO else CROSSING


class BlockQueue:
    """Actions in flight to the venue, ordered by block, group and arrival.

    ``next_block`` is the time of the next block with an action [ns], FAR when there is none.
    """

    __slots__ = ("_block_ns", "_heap", "_seq", "next_block")

    def __init__(self, block_ns: int) -> None:
        self._block_ns = block_ns
        self._heap: list[tuple[int, int, int, Command]] = []
        self._seq = 0
        self.next_block = FAR

    def push(self, command: Command, arrival: int) -> None:
        """Queue a command that arrives at ``arrival`` [ns] for the block at or after it."""
        block = -(-arrival // self._block_ns) * self._block_ns
        self._seq += 1
        heapq.heappush(self._heap, (block, group_of(command), self._seq, command))
        self.next_block = self._heap[0][0]

    def pop(self) -> Command:
        """Return the next action."""
        command = heapq.heappop(self._heap)[3]
        self.next_block = self._heap[0][0] if self._heap else FAR
        return command
