"""Attribution: the worked example, exactness against an independent ledger, planted faults."""

from fractions import Fraction

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatmanifesto.analytics.attribution import attribute, paths_of
from hatmanifesto.analytics.equity import equity_of
from hatmanifesto.analytics.fold import FillRow, fold
from hatmanifesto.analytics.mids import Mids, path_of, tick_before
from hatmanifesto.domain.commands import Place
from hatmanifesto.domain.events import Filled, FundingPaid, FundingUnknown
from hatmanifesto.domain.records import GapSeen
from hatmanifesto.domain.units import NS_S

S = NS_S


def mids_of(pairs):
    ts, mid2 = zip(*pairs, strict=True)
    return Mids(np.array(ts, dtype=np.int64), np.array(mid2, dtype=np.int64))


def records_of(fills):
    """Return an order and its fill for (ts, side, px, sz, fee, taker, in_gap, mid2, book, coin)."""
    out = []
    for intent, (ts, side, px, sz, fee, taker, hole, mid2, book, coin) in enumerate(fills):
        out.append(Place(intent, book, coin, 0, side, px, sz, 0, False, mid2, ts - 1))
        out.append(Filled(intent, intent, px, sz, fee, taker, hole, ts, ts))
    return out


def ledger_net2(fills, last_mid2, funding=()):
    """Return net in half micro-USDC from Fractions of USDC, sharing nothing with the package."""
    cash = Fraction(0)
    held = {}
    for _, side, px, sz, fee, _, _, _, _, coin in fills:
        cash -= Fraction(side * px * sz, 10**6) + Fraction(fee, 10**6)
        held[coin] = held.get(coin, 0) + side * sz
    for coin, szi in held.items():
        cash += szi * Fraction(last_mid2[coin], 2 * 10**6)
    cash += sum(Fraction(usdc, 10**6) for _, usdc in funding)
    return cash * 2 * 10**6


A15_MIDS = [
    (0, 100_000),
    (1, 100_100),
    (2, 100_050),
    (5, 100_200),
    (11, 100_300),
    (12, 100_250),
    (20, 100_100),
    (30, 99_900),
    (61, 100_400),
    (62, 100_500),
    (75, 100_450),
    (100, 100_600),
]


def test_worked_example_of_the_reference_cases():
    """Case A-15, sizes doubled so that fees are whole micro-USDC; expected values doubled too.

    px has 3 decimals and sz 3. The start position 0.5 enters as a fill at the first mid. Our mid is
    strictly before the fill, the case's at or before it: the fill at 30 s comes 1 ns later here.
    """
    mids = mids_of([(t * S, 2 * px) for t, px in A15_MIDS])
    start = (1, 1, 100_000, 1_000, 0, True, False, 200_000, 0, 0)
    fills = [
        (1_500_000_000, 1, 100_080, 4_000, 60_048, True, False, 200_000, 0, 0),
        (11_200_000_000, -1, 100_330, 3_000, -30_099, True, False, 200_400, 0, 0),
        (30 * S + 1, 1, 99_930, 2_000, 89_937, True, False, 200_200, 0, 0),
        (62_500_000_000, -1, 100_470, 6_000, 271_269, True, False, 200_800, 0, 0),
    ]
    paid = [(40 * S, -6_872), (90 * S, -6_166)]  # split of the case's -0.0130375, doubled
    funding = [FundingPaid(0, 0, 0, 0, usdc, ts, ts) for ts, usdc in paid]
    facts = fold([*records_of([start, *fills]), *funding])
    net = ledger_net2([start, *fills], {0: 201_200}, paid)
    attribution, _ = attribute(facts, {0: mids}, net=int(net))
    total = attribution.total
    assert total.residual == 0
    assert total.net == 2 * (2 * 1_012_903_750 - 500) // 1000  # 1.01290375 less funding's rounding
    assert total.spread == 2 * 2 * -35_000
    assert total.price + total.timing == 2 * 2 * 1_250_000
    assert total.fees + total.rebates == 2 * 2 * -195_577.5
    assert total.rebates == 2 * 30_099
    assert total.slippage == 2 * 2 * 415_000
    assert total.timing == 2 * 2 * 450_000
    assert total.adverse_selection == 0
    makers = fold(records_of([(*row[:5], False, *row[6:]) for row in fills]))
    maker_total = attribute(makers, {0: mids})[0].total
    # Fills at 1.5, 11.2, 30 and 62.5 s; the mids five seconds later, from the table above.
    expected = 4_000 * (100_200 - 100_100) - 3_000 * (100_250 - 100_300)
    assert maker_total.adverse_selection == 2 * expected
    assert maker_total.timing == 0


def test_a_funding_hour_without_a_rate_makes_funding_unknown_and_not_zero():
    mids = mids_of([(0, 200), (10 * S, 202)])
    fills = [(5 * S, 1, 100, 10, 1, True, False, 200, 0, 0)]
    facts = fold([*records_of(fills), FundingUnknown(0, 10, 6 * S, 6 * S)])
    total = attribute(facts, {0: mids})[0].total
    assert total.funding is None
    assert total.residual == 0
    known = fold(records_of(fills))
    assert attribute(known, {0: mids})[0].total.funding == 0


def test_a_move_across_a_hole_is_gap_and_not_price():
    mids = mids_of([(0, 200), (1 * S, 204), (100 * S, 240), (101 * S, 250)])
    fills = [(S // 2, 1, 99, 10, 0, False, False, 200, 0, 0)]
    facts = fold([*records_of(fills), GapSeen(0, 1 * S, 99 * S, 2)])
    total = attribute(facts, {0: mids})[0].total
    assert total.spread == 10 * (200 - 198)
    assert total.adverse_selection == 10 * (204 - 200)
    assert total.gap == 10 * (240 - 204)
    assert total.price == 10 * (250 - 240)
    assert total.residual == 0


def test_a_fill_inferred_inside_a_hole_is_gap_until_the_book_is_back():
    mids = mids_of([(0, 200), (1 * S, 204), (100 * S, 180), (101 * S, 190)])
    fills = [(50 * S, 1, 100, 10, 0, False, True, 204, 0, 0)]
    facts = fold([*records_of(fills), GapSeen(0, 1 * S, 99 * S, 2)])
    total = attribute(facts, {0: mids})[0].total
    assert (total.gap, total.price) == (10 * (180 - 200), 10 * (190 - 180))
    assert (total.spread, total.adverse_selection, total.residual) == (0, 0, 0)


def test_a_fill_after_a_hole_is_not_held_against_the_book_of_before():
    path = path_of(mids_of([(0, 200), (S, 204), (100 * S, 240)]), [(S, 99 * S)])
    at, is_substituted = tick_before(path, np.array([100 * S, S, 0], dtype=np.int64))
    assert at.tolist() == [2, 0, 0]
    assert is_substituted.tolist() == [True, False, True]


def test_the_reference_mid_is_strictly_before_the_fill():
    path = path_of(mids_of([(0, 200), (5, 300), (5, 310), (9, 400)]), [])
    at, _ = tick_before(path, np.array([5, 6, 9], dtype=np.int64))
    assert path.mid2[at].tolist() == [200, 310, 310]


STAMP = st.integers(0, 900)
MOVES = st.lists(st.tuples(STAMP, st.integers(150_000, 250_000)), min_size=1, max_size=40)
FILL = st.tuples(
    st.integers(1, 900),
    st.sampled_from([1, -1]),
    st.integers(75_000, 125_000),
    st.integers(1, 10**6),
    st.integers(-(10**7), 10**8),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, 199_001, 200_003]),
    st.integers(0, 2),
    st.integers(0, 1),
)
GAPS = st.lists(st.tuples(st.integers(0, 1), STAMP, st.integers(1, 200)), max_size=4)
PAID = st.lists(st.tuples(st.integers(0, 1), STAMP, st.integers(-(10**6), 10**6)), max_size=3)


def scenario(moves, fills, gaps, paid):
    mids = {
        coin: mids_of([(t * S, mid2 + coin) for t, mid2 in sorted(series)])
        for coin, series in enumerate(moves)
    }
    fills = [(row[0] * S + 1, *row[1:]) for row in fills]
    records = records_of(fills)
    records += [GapSeen(coin, start * S, (start + n) * S, 2) for coin, start, n in gaps]
    paid = dict.fromkeys(paid)
    records += [FundingPaid(coin, 1, 1, 1, usdc, t * S, t * S) for coin, t, usdc in paid]
    last = {coin: int(series.mid2[-1]) for coin, series in mids.items()}
    net = ledger_net2(fills, last, [(t, usdc) for _, t, usdc in paid])
    return fold(records), mids, net


@settings(max_examples=150, deadline=None)
@given(st.tuples(MOVES, MOVES), st.lists(FILL, min_size=1, max_size=30), GAPS, PAID)
def test_parts_sum_to_an_independent_ledger_exactly(moves, fills, gaps, paid):
    facts, mids, net = scenario(moves, fills, gaps, paid)
    assert net.denominator == 1
    attribution, parts = attribute(facts, mids, net=int(net))
    total = attribution.total
    assert total.residual == 0
    assert total.explained() + total.residual == net
    for groups in (attribution.by_coin, attribution.by_book):
        for name in ("price", "spread", "adverse_selection", "timing", "fees", "rebates", "gap"):
            assert sum(getattr(part, name) for part in groups.values()) == getattr(total, name)
        assert sum(part.funding_known for part in groups.values()) == total.funding_known
        assert sum(part.net for part in groups.values()) == net
        assert all(part.residual == 0 for part in groups.values())
    equity = equity_of(facts.fills, paths_of(facts, mids), funding=facts.funding, step_ns=7 * S)
    assert int(equity.pnl[-1]) == net
    held_gap = gap_of_held_positions(facts, mids)
    inferred = sum(
        int(value) for value, row in zip(parts.gap.tolist(), facts.fills, strict=True) if row.is_gap
    )
    assert total.gap - inferred == held_gap


def gap_of_held_positions(facts, mids):
    """Return the gap part the other way round: position held into each step of the mid times it."""
    total = 0
    for coin, path in paths_of(facts, mids).items():
        rows = [row for row in facts.fills if row.coin == coin and not row.is_gap]
        at, _ = tick_before(path, np.array([row.ts for row in rows], dtype=np.int64))
        steps = np.diff(path.gap2, prepend=0)
        for tick, step in enumerate(steps.tolist()):
            total += step * sum(r.szi for r, i in zip(rows, at.tolist(), strict=True) if i < tick)
    return total


@pytest.mark.parametrize("change", ["dropped", "doubled", "fee", "mark"])
def test_a_planted_fault_leaves_a_residual(change):
    moves = ([(t, 200_000 + 37 * t % 911) for t in range(60)], [(0, 200_000)])
    fills = [(t + 1, 1 - 2 * (t % 2), 100_000 + t, 50 + t, 30, t % 3 == 0, False, 200_000, 0, 0)
             for t in range(20)]  # fmt: skip
    facts, mids, net = scenario(moves, fills, [], [])
    rows: tuple[FillRow, ...] = facts.fills
    if change == "dropped":
        rows = rows[1:]
    elif change == "doubled":
        rows = (*rows, rows[3])
    elif change == "fee":
        rows = (rows[0]._replace(fee=rows[0].fee + 1), *rows[1:])
    else:
        net += 1
    facts = msgspec.structs.replace(facts, fills=rows)
    assert attribute(facts, mids, net=int(net))[0].total.residual != 0
