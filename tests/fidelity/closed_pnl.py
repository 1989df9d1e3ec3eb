"""Claims: closedPnl is average-cost profit against the shown entry price, without fees.

Only rows with complete history count: the position was flat at some earlier recorded fill of the
same account and coin, and every startPosition since then continues the one before.
"""

import itertools
from collections import deque
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import polars as pl

from hatmanifesto.books.average_cost import fold_closed
from hatmanifesto.books.ledger import Ledger
from tests.fidelity import fees, funding_payments, sources
from tests.fidelity.claim import Claim, Misfit, Placebo, share, tally

VAULTS = "hl_account/vault_fills.parquet"
UNIVERSES = ("metaAndAssetCtxs.20260206.json", "metaAndAssetCtxs.dex-xyz.20260206.json")
ATOM = 10**12
"""px of 1e-10 times sz of 1e-8 is 1e-18 USDC; this many are a micro-USDC."""
TARGET = (999, 1000)
EXACT_PERCENT_MIN = 99
TOLERANCE = 1000
"""Ten basis points: one part in this many of the closed notional."""
NO_HISTORY = "history incomplete (2,000-fill cap, recording starts mid-position, gap)"
NO_UNIT = "size decimals of the coin are not recorded"


class Row(NamedTuple):
    """A fill: px and unit [1e-10], sz and start [1e-8], closed and fee [micro-USDC]."""

    identity: str
    side: int
    px: int
    sz: int
    start: int
    closed: int
    fee: int
    dir: str
    unit: int


class Closing(NamedTuple):
    """A reducing fill with complete history, and what three methods say of it [1e-18 USDC]."""

    row: Row
    average: int
    first_in: int
    uncut: int


Groups = dict[tuple[str, str], list[Row]]


@cache
def units() -> dict[str, int]:
    """Return the last price decimal of each coin whose size decimals are recorded [1e-10 USDC]."""
    decimals = {name: coin.sz_decimals for name, coin in sources.universe("mainnet").items()}
    for name in UNIVERSES:
        meta = sources.read_json(sources.fixtures() / "info" / "gohl" / name)[0]
        decimals |= {row["name"]: row["szDecimals"] for row in meta["universe"]}
    return {name: 10 ** (4 + count) for name, count in decimals.items()}


def as_row(user: str, row: Mapping[str, Any]) -> Row:
    """Return a recorded fill in exact units; its unit is 0 where the coin's is not recorded."""
    return Row(
        f"{user[:10]} {row['coin']} {row['tid']}",
        1 if row["side"] == "B" else -1,
        sources.scaled(row["px"], 10),
        sources.scaled(row["sz"], 8),
        sources.scaled(row["startPosition"], 8),
        sources.micro(row["closedPnl"]),
        sources.micro(row["fee"]),
        row["dir"],
        units().get(row["coin"], 0),
    )


def vaults() -> Groups:
    """Return the fills by vault and coin in order of time, file order where times are equal."""
    groups: Groups = {}
    frame = pl.read_parquet(sources.data() / VAULTS).sort("time", maintain_order=True)
    for row in frame.iter_rows(named=True):
        groups.setdefault((row["vault"], row["coin"]), []).append(as_row(row["vault"], row))
    return groups


def single_prints() -> Groups:
    """Return the fills of the one account and of the node: one print a row, no averages."""
    groups: Groups = {}
    for row in funding_payments.read_rows(funding_payments.FILLS):
        groups.setdefault(("account", row["coin"]), []).append(as_row("account", row))
    for user, fill in fees.recorded():
        if not fees.is_spot(fill["coin"]):
            groups.setdefault((user, fill["coin"]), []).append(as_row(user, fill))
    return groups


class FirstIn:
    """The placebo's method: lots are closed in the order in which they were opened."""

    def __init__(self) -> None:
        self.lots: deque[tuple[int, int]] = deque()

    def fold(self, row: Row) -> int:
        """Fold one fill and return its closed profit [1e-18 USDC]."""
        left = row.side * row.sz
        closed = 0
        while left and self.lots and (self.lots[0][0] > 0) != (left > 0):
            szi, px = self.lots.popleft()
            part = min(abs(szi), abs(left))
            sign = 1 if szi > 0 else -1
            closed += sign * part * (row.px - px)
            left += sign * part
            if abs(szi) > part:
                self.lots.appendleft((szi - sign * part, px))
        if left:
            self.lots.append((left, row.px))
        return closed


class Found(NamedTuple):
    """What a walk through fills found; ``told`` counts opening fills that tell a profit."""

    closings: list[Closing]
    opened: int
    told: int
    left_out: dict[str, int]


def walk(groups: Groups) -> Found:
    """Fold every group and return its reducing fills that have a complete history."""
    found: list[Closing] = []
    left_out: list[str] = []
    opened = told = 0
    for rows in groups.values():
        ledger: Ledger | None = None
        uncut, lots = Ledger(), FirstIn()
        position = 0
        for row in rows:
            if row.start == 0:
                ledger, uncut, lots = Ledger(), Ledger(), FirstIn()
            elif row.start != position:
                ledger = None
            position = row.start + row.side * row.sz
            is_reducing = row.start * row.side < 0
            if ledger is None or not row.unit:
                if is_reducing:
                    left_out.append(NO_HISTORY if ledger is None else NO_UNIT)
                continue
            average = fold_closed(ledger, side=row.side, px=row.px, sz=row.sz, unit=row.unit)
            plain = fold_closed(uncut, side=row.side, px=row.px, sz=row.sz)
            first_in = lots.fold(row)
            if is_reducing:
                found.append(Closing(row, average, first_in, plain))
            else:
                opened += 1
                told += row.closed != 0
    return Found(found, opened, told, tally(left_out))


def is_close(row: Row, closed: int, recorded: int) -> bool:
    """Say whether ``recorded`` [micro-USDC] is ``closed`` [1e-18] within ten basis points."""
    notional = row.px * min(abs(row.start), row.sz)
    return abs(recorded * ATOM - closed) * TOLERANCE <= notional


def is_equal(closed: int, recorded: int) -> bool:
    """Say whether they agree to one micro-USDC."""
    return abs(recorded * ATOM - closed) <= ATOM


def kind_of(row: Row) -> str:
    """Class a misfit by what the record leaves out."""
    if row.dir.startswith("Liquidated"):
        return "backstop liquidation"
    if row.sz > abs(row.start):
        return "aggregated row that crosses zero: the price of the closed part is not told"
    return "history of averaged taker prices"


def misfit_of(closing: Closing, kind: str) -> Misfit:
    """Describe a row that does not fit."""
    row = closing.row
    detail = f"{row.dir}: formula {closing.average // ATOM}, recorded {row.closed} micro-USDC"
    return Misfit(kind, row.identity, detail)


def check() -> list[Claim]:
    """Check the vaults within ten basis points and single prints to the last digit."""
    return [vaults_claim(walk(vaults())), prints_claim(walk(single_prints()))]


def vaults_claim(found: Found) -> Claim:
    """Check every reducing fill of the vaults that has a complete history."""
    rows = found.closings
    misfits = tuple(
        misfit_of(c, kind_of(c.row)) for c in rows if not is_close(c.row, c.average, c.row.closed)
    )
    exact = sum(is_equal(c.average, c.row.closed) for c in rows)
    total = len(rows)
    return Claim(
        name="closedPnl of vaults: average cost without fees",
        checked=total,
        equal=total - len(misfits),
        not_checkable=found.left_out,
        misfits=misfits,
        notes=(
            f"to one micro-USDC: {share(exact, total)}",
            f"opening fills that tell a profit: {share(found.told, found.opened)}",
        ),
        target=">= 99.9 % of rows with complete history within 10 bps of notional",
        is_met=(total - len(misfits)) * TARGET[1] >= TARGET[0] * total and not found.told,
        placebos=(*near_placebos(rows), *exact_placebos(rows, exact)),
        source=(VAULTS,),
    )


def prints_claim(found: Found) -> Claim:
    """Check fills that are one print each, to the last digit."""
    rows = found.closings
    misfits = tuple(
        misfit_of(c, "other entry price") for c in rows if not is_equal(c.average, c.row.closed)
    )
    total = len(rows)
    equal = total - len(misfits)
    return Claim(
        name="closedPnl of single prints: to the last digit",
        checked=total,
        equal=equal,
        not_checkable=found.left_out,
        misfits=misfits,
        notes=(f"opening fills that tell a profit: {share(found.told, found.opened)}",),
        target=f">= {EXACT_PERCENT_MIN} % to one micro-USDC",
        is_met=equal * 100 >= EXACT_PERCENT_MIN * total and not found.told,
        placebos=exact_placebos(rows, equal),
        source=(*funding_payments.FILLS, fees.FILLS),
    )


def near_placebos(rows: list[Closing]) -> tuple[Placebo, ...]:
    """Check the same rows by first-in-first-out and with a neighbour's profit."""
    total = len(rows)
    first_in = sum(is_close(c.row, c.first_in, c.row.closed) for c in rows)
    shifted = sum(
        is_close(c.row, c.average, after.row.closed) for c, after in itertools.pairwise(rows)
    )
    return (
        Placebo(
            "first in, first out",
            f"{share(first_in, total)} fit, must be < 99.9 %",
            first_in * TARGET[1] < TARGET[0] * total,
        ),
        Placebo(
            "closedPnl of the next row",
            f"{share(shifted, total - 1)} fit, must be < 99.9 %",
            shifted * TARGET[1] < TARGET[0] * (total - 1),
        ),
    )


def exact_placebos(rows: list[Closing], exact: int) -> tuple[Placebo, ...]:
    """Check to one micro-USDC: fees inside, first in first out, entry price not cut."""
    total = len(rows)
    net = sum(is_equal(c.average - c.row.fee * ATOM, c.row.closed) for c in rows)
    first_in = sum(is_equal(c.first_in, c.row.closed) for c in rows)
    uncut = sum(is_equal(c.uncut, c.row.closed) for c in rows)
    return (
        Placebo(
            "fee inside, to one micro-USDC",
            f"{share(net, total)} fit, must be < half of those without",
            net * 2 < exact,
        ),
        Placebo(
            "first in, first out, to one micro-USDC",
            f"{share(first_in, total)} fit, must be fewer",
            first_in < exact,
        ),
        Placebo(
            "entry price not truncated, to one micro-USDC",
            f"{share(uncut, total)} fit, must be fewer",
            uncut < exact,
        ),
    )
