"""Holes that ids prove: an incremental book whose update ids do not join."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
SEQUENCE = "sequence"
"""The reason of these holes in the gap ledger."""
NOT_TOLD = -1


class Break(NamedTuple):
    """Updates are missing between two stamps [ns]: last id before, first id after."""

    start: int
    end: int
    last_id: int
    first_id: int


def find_breaks(table: dict[str, Ints]) -> list[Break]:
    """Return where the chain of update ids of one coin breaks, in row order.

    An update joins the one before when it names it (``previous_id``) or, where the venue does not
    name it, when its first id follows that one's last id.

    Args:
        table: columns of kind ``diff`` of one coin, shape (n,) each, in source order. Levels of
            one update lie together; snapshots are no part of the chain.

    Source: developers.binance.com, "How to manage a local order book correctly", spot and USD-M.
    """
    rows = np.flatnonzero(table["is_snapshot"] == 0)
    last = table["last_id"][rows]
    if not len(rows):
        return []
    starts = np.flatnonzero(np.concatenate([[True], np.diff(last) != 0]))
    rows, last = rows[starts], last[starts]
    first, previous = table["first_id"][rows], table["previous_id"][rows]
    told = previous[1:] != NOT_TOLD
    joins = np.where(told, previous[1:] == last[:-1], first[1:] == last[:-1] + 1)
    exch = table["exch"][rows]
    return [
        Break(int(exch[i]), int(exch[i + 1]), int(last[i]), int(first[i + 1]))
        for i in np.flatnonzero(~joins)
    ]
