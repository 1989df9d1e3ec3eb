"""Figures of the small pages: round ticks that hold the data, axes with units, no markup."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.apps.report.svg import (
    POINTS_MAX,
    Bar,
    Frame,
    Line,
    bars_svg,
    columns_svg,
    lines_svg,
)
from hatmanifesto.apps.report.ticks import TIMES_MAX, number_ticks, time_ticks
from hatmanifesto.domain.units import NS_HOUR, NS_S

FRAME = Frame("Profit", "time, UTC", "profit, USDC")
NS_DAY = 24 * NS_HOUR
T0 = 1_735_689_600 * NS_S  # 2025-01-01

reals = st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: round(x, 6))


@given(reals, reals)
def test_ticks_are_round_hold_the_data_and_are_few(one, other):
    low, high = sorted((one, other))
    ticks = number_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert ticks[0].at <= low
    assert ticks[-1].at >= high
    assert len({tick.text for tick in ticks}) == len(ticks)
    for tick in ticks:
        assert float(tick.text.replace(",", "")) == tick.at


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (-171.0, 120.0, ["-200", "-100", "0", "100", "200"]),
        (0.0, 4200.0, ["0", "1,000", "2,000", "3,000", "4,000", "5,000"]),
        (0.0, 0.0007, ["0.0000", "0.0002", "0.0004", "0.0006", "0.0008"]),
        (0.0, 0.0, ["-1.0", "-0.5", "0.0", "0.5", "1.0"]),
    ],
)
def test_ticks_read_as_a_person_would_write_them(low, high, texts):
    assert [tick.text for tick in number_ticks(low, high)] == texts


@given(st.integers(0, 40 * 365 * 86_400), st.integers(1, 12 * 365 * 86_400))
def test_times_are_round_within_the_span_and_few(start_s, span_s):
    start, end = start_s * NS_S, (start_s + span_s) * NS_S
    ticks = time_ticks(start, end)
    assert len(ticks) <= TIMES_MAX
    assert all(start <= tick.at <= end for tick in ticks)


@pytest.mark.parametrize(
    ("span", "texts"),
    [
        (
            3 * 60 * NS_S,
            ["1 Jan", *"00:00:30 00:01:00 00:01:30 00:02:00 00:02:30 00:03:00".split()],
        ),
        (NS_DAY, ["1 Jan", "06:00", "12:00", "18:00", "2 Jan"]),
        (31 * NS_DAY, ["2 Jan", "9 Jan", "16 Jan", "23 Jan", "30 Jan"]),
        (120 * NS_DAY, ["Jan 2025", "Feb 2025", "Mar 2025", "Apr 2025", "May 2025"]),
        (900 * NS_DAY, ["Jan 2025", "Jul 2025", "Jan 2026", "Jul 2026", "Jan 2027"]),
    ],
)
def test_times_read_as_a_person_would_write_them(span, texts):
    found = [tick.text for tick in time_ticks(T0, T0 + span)]
    assert found == texts


def test_months_tick_on_their_first_instant():
    for tick in time_ticks(T0, T0 + 500 * NS_DAY):
        moment = datetime.fromtimestamp(tick.at / NS_S, tz=UTC)
        assert (moment.day, moment.hour, moment.minute) == (1, 0, 0)


def drawings():
    ts = [T0 + i * NS_HOUR for i in range(30)]
    rows = [Bar("a<b", 3.5, "+3.50"), Bar("fees", -7000.0, "-7,000.00")]
    yield lines_svg([Line("left", ts, [float(i % 7) for i in range(30)])], FRAME)
    yield columns_svg(rows, FRAME)
    yield bars_svg(rows, FRAME)


@pytest.mark.parametrize("at", range(3))
def test_every_drawing_has_axes_with_units_and_ticks_and_no_markup_from_names(at):
    drawing = list(drawings())[at]
    assert '<text class="axis y"' in drawing
    assert '<text class="axis x"' in drawing
    assert "profit, USDC" in drawing
    assert "time, UTC" in drawing
    assert drawing.count('class="tick x') >= 2
    assert "a<b" not in drawing
    assert drawing == list(drawings())[at]


def test_lows_and_highs_survive_the_thinning():
    n = 20_000
    values = [0.0] * n
    values[777], values[13_131] = -50.0, 90.0
    drawing = lines_svg([Line("x", [T0 + i * NS_S for i in range(n)], values)], FRAME)
    points = re.search(r'polyline points="([^"]+)"', drawing).group(1).split()
    assert len(points) <= POINTS_MAX
    heights = [float(point.split(",")[1]) for point in points]
    lowest, highest = number_ticks(-50.0, 90.0)[0].at, number_ticks(-50.0, 90.0)[-1].at
    assert max(heights) == pytest.approx(1000 * (highest + 50) / (highest - lowest), abs=0.1)
    assert min(heights) == pytest.approx(1000 * (highest - 90) / (highest - lowest), abs=0.1)


def test_zero_is_on_the_axis_and_bars_begin_there():
    drawing = bars_svg([Bar("up", 10.0, "+10"), Bar("down", -10.0, "-10")], FRAME)
    assert 'class="zero" x1="50%"' in drawing
    assert 'class="gain" x="50%" width="50%"' in drawing
    assert 'class="loss" x="0%" width="50%"' in drawing


def test_nothing_to_draw_is_nothing():
    assert lines_svg([Line("x", [T0], [1.0])], FRAME) == ""
    assert columns_svg([], FRAME) == bars_svg([], FRAME) == ""
