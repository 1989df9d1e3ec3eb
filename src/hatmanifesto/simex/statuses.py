"""The venue's refusal texts, by status (PROTOCOL 7.1)."""

from hatmanifesto.domain.enums import Status

TEXT: dict[Status, str] = {
    Status.REJECTED: "Order has invalid size.",
    Status.TOO_MANY_OPEN_ORDERS_REJECTED: "Order would exceed the open order limit.",
    Status.TICK_REJECTED: "Price must be divisible by tick size.",
    Status.MIN_TRADE_NTL_REJECTED: "Order must have minimum value of $10.",
    Status.PERP_MARGIN_REJECTED: "Insufficient margin to place order.",
    Status.REDUCE_ONLY_REJECTED: "Reduce only order would increase position.",
    Status.BAD_ALO_PX_REJECTED: "Post only order would have immediately matched.",
    Status.IOC_CANCEL_REJECTED: "Order could not immediately match against any resting orders.",
}

TEXT_BAD_MODIFY = "Cannot modify canceled or filled order"
