"""Hedged carry: short the perp, long its second leg, while funding pays for both.

Theory of operation. Views come in pairs, a perp and its leg. At each rebalance a pair is held when
the mean of its recorded funding beats the costs of the round trip of both legs within the holding
time; a pair already held stays while it beats the way out. All pairs held are of equal size, and
both legs of a pair have the same number of coins, so that what is left is funding and the basis,
perp less leg. The other way round, long perp and short leg, would need a borrowed coin and is not
done. A leg without a fresh quote leaves its perp alone too. Some time after a rebalance a pair one
leg of which could not be had comes down to what both have.

Source: QUANT.md E.1.
"""

from collections.abc import Sequence
from typing import Any

from hatmanifesto.domain.units import NS_S
from hatmanifesto.signals.carry import BPS, hours_to_pay
from hatmanifesto.strategies.carry import (
    BREAK_EVEN_H,
    CELLS,
    DAY_H,
    FUNDED,
    HOUR_S,
    INCOME,
    LEGS,
    PAYMENTS,
    PERIOD,
    RATES,
    SETTLED,
    SHARED,
    SIGNAL,
    TARGET,
    WEIGHT,
    Params,
    has_quorum,
    is_fresh,
    is_settling,
    observe,
    unpaid,
)
from hatmanifesto.strategies.contract import Quotes, View
from hatmanifesto.strategies.neutral import nearer
from hatmanifesto.strategies.targets import (
    NOTIONAL_FLOOR,
    banded,
    quotes_to_target,
    round_trip_bps,
    units_of,
)

SPOT_FEE_BPS = 7.0
"""Taker fee of the second leg, base tier. Source: PROTOCOL 12.1."""


def decide(p: Params, views: Sequence[View], m: Any) -> Quotes:
    """Return (buy px, buy sz, sell px, sell sz) of every perp and leg, towards the last rebalance.

    Args:
        p: parameters.
        views: perp, its leg, the next perp, its leg, ...
        m: SHARED floats and then CELLS per view, kept between decisions.
    """
    now = views[0].now
    perps = views[::2]
    for i, v in enumerate(perps):
        observe(p, v, m, SHARED + 2 * i * CELLS)
    period = now // round(p.rebalance_h * HOUR_S * NS_S)
    if period > m[PERIOD] and has_quorum(p, perps):
        m[PERIOD] = float(period)
        rebalance(p, views, m)
    if is_settling(p, now, m) and has_quorum(p, perps):
        m[SETTLED] = m[PERIOD]
        settle(p, views, m)
    quotes: list[int] = []
    for i in range(0, len(views), 2):
        target = int(m[SHARED + i * CELLS + TARGET])
        if is_fresh(p, views[i]) and is_fresh(p, views[i + 1]):
            quotes += quotes_to_target(views[i], target, p.slip_bps)
            quotes += quotes_to_target(views[i + 1], -target, p.slip_bps)
        else:
            quotes += (0,) * 8
    return tuple(quotes)


def rebalance(p: Params, views: Sequence[View], m: Any) -> None:
    """Choose the pairs and set the perps' targets; a pair without fresh quotes keeps its own."""
    capital = sum(v.capital for v in views)
    fresh = [
        i for i in range(0, len(views), 2) if is_fresh(p, views[i]) and is_fresh(p, views[i + 1])
    ]
    paying = [i for i in fresh if pays(p, views, m, i)]
    held = [i for i in range(0, len(views), 2) if i not in fresh and m[SHARED + i * CELLS + TARGET]]
    pairs = len(paying) + len(held)
    m[LEGS] = 2.0 * pairs
    m[INCOME] = 0.0
    for i in fresh:
        at = SHARED + i * CELLS
        target = 0
        if i in paying:
            target = -units_of(views[i], 0.5 * p.gross * capital / pairs)
            m[INCOME] += BPS * DAY_H * 0.5 * p.gross / pairs * m[at + RATES] / m[at + WEIGHT]
        m[at + TARGET] = float(banded(target, views[i].position, p.band_pct))


def settle(p: Params, views: Sequence[View], m: Any) -> None:
    """Bring a pair whose legs differ by more than the band down to what both have."""
    for i in range(0, len(views), 2):
        perp, leg = views[i], views[i + 1]
        short, long = max(-perp.position, 0), max(leg.position, 0)
        is_uneven = abs(short - long) > 0.01 * p.band_pct * max(short, long)
        if is_uneven and is_fresh(p, perp) and is_fresh(p, leg):
            both = min(short, long)
            is_tiny = both * min(perp.bid_px, leg.bid_px) < NOTIONAL_FLOOR
            at = SHARED + i * CELLS + TARGET
            m[at] = float(nearer(int(m[at]), 0 if is_tiny else -both))


def pays(p: Params, views: Sequence[View], m: Any, i: int) -> bool:
    """Say whether pair ``i`` earns its costs within the holding time, and note what it would earn.

    Args:
        p: parameters.
        views: perps and legs.
        m: memory.
        i: place of the perp among the views.
    """
    at = SHARED + i * CELLS
    m[at + SIGNAL] = m[at + BREAK_EVEN_H] = m[at + CELLS + SIGNAL] = 0.0
    perp, leg = views[i], views[i + 1]
    is_told = perp.now - m[at + FUNDED] <= p.funding_stale_h * HOUR_S * NS_S
    if not is_told or m[at + PAYMENTS] < p.history_h:
        return False
    rate = m[at + RATES] / m[at + WEIGHT]
    cost_bps = round_trip_bps(perp, p.fee_bps) + round_trip_bps(leg, SPOT_FEE_BPS)
    net_bps = BPS * rate * p.hold_h - cost_bps
    m[at + SIGNAL] = m[at + CELLS + SIGNAL] = net_bps * DAY_H / p.hold_h
    m[at + BREAK_EVEN_H] = hours_to_pay(rate, cost_bps)
    is_held = perp.position < 0
    return bool(BPS * rate * p.hold_h > (0.5 * cost_bps if is_held else cost_bps))


def why_too_small(p: Params, views: View | Sequence[View]) -> str:
    """Return why the capital is too small for one pair, '' when it is not."""
    if isinstance(views, View):
        return ""
    capital = sum(v.capital for v in views)
    side = 0.5 * p.gross * capital
    if side >= NOTIONAL_FLOOR:
        return ""
    return (
        f"each leg of a pair is at least {NOTIONAL_FLOOR / 1e6:.1f} USDC (the venue's minimum of "
        f"10 USDC and room for one move), and gross {p.gross:g} of {capital / 1e6:.2f} USDC allows "
        f"{side / 1e6:.2f} USDC"
    )


def why_waiting(p: Params, m: Any) -> str:
    """Return what was missing for a pair: a history of funding, or funding that pays its costs."""
    perps = range(SHARED, len(m), 2 * CELLS)
    known = [at for at in perps if m[at + PAYMENTS] >= p.history_h]
    if not known:
        most = max((int(m[at + PAYMENTS]) for at in perps), default=0)
        return (
            f"its history takes {p.history_h} payments of a coin, and no coin had more than {most}"
        )
    return unpaid(p, m, known, "pair")
