"""Audits a ledger against the raw files: prices, shares of volume, fees, funding and its signs.

It reads the recordings with pyarrow alone and computes in exact decimals what a fill or a payment
should have been; of the program it uses the table of size decimals and nothing else.
"""

import gzip
import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import ROUND_DOWN, Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hatmanifesto.domain.universe import perp_of
from tests.recorded_house.cases import DATASETS

HOUR = 3_600 * 10**9
MICRO = Decimal("0.000001")
TAKER, MAKER = Decimal("0.00045"), Decimal("0.00015")
HALF_SPREAD = Decimal("0.0002")
SHARE = Decimal("0.1")
COLUMNS = (
    *("ts_ns", "strategy_name", "symbol", "reason_code", "side", "qty", "price", "notional", "fee"),
    *("funding", "funding_account", "funding_rate", "oracle_price", "maker_flag", "position_size"),
)
Bar = tuple[float, float, float, float, float]


class Audit(NamedTuple):
    """What was looked at and what did not fit; second legs are not in the raw files."""

    fills: int
    legs: int
    payments: int
    hours_unknown: int
    misfits: list[str]


def columns_of(path: Path, stamp: str, *names: str) -> Iterable[tuple[Any, ...]]:
    """Return rows of (coin, stamp in hours, columns named) of a recording."""
    table = pq.read_table(path)
    coins = [path.name.split("-")[0]] * len(table)
    if "coin" in table.column_names:
        coins = table["coin"].to_pylist()
    stamps = pc.cast(table[stamp], pa.int64()).to_pylist()
    hours = [one // HOUR for one in stamps]
    return zip(coins, hours, *[table[name].to_pylist() for name in names], strict=True)


class Moves:
    """Fills of one coin in order of time, and the position after each."""

    def __init__(self) -> None:
        self.stamps: list[int] = []
        self.held: list[Decimal] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Take the next fill."""
        sz = Decimal(row["qty"]) * (1 if row["side"] == "buy" else -1)
        self.stamps.append(row["ts_ns"])
        self.held.append(sz + (self.held[-1] if self.held else 0))

    def before(self, ns: int) -> Decimal:
        """Return the position before an instant."""
        at = bisect_left(self.stamps, ns)
        return self.held[at - 1] if at else Decimal()


@cache
def bars(data: Path) -> Mapping[str, Mapping[int, Bar]]:
    """Return open, high, low, close and volume by coin and opening hour."""
    out: dict[str, dict[int, Bar]] = defaultdict(dict)
    for name in DATASETS["bars"]:
        for coin, hour, *bar in columns_of(
            data / name, "date", "open", "high", "low", "close", "volume"
        ):
            out[coin][hour] = tuple(bar)
    return out


@cache
def rates(data: Path) -> Mapping[str, Mapping[int, Decimal]]:
    """Return the rate of each payment by coin and hour."""
    out: dict[str, dict[int, Decimal]] = defaultdict(dict)
    answer, *tables = DATASETS["rates"]
    for name in tables:
        for coin, hour, rate in columns_of(data / name, "time", "funding_rate"):
            out[coin][hour] = exact(rate)
    with gzip.open(data / answer) as file:
        for row in json.load(file):
            out[row["coin"]][row["time"] * 10**6 // HOUR] = Decimal(row["fundingRate"])
    return out


def exact(value: float) -> Decimal:
    """Return the digits of a recorded price."""
    return Decimal(repr(value))


def step_of(coin: str, px: Decimal) -> Decimal:
    """Return the grid of prices: five digits, and no finer than the coin's decimals."""
    asset = perp_of(coin)
    assert asset is not None, coin
    finest = Decimal(1).scaleb(-(6 - asset.sz_decimals))
    return max(finest, Decimal(1).scaleb(px.adjusted() - 4))


def audit(ledger: Path, data: Path, *, until: int | None = None) -> Audit:
    """Return what a ledger of a run over the hourly bars says that the recordings do not.

    ``until`` is the end of the run [ns], the last row of the ledger when it is not told.
    """
    table = pq.read_table(ledger, columns=list(COLUMNS))
    rows = sorted(table.to_pylist(), key=lambda row: row["ts_ns"])
    fills = [row for row in rows if row["reason_code"] == "fill"]
    mine = [row for row in fills if "/" not in row["symbol"]]
    misfits = [text for row in mine for text in _fill(row, bars(data))]
    misfits += _shares(mine, bars(data))
    paid = [row for row in rows if row["reason_code"].startswith("funding")]
    end = rows[-1]["ts_ns"] if until is None else until
    payments, unknown, wrong = _payments(paid, mine, data, hours=-(-end // HOUR))
    return Audit(len(mine), len(fills) - len(mine), payments, unknown, misfits + wrong)


def _fill(row: Mapping[str, Any], known: Mapping[str, Mapping[int, Bar]]) -> list[str]:
    """Return what is wrong with a fill: its price, its fee, its notional."""
    coin, px, sz = row["symbol"], Decimal(row["price"]), Decimal(row["qty"])
    is_maker = bool(row["maker_flag"])
    where = f"{coin} at {row['ts_ns']}: {row['side']} {sz:f} at {px:f}"
    hour = row["ts_ns"] // HOUR
    before, bar = known[coin].get(hour - 1), known[coin].get(hour)
    is_buy = row["side"] == "buy"
    wrong = []
    if is_maker:
        ended = known[coin].get((row["ts_ns"] - 1) // HOUR)
        if ended is None or not (exact(ended[2]) < px if is_buy else exact(ended[1]) > px):
            wrong.append(f"{where}: the bar did not go through it, {ended}")
    elif before is None or bar is None:
        wrong.append(f"{where}: no bar")
    else:
        told = (exact(before[3]), exact(bar[0]))
        bound = max(told) * (1 + HALF_SPREAD) if is_buy else min(told) * (1 - HALF_SPREAD)
        off = (px - bound) if is_buy else (bound - px)
        if not 0 <= off <= 2 * step_of(coin, px):
            wrong.append(f"{where}: close and open {told} give {bound:f}")
    notional = px * sz
    fee = (notional * (MAKER if is_maker else TAKER)).quantize(MICRO, ROUND_DOWN)
    if Decimal(row["notional"]) != notional or Decimal(row["fee"]) != fee:
        wrong.append(f"{where}: fee {row['fee']} and notional {row['notional']}, not {fee:f}")
    return wrong


def _shares(
    fills: Iterable[Mapping[str, Any]], known: Mapping[str, Mapping[int, Bar]]
) -> list[str]:
    """Return the bars of which our fills together took more than their share."""
    taken: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for row in fills:
        is_maker = bool(row["maker_flag"])
        taken[row["symbol"], (row["ts_ns"] - is_maker) // HOUR] += Decimal(row["qty"])
    return [
        f"{coin}: {sz:f} of a bar's {known[coin][hour][4]}"
        for (coin, hour), sz in taken.items()
        if sz > SHARE * exact(known[coin].get(hour, (0.0,) * 5)[4])
    ]


def _payments(
    paid: Iterable[Mapping[str, Any]],
    fills: Iterable[Mapping[str, Any]],
    data: Path,
    *,
    hours: int,
) -> tuple[int, int, list[str]]:
    """Return payments checked, hours unknown and what is wrong with them, before hour ``hours``.

    The account's payment of each hour is -position x price x rate, truncated to the micro-USDC: a
    positive rate is paid by longs. The position is that of the fills before the hour.
    """
    moves: dict[str, Moves] = defaultdict(Moves)
    for row in fills:
        moves[row["symbol"]].add(row)
    told: dict[tuple[str, int], Mapping[str, Any]] = {}
    shares: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    unknown: set[tuple[str, int]] = set()
    for row in paid:
        key = row["symbol"], row["ts_ns"] // HOUR
        if row["reason_code"] == "funding_unknown":
            unknown.add(key)
            continue
        told[key] = row
        shares[key] += Decimal(row["funding"])
    wrong = [
        text
        for key, row in told.items()
        for text in _payment(key, row, shares[key], moves[key[0]], data)
    ]
    wrong += _hours_left_out(moves, {*told, *unknown}, data, hours=hours)
    return len(told), len(unknown), wrong


def _payment(
    key: tuple[str, int],
    row: Mapping[str, Any],
    share: Decimal,
    moves: Moves,
    data: Path,
) -> list[str]:
    coin, hour = key
    where = f"{coin} funding at {row['ts_ns']}"
    rate, szi = Decimal(row["funding_rate"]), Decimal(row["position_size"])
    oracle, paid = Decimal(row["oracle_price"]), Decimal(row["funding_account"])
    recorded = rates(data)[coin].get(hour)
    wrong = []
    if recorded is None or abs(recorded - rate) > Decimal("1e-10"):
        wrong.append(f"{where}: rate {rate:f}, recorded {recorded}")
    held = moves.before(hour * HOUR)
    if held != szi:
        wrong.append(f"{where}: position {szi:f}, the fills say {held:f}")
    bar = bars(data)[coin].get(hour - 1)
    if bar is None or abs(oracle - exact(bar[3])) > step_of(coin, oracle * (1 + HALF_SPREAD)):
        wrong.append(f"{where}: price {oracle:f}, the last close is {bar and bar[3]}")
    if paid != (-szi * oracle * rate).quantize(MICRO, ROUND_DOWN):
        wrong.append(f"{where}: {paid:f} is not minus {szi:f} x {oracle:f} x {rate:f}")
    if share != paid:
        wrong.append(f"{where}: the books got {share:f} of {paid:f}")
    return wrong


def _hours_left_out(
    moves: Mapping[str, Moves],
    told: set[tuple[str, int]],
    data: Path,
    *,
    hours: int,
) -> list[str]:
    """Return the hours with a position and a recorded rate of which the ledger says nothing."""
    found = []
    for coin, mine in moves.items():
        last = min(max(bars(data)[coin]), hours - 1)
        for hour in range(mine.stamps[0] // HOUR + 1, last + 1):
            held = mine.before(hour * HOUR)
            if held and (coin, hour) not in told and hour in rates(data)[coin]:
                found.append(f"{coin}: hour {hour} with {held:f} has no payment")
    return found
