"""The limits of an account: one set of numbers, read by the Risk hat and, apart, by the warden."""

import msgspec


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pre-trade and account limits. Money in micro-USDC; 0 forbids opening, never "unlimited".

    ``collar_bps`` is the largest distance of an order's price from the mid; ``leverage_max`` is on
    worst-case gross exposure over marked equity, in hundredths (300 = 3x).
    """

    order_notional_max: int
    position_notional_max: int
    leverage_max_pct: int
    open_orders_max: int
    collar_bps: int
    loss_max: int
    drawdown_max: int
