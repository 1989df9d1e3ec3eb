"""State: everything a decision may depend on, as plain data with one canonical hash."""

import hashlib

import msgspec

from hatmanifesto.books.allot import HOUSE
from hatmanifesto.books.blotter import Blotter
from hatmanifesto.books.ledger import Ledger
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.modes import Mode
from hatmanifesto.domain.rows import Row
from hatmanifesto.domain.units import NS_HOUR, RATE_ONE

NO_TOP: Row = (-1, -1, 0, 0, 0, 0, 0, 0, -1)


class State:
    """Books, orders, ledgers and counters of one account.

    ``tops[coin]`` is the newest book row of the coin (a..d: bid px, bid sz, ask px, ask sz),
    ``prints[coin]`` its newest trade row. ``told[coin]`` is what else a view tells of the coin, in
    its order: mark, oracle, funding rate and its stamp, premium and its stamp, regime; 0 unknown.

    ``ledgers[book][coin]`` are the sub-ledgers and ``account[coin]`` the account's own, folded from
    the same fills; ``net[coin]`` the account's position and ``funded[coin]`` the stamp of its last
    funding payment [ns]. ``hours[coin]`` is the hour of the coin's last fill, ``hour_held[coin]``
    what each book held before the first fill of that hour.

    ``capital`` is what the account began with, ``cash2`` what it has beside its positions, fees and
    funding included, and ``peak2`` the highest marked equity judged so far [half micro-USDC];
    ``house`` is what of its cash belongs to no sub-ledger [micro-USDC].
    """

    __slots__ = (
        "account",
        "assets",
        "blotter",
        "capital",
        "cash2",
        "funded",
        "hour_held",
        "hours",
        "house",
        "intent_next",
        "ledgers",
        "mode",
        "net",
        "now",
        "peak2",
        "prints",
        "rows",
        "signal_next",
        "told",
        "tops",
    )

    def __init__(self, *, assets: tuple[Asset, ...], books: int, capital: int) -> None:
        coins = len(assets)
        self.assets = assets
        self.capital = capital
        self.cash2 = 2 * capital
        self.tops: list[Row] = [NO_TOP] * coins
        self.prints: list[Row] = [NO_TOP] * coins
        self.told: list[tuple[int, ...]] = [(0,) * 7] * coins
        self.blotter = Blotter(coins)
        self.ledgers = [[Ledger() for _ in range(coins)] for _ in range(books)]
        self.account = [Ledger() for _ in range(coins)]
        self.net = [0] * coins
        self.funded = [0] * coins
        self.hours = [0] * coins
        self.hour_held = [[0] * books for _ in range(coins)]
        self.house = 0
        self.mode = Mode.LIVE
        self.intent_next = 1
        self.signal_next = 1
        self.now = 0
        self.rows = 0
        self.peak2 = 2 * capital

    def mid2(self, coin: int) -> int:
        """Return bid plus ask of ``coin`` [half px units]; 0 when a side is missing."""
        top = self.tops[coin]
        return top[4] + top[6] if top[4] and top[6] else 0

    def mark2(self, coin: int) -> int:
        """Return twice the price a position is marked at: the mid, or the side there is."""
        top = self.tops[coin]
        bid, ask = top[4], top[6]
        return bid + ask if bid and ask else 2 * (bid or ask)

    def equity2(self) -> int:
        """Return the account's equity marked at ``mark2`` [half micro-USDC]."""
        total = self.cash2
        for coin, net in enumerate(self.net):
            if net:
                total += net * self.mark2(coin)
        return total

    def fill(self, *, book: int, coin: int, side: int, px: int, sz: int, fee: int) -> None:
        """Fold a fill into its sub-ledger and the account."""
        self.ledgers[book][coin].fill(side=side, px=px, sz=sz, fee=fee)
        self.account[coin].fill(side=side, px=px, sz=sz, fee=fee)
        self.net[coin] += side * sz
        self.cash2 -= 2 * (side * px * sz + fee)

    def note_hour(self, coin: int, exch: int) -> None:
        """Keep what the books hold before the first fill of an hour, stamped ``exch`` [ns]."""
        hour = exch // NS_HOUR
        if hour != self.hours[coin]:
            self.hours[coin] = hour
            self.hour_held[coin] = [book[coin].position for book in self.ledgers]

    def charged(self, coin: int, exch: int) -> list[int]:
        """Return what each book held when the hour of a payment began, which is what it charges.

        Args:
            coin: slot.
            exch: stamp of the payment, at or after its hour [ns].
        """
        if exch // NS_HOUR == self.hours[coin]:
            return self.hour_held[coin]
        return [book[coin].position for book in self.ledgers]

    def pay_funding(self, *, book: int, coin: int, usdc: int) -> None:
        """Fold a share of a funding payment; negative means we paid."""
        if book == HOUSE:
            self.house += usdc
        else:
            self.ledgers[book][coin].pay_funding(usdc)
        self.account[coin].pay_funding(usdc)
        self.cash2 += 2 * usdc

    def tell_context(self, row: Row) -> None:
        """Fold a context row: mark, oracle and premium."""
        mark, oracle = row[4], row[5]
        _, _, rate, funded, premium, premium_exch, regime = self.told[row[1]]
        if row[7]:
            premium, premium_exch = row[6], row[2]
        elif mark and oracle:
            premium, premium_exch = (mark - oracle) * RATE_ONE // oracle, row[2]
        self.told[row[1]] = (mark, oracle, rate, funded, premium, premium_exch, regime)

    def tell_payment(self, row: Row) -> None:
        """Fold a funding row: the rate paid for the hour that ended, and its premium."""
        mark, oracle, rate, funded, premium, premium_exch, regime = self.told[row[1]]
        if row[5]:
            rate, funded = row[4], row[2]
        if row[7]:
            premium, premium_exch = row[6], row[2]
        self.told[row[1]] = (mark, oracle, rate, funded, premium, premium_exch, regime)

    def tell_regime(self, coin: int, regime: int) -> None:
        """Keep the regime of a coin, for the views to come."""
        self.told[coin] = (*self.told[coin][:-1], regime)

    def book_equity2(self, book: int) -> int:
        """Return the profit and loss of a book marked at ``mark2`` [half micro-USDC]."""
        return sum(
            ledger.equity2(self.mark2(coin)) for coin, ledger in enumerate(self.ledgers[book])
        )

    def netting(self, coin: int) -> int:
        """Return what the account realised that its books still hold [micro-USDC].

        It is 0 while no two books disagree about the coin.
        """
        mine = sum(book[coin].realised for book in self.ledgers)
        return self.account[coin].realised - mine

    def mark_peak(self) -> None:
        """Raise the peak to the marked equity; a held coin without both prices marks nothing."""
        equity2 = self.equity2()
        if equity2 > self.peak2 and all(self.mid2(c) for c, net in enumerate(self.net) if net):
            self.peak2 = equity2


def state_hash(content: list[object]) -> str:
    """Return the hash of a dumped State: SHA-256 of its canonical msgpack, 32 hex digits."""
    return hashlib.sha256(msgspec.msgpack.encode(content)).hexdigest()[:32]
