"""The clearing: accounts, rules, fees, funding and margin of the simulated exchange.

One machine for every matcher. It admits commands in block order, applies the venue's rules with
the venue's statuses, settles matches between accounts (counterparties outside are the `background`
account, so that no money appears or vanishes), charges fees and funding truncated toward zero, and
checks maintenance margin at each book snapshot and each fill, over candles once a stamp, when all
prices of that stamp are known.

Assumptions, named in every run: the mark is the book's mid; the oracle too where no context tells
it; a modify whose new order is refused inside the book has already cancelled its target.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.commands import Cancel, Command, Modify, OrderCommand
from hatmanifesto.domain.enums import Status, Tif
from hatmanifesto.domain.events import (
    CancelRefused,
    Closed,
    Fact,
    Filled,
    MarginCalled,
    Opened,
    Refused,
)
from hatmanifesto.domain.rows import Row
from hatmanifesto.domain.units import MARK_ONE, rate_of
from hatmanifesto.simex.account import BACKGROUND, FEES, Account, MarginRule
from hatmanifesto.simex.funding import FundingClock
from hatmanifesto.simex.matching import Match, Matcher, Resting, crosses
from hatmanifesto.simex.rules import OPEN_ORDERS_MAX, rule_broken
from hatmanifesto.simex.statuses import TEXT, TEXT_BAD_MODIFY

L2, CTX, FUNDING, BAR = 2, 3, 4, 6


class FeeSchedule(NamedTuple):
    """Rates of an account [1e-10 of notional]; base tier by default. Source: PROTOCOL 12.1."""

    taker: int = 4_500_000
    maker: int = 1_500_000
    spot_taker: int = 7_000_000
    spot_maker: int = 4_000_000

    def rate(self, asset: Asset, *, is_taker: bool) -> int:
        """Return the rate of one fill of ``asset``."""
        if asset.is_spot:
            return self.spot_taker if is_taker else self.spot_maker
        return self.taker if is_taker else self.maker

    def rates(self, assets: Sequence[Asset]) -> list[tuple[int, int]]:
        """Return the rates of makers and takers by coin slot."""
        return [(self.rate(a, is_taker=False), self.rate(a, is_taker=True)) for a in assets]


Listener = Callable[[Fact], None]
"""Receives an account's facts in the order in which the venue tells them; recv is filled later."""


class Clearing:
    """Deterministic venue over one matcher; listeners receive what it tells each account."""

    def __init__(self, *, assets: tuple[Asset, ...], matcher: Matcher, fees: FeeSchedule) -> None:
        self.assets = assets
        self.accounts: dict[str, Account] = {}
        self._margined: list[Account] = []
        self.background = self.open_account(BACKGROUND, cash=0)
        self.fee_account = self.open_account(FEES, cash=0)
        self._matcher = matcher
        self._on_row = matcher.on_public
        self._rates = fees.rates(assets)
        self._listeners: dict[str, Listener] = {}
        self._margin = MarginRule(assets)
        self._orders: dict[tuple[str, int], Resting] = {}
        self._open: defaultdict[str, tuple[list[int], list[int]]] = defaultdict(
            lambda: ([0] * len(assets), [0] * len(assets))
        )
        self._oid_next = self._tid_next = 1
        self._mids2 = [0] * len(assets)
        self._px_one = [10**asset.px_decimals for asset in assets]
        self._reduce_only = 0
        self._oracle = [0] * len(assets)
        self._funding = FundingClock([not asset.is_spot for asset in assets])
        self._bars_open = 0  # BAR rows of this stamp whose BBO is still to come
        self.is_called = False

    def open_account(self, name: str, *, cash: int) -> Account:
        """Open an account with ``cash`` [micro-USDC]."""
        assert name not in self.accounts, "an account is opened once"
        account = Account(name, assets=self.assets, cash=cash)
        self.accounts[name] = account
        if name not in (BACKGROUND, FEES):
            self._margined.append(account)
        return account

    def listen(self, name: str, listener: Listener) -> None:
        """Send the facts of account ``name`` to ``listener``."""
        self._listeners[name] = listener

    def _emit(self, name: str, fact: Fact) -> None:
        listener = self._listeners.get(name)
        if listener is not None:
            listener(fact)

    def money(self) -> int:
        """Return all cash, fees included; constant but for deposits when no position is open."""
        return sum(account.cash for account in self.accounts.values())

    def execute(self, name: str, command: Command, now: int) -> None:
        """Execute one command of an account at block time ``now``."""
        self._cross_hour(now)
        if isinstance(command, Cancel):
            target = self._orders.get((name, command.target))
            if target is None:
                self._emit(name, CancelRefused(command.target, now, 0))
            else:
                self._close(target, Status.CANCELED, now)
            return
        target = None
        if isinstance(command, Modify):
            target = self._orders.get((name, command.target))
            if target is None:
                self._emit(name, Refused(command.intent, Status.REJECTED, TEXT_BAD_MODIFY, now, 0))
                return
        status = self._rule_broken(name, command)
        if status is not None:
            self._refuse(name, command.intent, status, now)
            return
        if target is not None:
            self._close(target, Status.CANCELED, now)
        self._place(name, command, now)

    def _place(self, name: str, command: OrderCommand, now: int) -> None:
        status = self._margin_broken(name, command)
        if status is not None:
            self._refuse(name, command.intent, status, now)
            return
        sz = command.sz
        if command.reduce_only:
            sz = min(sz, abs(self.accounts[name].positions[command.coin]))
        order = Resting(
            account=name,
            intent=command.intent,
            oid=self._oid_next,
            coin=command.coin,
            side=command.side,
            px=command.px,
            sz=sz,
            reduce_only=command.reduce_only,
        )
        order.sz_asked = command.sz
        order.since = now
        self._oid_next += 1
        if command.tif != Tif.ALO and crosses(order, self._matcher.best(order.coin)):
            self._settle(self._matcher.take(order), now)
            left = order.sz - order.sz_filled
            if not left:
                return
            if command.tif == Tif.IOC or self.is_called:
                self._drop(order, now)
                return
        elif command.tif == Tif.IOC:
            self._refuse(name, command.intent, Status.IOC_CANCEL_REJECTED, now)
            return
        self._rest(order, now)

    def _drop(self, order: Resting, now: int) -> None:
        if order.sz_filled:
            closed = Closed(order.intent, Status.FILLED, order.sz_filled, now, 0)
            self._emit(order.account, closed)
        else:
            self._refuse(order.account, order.intent, Status.IOC_CANCEL_REJECTED, now)

    def _rest(self, order: Resting, now: int) -> None:
        self._orders[order.account, order.intent] = order
        self._reduce_only += order.reduce_only
        order.open_sz = self._open[order.account][order.side < 0]
        left = order.sz - order.sz_filled
        order.open_sz[order.coin] += left
        self._matcher.rest(order)
        self._emit(order.account, Opened(order.intent, order.oid, left, now, 0))

    def _refuse(self, name: str, intent: int, status: Status, now: int) -> None:
        self._emit(name, Refused(intent, status, TEXT[status], now, 0))

    def _rule_broken(self, name: str, command: OrderCommand) -> Status | None:
        return rule_broken(
            command,
            px_one=self._px_one[command.coin],
            position=self.accounts[name].positions[command.coin],
            best=self._matcher.best(command.coin),
        )

    def _margin_broken(self, name: str, command: OrderCommand) -> Status | None:
        """Return a status when open orders or margin do not allow the order."""
        if self.is_called:
            return Status.PERP_MARGIN_REJECTED
        orders = self._orders
        if len(orders) >= OPEN_ORDERS_MAX <= sum(owner == name for owner, _ in orders):
            return Status.TOO_MANY_OPEN_ORDERS_REJECTED
        if command.reduce_only:
            return None
        lacks = self._margin.lacks(
            self.accounts[name],
            self._mids2,
            self._open[name],
            coin=command.coin,
            szi=command.side * command.sz,
        )
        return Status.PERP_MARGIN_REJECTED if lacks else None

    def on_public(self, row: Row) -> None:
        """Fold one public row: matches of resting orders, funding, margin."""
        exch = row[2]
        if exch >= self._funding.hour_next:
            self._cross_hour(exch)
        kind = row[0]
        if kind > L2:
            self._on_rare(row, exch)
            return
        matches = self._on_row(row)
        if kind and row[4] and row[6]:
            self._mids2[row[1]] = row[4] + row[6]
        if matches:
            self._settle(matches, exch)
        if kind == L2:
            self._check_margin(exch)
        elif self._bars_open and kind:
            self._bars_open -= 1
            self._check_margin(exch)

    def _on_rare(self, row: Row, exch: int) -> None:
        """Fold a context, a payment, a hole or a bar."""
        kind = row[0]
        if kind <= FUNDING:
            self._on_context(row)
            return
        if kind == BAR:
            self._bars_open += row[4] > 0
            self._funding.on_bar(row)
        matches = self._on_row(row)
        if matches:
            self._settle(matches, exch)

    def _settle(self, matches: list[Match], now: int) -> None:
        for found in matches:
            match = found
            order, resting = match.order, match.resting
            if resting is not None and resting.account == order.account:
                self._close(resting, Status.SELF_TRADE_CANCELED, now)
                continue
            maker = resting if resting is not None else None if match.is_taker else order
            if maker is not None:
                if (maker.account, maker.intent) not in self._orders:
                    continue  # an earlier match of this batch closed it
                if match.sz > maker.sz - maker.sz_filled:
                    match = match._replace(sz=maker.sz - maker.sz_filled)
                szi, account = maker.side * match.sz, self.accounts[maker.account]
                if self._margin.lacks_when_met(account, self._mids2, coin=maker.coin, szi=szi):
                    self._close(maker, Status.MARGIN_CANCELED, now)
                    continue
            tid = self._tid_next
            self._tid_next += 1
            self._fill(match, tid, now)
            if resting is not None:
                self._fill(match._replace(order=resting, is_taker=False, resting=order), tid, now)
                self._shrink_reduce_only(resting, now)
            self._shrink_reduce_only(order, now)
        self._check_margin(now)

    def _fill(self, match: Match, tid: int, now: int) -> None:
        """Book one side of a match; without another order of ours the background takes it."""
        order = match.order
        coin, px, sz = order.coin, match.px, match.sz
        fee = rate_of(px * sz, self._rates[coin][match.is_taker])
        account = self.accounts[order.account]
        account.trade(coin, szi=order.side * sz, px=px, fee=fee)
        self.fee_account.cash += fee
        if match.resting is None:
            self.background.trade(coin, szi=-order.side * sz, px=px, fee=0)
        order.sz_filled += sz
        if (order.account, order.intent) in self._orders:
            order.open_sz[coin] -= sz
            if order.sz_filled == order.sz:
                self._forget(order)
        self._emit(
            order.account,
            Filled(order.intent, tid, px, sz, fee, match.is_taker, match.is_gap, now, 0),
        )
        if order.sz_filled == order.sz != order.sz_asked:
            closed = Closed(order.intent, Status.FILLED, order.sz_filled, now, 0)
            self._emit(order.account, closed)

    def _shrink_reduce_only(self, cause: Resting, now: int) -> None:
        """Cut or cancel resting reduce-only orders that the new position no longer supports."""
        if not self._reduce_only:
            return
        position = self.accounts[cause.account].positions[cause.coin]
        for order in [o for (name, _), o in self._orders.items() if name == cause.account]:
            if not order.reduce_only or order.coin != cause.coin:
                continue
            left = order.sz - order.sz_filled
            if position * order.side >= 0:
                self._close(order, Status.REDUCE_ONLY_CANCELED, now)
            elif left > abs(position):
                cut = left - abs(position)
                order.sz -= cut
                order.open_sz[order.coin] -= cut

    def _close(self, order: Resting, status: Status, now: int) -> None:
        """Take an order out of the book and say why."""
        order.open_sz[order.coin] -= order.sz - order.sz_filled
        self._forget(order)
        self._emit(order.account, Closed(order.intent, status, order.sz_filled, now, 0))

    def _forget(self, order: Resting) -> None:
        del self._orders[order.account, order.intent]
        self._reduce_only -= order.reduce_only
        self._matcher.remove(order)

    def finish(self, exch: int) -> None:
        """Tell of funding hours that no rate came for; call at the end of the data."""
        for name, fact in self._funding.finish(exch):
            self._emit(name, fact)

    def _cross_hour(self, now: int) -> None:
        """Note who holds what at an hour that begins, before anything at or after it happens."""
        if now < self._funding.hour_next:
            return
        for name, fact in self._funding.cross(now, self.accounts):
            self._emit(name, fact)

    def _on_context(self, row: Row) -> None:
        coin = row[1]
        if row[0] == CTX:
            self._oracle[coin] = row[5]
        elif row[5]:
            px_one = self._px_one[coin]
            oracle = self._oracle[coin] or self._mids2[coin] * MARK_ONE // (2 * px_one)
            for name, fact in self._funding.settle(row, oracle=oracle, px_one=px_one):
                account = self.accounts[name]
                account.cash += fact.usdc
                account.funding += fact.usdc
                self.fee_account.cash -= fact.usdc
                self._emit(name, fact)

    def _check_margin(self, now: int) -> None:
        """End the run of an account whose value fell below its maintenance margin.

        Between the rows of one boundary of candles nothing is checked: prices are half old.
        """
        if self.is_called or self._bars_open:
            return
        for account in self._margined:
            called = self._margin.called(account, self._mids2)
            if called is not None:
                self.is_called = True
                self._emit(account.name, MarginCalled(*called, now, 0))
                return
