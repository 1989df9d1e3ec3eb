"""The funding clock: who held what at the hour, and what each pays once the rate is known.

Positions are taken when the first row at or after the hour arrives. The rate comes as a FUNDING
row; an hour whose rate never comes is told as unknown to every holder of a position, never as 0.
"""

from collections.abc import Iterator, Mapping, Sequence

from hatmanifesto.domain.events import FundingPaid, FundingUnknown
from hatmanifesto.domain.rows import NEVER_AGAIN, Row
from hatmanifesto.domain.units import MARK_ONE, NS_HOUR, RATE_ONE
from hatmanifesto.simex.account import BACKGROUND, FEES, Account


class FundingClock:
    """Positions at the last hour; coins that had any, and whether they are still to be settled.

    Args:
        is_paid: by coin slot, whether the coin pays funding at all.
    """

    __slots__ = ("_due", "_is_paid", "_szi", "hour_next")

    def __init__(self, is_paid: Sequence[bool]) -> None:
        self.hour_next = 0
        self._is_paid = list(is_paid)
        self._szi: list[dict[str, int]] = [{} for _ in is_paid]
        self._due: dict[int, bool] = {}

    def cross(
        self, exch: int, accounts: Mapping[str, Account]
    ) -> Iterator[tuple[str, FundingUnknown]]:
        """Take the positions of each hour up to ``exch``; yield the hours that stayed unknown."""
        while self.hour_next and exch >= self.hour_next:
            yield from self.unknown(exch)
            self._take(accounts)
            self.hour_next += NS_HOUR
        self.hour_next = exch - exch % NS_HOUR + NS_HOUR

    def _take(self, accounts: Mapping[str, Account]) -> None:
        for coin in self._due:
            self._szi[coin].clear()
        self._due.clear()
        for name, account in accounts.items():
            if name in (BACKGROUND, FEES):
                continue
            for coin, szi in enumerate(account.positions):
                if szi and self._is_paid[coin]:
                    self._szi[coin][name] = szi
                    self._due[coin] = True

    def on_bar(self, row: Row) -> None:
        """Let a coin that is never traded again pay no more; an hour already due stays due."""
        if row[6] == NEVER_AGAIN:
            self._is_paid[row[1]] = False

    def unknown(self, exch: int) -> Iterator[tuple[str, FundingUnknown]]:
        """Yield the hours that no rate came for, once, by coin slot."""
        for coin in sorted(self._due):
            if self._due[coin]:
                self._due[coin] = False
                for name, szi in self._szi[coin].items():
                    yield name, FundingUnknown(coin, szi, exch, 0)

    def finish(self, exch: int) -> Iterator[tuple[str, FundingUnknown]]:
        """Yield the hours before the end of a run that no rate came for.

        A run that ends at the stroke of an hour does not hold the payment that follows.
        """
        if self.hour_next - NS_HOUR < exch:
            yield from self.unknown(exch)

    def settle(self, row: Row, *, oracle: int, px_one: int) -> list[tuple[str, FundingPaid]]:
        """Return ``-szi * oracle * rate`` of each holder, truncated toward zero (PROTOCOL 13).

        Args:
            row: a FUNDING row with a known rate.
            oracle: [1e-10 USDC].
            px_one: px units per USDC of the coin.
        """
        coin = row[1]
        if not self._due.get(coin):
            return []
        self._due[coin] = False
        paid = []
        for name, szi in self._szi[coin].items():
            product = szi * oracle * px_one * row[4]
            size = abs(product) // (MARK_ONE * RATE_ONE)
            usdc = -size if product > 0 else size
            paid.append((name, FundingPaid(coin, szi, oracle, row[4], usdc, row[2], 0)))
        return paid
