"""An account of the simulated exchange: cash, positions, margin. Its own arithmetic, on purpose.

The clearing keeps this ledger and shares only decimal and rate tables with `books/`, so that the
trader's books and the exchange's can disagree, and be compared.
"""

from hatmanifesto.domain.asset import Asset, maintenance_of, maintenance_tiers

BACKGROUND = "background"
"""Account that stands for everybody who is not simulated, so that no money appears or vanishes."""

FEES = "fees"
"""Account that receives fees and bears the rounding of funding."""

LEVERAGE_DEFAULT = 20
"""Cross leverage of a fresh coin, or the coin's maximum if lower. Source: PROTOCOL 15.1."""


class Account:
    """Money in micro-USDC. ``entry[coin]`` is the signed notional paid for the open position."""

    __slots__ = ("cash", "entry", "fees", "funding", "leverage", "name", "positions")

    def __init__(self, name: str, *, assets: tuple[Asset, ...], cash: int) -> None:
        self.name = name
        self.cash = cash
        self.positions = [0] * len(assets)
        self.entry = [0] * len(assets)
        self.leverage = [min(LEVERAGE_DEFAULT, asset.leverage_max) for asset in assets]
        self.fees = 0
        self.funding = 0

    def trade(self, coin: int, *, szi: int, px: int, fee: int) -> int:
        """Fold one side of a trade; return its closed PnL without fees, truncated [micro-USDC].

        Args:
            szi: signed size, positive bought.
            fee: positive is charged.
        """
        before = self.positions[coin]
        after = before + szi
        entry = self.entry[coin]
        closed = 0
        if before and (before > 0) != (szi > 0):
            part = min(abs(szi), abs(before))
            released = _truncate(entry * part, abs(before))
            proceeds = px * part if before > 0 else -px * part
            closed = proceeds - released
            entry -= released
            if abs(szi) > part:
                entry = px * after
        else:
            entry += px * szi
        self.positions[coin] = after
        self.entry[coin] = entry
        self.cash -= px * szi + fee
        self.fees += fee
        return closed

    def value2(self, mids2: list[int]) -> int:
        """Return account value at mids of ``mids2`` / 2 [half micro-USDC]."""
        value = 2 * self.cash
        for szi, mid2 in zip(self.positions, mids2, strict=True):
            value += szi * mid2
        return value


def _truncate(numerator: int, denominator: int) -> int:
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)


class MarginRule:
    """Initial and maintenance margin of one universe (PROTOCOL 15.1, 15.2)."""

    __slots__ = ("_tiers",)

    def __init__(self, assets: tuple[Asset, ...]) -> None:
        self._tiers = [maintenance_tiers(asset) for asset in assets]

    def maintenance(self, account: Account, mids2: list[int]) -> int:
        """Return the sum of maintenance margins of all positions [micro-USDC]."""
        return sum(
            maintenance_of(abs(szi) * mids2[coin] // 2, self._tiers[coin])
            for coin, szi in enumerate(account.positions)
            if szi
        )

    def called(self, account: Account, mids2: list[int]) -> tuple[int, int] | None:
        """Return (value, maintenance) [micro-USDC] of an account below maintenance, else None."""
        value2 = 2 * account.cash
        gross2 = 0
        for szi, mid2 in zip(account.positions, mids2, strict=True):
            if szi:
                value2 += szi * mid2
                gross2 += abs(szi) * mid2
        if value2 > gross2 or not gross2:
            return None  # maintenance is never more than the whole notional
        maintenance = self.maintenance(account, mids2)
        return (value2 // 2, maintenance) if value2 < 2 * maintenance else None

    def lacks(
        self,
        account: Account,
        mids2: list[int],
        open_sz: tuple[list[int], list[int]],
        *,
        coin: int,
        szi: int,
    ) -> bool:
        """Say whether ``szi`` more in ``coin`` needs more margin than the account is worth.

        Args:
            open_sz: what else could still be bought and sold, by coin.
            szi: signed size [sz units].
        """
        buys, sells = open_sz
        needed = 0
        value2 = 2 * account.cash
        for slot, held in enumerate(account.positions):
            longest = held + buys[slot]
            shortest = sells[slot] - held
            if slot == coin:
                if szi > 0:
                    longest += szi
                else:
                    shortest -= szi
            worst = longest if longest > shortest else shortest
            if worst:
                needed += worst * mids2[slot] // account.leverage[slot]
            if held:
                value2 += held * mids2[slot]
        if needed <= value2:
            return False
        return needed > self.initial(account, mids2, buys, sells)

    def lacks_when_met(self, account: Account, mids2: list[int], *, coin: int, szi: int) -> bool:
        """Say whether a resting order, on being met, would open more than the margin allows.

        Args:
            szi: signed size that it would get [sz units].
        """
        held = account.positions[coin]
        if held * szi < 0 and abs(szi) <= abs(held):
            return False
        empty = [0] * len(mids2)
        return self.lacks(account, mids2, (empty, empty.copy()), coin=coin, szi=szi)

    def initial(
        self, account: Account, mids2: list[int], open_buy: list[int], open_sell: list[int]
    ) -> int:
        """Return the margin of positions and everything resting [half micro-USDC]."""
        total = 0
        for coin, szi in enumerate(account.positions):
            worst = max(abs(szi), szi + open_buy[coin], open_sell[coin] - szi)
            if worst:
                total += worst * mids2[coin] // account.leverage[coin]
        return total
