"""The tables of capital: the divisions that changed something, and all of them folded below."""

import re
from collections.abc import Sequence

from hatmanifesto.apps.report.tables import row, table
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.report_text import UNKNOWN, grouped, money
from hatmanifesto.domain.records import Allocation, Allotted
from hatmanifesto.domain.units import format_fixed
from hatmanifesto.store.ledger_file import iso_of

MICRO_USDC = re.compile(r"(-?\d+) micro-USDC\b")
CHANGE = 0.05
"""A strategy's share that moved less than this since the last division shown is no change."""
SHOWN_MAX = 12
"""Divisions shown open; of more than these the ones that moved most."""


def allocations_table(analysis: Analysis) -> str:
    """Return the first and last division, those that changed a share, and the rest folded."""
    every = analysis.facts.allocations
    if not every:
        return ""
    kept = changed(every)
    names = analysis.identity.books
    books = sorted({item.book for one in every for item in one.books})
    heads = ["time, UTC", *[f"{_name(names, book)}, USDC (share)" for book in books], "why"]
    numeric = tuple(range(1, 1 + len(books)))
    rows = [row(_cells(every[at], books), numeric=numeric) for at in kept]
    shown = table(heads, rows, numeric=numeric)
    rule = f"All {len(every):,d} divisions by {every[0].method}."
    if len(kept) < len(every):
        rule = (
            f"{len(kept):,d} of {len(every):,d} divisions by {every[0].method}: the first, the "
            f"last, and those where a strategy's share moved by {100 * CHANGE:.0f} points or more "
            f"since the last such one (the {SHOWN_MAX - 2} largest moves at most)."
        )
    return (
        f'<p class="muted">{rule}</p>{shown}'
        f"<details><summary>every division, and what each rested on</summary>"
        f"{_every(analysis)}</details>"
    )


def changed(every: Sequence[Allocation]) -> list[int]:
    """Return the places of the first and last division and of those that moved a share."""
    last, moves = 0, dict[int, float]()
    for at in range(1, len(every) - 1):
        move = _move(every[last], every[at])
        if move >= CHANGE:
            last, moves[at] = at, move
    largest = sorted(moves, key=lambda at: (-moves[at], at))[: SHOWN_MAX - 2]
    return sorted({0, *largest, len(every) - 1})


def _move(before: Allocation, after: Allocation) -> float:
    old = {item.book: item.weight for item in before.books}
    new = {item.book: item.weight for item in after.books}
    return max((abs(new.get(b, 0.0) - old.get(b, 0.0)) for b in {**old, **new}), default=0.0)


def _cells(one: Allocation, books: Sequence[int]) -> list[str]:
    found = {item.book: item for item in one.books}
    return [_time(one), *[_share(found.get(book)) for book in books], why_text(one.why)]


def _share(item: Allotted | None) -> str:
    if item is None:
        return "none"
    return f"{grouped(format_fixed(item.capital, decimals=6), 0)} ({100 * item.weight:.1f} %)"


def why_text(why: str) -> str:
    """Return a reason with its exact money told as people read it."""
    return MICRO_USDC.sub(lambda found: f"{money(2 * int(found[1]))} USDC", why)


def _time(one: Allocation) -> str:
    return iso_of(one.now)[:16].replace("T", " ")


def _name(names: Sequence[str], book: int) -> str:
    return names[book] if 0 <= book < len(names) else "house"


def _every(analysis: Analysis) -> str:
    """Return every division of every strategy with its observations."""
    names = analysis.identity.books
    rows = [
        row(
            [
                _time(one),
                one.method,
                _name(names, item.book),
                money(2 * item.capital),
                f"{100 * item.weight:.1f} %",
                _daily(item.mean),
                _daily(item.deviation),
                f"{item.n:,d}",
                why_text(one.why),
            ],
            numeric=(3, 4, 5, 6, 7),
        )
        for one in analysis.facts.allocations
        for item in one.books
    ]
    heads = ["time, UTC", "method", "strategy", "capital, USDC", "weight", "mean a day"]
    heads += ["deviation a day", "hours seen", "why"]
    return table(heads, rows, numeric=(3, 4, 5, 6, 7), kind="sortable tall")


def _daily(share: float | None) -> str:
    return UNKNOWN if share is None else f"{100 * share:.4f} %"
