"""Carry: long the perps that pay least funding, short those that pay most, dollar for dollar.

Theory of operation. One decision over all coins. Each coin's funding is a mean of its recorded
payments by age; an hour that nobody told is unknown, not zero. At each rebalance the coins that are
known and freshly quoted are ranked, weighed -(rank - mean rank) / volatility, and a coin becomes a
leg only when its funding, measured from the median of the universe, beats the costs of the round
trip within the holding time; a leg already held stays as long as it beats the way out. Each side is
half the gross, a leg at most ``leg_max_pct``. On a small account the legs nearest the middle go
until each is large enough. A coin that appears later changes nothing before, since only its own
view knows it.

The sides stay even. The no-trade band holds for each leg, and for the two sides together: where
drift has made one larger, every leg goes to its target. Some time after a rebalance what could not
be had by then (refused, or no volume) is given up, and the larger side comes down to the other:
half of a neutral book is a bet on the market. What has no fresh quote cannot be moved; the rest is
levelled around it.

This is perp against perp: what is earned is funding and relative price, and one leg without the
other is directional. The hedged form, short perp and long second leg, is carry_hedged.py.

Source: QUANT.md E.1, E.2; the weights are those of signals/carry.py.
"""

import sys
from collections.abc import Sequence
from statistics import median
from types import MappingProxyType
from typing import Any, NamedTuple

from hatmanifesto.domain.units import NS_S
from hatmanifesto.signals.carry import BPS, balanced, hours_to_pay, rank_scores
from hatmanifesto.signals.funding import fold_rate
from hatmanifesto.signals.volatility import fold_return, volatility_of
from hatmanifesto.strategies.contract import CROSS, Quotes, SignalSpec, Strategy, View
from hatmanifesto.strategies.neutral import is_lopsided, levelled, nearer, worth_of
from hatmanifesto.strategies.targets import (
    NOTIONAL_FLOOR,
    TAKER_SLOTS,
    banded,
    quotes_to_target,
    round_trip_bps,
    units_of,
)

PERIOD, INCOME, LEGS, SETTLED = range(4)
SHARED = 4
"""Shared cells: number of the last rebalance, funding it expects [bps of capital a day], legs, and
the number of the last rebalance whose leftovers were given up."""
SETTLE_SHARE = 0.25
"""Share of the time between rebalances after which what could not be had is given up."""
SIGNAL, TARGET, BREAK_EVEN_H, RATES, WEIGHT, FUNDED, PAYMENTS = range(7)
CLOSE, CLOSED_S, INDEX, TOTAL, VOL_WEIGHT, CLOSES = range(7, 13)
CELLS = 13
"""Cells of a coin: net carry [bps a day], target [sz units], hours to break even; weighted sum of
funding rates, weights, stamp of the last [ns], payments; last close, its time [s] and number, sum
and weights of squared returns, closes."""
LEG_FLOOR = 12_000_000.0
"""A leg may always be so large [micro-USDC]: what the venue takes and a lot of room."""
HOUR_S = 3_600.0
DAY_H = 24.0


class Params(NamedTuple):
    """Parameters of the carry.

    rebalance_h: time between two rebalances [h].
    hold_h: time over which a leg must earn its costs [h].
    half_life_h: of the mean of funding rates [h].
    history_h: payments and hourly closes of a coin before it is a candidate.
    vol_half_life_h: of the variance estimate [h].
    gross: long and short side together [multiple of capital].
    leg_max_pct: largest leg [percent of capital]; where few pay, less than ``gross`` is held.
    fee_bps: of one fill [bps].
    band_pct: a target nearer than this to what is held is not traded [percent].
    quorum_pct: share of the quoted coins that must be fresh for a rebalance [percent].
    stale_s: a quote older than this is not acted on [s].
    funding_stale_h: a coin whose last payment is older than this is unknown [h].
    slip_bps: how far beyond the touch a fill is still wanted [bps].
    hedge: 1 asks for the hedged form, which needs a second leg in the data.
    requote_ms: least time between decisions [ms].
    """

    rebalance_h: float = 24.0
    hold_h: float = 72.0
    half_life_h: float = 72.0
    history_h: int = 72
    vol_half_life_h: float = 240.0
    gross: float = 1.0
    leg_max_pct: float = 10.0
    fee_bps: float = 4.5
    band_pct: float = 20.0
    quorum_pct: float = 80.0
    stale_s: float = 300.0
    funding_stale_h: float = 3.0
    slip_bps: float = 20.0
    hedge: int = 0
    requote_ms: int = 1_000


BOUNDS = MappingProxyType(
    {
        "rebalance_h": (0.01, 8_760.0),
        "hold_h": (0.1, 8_760.0),
        "half_life_h": (0.1, 8_760.0),
        "history_h": (2, 8_760),
        "vol_half_life_h": (1.0, 8_760.0),
        "gross": (0.01, 10.0),
        "leg_max_pct": (0.01, 1_000.0),
        "fee_bps": (-1.0, 50.0),
        "band_pct": (0.0, 90.0),
        "quorum_pct": (0.0, 100.0),
        "stale_s": (0.1, 86_400.0),
        "funding_stale_h": (0.1, 1_000.0),
        "slip_bps": (0.0, 200.0),
        "hedge": (0, 1),
        "requote_ms": (1, 3_600_000),
    }
)


class Leg(NamedTuple):
    """A candidate at a rebalance.

    at: its place among the views.
    score: rank less mean rank of its funding.
    excess: funding above the median of the candidates [fraction an hour].
    sigma: volatility a day.
    cost_bps: of a round trip.
    """

    at: int
    score: float
    excess: float
    sigma: float
    cost_bps: float

    @property
    def side(self) -> int:
        """Return 1 to be long, -1 to be short, 0 in the middle."""
        return (self.excess < 0) - (self.excess > 0)


def decide(p: Params, views: Sequence[View], m: Any) -> Quotes:
    """Return (buy px, buy sz, sell px, sell sz) of every coin, towards the last rebalance.

    Args:
        p: parameters.
        views: one per coin; a coin without a book has prices of 0.
        m: SHARED floats and then CELLS per coin, kept between decisions.
    """
    now = views[0].now
    for i, v in enumerate(views):
        observe(p, v, m, SHARED + i * CELLS)
    period = now // round(p.rebalance_h * HOUR_S * NS_S)
    if period > m[PERIOD] and has_quorum(p, views):
        m[PERIOD] = float(period)
        rebalance(p, views, m)
    if is_settling(p, now, m) and has_quorum(p, views):
        m[SETTLED] = m[PERIOD]
        settle(p, views, m)
    quotes: list[int] = []
    for i, v in enumerate(views):
        target = int(m[SHARED + i * CELLS + TARGET])
        quotes += quotes_to_target(v, target, p.slip_bps) if is_fresh(p, v) else (0, 0, 0, 0)
    return tuple(quotes)


def is_fresh(p: Params, v: View) -> bool:
    """Say whether a coin has a book, told not too long ago."""
    return v.bid_px > 0 and v.ask_px > 0 and v.now - v.exch <= p.stale_s * NS_S


def has_quorum(p: Params, views: Sequence[View]) -> bool:
    """Say whether enough of the coins quoted in the last period are fresh now.

    Rows of one hour do not all arrive at once; without this the first to arrive would be alone.
    """
    period_ns = p.rebalance_h * HOUR_S * NS_S
    alive = [v for v in views if v.bid_px > 0 and v.ask_px > 0 and v.now - v.exch <= period_ns]
    fresh = sum(is_fresh(p, v) for v in alive)
    return fresh > 0 and 100.0 * fresh >= p.quorum_pct * len(alive)


def observe(p: Params, v: View, m: Any, at: int) -> None:
    """Fold a coin's last payment and, once an hour, its mid."""
    funded = float(v.funding_exch)
    if funded > m[at + FUNDED]:
        elapsed_h = (funded - m[at + FUNDED]) / (HOUR_S * NS_S)
        m[at + RATES], m[at + WEIGHT] = fold_rate(
            m[at + RATES], m[at + WEIGHT], v.funding_rate * 1e-10, elapsed_h, p.half_life_h
        )
        m[at + FUNDED] = funded
        m[at + PAYMENTS] += 1.0
    index = v.now // round(HOUR_S * NS_S)
    if index <= m[at + INDEX] or not is_fresh(p, v):
        return
    close, now_s = 0.5 * (v.bid_px + v.ask_px), v.now * 1e-9
    if m[at + CLOSE] > 0.0:
        m[at + TOTAL], m[at + VOL_WEIGHT] = fold_return(
            m[at + TOTAL],
            m[at + VOL_WEIGHT],
            close / m[at + CLOSE] - 1.0,
            now_s - m[at + CLOSED_S],
            p.vol_half_life_h * HOUR_S,
        )
    m[at + CLOSE], m[at + CLOSED_S], m[at + INDEX] = close, now_s, float(index)
    m[at + CLOSES] += 1.0


def rebalance(p: Params, views: Sequence[View], m: Any) -> None:
    """Choose the legs and set every coin's target; a coin without a fresh quote keeps its own."""
    capital = sum(v.capital for v in views)
    legs = [leg for leg in candidates(p, views, m) if pays(p, leg, views[leg.at].position)]
    weights = weigh(p, legs, views, capital)
    m[LEGS] = float(len(weights))
    m[INCOME] = (
        BPS * DAY_H * sum(-weights[leg.at] * leg.excess for leg in legs if leg.at in weights)
    )
    fresh = [i for i, v in enumerate(views) if is_fresh(p, v)]
    aimed = [v.position for v in views]
    for i in fresh:
        aimed[i] = units_of(views[i], weights.get(i, 0.0) * capital)
    kept = [banded(sz, v.position, p.band_pct) for v, sz in zip(views, aimed, strict=True)]
    if is_lopsided(worth_of(views, kept), p.band_pct):
        kept = levelled(views, aimed, fresh, p.band_pct)
    for i in fresh:
        m[SHARED + i * CELLS + TARGET] = float(kept[i])


def is_settling(p: Params, now: int, m: Any) -> bool:
    """Say whether the last rebalance has had its time and its leftovers are still wanted."""
    period_ns = round(p.rebalance_h * HOUR_S * NS_S)
    return bool(m[SETTLED] < m[PERIOD] and now >= (m[PERIOD] + SETTLE_SHARE) * period_ns)


def settle(p: Params, views: Sequence[View], m: Any) -> None:
    """Give up what could not be had where that left the sides uneven, and level them."""
    held = [v.position for v in views]
    fresh = [i for i, v in enumerate(views) if is_fresh(p, v)]
    if not is_lopsided(worth_of(views, held), p.band_pct):
        return
    even = levelled(views, held, fresh, p.band_pct)
    for i in fresh:
        at = SHARED + i * CELLS + TARGET
        m[at] = float(nearer(int(m[at]), even[i]))


def candidates(p: Params, views: Sequence[View], m: Any) -> list[Leg]:
    """Return the coins that are known and fresh, ranked, and note what each would earn."""
    known = []
    for i, v in enumerate(views):
        at = SHARED + i * CELLS
        m[at + SIGNAL] = m[at + BREAK_EVEN_H] = 0.0
        is_told = v.now - m[at + FUNDED] <= p.funding_stale_h * HOUR_S * NS_S
        has_history = min(m[at + PAYMENTS], m[at + CLOSES] - 1.0) >= p.history_h
        if is_fresh(p, v) and is_told and has_history and m[at + TOTAL] > 0.0:
            known.append(i)
    rates = [m[SHARED + i * CELLS + RATES] / m[SHARED + i * CELLS + WEIGHT] for i in known]
    centre = median(rates) if rates else 0.0
    found = []
    for i, rate, score in zip(known, rates, rank_scores(rates), strict=True):
        at = SHARED + i * CELLS
        sigma = volatility_of(m[at + TOTAL], m[at + VOL_WEIGHT], DAY_H * HOUR_S)
        leg = Leg(i, score, rate - centre, sigma, round_trip_bps(views[i], p.fee_bps))
        net_bps = BPS * abs(leg.excess) * p.hold_h - leg.cost_bps
        m[at + SIGNAL] = leg.side * max(net_bps, 0.0) * DAY_H / p.hold_h
        if leg.side:
            m[at + BREAK_EVEN_H] = hours_to_pay(abs(leg.excess), leg.cost_bps)
        found.append(leg)
    return found


def pays(p: Params, leg: Leg, position: int) -> bool:
    """Say whether a leg earns its costs within the holding time: the way out alone when held."""
    cost_bps = 0.5 * leg.cost_bps if position * leg.side > 0 else leg.cost_bps
    return leg.side != 0 and BPS * abs(leg.excess) * p.hold_h > cost_bps


def weigh(p: Params, legs: Sequence[Leg], views: Sequence[View], capital: int) -> dict[int, float]:
    """Return the weight of each leg by its place among the views; none without both sides.

    While a leg is too small for the venue, the leg nearest the middle on its side goes.

    Args:
        p: parameters.
        legs: those that pay.
        views: one per coin.
        capital: of the strategy [micro-USDC].
    """
    left = list(legs)
    top = max(0.01 * p.leg_max_pct, LEG_FLOOR / capital) if capital > 0 else 0.0
    while True:
        raw = [-leg.score / leg.sigma for leg in left]
        if not (any(value > 0 for value in raw) and any(value < 0 for value in raw)):
            return {}
        weights = balanced(raw, p.gross, top)
        small = [
            leg
            for leg, weight in zip(left, weights, strict=True)
            if not units_of(views[leg.at], weight * capital)
        ]
        if not small:
            return {leg.at: weight for leg, weight in zip(left, weights, strict=True)}
        side = [leg for leg in left if leg.side == small[0].side]
        left.remove(min(side, key=lambda leg: abs(leg.score)))


def why_too_small(p: Params, views: View | Sequence[View]) -> str:
    """Return why the capital is too small for one leg on each side, '' when it is not.

    One view knows its own share alone, so that only all of them can tell.
    """
    if isinstance(views, View):
        return ""
    side = 0.5 * p.gross * sum(v.capital for v in views)
    if side >= NOTIONAL_FLOOR:
        return ""
    return (
        f"the smallest leg is {NOTIONAL_FLOOR / 1e6:.1f} USDC (the venue's minimum of 10 USDC and "
        f"room for one move), and gross {p.gross:g} of {sum(v.capital for v in views) / 1e6:.2f} "
        f"USDC allows {side / 1e6:.2f} USDC on each side"
    )


def why_waiting(p: Params, m: Any) -> str:
    """Return what was missing for a leg: coins with a history, or funding that pays its costs."""
    cells = range(SHARED, len(m), CELLS)
    known = [at for at in cells if min(m[at + PAYMENTS], m[at + CLOSES] - 1.0) >= p.history_h]
    if len(known) < 2:
        return (
            f"a ranking takes two coins with {p.history_h} payments and hourly closes, and "
            f"{len(known)} of {len(cells)} had them"
        )
    return unpaid(p, m, known, "leg") + ", and it takes one on each side"


def unpaid(p: Params, m: Any, cells: Sequence[int], what: str) -> str:
    """Return how long the best of ``cells`` would have taken to pay at the last rebalance."""
    if m[PERIOD] == 0.0:
        return f"{p.quorum_pct:g} % of its coins were never quoted together"
    hours = [m[at + BREAK_EVEN_H] for at in cells if m[at + BREAK_EVEN_H] > 0.0]
    if not hours:
        return f"no {what} would have been paid any funding at the last rebalance"
    return (
        f"at the last rebalance the best {what} took {min(hours):,.0f} h of funding to pay its "
        f"round trip and hold_h allows {p.hold_h:g}"
    )


def build(params: Params) -> Strategy:
    """Return the carry with ``params`` as a strategy: perp against perp, or hedged."""
    from hatmanifesto.strategies import carry_hedged  # it stands on this module

    form = carry_hedged if params.hedge else sys.modules[__name__]
    return Strategy(
        name="carry",
        decide=form.decide,
        params=params,
        slots=TAKER_SLOTS,
        memory=SHARED,
        requote_ns=params.requote_ms * 1_000_000,
        why_too_small=form.why_too_small,
        bounds=BOUNDS,
        scope=CROSS,
        memory_coin=CELLS,
        signal=SignalSpec(
            name="net carry",
            unit="bps a day after costs, signed by side",
            horizon_ns=round(params.hold_h * HOUR_S * NS_S),
            cell=SIGNAL,
        ),
        needs=("funding",),
        has_legs=bool(params.hedge),
        why_waiting=form.why_waiting,
    )
