"""What one slot should do next: keep, place, modify or cancel.

A resting order survives while its price is what is wanted and enough of it is left, so that its
place in the queue survives too.
"""

from hatmanifesto.books.blotter import Order

KEEP, PLACE, MODIFY, CANCEL = range(4)

KEEP_SHARE = 2
"""A resting order is topped up only when less than 1 / KEEP_SHARE of the wanted size is left."""


def plan_slot(order: Order | None, *, px: int, sz: int) -> int:
    """Return the next operation for a slot that has nothing in flight.

    Args:
        order: what rests in the slot, if anything.
        px, sz: what is wanted there [px and sz units]; sz 0 wants nothing.
    """
    if order is None:
        return PLACE if sz > 0 else KEEP
    if sz <= 0:
        return CANCEL
    left = order.sz - order.filled
    if order.px == px and left <= sz <= KEEP_SHARE * left:
        return KEEP
    return MODIFY
