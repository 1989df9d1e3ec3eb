"""Closed sets of words: sides, times in force, row kinds, evidence classes, order statuses."""

from enum import IntEnum, StrEnum


class Side(IntEnum):
    """Direction of an order or fill, and its sign."""

    BUY = 1
    SELL = -1


class Tif(IntEnum):
    """Time in force (PROTOCOL 11.3)."""

    ALO = 0
    IOC = 1
    GTC = 2


class RowKind(IntEnum):
    """Kind of a market row; of TRADE, BBO and L2 the numbers are the pessimistic order."""

    TRADE = 0
    BBO = 1
    L2 = 2
    CTX = 3
    FUNDING = 4
    GAP = 5
    BAR = 6


class Evidence(StrEnum):
    """Evidence class, bound to the data manifest (ARCHITECTURE 9)."""

    SYN = "SYN"
    ASSUMED = "ASSUMED"
    REP = "REP"
    PAP = "PAP"
    TST = "TST"
    LIV = "LIV"


class Status(StrEnum):
    """Order status strings of the venue, spelt as on the wire (PROTOCOL 5.2)."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    TRIGGERED = "triggered"
    REJECTED = "rejected"
    MARGIN_CANCELED = "marginCanceled"
    VAULT_WITHDRAWAL_CANCELED = "vaultWithdrawalCanceled"
    OPEN_INTEREST_CAP_CANCELED = "openInterestCapCanceled"
    SELF_TRADE_CANCELED = "selfTradeCanceled"
    REDUCE_ONLY_CANCELED = "reduceOnlyCanceled"
    SIBLING_FILLED_CANCELED = "siblingFilledCanceled"
    DELISTED_CANCELED = "delistedCanceled"
    LIQUIDATED_CANCELED = "liquidatedCanceled"
    OUTCOME_SETTLED_CANCELED = "outcomeSettledCanceled"
    SCHEDULED_CANCEL = "scheduledCancel"
    INTERNAL_CANCEL = "internalCancel"
    TICK_REJECTED = "tickRejected"
    MIN_TRADE_NTL_REJECTED = "minTradeNtlRejected"
    MIN_TRADE_SPOT_NTL_REJECTED = "minTradeSpotNtlRejected"
    PERP_MARGIN_REJECTED = "perpMarginRejected"
    INSUFFICIENT_SPOT_BALANCE_REJECTED = "insufficientSpotBalanceRejected"
    REDUCE_ONLY_REJECTED = "reduceOnlyRejected"
    BAD_ALO_PX_REJECTED = "badAloPxRejected"
    IOC_CANCEL_REJECTED = "iocCancelRejected"
    BAD_TRIGGER_PX_REJECTED = "badTriggerPxRejected"
    MARKET_ORDER_NO_LIQUIDITY_REJECTED = "marketOrderNoLiquidityRejected"
    POSITION_INCREASE_AT_OPEN_INTEREST_CAP_REJECTED = "positionIncreaseAtOpenInterestCapRejected"
    POSITION_FLIP_AT_OPEN_INTEREST_CAP_REJECTED = "positionFlipAtOpenInterestCapRejected"
    TOO_AGGRESSIVE_AT_OPEN_INTEREST_CAP_REJECTED = "tooAggressiveAtOpenInterestCapRejected"
    OPEN_INTEREST_INCREASE_REJECTED = "openInterestIncreaseRejected"
    ORACLE_REJECTED = "oracleRejected"
    PERP_MAX_POSITION_REJECTED = "perpMaxPositionRejected"
    TOO_MANY_OPEN_ORDERS_REJECTED = "tooManyOpenOrdersRejected"
