"""Legs of a carry: cases worked by hand, and nothing lost on the way."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.analytics.allot import funding_shares, sum_shares
from hatmanifesto.analytics.carry_legs import carry_legs, hours_expected
from hatmanifesto.analytics.fold import fold
from hatmanifesto.apps.carry_text import legs_summary, state_of
from hatmanifesto.domain.events import FundingPaid, FundingUnknown
from hatmanifesto.domain.records import Signal
from hatmanifesto.domain.units import NS_HOUR
from hatmanifesto.signals.carry import breakeven_hours
from tests.analytics_world import FREE, T0, fill, with_fills

PX, SZ, FEE, HALF = 100_000, 1_000, 45_000, -40_000
"""100 USDC a fill; 4.5 bps of fee; 2 bps of half spread, in half micro-USDC."""


def at(hour):
    return T0 // NS_HOUR * NS_HOUR + round(hour * NS_HOUR)


def traded(hour, side, *, coin=0, book=0, sz=SZ, number=0, signal=0):
    row = fill(at(hour), side, PX, sz, book, coin, True, FREE, number)
    return row._replace(fee=FEE * sz // SZ, signal=signal)


def paid(hour, usdc, *, coin=0, szi=-SZ):
    return FundingPaid(coin, szi, 1, 1, usdc, at(hour), at(hour))


def legs_of(rows, payments, *, books=(0,), perp_of=None, signals=(), unknown=()):
    facts = with_fills(fold([]), rows, payments)
    facts = msgspec.structs.replace(facts, signals=signals, funding_unknown=unknown)
    spread2 = [HALF * row.sz // SZ for row in facts.fills]
    shares = funding_shares(facts.funding, facts.fills)
    return carry_legs(facts, spread2, shares, books=books, perp_of=perp_of or {})


HOURLY = [paid(hour, 30_000) for hour in range(1, 7)]


def test_a_short_leg_pays_its_13_bps_with_the_fifth_payment():
    """Two fills of 4.5 + 2 bps cost 0.13 USDC; five payments of 0.03 USDC are 0.15 USDC."""
    signal = Signal(7, 0, 0, -12.0, 72 * NS_HOUR, 0, "", 0, 0)
    rows = [traded(0.5, -1, signal=7), traded(6.5, 1, number=1)]
    (leg,) = legs_of(rows, HOURLY, signals=(signal,))
    assert (leg.side, leg.opened, leg.closed) == (-1, at(0.5), at(6.5))
    assert (leg.costs2, leg.funding2, leg.peak2) == (260_000, 360_000, 200_000_000)
    assert leg.paid_ns == round(4.5 * NS_HOUR)
    assert leg.expected_bps == 12.0
    assert leg.expected_h == pytest.approx(13 / (12 / 24 + 13 / 72))
    assert state_of(leg) == "paid"


def test_a_leg_closed_too_early_never_breaks_even():
    (leg,) = legs_of([traded(0.5, -1), traded(3.5, 1, number=1)], HOURLY[:3])
    assert (leg.funding2, leg.costs2, leg.paid_ns) == (180_000, 260_000, None)
    assert state_of(leg) == "never"
    assert (leg.expected_bps, leg.expected_h) == (None, None), "no signal, no invention"


def test_an_open_leg_is_said_to_be_open_and_an_untold_hour_unknown():
    (leg,) = legs_of([traded(0.5, -1)], HOURLY[:1])
    assert leg.closed is None
    assert state_of(leg) == "open"
    told = FundingUnknown(0, -SZ, at(2), at(2))
    (leg,) = legs_of([traded(0.5, -1)], HOURLY[:1], unknown=(told,))
    assert leg.unknown == 1
    assert state_of(leg) == "unknown"
    late = [traded(0.5, -1), traded(1.5, 1, number=1)]
    assert legs_of(late, HOURLY[:1], unknown=(told,))[0].unknown == 0


def test_a_flip_ends_one_leg_and_begins_the_next():
    rows = [traded(0.5, -1), traded(2.5, 1, sz=3 * SZ, number=1), traded(3.5, -1, sz=2 * SZ)]
    first, second = legs_of(rows, HOURLY[:2])
    assert (first.side, first.closed) == (-1, second.opened)
    assert (second.side, second.closed) == (1, at(3.5))
    assert (first.costs2, second.costs2) == (260_000, 520_000)
    assert (first.funding2, second.funding2) == (120_000, 0)


def test_a_pair_is_one_leg_with_the_costs_of_both():
    rows = [
        traded(0.5, -1),
        traded(0.6, 1, coin=1, number=1),
        traded(6.5, 1, number=2),
        traded(6.6, -1, coin=1, number=3),
    ]
    (leg,) = legs_of(rows, HOURLY, perp_of={1: 0})
    assert (leg.coin, leg.side, leg.closed) == (0, -1, at(6.6))
    assert leg.costs2 == 4 * 130_000
    assert leg.peak2 == 200_000_000
    assert leg.paid_ns is None, "0.18 USDC of funding do not pay 0.26 USDC"


def test_other_books_are_no_legs():
    rows = [traded(0.5, -1), traded(0.6, 1, book=1, number=1)]
    assert [leg.book for leg in legs_of(rows, [])] == [0]
    assert legs_of(rows, [], books=()) == []
    assert legs_summary([]) is None


@given(
    payments=st.lists(st.integers(-50_000, 80_000), min_size=1, max_size=40),
    fee=st.integers(0, 200_000),
)
def test_it_agrees_with_the_formula_on_a_constant_position(payments, fee):
    rows = [traded(0.0, -1)._replace(fee=fee), traded(len(payments) + 0.5, 1)._replace(fee=fee)]
    events = [paid(hour + 1, usdc) for hour, usdc in enumerate(payments)]
    (leg,) = legs_of(rows, events)
    rates = np.array(payments) / (PX * SZ)
    expected = breakeven_hours(rates, cost_bps=1e4 * leg.costs2 / (2 * PX * SZ))
    assert (leg.paid_ns or 0) == (expected or 0) * NS_HOUR


trades = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 2), st.sampled_from((-1, 1)), st.integers(1, 3)),
    min_size=1,
    max_size=30,
)


@given(trades=trades)
def test_costs_and_funding_of_the_legs_are_those_of_the_books(trades):
    rows = [
        traded(n, side, coin=coin, book=book, sz=sz * SZ, number=n)
        for n, (book, coin, side, sz) in enumerate(trades)
    ]
    events = [paid(n + 0.5, 1_000 * (n + 1), coin=n % 3) for n in range(len(rows))]
    legs = legs_of(rows, events, books=(0, 1))
    assert sum(leg.costs2 for leg in legs) == sum(2 * row.fee - HALF * row.sz // SZ for row in rows)
    shares = sum_shares(funding_shares(events, rows))
    mine = sum(usdc for book, usdc in shares.items() if book >= 0)
    assert sum(leg.funding2 for leg in legs) == 2 * mine
    for leg in legs:
        assert leg.closed is None or leg.closed > leg.opened


def test_hours_expected_inverts_the_signal_of_the_strategy():
    hourly, cost, hold = 0.5, 13.0, 72.0
    signal = (hourly * hold - cost) * 24 / hold
    assert hours_expected(signal, cost, hold) == pytest.approx(cost / hourly)
    assert hours_expected(-100.0, cost, hold) is None
    assert math.isclose(hours_expected(0.0, cost, hold) or 0.0, hold)
