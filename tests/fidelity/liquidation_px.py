"""Claim: every recorded liquidation price follows from the state it stands in."""

from functools import cache

from hatmanifesto.books.venue_margin import MICRO_PER, liquidation_px, liquidation_px_2023
from hatmanifesto.domain.asset import maintenance_of
from tests.fidelity import sources
from tests.fidelity.claim import Claim, Misfit, Placebo, share, tally
from tests.fidelity.states import ARCHIVE, Position, State, states, tiers_of

EQUAL_MIN = 10
POSITIONS_MIN = 16


def tick_of(px: int) -> int:
    """Return one unit of the fifth significant digit of ``px`` [1e-10 USDC]."""
    return int(10 ** max(0, len(str(px)) - 5))


def available(position: Position, state: State, *, maintenance_parts: int = 1) -> int | None:
    """Return the margin that may be lost before liquidation; None where an input is missing.

    ``maintenance_parts`` other than 1 is for placebos.
    """
    tiers = tiers_of(position, state)
    if tiers is None or position.value is None:
        return None
    if position.is_isolated:
        own = maintenance_of(position.value, tiers)
        if position.raw_usd is None:
            return None
        return position.raw_usd + position.signed_value - own * maintenance_parts
    maintenance = state.maintenance
    if maintenance is None:
        if not state.source.is_whole:
            return None
        maintenance = sum(
            maintenance_of(p.value or 0, tiers_of(p, state) or tiers) for p in state.positions
        )
    return sources.micro(state.cross["accountValue"]) - maintenance * maintenance_parts


def predicted(position: Position, state: State, *, maintenance_parts: int = 1) -> int | None:
    """Return the liquidation price by the rule of the state's time [1e-10 USDC]."""
    free = available(position, state, maintenance_parts=maintenance_parts)
    tiers = tiers_of(position, state)
    if free is None or tiers is None or position.mark is None:
        return None
    if state.is_early:
        return liquidation_px_2023(position.szi, position.mark, free)
    return liquidation_px(position.szi, position.mark, free, tiers)


def missing_input(position: Position, state: State) -> str:
    """Name what is missing for a position whose price is not explained; empty if nothing is."""
    if position.value is None or tiers_of(position, state) is None:
        return "position shortened by the recording's authors"
    consistent = position.margin == (position.raw_usd or 0) + position.signed_value
    if position.is_isolated and not state.source.is_whole and not consistent:
        return "true rawUsd: edited by the recording's authors, marginUsed != rawUsd + szi * mark"
    return ""


def check() -> list[Claim]:
    """Check every recorded position that carries a liquidation price, and those with none."""
    rows = [(p, s) for s in states() for p in s.positions]
    told = [(p, s) for p, s in rows if p.liquidation is not None]
    silent = [(p, s) for p, s in rows if p.liquidation is None and p.mark is not None]
    return [told_claim(told), silent_claim(silent)]


def told_claim(told: list[tuple[Position, State]]) -> Claim:
    """List every position that carries a liquidation price, by file."""
    misfits = []
    lines = []
    named: list[str] = []
    equal = exact = early = 0
    for position, state in told:
        recorded = sources.scaled(position.liquidation or "0", 10)
        formula = predicted(position, state)
        identity = f"{position.coin} in {state.identity}"
        gap = None if formula is None else abs(formula - recorded)
        if gap is not None and gap <= tick_of(recorded):
            equal += 1
            exact += gap <= shade(position)
            early += state.is_early
            lines.append(f"{identity}: {position.liquidation}, off by {gap}e-10")
            continue
        reason = missing_input(position, state)
        detail = f"formula {formula}e-10, recorded {recorded}e-10"
        lines.append(f"{identity}: {position.liquidation}, {reason or 'misfit'}; {detail}")
        if reason:
            named.append(reason)
        else:
            misfits.append(Misfit("liquidation price", identity, detail))
    distinct = len({(p.coin, p.liquidation) for p, _ in told})
    return Claim(
        name="liquidation prices",
        checked=equal + len(misfits),
        equal=equal,
        not_checkable=tally(named),
        misfits=tuple(misfits),
        notes=(
            f"positions that carry one: {len(told)}, of them different: {distinct}",
            f"equal but for one micro-USDC of maintenance: {share(exact, equal)}",
            f"by the rule of March 2023: {share(early, equal)}",
            *lines,
        ),
        target=f"each within one tick or its missing input named, >= {EQUAL_MIN} equal",
        is_met=not misfits and equal >= EQUAL_MIN and len(told) >= POSITIONS_MIN,
        placebos=placebos(told),
        source=("fixtures", ARCHIVE),
    )


def shade(position: Position) -> int:
    """Return what two micro-USDC of margin move the price by, at most [1e-10 USDC]."""
    return 4 * MICRO_PER // abs(position.szi)


@cache
def spot_collateral() -> dict[str, int]:
    """Return what unified accounts hold beyond maintenance, by user [micro-USDC].

    Their collateral lies in the spot state (PROTOCOL 4.4), so the perp state alone cannot tell a
    liquidation price.
    """
    path = sources.fixtures() / "pairs" / "hypaper" / "26_spot_balances_wallet1.json"
    exchange = sources.read_json(path)
    beyond = dict(exchange["response"]["tokenToAvailableAfterMaintenance"])
    return {exchange["request"]["user"].lower(): sources.micro(beyond[0])}


def silent_px(position: Position, state: State, *, is_spot_counted: bool) -> int | None:
    """Return the formula's price for a position that tells none; None is what was recorded."""
    tiers = tiers_of(position, state)
    beyond = spot_collateral().get(state.user)
    if is_spot_counted and beyond is not None and tiers is not None:
        return liquidation_px(position.szi, position.mark or 0, beyond, tiers)
    return predicted(position, state)


def silent_claim(silent: list[tuple[Position, State]]) -> Claim:
    """Check that a price is left out exactly where it would not be positive."""
    able = [(p, s) for p, s in silent if available(p, s) is not None]
    misfits = tuple(
        Misfit("null", f"{p.coin} in {s.identity}", f"formula {px}e-10, recorded null")
        for p, s in able
        if (px := silent_px(p, s, is_spot_counted=True)) is not None
    )
    alone = sum(silent_px(p, s, is_spot_counted=False) is None for p, s in able)
    flipped = sum(
        liquidation_px(-p.szi, p.mark or 0, available(p, s) or 0, tiers_of(p, s) or ()) is None
        for p, s in able
    )
    total = len(able)
    return Claim(
        name="liquidation prices left out",
        checked=total,
        equal=total - len(misfits),
        not_checkable=tally(["maintenance not recorded"] * (len(silent) - total)),
        misfits=misfits,
        notes=("positions of a unified account count its recorded spot collateral",),
        target="all: the formula's price is not positive",
        is_met=total > 0 and not misfits,
        placebos=(
            Placebo("spot collateral forgotten", f"{share(alone, total)} fit", alone < total),
            Placebo("long taken for short", f"{share(flipped, total)} fit", flipped < total),
        ),
        source=("fixtures", ARCHIVE),
    )


def fitting(told: list[tuple[Position, State]], parts: int) -> int:
    """Return how many fit when maintenance counts ``parts`` times."""
    return sum(
        (px := predicted(p, s, maintenance_parts=parts)) is not None
        and abs(px - recorded) <= tick_of(recorded)
        for p, s in told
        for recorded in [sources.scaled(p.liquidation or "0", 10)]
    )


def mirrored(told: list[tuple[Position, State]]) -> int:
    """Return how many fit when longs are taken for shorts at the same margin."""
    count = 0
    for position, state in told:
        free = available(position, state)
        tiers = tiers_of(position, state)
        if free is None or tiers is None or position.mark is None:
            continue
        px = liquidation_px(-position.szi, position.mark, free, tiers)
        recorded = sources.scaled(position.liquidation or "0", 10)
        count += px is not None and abs(px - recorded) <= tick_of(recorded)
    return count


def placebos(told: list[tuple[Position, State]]) -> tuple[Placebo, ...]:
    """Check the same positions with maintenance left out, doubled, and sides swapped."""
    total = len(told)
    wrong = {
        "maintenance left out": fitting(told, 0),
        "whole instead of half initial margin": fitting(told, 2),
        "long taken for short": mirrored(told),
    }
    return tuple(
        Placebo(name, f"{share(fit, total)} fit, must be < {EQUAL_MIN}", fit < EQUAL_MIN)
        for name, fit in wrong.items()
    )
