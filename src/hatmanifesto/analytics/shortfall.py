"""Implementation shortfall: what an order cost against the paper portfolio, by cause.

Source: Perold (1988); QUANT A.10.
"""

from collections.abc import Sequence
from math import fsum, isfinite, nan
from typing import NamedTuple


class OrderFill(NamedTuple):
    """One fill of the order; ``fee`` positive when paid."""

    qty: float
    px: float
    fee: float


class ParentOrder(NamedTuple):
    """An order as it was decided: side +1 or -1, size, prices at decision, arrival and the end."""

    side: int
    qty: float
    decision_px: float
    arrival_px: float
    end_px: float


class Shortfall(NamedTuple):
    """Costs, positive is bad. ``bps`` of the notional at decision, NaN without one.

    ``paper_less_real`` is the same total told by two portfolios instead of by causes.
    """

    delay: float
    execution: float
    opportunity: float
    fees: float
    total: float
    bps: float
    paper_less_real: float


def shortfall_of(order: ParentOrder, fills: Sequence[OrderFill]) -> Shortfall:
    """Return what the order cost.

    Raises:
        ValueError: on a number that is not finite, or a side other than +1 and -1.
    """
    numbers = [*order, *(value for row in fills for value in row)]
    if not all(isfinite(value) for value in numbers):
        raise ValueError("expected finite numbers")
    side = order.side
    if side not in (1, -1):
        raise ValueError(f"side: expected +1 or -1, was {side}")
    done = fsum(row.qty for row in fills)
    fees = fsum(row.fee for row in fills)
    delay = side * done * (order.arrival_px - order.decision_px)
    execution = fsum(side * row.qty * (row.px - order.arrival_px) for row in fills)
    opportunity = side * (order.qty - done) * (order.end_px - order.decision_px)
    total = fsum([delay, execution, opportunity, fees])
    notional = order.qty * order.decision_px
    paper = side * order.qty * (order.end_px - order.decision_px)
    real = fsum(side * row.qty * (order.end_px - row.px) for row in fills) - fees
    return Shortfall(
        delay=delay,
        execution=execution,
        opportunity=opportunity,
        fees=fees,
        total=total,
        bps=1e4 * total / notional if notional > 0 else nan,
        paper_less_real=paper - real,
    )
