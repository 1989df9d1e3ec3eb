"""Exact sub-ledger of one strategy instance on one coin: position, cost, cash, fees, funding.

Cost of a position is the average-cost basis. After a reduction it depends only on the size left and
on the basis at the last increase, never on how the reduction was cut into fills; so splitting or
merging fills at one price changes neither position nor cost.
"""

LEDGER_FIELDS = (
    "basis_cost",
    "basis_sz",
    "cash",
    "fees",
    "fills",
    "funding",
    "position",
    "turnover",
)
"""Fields of a ledger, in the order in which `Ledger.dump` tells them."""


class Ledger:
    """Mutable fold of fills and funding. Money in micro-USDC, sizes in sz units, all signed.

    ``cash`` holds trading flows alone: fees and funding stand beside it. Equity is
    ``cash + position * px - fees + funding``.
    """

    __slots__ = LEDGER_FIELDS

    def __init__(self) -> None:
        self.position = 0
        self.basis_cost = 0
        self.basis_sz = 0
        self.cash = 0
        self.fees = 0
        self.funding = 0
        self.turnover = 0
        self.fills = 0

    @property
    def cost(self) -> int:
        """Return the signed cost basis of the open position, truncated toward zero."""
        if not self.position:
            return 0
        if self.position == self.basis_sz:
            return self.basis_cost
        product = self.basis_cost * self.position
        return (
            product // self.basis_sz
            if product * self.basis_sz >= 0
            else -(-product // self.basis_sz)
        )

    @property
    def realised(self) -> int:
        """Return realised trading PnL before fees and funding."""
        return self.cash + self.cost

    def fill(self, *, side: int, px: int, sz: int, fee: int) -> None:
        """Fold one fill; ``fee`` positive was paid."""
        notional = px * sz
        before = self.position
        after = before + side * sz
        if before * side >= 0:
            self.basis_cost = self.cost + side * notional
            self.basis_sz = after
        elif after * side > 0:
            self.basis_cost = px * after
            self.basis_sz = after
        self.position = after
        self.cash -= side * notional
        self.fees += fee
        self.turnover += notional
        self.fills += 1

    def pay_funding(self, usdc: int) -> None:
        """Fold a funding payment; negative means we paid."""
        self.funding += usdc

    def equity2(self, mid2: int) -> int:
        """Return profit and loss at a mid of ``mid2`` / 2 [half micro-USDC]."""
        return 2 * (self.cash - self.fees + self.funding) + self.position * mid2

    def load(self, content: list[int]) -> None:
        """Take the content that ``dump`` returned."""
        for name, value in zip(LEDGER_FIELDS, content, strict=True):
            setattr(self, name, value)

    def dump(self) -> list[int]:
        """Return the plain content, for snapshot and hash."""
        return [getattr(self, name) for name in LEDGER_FIELDS]
