"""The ledger: exact under splitting and merging of fills, symmetric in its sides."""

from fractions import Fraction
from math import trunc

from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.books.allot import HOUSE, allot
from hatmanifesto.books.ledger import Ledger
from hatmanifesto.books.state import State
from hatmanifesto.domain.units import rate_of
from hatmanifesto.domain.universe import PERPS

TAKER = 4_500_000
fills_of = st.lists(
    st.tuples(st.sampled_from([1, -1]), st.integers(1, 10**7), st.integers(1, 10**6)),
    min_size=1,
    max_size=12,
)


def fold(fills: list[tuple[int, int, int]]) -> Ledger:
    ledger = Ledger()
    for side, px, sz in fills:
        ledger.fill(side=side, px=px, sz=sz, fee=rate_of(px * sz, TAKER))
    return ledger


def split(fills: list[tuple[int, int, int]], cuts: list[int]) -> list[tuple[int, int, int]]:
    """Return the same fills, each in up to two parts at one price."""
    parts = []
    for (side, px, sz), cut in zip(fills, cuts, strict=False):
        first = cut % sz
        parts += [(side, px, part) for part in (first, sz - first) if part]
    return parts


@given(fills=fills_of, cuts=st.lists(st.integers(0, 10**6), min_size=12, max_size=12))
def test_position_cost_and_cash_do_not_know_how_fills_were_cut(
    fills: list[tuple[int, int, int]], cuts: list[int]
) -> None:
    whole, parts = fold(fills), fold(split(fills, cuts))
    assert (whole.position, whole.cost, whole.cash) == (parts.position, parts.cost, parts.cash)
    assert whole.realised == parts.realised
    assert whole.turnover == parts.turnover
    assert 0 <= whole.fees - parts.fees <= parts.fills - whole.fills


@given(fills=fills_of)
def test_sides_mirror(fills: list[tuple[int, int, int]]) -> None:
    one, other = fold(fills), fold([(-side, px, sz) for side, px, sz in fills])
    assert (one.position, one.cost, one.cash) == (-other.position, -other.cost, -other.cash)
    assert one.fees == other.fees


@given(fills=fills_of, mid2=st.integers(2, 10**8), usdc=st.integers(-(10**9), 10**9))
def test_equity_is_cash_and_position_at_the_mid(
    fills: list[tuple[int, int, int]], mid2: int, usdc: int
) -> None:
    ledger = fold(fills)
    ledger.pay_funding(usdc)
    flows = -sum(side * px * sz for side, px, sz in fills)
    held = sum(side * sz for side, _, sz in fills)
    assert ledger.equity2(mid2) == 2 * (flows - ledger.fees + usdc) + held * mid2


@given(fills=fills_of)
def test_cost_is_within_a_unit_an_increase_of_the_exact_average(
    fills: list[tuple[int, int, int]],
) -> None:
    """The basis is truncated only when it is increased again after a reduction."""
    position, cost = 0, Fraction(0)
    for side, px, sz in fills:
        shut = min(sz, abs(position)) if position * side < 0 else 0
        if shut:
            cost -= cost * shut / abs(position)
        position += side * sz
        cost += side * px * (sz - shut)
    ledger = fold(fills)
    assert ledger.position == position
    assert abs(ledger.cost - cost) <= len(fills)


def test_a_reduction_truncates_toward_zero_on_both_sides() -> None:
    for side in (1, -1):
        ledger = fold([(side, 10, 1), (side, 11, 2), (-side, 10, 1)])
        assert ledger.cost == side * trunc(Fraction(32 * 2, 3)) == side * 21


def test_a_flip_begins_a_new_basis() -> None:
    ledger = fold([(1, 100, 10), (-1, 110, 15)])
    assert (ledger.position, ledger.cost, ledger.realised) == (-5, -550, 100)


amounts = st.integers(-(10**12), 10**12)
positions_of = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=6)


@given(
    amount=st.integers(-(10**12), 10**12),
    positions=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=6),
)
def test_allotted_shares_sum_to_the_amount(amount: int, positions: list[int]) -> None:
    shares = allot(amount, dict(enumerate(positions)))
    assert sum(shares.values()) == amount
    whole = sum(positions)
    for book, share in shares.items():
        assert book == HOUSE or abs(share * whole - amount * positions[book]) < abs(whole)


def test_the_units_left_over_go_to_the_largest_remainders() -> None:
    assert allot(10, {0: 1, 1: 1, 2: 1}) == {0: 4, 1: 3, 2: 3}
    assert sorted(allot(-10, {0: 1, 1: 1, 2: 1}).values()) == [-4, -3, -3]


def test_what_no_position_explains_belongs_to_the_house() -> None:
    assert allot(5, {0: 0, 1: 4, 2: -4}) == {HOUSE: 5}
    state = State(assets=(PERPS["BTC"],), books=2, capital=100)
    state.pay_funding(book=HOUSE, coin=0, usdc=-7)
    assert (state.house, state.equity2()) == (-7, 186)
