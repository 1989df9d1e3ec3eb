"""State: everything a decision may depend on, as plain data with one canonical hash."""

import hashlib

import msgspec

from hatmanifesto.books.blotter import Blotter
from hatmanifesto.books.ledger import Ledger
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.modes import Mode
from hatmanifesto.domain.rows import Row

NO_TOP: Row = (-1, -1, 0, 0, 0, 0, 0, 0, -1)


class State:
    """Books, orders, ledgers and counters of one account.

    ``tops[coin]`` is the newest book row of the coin (a..d: bid px, bid sz, ask px, ask sz),
    ``prints[coin]`` its newest trade row;
    ``ledgers[book][coin]`` the sub-ledgers; ``net[coin]`` the account's position and
    ``funded[coin]`` the stamp of its last funding payment [ns]. ``capital`` is what the account
    began with, ``peak2`` the highest marked equity judged so far [half micro].
    """

    __slots__ = (
        "assets",
        "blotter",
        "capital",
        "funded",
        "intent_next",
        "ledgers",
        "mode",
        "net",
        "now",
        "peak2",
        "prints",
        "rows",
        "tops",
    )

    def __init__(self, *, assets: tuple[Asset, ...], books: int, capital: int) -> None:
        coins = len(assets)
        self.assets = assets
        self.capital = capital
        self.tops: list[Row] = [NO_TOP] * coins
        self.prints: list[Row] = [NO_TOP] * coins
        self.blotter = Blotter(coins)
        self.ledgers = [[Ledger() for _ in range(coins)] for _ in range(books)]
        self.net = [0] * coins
        self.funded = [0] * coins
        self.mode = Mode.LIVE
        self.intent_next = 1
        self.now = 0
        self.rows = 0
        self.peak2 = 2 * capital

    def mid2(self, coin: int) -> int:
        """Return bid plus ask of ``coin`` [half px units]; 0 when a side is missing."""
        top = self.tops[coin]
        return top[4] + top[6] if top[4] and top[6] else 0

    def equity2(self) -> int:
        """Return the account's equity marked at mids [half micro-USDC]."""
        total = 2 * self.capital
        for book in self.ledgers:
            for ledger, top in zip(book, self.tops, strict=True):
                if ledger.fills:
                    total += ledger.equity2(top[4] + top[6])
        return total

    def mark_peak(self) -> None:
        """Raise the peak to the marked equity; a held coin without both prices marks nothing."""
        if all(self.mid2(coin) for coin, net in enumerate(self.net) if net):
            self.peak2 = max(self.peak2, self.equity2())

    def gross_notional2(self) -> int:
        """Return the worst-case gross exposure, resting orders included [half micro-USDC]."""
        total = 0
        blotter = self.blotter
        for coin, net in enumerate(self.net):
            worst = max(net + blotter.open_buy[coin], blotter.open_sell[coin] - net, abs(net))
            total += worst * self.mid2(coin)
        return total


def state_hash(content: list[object]) -> str:
    """Return the hash of a dumped State: SHA-256 of its canonical msgpack, 32 hex digits."""
    return hashlib.sha256(msgspec.msgpack.encode(content)).hexdigest()[:32]
