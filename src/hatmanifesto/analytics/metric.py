"""One figure of a run with its interval, sample size and unit, and what figures are made from."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.attribution import Components
from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.fold import RunFacts
from hatmanifesto.analytics.markouts import Markout
from hatmanifesto.analytics.trades import Trade
from hatmanifesto.domain.units import MICRO, NS_S, format_fixed, format_half_micro

Float64 = NDArray[np.float64]
Range = tuple[float, float] | None

NS_DAY = 86_400 * NS_S
ANNUAL_DAYS_MIN = 90
"""Growth per year is noise on shorter runs and left out. Source: QUANT A.1."""
Z95 = 1.959963984540054
HALF = 2 * MICRO
"""Half micro-USDC in one USDC."""


class Metric(msgspec.Struct, frozen=True):
    """One figure. Money is decimal text, the rest numbers; None is unknown or undefined.

    ``n`` is the number of observations behind it; ``annualisation`` the rule, None if not annual.
    """

    value: str | float | int | None
    ci_low: str | float | None
    ci_high: str | float | None
    n: int
    unit: str
    annualisation: str | None = None


class Inputs(NamedTuple):
    """What the figures are computed from; ``capital`` [micro-USDC] at the start.

    ``spacing_ns`` is the distance between mids, 0 when unknown: what happens in a shorter time
    after a fill is not known either.
    """

    facts: RunFacts
    total: Components
    equity: Equity | None
    markouts: Sequence[Markout]
    trades: Sequence[Trade]
    capital: int
    seed: int
    spacing_ns: int = 0


def clean(value: float | None) -> float | None:
    """Return a number rounded to nine digits, or None when it is not finite."""
    if value is None or not np.isfinite(value):
        return None
    return float(f"{value:.9g}")


def ratio(above: float, below: float) -> float | None:
    """Return above / below, None when there is nothing below."""
    return above / below if below else None


def figure(value: float | None, span: Range, n: int, unit: str, annual: str = "") -> Metric:
    """Return a metric of a number; its interval is told only where the number is."""
    known = clean(value)
    low, high = span if span is not None and known is not None else (None, None)
    return Metric(known, clean(low), clean(high), n, unit, annual or None)


def money(half_micro: int | None, span: Range, n: int) -> Metric:
    """Return a metric of exact money; ``span`` in USDC."""
    if half_micro is None:
        return Metric(None, None, None, n, "USDC")
    low, high = (None, None) if span is None else (usdc_text(span[0]), usdc_text(span[1]))
    return Metric(format_half_micro(half_micro), low, high, n, "USDC")


def usdc_text(usdc: float) -> str:
    """Return an estimate in USDC as decimal text, to the micro-USDC."""
    return format_fixed(round(usdc * MICRO), decimals=6)


def proportion(hits: int, n: int, unit: str) -> Metric:
    """Return a share with its Wilson interval."""
    if not n:
        return Metric(None, None, None, 0, unit)
    centre = (hits + Z95**2 / 2) / (n + Z95**2)
    half = Z95 * float(np.sqrt(hits * (n - hits) / n + Z95**2 / 4)) / (n + Z95**2)
    return figure(hits / n, (max(0.0, centre - half), min(1.0, centre + half)), n, unit)
