"""The hand-worked day: its table, its rows, its script, and the two ledgers that follow it."""

import tomllib
from fractions import Fraction
from typing import NamedTuple

from hatmanifesto.domain.enums import Tif
from hatmanifesto.domain.events import Fact, Filled
from hatmanifesto.domain.rows import Row
from hatmanifesto.domain.units import parse_fixed
from hatmanifesto.simex.account import Account
from hatmanifesto.simex.clearing import FeeSchedule
from hatmanifesto.simex.replay import TRADER
from hatmanifesto.strategies.contract import Slot
from tests.conftest import ROOT
from tests.core_world import (
    BASE_FEES,
    ETH,
    HOUR,
    MS,
    ListJournal,
    MemoryTape,
    S,
    Wish,
    World,
    bbo,
    ctx,
    funding,
    l2,
    scripted,
    trade,
    wire,
)
from tests.oracle.fraction_ledger import FractionLedger

TABLE = tomllib.loads((ROOT / "tests" / "data" / "hand_worked.toml").read_text())
START = HOUR - 100 * S
BID, ASK, BUY_IOC, SELL_IOC, BUY_GTC, SELL_GTC, SELL_RO, BUY_RO, SELL_IOC_RO = range(9)
SLOTS = (
    Slot("bid", 1, Tif.ALO),
    Slot("ask", -1, Tif.ALO),
    Slot("buy_ioc", 1, Tif.IOC),
    Slot("sell_ioc", -1, Tif.IOC),
    Slot("buy_gtc", 1, Tif.GTC),
    Slot("sell_gtc", -1, Tif.GTC),
    Slot("sell_ro", -1, Tif.GTC, reduce_only=True),
    Slot("buy_ro", 1, Tif.ALO, reduce_only=True),
    Slot("sell_ioc_ro", -1, Tif.IOC, reduce_only=True),
)

ONCE = 0.02
"""A wish that long is sent once: the next decision comes with the venue's answer."""

WISHES = (  # from s, for s, slot, px, sz
    (1, ONCE, BUY_IOC, "2000.5", "0.2"),
    (2, ONCE, BUY_IOC, "2001.0", "3.0"),
    (3, 1, ASK, "2001.0", "1.0"),
    (4, 1, ASK, "2001.0", "0.6"),
    (5, 1, ASK, "2001.0", "0.35"),
    (7, 1, BID, "2000.0", "0.5"),
    (9, ONCE, ASK, "2000.0", "0.5"),
    (10, ONCE, SELL_IOC, "2000.0", "0.004"),
    (11, ONCE, BUY_IOC, "2000.4", "0.5"),
    (12, ONCE, BUY_GTC, "1999.0", "9.0"),
    (13, 3, SELL_RO, "2001.0", "5.0"),
    (14, ONCE, SELL_IOC, "2000.0", "1.0"),
    (17, ONCE, SELL_IOC_RO, "2000.0", "1.0"),
    (18, ONCE, SELL_GTC, "1999.5", "1.6"),
    (19, 1 + ONCE, BUY_RO, "1999.0", "1.6"),
    (20, ONCE, BUY_IOC, "2001.0", "2.1"),
    (21, 1 + ONCE, ASK, "2001.0", "0.4"),
    (22, ONCE, BUY_IOC, "2001.0", "3.0"),
    (23, ONCE, BUY_GTC, "2000.5", "1.0"),
    (23 + ONCE, 1 - ONCE, BUY_GTC, "2000.5", "0.2"),
    (24, 1, BUY_GTC, "2000.5", "0.15"),
    (26, 1, BID, "1999.5", "0.2"),
    (27, 1, BID, "1999.0", "0.2"),
    (102, ONCE, SELL_IOC, "1999.0", "6.0"),
    (103, ONCE, BUY_IOC, "1991.0", "2.0"),
    (104, ONCE, BUY_IOC, "1991.0", "0.006"),
    (105, ONCE, SELL_IOC, "1600.0", "0.006"),
)
CALM = (1, 2, 3, 7, 9, 10, 11, 12, 13, 14, 17, 18, 19, 20, 21, 22, 23, 26, 27, 102)


def px(text: str) -> int:
    return parse_fixed(text, decimals=ETH.px_decimals)


def sz(text: str) -> int:
    return parse_fixed(text, decimals=ETH.sz_decimals)


def micro(text: str) -> int:
    return parse_fixed(text, decimals=6)


def at(second: float) -> int:
    return START + round(second * 1000) * MS


BOOKS = [
    [(px(b), sz(n), px(a), sz(m)) for b, n, a, m in TABLE["books"][name]]
    for name in ("calm", "lower", "fallen")
]


def rows() -> list[Row]:
    made = [l2(at(s), BOOKS[0], ref=0) for s in CALM]
    made += [
        l2(at(103), BOOKS[1], ref=1),
        l2(at(104), BOOKS[1], ref=1),
        l2(at(105), BOOKS[2], ref=2),
    ]
    made += [
        trade(at(4), px=px("2001.0"), sz=sz("1.9"), side=1),
        trade(at(5), px=px("2001.0"), sz=sz("0.25"), side=1),
        trade(at(6), px=px("2001.5"), sz=sz("2.0"), side=1),
        bbo(at(8), bid=px("1999.5"), bid_sz=sz("2.0"), ask=px("2000.0"), ask_sz=sz("0.5")),
        trade(at(15), px=px("2001.0"), sz=sz("2.0"), side=1),
        trade(at(16), px=px("2002.0"), sz=sz("5.0"), side=1),
        trade(at(24), px=px("2000.5"), sz=sz("0.05"), side=-1),
        trade(at(25), px=px("2000.5"), sz=sz("1.0"), side=-1),
        trade(at(28), px=px("1998.5"), sz=sz("9.0"), side=-1),
        ctx(at(99), oracle=parse_fixed(TABLE["funding"]["oracle"], decimals=10)),
        funding(at(100.5), rate=parse_fixed(TABLE["funding"]["rate"], decimals=10)),
        bbo(at(106), bid=px("1600.0"), bid_sz=1, ask=px("1600.5"), ask_sz=1),
    ]
    return sorted(made, key=lambda row: row[2])


class Line(NamedTuple):
    """One fill and the account after it; money in micro-USDC, position in sz units."""

    at_s: int
    side: str
    role: str
    px: int
    sz: int
    notional: int
    fee: int
    cash: int
    position: int
    closed_pnl: int


class Day(NamedTuple):
    """What a run of the day left behind."""

    world: World
    facts: list[Fact]
    lines: list[Line]
    journal: ListJournal


def second(exch: int) -> int:
    return (exch - START) // S


def run_day(fees: FeeSchedule = BASE_FEES) -> Day:
    """Run the day through replay, engine and clearing; note the account after each fill."""
    journal = ListJournal()
    wishes = [Wish(at(f), at(f + d), slot, px(p), sz(n)) for f, d, slot, p, n in WISHES]
    world = wire(MemoryTape(rows(), BOOKS), scripted(wishes, slots=SLOTS), journal, fees=fees)
    account = world.clearing.accounts[TRADER]
    facts: list[Fact] = []
    lines: list[Line] = []
    realised = 0

    def told(fact: Fact) -> None:
        nonlocal realised
        facts.append(fact)
        if isinstance(fact, Filled):
            side = account.positions[0] - (lines[-1].position if lines else 0)
            before, realised = realised, _realised(account)
            lines.append(
                Line(
                    second(fact.exch),
                    "buy" if side > 0 else "sell",
                    "taker" if fact.is_taker else "maker",
                    fact.px,
                    fact.sz,
                    fact.px * fact.sz,
                    fact.fee,
                    account.cash,
                    account.positions[0],
                    realised - before,
                )
            )
        world.replay.told(fact)

    world.clearing.listen(TRADER, told)
    assert world.replay.run().reason == "end"
    return Day(world, facts, lines, journal)


def _realised(account: Account) -> int:
    deposit = micro(TABLE["cash"])
    return account.cash - deposit + account.fees - account.funding + account.entry[0]


def table_lines() -> list[Line]:
    return [
        Line(s, side, role, px(p), sz(n), micro(ntl), micro(fee), micro(cash), sz(pos), micro(pnl))
        for s, side, role, p, n, ntl, fee, cash, pos, _, pnl in TABLE["table"]["fills"]
    ]


def oracle_lines() -> list[Line]:
    """Fold the table's fills and the funding hour in exact fractions."""
    ledger = FractionLedger(cash=Fraction(TABLE["cash"]))
    lines = []
    for n, (s, side, role, p, size, *_) in enumerate(TABLE["table"]["fills"], start=1):
        fee = ledger.fill(side=side, px=Fraction(p), sz=Fraction(size), role=role)
        money = (Fraction(p) * Fraction(size), fee, ledger.cash, ledger.closed[-1])
        notional, fee_micro, cash, closed = (_whole(amount * 10**6) for amount in money)
        position = _whole(ledger.position * 10**ETH.sz_decimals)
        lines.append(
            Line(s, side, role, px(p), sz(size), notional, fee_micro, cash, position, closed)
        )
        if n == TABLE["funding"]["after_fill"]:
            hour = TABLE["funding"]
            ledger.fund(oracle=Fraction(hour["oracle"]), rate=Fraction(hour["rate"]))
    return lines


def _whole(value: Fraction) -> int:
    assert value.denominator == 1, value
    return value.numerator


def differences(expected: list[Line], actual: list[Line]) -> list[str]:
    """Return every field in which two accounts of the day differ."""
    found = [] if len(expected) == len(actual) else [f"{len(actual)} fills, not {len(expected)}"]
    for n, (want, got) in enumerate(zip(expected, actual, strict=False), start=1):
        for name, a, b in zip(Line._fields, want, got, strict=True):
            if a != b:
                found.append(f"fill {n}: {name} was {b}, expected {a}")
    return found
