"""Units: decimal text and integers say the same, exactly, or are refused."""

from fractions import Fraction
from math import trunc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.units import (
    RATE_ONE,
    float_to_fixed,
    format_fixed,
    format_half_micro,
    parse_fixed,
    rate_of,
)

values = st.integers(-(10**18), 10**18)
decimals_of = st.integers(0, 10)


@given(value=values, decimals=decimals_of)
def test_text_round_trips(value: int, decimals: int) -> None:
    assert parse_fixed(format_fixed(value, decimals=decimals), decimals=decimals) == value


@pytest.mark.parametrize(
    ("text", "decimals", "value"),
    [
        ("0", 0, 0),
        ("-0", 2, 0),
        ("1", 6, 1_000_000),
        ("1.50", 1, 15),
        ("-0.000001", 6, -1),
        ("007", 0, 7),
        ("1.000", 0, 1),
        ("97123.5", 1, 971_235),
    ],
)
def test_parse(text: str, decimals: int, value: int) -> None:
    assert parse_fixed(text, decimals=decimals) == value


@pytest.mark.parametrize(
    "text",
    [*"1e3 nan inf +1 1_000 .5 5. -- - 1.2.3 0x10 1,5".split(), "\u0661", "\xb2"],
)
def test_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="plain decimal"):
        parse_fixed(text, decimals=3)


@pytest.mark.parametrize("text", ["", " ", " 1", "1 ", "1\n"])
def test_blanks_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="plain decimal"):
        parse_fixed(text, decimals=3)


def test_more_decimals_than_the_unit_are_refused_not_rounded() -> None:
    with pytest.raises(ValueError, match="at most 2 decimals"):
        parse_fixed("1.005", decimals=2)


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (0.1, 1, 1),
        (0.1 + 0.2, 17, 30_000_000_000_000_004),
        (1e-05, 5, 1),
        (111_234.0, 1, 1_112_340),
    ],
)
def test_floats_come_through_their_shortest_text(
    value: float, decimals: int, expected: int
) -> None:
    assert float_to_fixed(value, decimals=decimals) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 0.15])
def test_floats_that_do_not_fit_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        float_to_fixed(value, decimals=1)


def test_half_micro_is_half_a_millionth() -> None:
    assert format_half_micro(1) == "0.0000005"
    assert format_half_micro(-3) == "-0.0000015"
    assert format_half_micro(2_000_000) == "1"


@given(notional=values, rate=st.integers(-RATE_ONE, RATE_ONE))
def test_rates_truncate_toward_zero(notional: int, rate: int) -> None:
    assert rate_of(notional, rate) == trunc(Fraction(notional * rate, RATE_ONE))
    assert rate_of(-notional, rate) == -rate_of(notional, rate)


def test_fees_of_recorded_fills() -> None:
    """Source: PROTOCOL 12.2 and 12.4."""
    assert rate_of(136_410_300, 4_500_000) == 61_384
    assert rate_of(812_020_000, 1_500_000) == 121_803
    assert rate_of(38_304_000, -100_000) == -383
