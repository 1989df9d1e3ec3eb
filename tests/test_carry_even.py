"""The carry's two sides stay even: an opening is refused, legs drift, one is stuck."""

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.units import NS_HOUR
from hatmanifesto.strategies import carry_hedged
from hatmanifesto.strategies.carry import CELLS, SHARED, TARGET, Params, decide
from hatmanifesto.strategies.contract import View
from hatmanifesto.strategies.neutral import is_lopsided, levelled, nearer, worth_of
from hatmanifesto.strategies.targets import NOTIONAL_FLOOR
from tests.strategy_views import START, bought, settle_all, view

QUICK = Params(history_h=4, rebalance_h=8.0, half_life_h=4.0, leg_max_pct=100.0)
RATES = (3.0, 1.0, 0.125, 0.125, -1.0, -3.0)
CAPITAL = 600 * 10**6
PAYS = 8
"""The first hour of a rebalance with enough history."""


def hour(n: int, held: Sequence[int], *, mids: Sequence[int] = ()) -> list[View]:
    now = START + n * NS_HOUR
    views = []
    for i, (rate, position) in enumerate(zip(RATES, held, strict=True)):
        mid = mids[i] if mids else 200_000 + 200 * ((n * (i + 2)) % 11)
        told = {"funding_rate": round(rate * 1e6), "funding_exch": now}
        views.append(view(mid=mid, now=now, position=position, capital=CAPITAL // 6, **told))
    return views


def run(hours: int, refused: Sequence[int] = ()) -> tuple[list[list[int]], list[float]]:
    """Return positions after each hour; buys of the ``refused`` coins never fill."""
    m = [0.0] * (SHARED + 6 * CELLS)
    held = [0] * 6
    path = []
    for n in range(hours):
        views = hour(n, held)
        for _ in range(10):
            quotes = decide(QUICK, views, m)
            traded = [bought(quotes[4 * i : 4 * i + 4]) for i in range(6)]
            traded = [0 if i in refused and one > 0 else one for i, one in enumerate(traded)]
            views = [
                v._replace(position=v.position + one) for v, one in zip(views, traded, strict=True)
            ]
        held = [v.position for v in views]
        path.append(held)
    return path, m


def test_a_refused_opening_brings_the_other_side_down_after_a_while() -> None:
    path, _ = run(PAYS + 4, refused=(4, 5))
    assert path[PAYS][0] < 0 == path[PAYS][5]
    assert path[PAYS + 1] == path[PAYS]
    assert path[PAYS + 2] == [0] * 6
    half, _ = run(PAYS + 4, refused=(4,))
    before, after = (worth_of(hour(PAYS, h), h) for h in (half[PAYS], half[PAYS + 2]))
    assert is_lopsided(before, QUICK.band_pct)
    assert not is_lopsided(after, 2.0)
    assert after[5] == before[5] > 0


def test_what_was_had_is_left_alone() -> None:
    path, _ = run(PAYS + 8)
    assert path[PAYS] == path[PAYS + 2] == path[PAYS + 7]


def test_the_next_rebalance_asks_again() -> None:
    path, m = run(PAYS + 8, refused=(4, 5))
    assert path[-1] == [0] * 6
    held = settle_all(decide, QUICK, hour(PAYS + 8, path[-1]), m)
    assert held[0] < 0 < held[5]


def test_drift_inside_the_band_of_every_leg_is_levelled() -> None:
    """Every short rose by 12 % and every long fell by 12 %: no leg is 20 % off, the sides are."""
    path, m = run(PAYS + 8)
    held = path[-1]
    mids = [224_000 if sz < 0 else 176_000 if sz > 0 else 200_000 for sz in held]
    n = PAYS + 8
    assert is_lopsided(worth_of(hour(n, held, mids=mids), held), QUICK.band_pct)
    after = settle_all(decide, QUICK, hour(n, held, mids=mids), m)
    assert not is_lopsided(worth_of(hour(n, after, mids=mids), after), 2.0)


def test_a_leg_that_cannot_be_traded_is_counted() -> None:
    path, m = run(PAYS + 8)
    views = hour(PAYS + 8, path[-1])
    views[0] = views[0]._replace(exch=views[0].now - NS_HOUR, position=4 * views[0].position)
    decide(QUICK, views, m)
    targets = [int(m[SHARED + i * CELLS + TARGET]) for i in range(6)]
    targets[0] = views[0].position
    assert targets[1] == 0, "the other shorts go, since the stuck one is too large already"
    assert targets[5] > 0


def test_a_pair_comes_down_to_what_both_legs_have() -> None:
    p = QUICK._replace(hedge=1)
    m = [0.0] * (SHARED + 2 * CELLS)
    for n in range(PAYS + 3):
        pair = hour(n, [0] * 6)[:2]
        perp, leg = (v._replace(capital=CAPITAL // 2) for v in pair)
        short = -1_000 if n >= PAYS else 0
        views = [perp._replace(position=short), leg._replace(funding_exch=0)]
        quotes = carry_hedged.decide(p, views, m)
        if n == PAYS + 1:
            assert m[SHARED + TARGET] < -1_000
            assert bought(quotes[4:]) > 0
    assert m[SHARED + TARGET] == 0.0
    assert bought(quotes[:4]) == 1_000


sizes_of = st.lists(st.integers(-3_000, 3_000), min_size=1, max_size=8)


@given(sizes=sizes_of, band=st.sampled_from((0.0, 10.0, 20.0)), data=st.data())
def test_levelling_only_takes_from_the_larger_side(
    sizes: list[int], band: float, data: st.DataObject
) -> None:
    views = [view() for _ in sizes]
    movable = sorted(data.draw(st.sets(st.integers(0, len(sizes) - 1))))
    out = levelled(views, sizes, movable, band)
    before, after = math.fsum(worth_of(views, sizes)), math.fsum(worth_of(views, out))
    assert all(nearer(old, new) == new for old, new in zip(sizes, out, strict=True))
    assert all(out[i] == sizes[i] for i in range(len(sizes)) if i not in movable)
    assert abs(after) <= abs(before)
    assert [-one for one in levelled(views, [-sz for sz in sizes], movable, band)] == out
    if len(movable) == len(sizes) and min(map(abs, sizes)) > 1_000:
        assert not is_lopsided(worth_of(views, out), band + 1.0) or abs(after) < NOTIONAL_FLOOR


def test_a_leg_goes_when_the_sides_are_nearer_without_it() -> None:
    """249 USDC against 3: what is left of the long would be too small, so it goes."""
    views = [view(), view()]
    assert levelled(views, [1_245, -15], [0], 20.0) == [0, -15]
    assert levelled(views, [60, -40], [0], 20.0) == [60, -40], "12 less 8: without it 8 are left"


def test_nearer_never_turns_around_or_grows() -> None:
    cases = [(5, 3, 3), (3, 5, 3), (-5, -3, -3), (5, -3, 0), (0, 4, 0), (4, 0, 0)]
    assert [nearer(a, b) for a, b, _ in cases] == [c for _, _, c in cases]
