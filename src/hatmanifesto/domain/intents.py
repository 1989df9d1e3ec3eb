"""Intents: what a strategy wants to have resting or held, slot by slot. No order ids."""

from typing import NamedTuple


class Desire(NamedTuple):
    """What one slot should hold. ``sz`` 0 means nothing.

    px and sz are in the coin's units; ``side`` is +1 or -1; ``tif`` a member of ``Tif``.
    """

    side: int
    px: int
    sz: int
    tif: int


NOTHING = Desire(0, 0, 0, 0)
