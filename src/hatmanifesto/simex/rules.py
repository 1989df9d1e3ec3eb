"""The venue's published placement rules, in the order in which it checks them."""

from hatmanifesto.domain.asset import NOTIONAL_MIN, grid_step
from hatmanifesto.domain.commands import OrderCommand
from hatmanifesto.domain.enums import Status, Tif

OPEN_ORDERS_MAX = 1_000
"""Open orders of an account. Source: PROTOCOL 3.3."""


def rule_broken(
    command: OrderCommand, *, px_one: int, position: int, best: tuple[int, int]
) -> Status | None:
    """Return the status of the rule that ``command`` breaks, None if it breaks none.

    Args:
        command: the new order.
        px_one: px units per USDC of its coin.
        position: of its account in the coin, signed [sz units].
        best: best bid and ask px of the whole book, 0 for an empty side.

    Source: PROTOCOL 3.2, 3.3, 11.3, 11.4.
    """
    side, px, sz = command.side, command.px, command.sz
    if px <= 0 or px % grid_step(px, px_one):
        return Status.TICK_REJECTED
    if sz <= 0:
        return Status.REJECTED
    if command.reduce_only and position * side >= 0:
        return Status.REDUCE_ONLY_REJECTED
    closes_all = position * side < 0 and (
        sz == abs(position) or (command.reduce_only and sz > abs(position))
    )
    if px * sz < NOTIONAL_MIN and not closes_all:
        return Status.MIN_TRADE_NTL_REJECTED
    if command.tif == Tif.ALO:
        bid, ask = best
        if (side > 0 and 0 < ask <= px) or (side < 0 and px <= bid):
            return Status.BAD_ALO_PX_REJECTED
    return None
