"""Claims: the numbers of a recorded clearinghouse state hang together as the formulas say.

Every pair of a state and an identity is one check. A file whose authors shortened its lists cannot
show sums; a position whose fields were cut cannot show its own identities: both are counted by
the input that is missing.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from hatmanifesto.books.average_cost import entry_px
from hatmanifesto.books.venue_margin import (
    TRANSFER_FLOOR,
    TRANSFER_FLOOR_2023,
    account_value,
    cross_maintenance,
    cross_margin_used,
    isolated_margin_used,
    order_margin,
    position_value,
    withdrawable,
)
from tests.fidelity import sources
from tests.fidelity.claim import Claim, Misfit, Placebo, share, tally
from tests.fidelity.states import ARCHIVE, Position, State, states, tiers_of

Options = dict[str, int]
"""What a placebo makes wrong: floor [%], orders (0 leaves them out), maintenance parts."""
RIGHT: Options = {}
SHORTENED = "list shortened by the recording's authors"
NOT_TOLD = "field not told"
EDITED = "numbers edited by the recording's authors"


class Outcome(NamedTuple):
    """One identity of one state: formula and recorded value, or the input that is missing."""

    name: str
    identity: str
    formula: int
    recorded: int
    slack: int
    missing: str
    is_edited: bool

    @property
    def is_equal(self) -> bool:
        """Say whether they agree within the rounding of the summed parts."""
        return abs(self.formula - self.recorded) <= self.slack


Identity = Callable[[State, Options], tuple[int, int, int] | str]
"""Returns formula, recorded, slack [micro-USDC], or the name of what is missing."""


def total_value(state: State, _: Options) -> tuple[int, int, int] | str:
    """Check accountValue against totalRawUsd and the positions at mark."""
    if not state.total:
        return NOT_TOLD
    if not is_list_whole(state):
        return SHORTENED
    raw = sources.micro(state.total["totalRawUsd"])
    formula = account_value(raw, (p.signed_value for p in state.positions))
    return formula, sources.micro(state.total["accountValue"]), 1


def total_notional(state: State, _: Options) -> tuple[int, int, int] | str:
    """Check totalNtlPos against the positions' values."""
    if not state.total:
        return NOT_TOLD
    if not is_list_whole(state):
        return SHORTENED
    formula = sum(p.value or 0 for p in state.positions)
    return formula, sources.micro(state.total["totalNtlPos"]), 1


def total_margin(state: State, _: Options) -> tuple[int, int, int] | str:
    """Check totalMarginUsed against the positions' margins."""
    if not state.total:
        return NOT_TOLD
    if not is_list_whole(state):
        return SHORTENED
    formula = sum(p.margin or 0 for p in state.positions)
    return formula, sources.micro(state.total["totalMarginUsed"]), 1


def pools(state: State, _: Options) -> tuple[int, int, int] | str:
    """Check that the whole account is the cross pool and the isolated positions' margins."""
    if not state.total or "accountValue" not in state.cross:
        return NOT_TOLD
    if not is_list_whole(state):
        return SHORTENED
    formula = sources.micro(state.cross["accountValue"])
    formula += sum(p.margin or 0 for p in state.positions if p.is_isolated)
    return formula, sources.micro(state.total["accountValue"]), 1


def maintenance(state: State, options: Options) -> tuple[int, int, int] | str:
    """Check crossMaintenanceMarginUsed against the tiers."""
    if state.maintenance is None:
        return NOT_TOLD
    if not is_list_whole(state):
        return SHORTENED
    rows = []
    for position in state.positions:
        tiers = tiers_of(position, state)
        if tiers is None or position.value is None:
            return NOT_TOLD
        if not position.is_isolated:
            rows.append((position.value, tiers))
    formula = cross_maintenance(rows) * options.get("maintenance", 1)
    return formula, state.maintenance, max(1, len(rows))


def free(state: State, options: Options) -> tuple[int, int, int] | str:
    """Check withdrawable against the cross pool, its floor and resting orders."""
    if state.withdrawable is None or "accountValue" not in state.cross:
        return NOT_TOLD
    usual = TRANSFER_FLOOR_2023 if state.is_early else TRANSFER_FLOOR
    formula = withdrawable(
        sources.micro(state.cross["accountValue"]),
        sources.micro(state.cross["totalMarginUsed"]),
        sources.micro(state.cross["totalNtlPos"]),
        orders_margin(state) * options.get("orders", 1),
        floor=options.get("floor", usual),
    )
    return formula, state.withdrawable, 1


SUMS: dict[str, Identity] = {
    "accountValue": total_value,
    "totalNtlPos": total_notional,
    "totalMarginUsed": total_margin,
    "cross and isolated": pools,
    "crossMaintenanceMarginUsed": maintenance,
    "withdrawable": free,
}


def is_list_whole(state: State) -> bool:
    """Say whether all positions are there with their values."""
    return state.source.is_whole and all(p.value is not None for p in state.positions)


@cache
def resting() -> tuple[str, tuple[tuple[str, int, int, int], ...]]:
    """Return a user and its recorded resting orders as (coin, side, px 1e-10, sz 1e-8)."""
    path = sources.fixtures() / "pairs" / "hypaper" / "06_openOrders.json"
    exchange = sources.read_json(path)
    orders = tuple(
        (
            order["coin"],
            1 if order["side"] == "B" else -1,
            sources.scaled(order["limitPx"], 10),
            sources.scaled(order["sz"], 8),
        )
        for order in exchange["response"]
        if not order["reduceOnly"] and not order["isTrigger"]
    )
    return exchange["request"]["user"].lower(), orders


def orders_margin(state: State) -> int:
    """Return what the user's recorded resting orders reserve [micro-USDC].

    They were recorded once; that they still rest in later states is assumed, and seen to fit.
    """
    user, orders = resting()
    if user != state.user:
        return 0
    held = {p.coin: p for p in state.positions}
    return sum(
        order_margin(px, sz, held[coin].leverage or 1)
        for coin, side, px, sz in orders
        if coin in held and held[coin].szi * side > 0
    )


def of_position(
    position: Position, options: Options, *, is_early: bool
) -> Iterator[tuple[str, int, int, int]]:
    """Yield (name, formula, recorded, slack) of what one position tells of itself."""
    if position.value is None:
        return
    if position.context_mark is not None:
        formula = position_value(position.szi, position.context_mark)
        yield "positionValue", formula, position.value, 1
    if position.margin is not None and position.leverage is not None:
        if position.is_isolated:
            formula = isolated_margin_used(position.raw_usd or 0, position.signed_value)
        else:
            formula = cross_margin_used(position.value, position.leverage)
        yield "marginUsed", formula * options.get("margin", 1), position.margin, 1
    if position.pnl is None or position.entry is None:
        return
    cost = position.signed_value - position.pnl
    yield entry_check(position, cost, options)
    if position.roe is not None and position.leverage is not None:
        base = position.value if is_early else abs(cost)  # of margin at mark in March 2023
        scale = position.leverage * 10**8
        roe = sources.scaled(position.roe, 8)
        yield "returnOnEquity", position.pnl * scale // base, roe, 1 + 2 * scale // base


def entry_check(position: Position, cost: int, options: Options) -> tuple[str, int, int, int]:
    """Compare entryPx with cost per coin, in the last decimal of the coin's prices.

    The cost is known to a micro-USDC, which is the slack, in units of that decimal.
    """
    entry = position.entry or "0"
    size = abs(position.szi)
    whole = abs(cost) * 10**12
    decimals = 6 - known_decimals(position)
    unit = 10 ** (10 - decimals)
    rounding = options.get("round", 0) * size * unit // 2
    formula = entry_px(whole + rounding, size, unit=unit) // unit
    slack = -(-(10**12) // (size * unit)) if whole % (size * unit) < 10**12 else 0
    if (whole % (size * unit)) > size * unit - 10**12:
        slack = max(slack, 1)
    return "entryPx", formula, sources.scaled(entry, decimals), slack


def known_decimals(position: Position) -> int:
    """Return the coin's size decimals from the recorded universe."""
    coin = sources.universe("mainnet").get(position.coin)
    assert coin, position.coin
    return coin.sz_decimals


def outcomes(found: list[State], options: Options = RIGHT) -> list[Outcome]:
    """Return every identity of every state."""
    rows = []
    for state in found:
        is_edited = not state.source.is_whole
        for name, identity in SUMS.items():
            result = identity(state, options)
            if isinstance(result, str):
                rows.append(Outcome(name, state.identity, 0, 0, 0, result, is_edited))
            else:
                rows.append(Outcome(name, state.identity, *result, "", is_edited))
        for position in state.positions:
            label = f"{position.coin} in {state.identity}"
            if position.value is None:
                rows.append(Outcome("position", label, 0, 0, 0, NOT_TOLD, is_edited))
            rows += [
                Outcome(name, label, formula, recorded, slack, "", is_edited)
                for name, formula, recorded, slack in of_position(
                    position, options, is_early=state.is_early
                )
            ]
    return rows


def equal_of(rows: list[Outcome], name: str) -> tuple[int, int]:
    """Return how many checks of one identity fit, and how many there are."""
    able = [row for row in rows if row.name == name and not row.missing]
    return sum(row.is_equal for row in able), len(able)


def check() -> list[Claim]:
    """Check every identity of every recorded state."""
    found = states()
    rows = outcomes(found)
    able = [row for row in rows if not row.missing]
    bad = [row for row in able if not row.is_equal]
    misfits = tuple(
        Misfit(
            EDITED if row.is_edited else "identity",
            f"{row.name} of {row.identity}",
            f"formula {row.formula}, recorded {row.recorded}",
        )
        for row in bad
    )
    names = tally(row.name for row in able)
    return [
        Claim(
            name="margin identities of recorded states",
            checked=len(able),
            equal=len(able) - len(bad),
            not_checkable=tally(f"{row.name}: {row.missing}" for row in rows if row.missing),
            misfits=misfits,
            notes=(
                f"states: {len(found)}",
                *(f"{name}: {share(*equal_of(rows, name))}" for name in names),
            ),
            target="all in untouched recordings; misfits of edited ones classed",
            is_met=all(misfit.kind != "identity" for misfit in misfits),
            placebos=placebos(found),
            source=("fixtures", ARCHIVE),
        )
    ]


def placebos(found: list[State]) -> tuple[Placebo, ...]:
    """Check the same states with one rule wrong at a time."""
    wrong: dict[str, tuple[str, Options]] = {
        "no floor under what may leave": ("withdrawable", {"floor": 0}),
        "resting orders reserve nothing": ("withdrawable", {"orders": 0}),
        "maintenance as whole initial margin": ("crossMaintenanceMarginUsed", {"maintenance": 2}),
        "entry price rounded, not truncated": ("entryPx", {"round": 1}),
        "margin doubled": ("marginUsed", {"margin": 2}),
    }
    rows = []
    right = outcomes(found)
    for title, (name, options) in wrong.items():
        fit, total = equal_of(outcomes(found, options), name)
        best, _ = equal_of(right, name)
        rows.append(Placebo(title, f"{name}: {share(fit, total)} fit, must be fewer", fit < best))
    return tuple(rows)
