"""The legs of a carry as cells of a file and as figures of a summary."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from hatmanifesto.analytics.carry_legs import CarryLeg
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.domain.units import NS_HOUR, format_half_micro
from hatmanifesto.store.ledger_file import iso_of

LEG_COLUMNS = (
    *("strategy", "coin", "side", "opened", "closed", "hours_held", "position_max_usdc"),
    *("net_expected_bps_a_day", "break_even_expected_h", "funding_usdc", "funding_hours_unknown"),
    *("costs_usdc", "break_even_h", "state"),
)
"""Of funding/carry_legs.csv; an empty cell is unknown, or a leg that is open."""


def state_of(leg: CarryLeg) -> str:
    """Return whether funding paid the costs of a leg: paid, never, open, unknown.

    An hour that nobody told might have paid them.
    """
    if leg.paid_ns is not None:
        return "paid"
    if leg.unknown:
        return "unknown"
    return "open" if leg.closed is None else "never"


def leg_cells(analysis: Analysis) -> list[list[object]]:
    """Return one row of LEG_COLUMNS for each leg."""
    run = analysis.identity
    end = analysis.facts.end
    return [
        [
            run.books[leg.book],
            run.assets[leg.coin].coin,
            "long" if leg.side > 0 else "short",
            iso_of(leg.opened),
            None if leg.closed is None else iso_of(leg.closed),
            hours_text((end if leg.closed is None else leg.closed) - leg.opened),
            format_half_micro(leg.peak2),
            _number(leg.expected_bps),
            _number(leg.expected_h),
            format_half_micro(leg.funding2),
            leg.unknown,
            format_half_micro(leg.costs2),
            None if leg.paid_ns is None else hours_text(leg.paid_ns),
            state_of(leg),
        ]
        for leg in analysis.legs
    ]


def hours_text(ns: int) -> str:
    """Return a length of time in hours, two decimals."""
    return f"{ns / NS_HOUR:.2f}"


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def legs_summary(legs: Sequence[CarryLeg]) -> dict[str, Any] | None:
    """Return how many legs there were and what became of them, None without any."""
    if not legs:
        return None
    states = [state_of(leg) for leg in legs]
    paid_h = [leg.paid_ns / NS_HOUR for leg in legs if leg.paid_ns is not None]
    expected = [leg.expected_h for leg in legs if leg.expected_h is not None]
    return {
        "legs": len(legs),
        "closed": sum(leg.closed is not None for leg in legs),
        **{state: states.count(state) for state in ("paid", "never", "open", "unknown")},
        "break_even_h_median": median(paid_h) if paid_h else None,
        "break_even_expected_h_median": median(expected) if expected else None,
        "funding_usdc": format_half_micro(sum(leg.funding2 for leg in legs)),
        "costs_usdc": format_half_micro(sum(leg.costs2 for leg in legs)),
    }
