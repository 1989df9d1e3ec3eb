"""Assets: the price grid and the margin tiers of the venue's documentation."""

from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.asset import (
    Asset,
    MarginTier,
    is_on_grid,
    maintenance_of,
    maintenance_tiers,
    round_down_to_grid,
    round_up_to_grid,
    tick_of,
)
from hatmanifesto.domain.units import MICRO, parse_fixed
from hatmanifesto.domain.universe import PERPS

px_decimals_of = st.integers(0, 6)
prices = st.integers(1, 10**12)


def is_valid_text(px: int, px_decimals: int) -> bool:
    """Say what PROTOCOL 3.2 says: whole, or at most five digits after leading zeros."""
    text = format(Decimal(px).scaleb(-px_decimals).normalize(), "f")
    if "." not in text:
        return True
    return len(text.replace(".", "").lstrip("0")) <= 5


@given(px=prices, px_decimals=px_decimals_of)
def test_grid_is_the_venues_rule_on_digits(px: int, px_decimals: int) -> None:
    assert is_on_grid(px, px_decimals=px_decimals) == is_valid_text(px, px_decimals)


@pytest.mark.parametrize(
    ("text", "px_decimals", "expected"),
    [
        ("0.01234", 5, True),
        ("123456", 5, True),
        ("12345.6", 5, False),
        ("111234.0", 1, True),
        ("111234.5", 1, False),
        ("9999.9", 1, True),
        ("2000.15", 2, False),
    ],
)
def test_grid_examples(text: str, px_decimals: int, expected: bool) -> None:
    px = parse_fixed(text, decimals=px_decimals)
    assert is_on_grid(px, px_decimals=px_decimals) is expected


@given(px=prices, px_decimals=px_decimals_of)
def test_rounding_reaches_the_nearest_grid_price(px: int, px_decimals: int) -> None:
    low = round_down_to_grid(px, px_decimals=px_decimals)
    high = round_up_to_grid(px, px_decimals=px_decimals)
    tick = tick_of(px, px_decimals=px_decimals)
    assert low <= px <= high
    assert high - low in (0, tick)
    assert low == 0 or is_on_grid(low, px_decimals=px_decimals)
    assert is_on_grid(high, px_decimals=px_decimals)


def test_nothing_is_on_the_grid_at_or_below_zero() -> None:
    assert not is_on_grid(0, px_decimals=1)
    assert not is_on_grid(-10, px_decimals=1)
    assert round_down_to_grid(0, px_decimals=1) == round_down_to_grid(-5, px_decimals=1) == 0


TESTNET_BTC = Asset(
    "BTC",
    0,
    5,
    (MarginTier(0, 40), MarginTier(10_000 * MICRO, 25), MarginTier(50_000 * MICRO, 10)),
)


def test_tiers_reproduce_the_measured_account() -> None:
    """Source: PROTOCOL 15.2: deductions 0, 75, 1575; notional 12073.655 gives 166.4731."""
    tiers = maintenance_tiers(TESTNET_BTC)
    assert [row.deduction_doubled / (2 * MICRO) for row in tiers] == [0, 75, 1575]
    assert maintenance_of(12_073_655_000, tiers) == 166_473_100


@pytest.mark.parametrize("coin", PERPS)
def test_maintenance_rises_and_is_continuous_at_every_tier(coin: str) -> None:
    tiers = maintenance_tiers(PERPS[coin])
    for row in tiers[1:]:
        below, at = (maintenance_of(row.notional_min - d, tiers) for d in (1, 0))
        assert 0 <= at - below <= 1


@given(notional=st.integers(0, 10**16), coin=st.sampled_from(sorted(PERPS)))
def test_maintenance_is_the_formula_rounded_up(notional: int, coin: str) -> None:
    asset = PERPS[coin]
    deduction, rate = Fraction(0), Fraction(1, 2 * asset.tiers[0].leverage_max)
    expected = Fraction(0)
    for tier in asset.tiers:
        deduction += tier.notional_min * (Fraction(1, 2 * tier.leverage_max) - rate)
        rate = Fraction(1, 2 * tier.leverage_max)
        if notional >= tier.notional_min:
            expected = notional * rate - deduction
    assert 0 <= maintenance_of(notional, maintenance_tiers(asset)) - ceil(expected) <= 1


@pytest.mark.parametrize("asset", PERPS.values(), ids=PERPS)
def test_px_times_sz_is_micro_usdc(asset: Asset) -> None:
    assert asset.px_decimals + asset.sz_decimals == 6
    assert asset.tiers[0].notional_min == 0
    assert asset.leverage_max == asset.tiers[0].leverage_max
