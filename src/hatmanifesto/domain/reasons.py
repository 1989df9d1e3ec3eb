"""Why a hat refused. Codes never change and are never reused."""

from enum import StrEnum


class Reason(StrEnum):
    """Veto reasons; each belongs to exactly one hat (``Hat.reasons``)."""

    PX_OFF_GRID = "px_off_grid"
    SZ_INVALID = "sz_invalid"
    NOTIONAL_BELOW_MIN = "notional_below_min"
    REDUCE_ONLY_INCREASES = "reduce_only_increases"
    ALO_WOULD_CROSS = "alo_would_cross"
    COIN_UNKNOWN = "coin_unknown"
    ORDER_NOTIONAL_OVER_MAX = "order_notional_over_max"
    POSITION_NOTIONAL_OVER_MAX = "position_notional_over_max"
    LEVERAGE_OVER_MAX = "leverage_over_max"
    OPEN_ORDERS_OVER_MAX = "open_orders_over_max"
    COLLAR_BREACHED = "collar_breached"
    LOSS_OVER_MAX = "loss_over_max"
    DRAWDOWN_OVER_MAX = "drawdown_over_max"
    MARGIN_SHORT = "margin_short"
    NO_PRICE = "no_price"
    MODE_FORBIDS = "mode_forbids"
    ACTION_NOT_ALLOWED = "action_not_allowed"
    COIN_NOT_ALLOWED = "coin_not_allowed"
    HAT_RAISED = "hat_raised"
    SELF_CROSS = "self_cross"
