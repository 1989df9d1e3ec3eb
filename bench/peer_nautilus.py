"""One back-test of nautilus_trader over the same rows with the same quotes; a child process.

The maker's own `decide` says what is wanted, so both engines want the same; a timer of the same
period asks it. Three ways to give nautilus the rows are known here, because they differ in cost:

- `l1`: an L1 venue; best quotes and the top of each snapshot are QuoteTicks;
- `depth`: an L2 venue; snapshots are OrderBookDepth10, best quotes are QuoteTicks beside the book;
- `full`: as `depth`, and each best quote also moves the venue's book, as OrderBookDeltas. Only this
  form shows the venue all that the recording holds, as our own does.

Only `BacktestEngine.run` is timed; building its objects is not.
"""

import time
from decimal import Decimal
from typing import Any

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import FillModel, LatencyModel
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USDC
from nautilus_trader.model.data import (
    BookOrder,
    OrderBookDelta,
    OrderBookDeltas,
    OrderBookDepth10,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import (
    AccountType,
    AggressorSide,
    BookAction,
    BookType,
    OmsType,
    OrderSide,
    TimeInForce,
)
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from bench.market import CAPITAL_USDC, LATENCY_MEDIAN_MS, SEED, SETTINGS, Market, market_rows
from hatmanifesto.apps.strategies_file import load_strategy
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.rows import Row
from hatmanifesto.domain.units import MICRO
from hatmanifesto.store.tape import ParquetTape
from hatmanifesto.strategies import maker
from hatmanifesto.strategies.contract import View

VENUE = Venue("HL")
TRADE, BBO, L2 = 0, 1, 2
FORMS = ("l1", "depth", "full")
DEPTH = 10
NS_MS = 1_000_000


def instrument_of(asset: Asset) -> CryptoPerpetual:
    """Return the coin as a perpetual with our decimals and the base tier's fees."""
    px, sz = asset.px_decimals, asset.sz_decimals
    return CryptoPerpetual(
        instrument_id=InstrumentId(Symbol(f"{asset.coin}-PERP"), VENUE),
        raw_symbol=Symbol(asset.coin),
        base_currency=Currency.from_str(asset.coin),
        quote_currency=USDC,
        settlement_currency=USDC,
        is_inverse=False,
        price_precision=px,
        size_precision=sz,
        price_increment=Price(10**-px, px),
        size_increment=Quantity(10**-sz, sz),
        ts_event=0,
        ts_init=0,
        margin_init=Decimal("0.025"),
        margin_maint=Decimal("0.0125"),
        maker_fee=Decimal("0.00015"),
        taker_fee=Decimal("0.00045"),
    )


def is_book(one: Any) -> bool:
    """Say whether an object changes a book of levels."""
    return isinstance(one, OrderBookDepth10 | OrderBookDeltas)


class Objects:
    """Makes the peer's objects of one coin out of our rows."""

    def __init__(self, asset: Asset, form: str) -> None:
        self.id = instrument_of(asset).id
        self.px_decimals, self.sz_decimals = asset.px_decimals, asset.sz_decimals
        self.form = form
        self.shown: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def px(self, units: int) -> Price:
        """Return a price of ours as theirs."""
        return Price(units / 10**self.px_decimals, self.px_decimals)

    def sz(self, units: int) -> Quantity:
        """Return a size of ours as theirs."""
        return Quantity(units / 10**self.sz_decimals, self.sz_decimals)

    def of(self, row: Row, levels: Any) -> list[Any]:
        """Return the objects of one row, one or two."""
        if self.form == "full" and row[0] == BBO:
            return [self.moved(row), self.one(row, levels)]
        return [self.one(row, levels)]

    def moved(self, row: Row) -> OrderBookDeltas:
        """Return how a best quote moves the book: better levels go, the best one is set."""
        stamp = row[2]
        parts = []
        for side, way, at in ((OrderSide.BUY, 1, 4), (OrderSide.SELL, -1, 6)):
            px, sz = row[at], row[at + 1]
            book = self.shown[at == 6]
            for gone in [level for level in book if (level - px) * way > 0]:
                order = self.order(side, gone, book.pop(gone))
                parts.append((BookAction.DELETE, order))
            parts.append((BookAction.UPDATE, self.order(side, px, sz)))
            book[px] = sz
        last = len(parts) - 1
        return OrderBookDeltas(
            self.id,
            [
                OrderBookDelta(self.id, act, order, 128 * (n == last), 0, stamp, stamp)
                for n, (act, order) in enumerate(parts)
            ],
        )

    def one(self, row: Row, levels: Any) -> Any:
        """Return the object of one row."""
        stamp = row[2]
        if row[0] == TRADE:
            aggressor = AggressorSide.BUYER if row[6] > 0 else AggressorSide.SELLER
            trade = TradeId(str(row[7]))
            return TradeTick(
                self.id, self.px(row[4]), self.sz(row[5]), aggressor, trade, stamp, stamp
            )
        if row[0] == BBO or self.form == "l1":
            prices = self.px(row[4]), self.px(row[6])
            return QuoteTick(self.id, *prices, self.sz(row[5]), self.sz(row[7]), stamp, stamp)
        shown = levels[row[8]].tolist()
        self.shown = ({x[0]: x[1] for x in shown[:DEPTH]}, {x[2]: x[3] for x in shown[:DEPTH]})
        return self.depth(shown, stamp)

    def order(self, side: OrderSide, px: int, sz: int) -> BookOrder:
        """Return one level."""
        return BookOrder(side, self.px(px), self.sz(sz), px)

    def depth(self, shown: list[list[int]], stamp: int) -> OrderBookDepth10:
        """Return the ten best levels a side."""
        bids = [self.order(OrderSide.BUY, level[0], level[1]) for level in shown[:DEPTH]]
        asks = [self.order(OrderSide.SELL, level[2], level[3]) for level in shown[:DEPTH]]
        ones = [1] * DEPTH
        return OrderBookDepth10(self.id, bids, asks, ones, ones, 0, 0, stamp, stamp)


class Desk:
    """One coin of the strategy: what rests on each side, position and memory in our units."""

    def __init__(self, asset: Asset, capital: int) -> None:
        self.make = Objects(asset, "l1")
        self.id = self.make.id
        self.px_one, self.sz_one = 10**asset.px_decimals, 10**asset.sz_decimals
        self.capital = capital
        self.position = 0
        self.memory = [0.0] * maker.MEMORY
        self.orders: list[Any] = [None, None]


class Quoter(Strategy):  # type: ignore[misc]
    """Asks the maker every period and keeps one post-only order a side at what it wants."""

    def __init__(self, assets: tuple[Asset, ...], params: maker.Params) -> None:
        super().__init__(StrategyConfig())
        capital = CAPITAL_USDC * MICRO // len(assets)
        self.params = params
        self.desks = [Desk(asset, capital) for asset in assets]
        self.desk_of = {desk.id: desk for desk in self.desks}
        self.commands = self.fills = 0

    def on_start(self) -> None:
        period = pd.Timedelta(milliseconds=self.params.requote_ms)
        self.clock.set_timer("requote", period, callback=self.requote)

    def on_order_filled(self, event: Any) -> None:
        desk = self.desk_of[event.instrument_id]
        sz = round(event.last_qty.as_double() * desk.sz_one)
        desk.position += sz if event.is_buy else -sz
        self.fills += 1

    def requote(self, event: Any) -> None:
        now = event.ts_event
        for desk in self.desks:
            top = self.cache.quote_tick(desk.id)
            if top is None:
                continue
            px_one, sz_one = desk.px_one, desk.sz_one
            view = View(
                now,
                top.ts_event,
                round(top.bid_price.as_double() * px_one),
                round(top.bid_size.as_double() * sz_one),
                round(top.ask_price.as_double() * px_one),
                round(top.ask_size.as_double() * sz_one),
                0,
                0,
                desk.position,
                desk.capital,
                px_one,
                sz_one,
            )
            wanted = maker.decide(self.params, view, desk.memory)
            self.keep(desk, 0, OrderSide.BUY, wanted[0], wanted[1])
            self.keep(desk, 1, OrderSide.SELL, wanted[2], wanted[3])

    def keep(self, desk: Desk, at: int, side: OrderSide, px: int, sz: int) -> None:
        """Place, modify or cancel one side by the same rule as our engine's."""
        order = desk.orders[at]
        if order is None or order.is_closed:
            if sz:
                self.place(desk, at, side, px, sz)
            return
        if not order.is_open or order.is_pending_update or order.is_pending_cancel:
            return
        if not sz:
            self.cancel_order(order)
            self.commands += 1
            return
        left = round(order.leaves_qty.as_double() * desk.sz_one)
        price = desk.make.px(px)
        if order.price == price and left <= sz <= 2 * left:
            return
        filled = round(order.filled_qty.as_double() * desk.sz_one)
        self.modify_order(order, quantity=desk.make.sz(filled + sz), price=price)
        self.commands += 1

    def place(self, desk: Desk, at: int, side: OrderSide, px: int, sz: int) -> None:
        order = self.order_factory.limit(
            desk.id,
            side,
            desk.make.sz(sz),
            desk.make.px(px),
            time_in_force=TimeInForce.GTC,
            post_only=True,
        )
        desk.orders[at] = order
        self.submit_order(order)
        self.commands += 1


def objects_of(tape: ParquetTape, *, form: str) -> list[Any]:
    """Return the rows of the tape as the peer's objects, holes left out."""
    makers = [Objects(asset, form) for asset in tape.assets]
    return [
        one
        for chunk in tape.chunks()
        for row in chunk.rows
        if row[0] <= L2
        for one in makers[row[1]].of(row, chunk.levels)
    ]


def engine_of(assets: tuple[Asset, ...], *, form: str) -> BacktestEngine:
    """Return the peer's engine with one venue: latency, fees, no logging."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    latency = 2 * LATENCY_MEDIAN_MS * NS_MS
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(CAPITAL_USDC, USDC)],
        base_currency=USDC,
        default_leverage=Decimal(20),
        book_type=BookType.L1_MBP if form == "l1" else BookType.L2_MBP,
        fill_model=FillModel(prob_fill_on_limit=1.0, random_seed=SEED),
        latency_model=LatencyModel(base_latency_nanos=latency),
        trade_execution=True,
        bar_execution=False,
    )
    for asset in assets:
        engine.add_instrument(instrument_of(asset))
    return engine


def add(engine: BacktestEngine, data: list[Any]) -> None:
    """Give the engine its data; it looks for books at the head of each list alone."""
    heads = {one.instrument_id: one for one in reversed(data) if is_book(one)}
    for head in heads.values():
        engine.add_data([head], sort=False)
    at_head = {id(head) for head in heads.values()}
    engine.add_data([one for one in data if id(one) not in at_head])


def measure(*, market: list[str], repeat: int, form: str) -> dict[str, Any]:
    """Run once; return rows, seconds, commands and fills."""
    tape = Market(*market).tape(repeat)
    assets = tape.assets
    data = objects_of(tape, form=form)
    engine = engine_of(assets, form=form)
    add(engine, data)
    quoter = Quoter(assets, load_strategy("maker", SETTINGS).params)
    engine.add_strategy(quoter)
    wall, cpu = time.perf_counter(), time.process_time()
    engine.run()
    spent = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    rows = market_rows(tape)
    assert form == "full" or rows == len(data)
    return {"rows": rows, **spent, "commands": quoter.commands, "fills": quoter.fills}
