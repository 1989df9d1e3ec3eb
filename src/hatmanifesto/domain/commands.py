"""Commands: what leaves the engine once the hats have let it pass. No command names an oid."""

import msgspec


class Place(msgspec.Struct, frozen=True, array_like=True, tag=10, gc=False):
    """Place a new order.

    Args of note: ``intent`` numbers the order, once and for ever; ``book`` the sub-ledger (strategy
    instance) it belongs to; ``slot`` its role there; ``mid2`` bid plus ask at the decision;
    ``signal`` the id of the signal it acts on, 0 when its strategy names none.
    """

    intent: int
    book: int
    coin: int
    slot: int
    side: int
    px: int
    sz: int
    tif: int
    reduce_only: bool
    mid2: int
    now: int
    signal: int = 0


class Modify(msgspec.Struct, frozen=True, array_like=True, tag=11, gc=False):
    """Replace the resting order ``target`` by a new one; at the venue a cancel plus a new order."""

    intent: int
    target: int
    book: int
    coin: int
    slot: int
    side: int
    px: int
    sz: int
    tif: int
    reduce_only: bool
    mid2: int
    now: int
    signal: int = 0


class Cancel(msgspec.Struct, frozen=True, array_like=True, tag=12, gc=False):
    """Withdraw the resting order ``target``."""

    target: int
    book: int
    coin: int
    slot: int
    now: int


OrderCommand = Place | Modify
"""A command that brings a new order."""

Command = Place | Modify | Cancel
