"""Columns of texts, doubles and stamps become exact integers, equal to the scalar conversions."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.units import float_to_fixed, parse_fixed
from hatmanifesto.store.importers.exact import (
    INT64_MAX,
    from_floats,
    from_texts,
    rejects,
    rounded_from_texts,
    stamps_from_iso,
    stamps_from_ms,
    write_out,
    written_out,
)

DECIMALS = st.sampled_from((0, 6, 8, 10, 12))
PLAIN = st.from_regex(r"-?[0-9]{1,22}(\.[0-9]{1,22})?", fullmatch=True)
ODD = st.text(alphabet="-+.,0129eE_ nNaAiIfF\n", max_size=8)


def scalar(text: str, decimals: int) -> int | None:
    """Return what the scalar conversion makes of a text, none where it or 64 bits refuse."""
    try:
        value = parse_fixed(text, decimals=decimals)
    except ValueError:
        return None
    return value if abs(value) <= INT64_MAX else None


@given(st.lists(PLAIN | ODD, max_size=8), DECIMALS)
def test_texts_equal_the_scalar_conversion(texts: list[str], decimals: int) -> None:
    fixed, ok, reason = from_texts(texts, decimals=decimals)
    expected = [scalar(text, decimals) for text in texts]
    assert ok.tolist() == [value is not None for value in expected]
    assert fixed.tolist() == [value or 0 for value in expected]
    assert (reason == "").tolist() == ok.tolist()


@given(st.lists(st.floats(), max_size=8), DECIMALS)
def test_floats_equal_the_scalar_conversion(values: list[float], decimals: int) -> None:
    fixed, ok = from_floats(np.array(values, dtype=np.float64), decimals=decimals)
    for value, count, exact in zip(values, fixed.tolist(), ok.tolist(), strict=True):
        try:
            expected = float_to_fixed(value, decimals=decimals)
        except ValueError:
            assert not exact
            continue
        assert exact == (abs(expected) <= INT64_MAX)
        assert count == (expected if exact else 0)


@given(st.lists(st.tuples(st.integers(0, 10**17), st.integers(0, 10)), max_size=8))
def test_decimals_survive_the_way_through_doubles(rows: list[tuple[int, int]]) -> None:
    short = [(count % 10**15, places) for count, places in rows]
    values = np.array([float(f"{count}e-{places}") for count, places in short])
    fixed, ok = from_floats(values, decimals=10)
    for (count, places), told, exact in zip(short, fixed.tolist(), ok.tolist(), strict=True):
        expected = count * 10 ** (10 - places)
        assert exact == (expected <= INT64_MAX)
        assert told == (expected if exact else 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "null"),
        ("", "null"),
        ("NaN", "not_finite"),
        ("-inf", "not_finite"),
        ("Infinity", "not_finite"),
        ("1e5", "ambiguous"),
        ("1,000", "ambiguous"),
        ("1_0", "ambiguous"),
        (" 1", "ambiguous"),
        ("1\n", "ambiguous"),
        ("+1", "ambiguous"),
        ("1.", "ambiguous"),
        (".5", "ambiguous"),
        ("\u0661", "ambiguous"),
        ("0.123456789", "off_grid"),
        ("92233720368.54775808", "off_grid"),
        ("-99999999999999999999", "off_grid"),
        ("0." + "1" * 2_000, "off_grid"),
        ("92233720368.54775807", ""),
        ("-0", ""),
        ("007", ""),
        ("1.5" + "0" * 60, ""),
    ],
)
def test_every_refused_text_has_its_reason(text: str | None, reason: str) -> None:
    _, ok, told = from_texts([text], decimals=8)
    assert (told[0], bool(ok[0])) == (reason, reason == "")


def test_texts_may_be_arrow_columns_and_slices_of_them() -> None:
    column = pa.array(["1", "2.5", None, "-3"]).slice(1)
    assert from_texts(column, decimals=1)[0].tolist() == [25, 0, -30]
    chunked = pa.chunked_array([["1"], ["2"]])
    assert from_texts(chunked, decimals=0)[0].tolist() == [1, 2]


def test_whole_numbers_are_texts_and_other_things_are_ambiguous() -> None:
    fixed, _, reason = from_texts([5, True, {"a": 1}, 1.5, "\ud800"], decimals=0)
    assert fixed.tolist() == [5, 0, 0, 0, 0]
    assert reason.tolist() == ["", *["ambiguous"] * 4]


def test_exponents_are_written_out_exactly_and_never_into_a_flood() -> None:
    assert written_out(["-2.4e-06", "1E+2", "7", None]).to_pylist() == [
        "-0.0000024",
        "100",
        "7",
        None,
    ]
    assert write_out("1e999999999") == "1e999999999"
    assert from_texts(written_out(["1e400"]), decimals=0)[2].tolist() == ["ambiguous"]


def test_rounding_goes_half_to_even_and_says_where() -> None:
    texts = ["0.125", "0.135", "-0.125", "1.5", "1e3", "9" * 30]
    fixed, ok, reason, finer = rounded_from_texts(texts, decimals=2)
    assert fixed.tolist() == [12, 14, -12, 150, 0, 0]
    assert finer.tolist() == [True, True, True, False, False, False]
    assert ok.tolist() == [True] * 4 + [False] * 2
    assert reason.tolist() == [""] * 4 + ["ambiguous", "off_grid"]


def test_milliseconds_become_nanoseconds_or_nothing() -> None:
    values = np.array([1_757_015_216_253, 1_757_015_216, 0, -1, 2**62], dtype=np.int64)
    stamps, ok = stamps_from_ms(values)
    assert stamps.tolist() == [1_757_015_216_253_000_000, 0, 0, 0, 0]
    assert ok.tolist() == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-11-13T00:01:00Z", 1_762_992_060_000_000_000),
        ("2025-11-17 16:00:00+00:00", 1_763_395_200_000_000_000),
        ("2025-08-07 00:00:00.047000+00:00", 1_754_524_800_047_000_000),
        ("2025-01-01T00:00:00.000000001Z", 1_735_689_600_000_000_001),
        ("2025-01-01T08:00:00+08:00", 1_735_689_600_000_000_000),
        ("2024-12-31T18:30:00-05:30", 1_735_689_600_000_000_000),
        ("2025-02-30T00:00:00Z", 0),
        ("2025-01-01T25:00:00Z", 0),
        ("2025-01-01T00:00:00+99:00", 0),
        ("2025-01-01T00:00:00", 0),
        ("2025-01-01", 0),
        ("1970-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", 0),
        (None, 0),
        ("", 0),
    ],
)
def test_times_need_a_calendar_and_a_zone(text: str | None, expected: int) -> None:
    for around in ([text], ["2025-11-13T00:01:00Z", text]):
        stamps, ok = stamps_from_iso(around)
        assert (int(stamps[-1]), bool(ok[-1])) == (expected, expected != 0)


def test_rejects_carry_row_stamp_reason_and_text() -> None:
    reason = np.array(["", "ohlc", ""])
    stamps = np.array([1, 2, 3], dtype=np.int64)
    found = rejects(reason, exch=stamps, first_row=10, texts=lambda at: [f"row {i}" for i in at])
    assert [tuple(one) for one in found] == [(11, 2, "ohlc", "row 1")]
