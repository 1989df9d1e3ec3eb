"""What a read costs at the venue, and a budget that never spends more than a minute allows."""

from collections import deque

WEIGHT_MAX = 1_200
"""Weight of all reads of one IP in a minute. Source: PROTOCOL 9.1."""
WINDOW_NS = 60 * 10**9

LIGHT = frozenset(
    {
        "l2Book",
        "allMids",
        "clearinghouseState",
        "orderStatus",
        "spotClearinghouseState",
        "exchangeStatus",
    }
)
PER_20_ROWS = frozenset(
    {
        "recentTrades",
        "historicalOrders",
        "userFills",
        "userFillsByTime",
        "fundingHistory",
        "userFunding",
    }
)


def weight_of(kind: str, rows: int) -> int:
    """Return the weight of an `/info` answer of type ``kind`` with ``rows`` rows (PROTOCOL 9.1)."""
    if kind in LIGHT:
        return 2
    base = 60 if kind == "userRole" else 20
    if kind in PER_20_ROWS:
        return base + rows // 20
    if kind == "candleSnapshot":
        return base + rows // 60
    return base


class Budget:
    """Weight spent in the last minute. Time comes in; waiting is the caller's."""

    def __init__(self, weight_max: int = WEIGHT_MAX) -> None:
        self._max = weight_max
        self._spent: deque[tuple[int, int]] = deque()
        self.total = 0

    def wait_ns(self, now: int, weight: int) -> int:
        """Return how long to wait at ``now`` [ns] until ``weight`` more fits."""
        assert 0 < weight <= self._max, "one read never costs more than a minute's budget"
        while self._spent and self._spent[0][0] <= now - WINDOW_NS:
            self._spent.popleft()
        free = self._max - sum(spent for _, spent in self._spent)
        for stamp, spent in self._spent:
            if free >= weight:
                return 0
            free += spent
            if free >= weight:
                return stamp + WINDOW_NS - now
        return 0

    def spend(self, now: int, weight: int) -> None:
        """Note that ``weight`` was spent at ``now`` [ns]."""
        self._spent.append((now, weight))
        self.total += weight
