"""Trading modes, ordered: the gate takes the minimum over all sources."""

from enum import IntEnum


class Mode(IntEnum):
    """What may leave: nothing (KILLED, BOOT, RECONCILING), cancels, reductions, everything."""

    KILLED = 0
    BOOT = 1
    RECONCILING = 2
    CANCEL_ONLY = 3
    PAUSED = 4
    REDUCE_ONLY = 5
    LIVE = 6
