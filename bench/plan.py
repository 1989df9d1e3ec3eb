"""How often and how long to measure."""

from typing import NamedTuple


class Plan(NamedTuple):
    """Repeats of a measurement, turns of the tape in each, starts of a process, rows for memory.

    ``book_rows`` is the size of the generated file that is imported.
    """

    repeats: int = 5
    repeat: int = 8
    starts: int = 10
    memory_rows: int = 10_000_000
    book_rows: int = 1_000_000


QUICK = Plan(repeats=1, repeat=1, starts=1, memory_rows=200_000, book_rows=20_000)
"""Shows that everything runs; its numbers say nothing."""
