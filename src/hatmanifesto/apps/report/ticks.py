"""Where an axis has its ticks, and what stands beside them: round numbers, round times in UTC."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from hatmanifesto.domain.units import NS_S

MANTISSAS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
DAY_S = 86_400
STEPS_S = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800),
    *(3_600, 7_200, 10_800, 21_600, 43_200, DAY_S, 2 * DAY_S, 7 * DAY_S, 14 * DAY_S),
)
MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60)
TIMES_MAX = 8
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Tick(NamedTuple):
    """One tick: where, and its words."""

    at: float
    text: str


def number_ticks(low: float, high: float, *, count: int = 5) -> list[Tick]:
    """Return round numbers from at most ``low`` to at least ``high``, zero exact when among them.

    Never fewer than two; thousands are separated and all have the same decimals.
    """
    if not high > low:
        low, high = low - 1, high + 1
    wide = Decimal(repr((high - low) / count))
    scale = Decimal(1).scaleb(wide.adjusted())
    step = next(scale * one for one in MANTISSAS if scale * one >= wide)
    first = int((Decimal(repr(low)) / step).to_integral_value("ROUND_FLOOR"))
    last = int((Decimal(repr(high)) / step).to_integral_value("ROUND_CEILING"))
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    decimals = max(0, -exponent)
    return [Tick(float(step * k), f"{step * k:,.{decimals}f}") for k in range(first, last + 1)]


def time_ticks(start: int, end: int) -> list[Tick]:
    """Return round times within [start, end] [ns, UTC], at most `TIMES_MAX` of them."""
    span_s = max(1, (end - start) // NS_S)
    step = next((one for one in STEPS_S if span_s // one < TIMES_MAX), None)
    if step is None:
        return _months(start, end)
    first = -(-start // (step * NS_S))
    stamps = range(first * step * NS_S, end + 1, step * NS_S)
    return [Tick(stamp, _words(stamp, step)) for stamp in stamps]


def _words(stamp: int, step_s: int) -> str:
    moment = datetime.fromtimestamp(stamp // NS_S, tz=UTC)
    if step_s >= DAY_S or (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return f"{moment.day} {MONTHS[moment.month - 1]}"
    seconds = f":{moment.second:02d}" if step_s < 60 else ""
    return f"{moment.hour:02d}:{moment.minute:02d}{seconds}"


def _months(start: int, end: int) -> list[Tick]:
    """Return first days of months, every first, second, third, sixth or twelfth."""
    first, last = (datetime.fromtimestamp(ns // NS_S, tz=UTC) for ns in (start, end))
    months = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
    step = next((one for one in MONTH_STEPS if len(months) // one < TIMES_MAX - 1), MONTH_STEPS[-1])
    out = []
    for month in months:
        stamp = int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) * NS_S
        if month % step == 0 and start <= stamp <= end:
            out.append(Tick(stamp, f"{MONTHS[month % 12]} {month // 12}"))
    return out
