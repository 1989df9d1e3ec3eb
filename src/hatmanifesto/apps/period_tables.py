"""The tables of the small pages: a period by strategy and coin, and the days within it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

from hatmanifesto.analytics.periods import NO_DATA, NO_FILLS
from hatmanifesto.apps.report.small import amount, anchor, cell, net_cell
from hatmanifesto.apps.report.tables import table
from hatmanifesto.apps.report_build import COMPONENT_NAMES
from hatmanifesto.apps.report_text import UNKNOWN

Object = Mapping[str, Any]

NAMED_MAX = 24
"""Coins or strategies told by name; of more, those with the largest gain or loss."""
TALL_ROWS = 20
STATUS_WORDS = {NO_DATA: "no data", NO_FILLS: "no fills"}


def ranked(split: Mapping[str, Object]) -> tuple[list[tuple[str, Object]], str]:
    """Return what has a fill, a gain or a loss, the largest first, and the rule in a sentence.

    Of more than `NAMED_MAX` all but the largest are summed as "others".
    """
    moved = [
        (name, one)
        for name, one in split.items()
        if one["fills"] or Decimal(one["net_pnl_usdc"]) or one["components"]["funding"] is None
    ]
    moved.sort(key=lambda pair: (-abs(Decimal(pair[1]["net_pnl_usdc"])), pair[0]))
    silent = len(split) - len(moved)
    rule = f"{silent:,d} without fill, gain or loss left out. " if silent else ""
    if len(moved) <= NAMED_MAX:
        return moved, rule
    kept, rest = moved[: NAMED_MAX - 1], moved[NAMED_MAX - 1 :]
    rule += (
        f"The {len(kept)} with the largest gain or loss; {len(rest):,d} more are summed as "
        "others, and all stand in the JSON file. "
    )
    return [*kept, ("others", _sum([one for _, one in rest]))], rule


def _sum(rows: Sequence[Object]) -> Object:
    parts: dict[str, str | None] = {}
    for name in COMPONENT_NAMES:
        known = [one["components"][name] for one in rows]
        parts[name] = None if None in known else str(sum(map(Decimal, known), Decimal(0)))
    return {
        "net_pnl_usdc": str(sum((Decimal(one["net_pnl_usdc"]) for one in rows), Decimal(0))),
        "fills": sum(one["fills"] for one in rows),
        "turnover_usdc": str(sum((Decimal(one["turnover_usdc"]) for one in rows), Decimal(0))),
        "components": parts,
    }


def split_table(word: str, split: Mapping[str, Object], places: int) -> str:
    """Return net, activity and the parts that are not zero everywhere, "" for nothing to tell."""
    rows, rule = ranked(split)
    if not rows:
        return ""
    seen = [
        name
        for name in COMPONENT_NAMES
        if any(
            one["components"][name] is None or Decimal(one["components"][name]) for _, one in rows
        )
    ]
    heads = [word, "net", "fills", "turnover", *[name.replace("_", " ") for name in seen]]
    lines = []
    for name, one in rows:
        cells = [
            f"<td>{escape(name)}</td>",
            net_cell(one["net_pnl_usdc"], places),
            cell(f"{one['fills']:,d}"),
            cell(amount(one["turnover_usdc"], 2)),
            *[cell(amount(one["components"][part], places)) for part in seen],
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    note = f'<p class="muted">{escape(rule.strip())}</p>' if rule else ""
    return table(heads, lines, numeric=range(1, len(heads)), kind="sortable") + note


def days_table(days: Sequence[Object], places: int) -> str:
    """Return the days of a week or month with links to their pages."""
    return periods_table("day", days, places, folder="../daily")


def periods_table(word: str, rows: Sequence[Object], places: int, *, folder: str) -> str:
    """Return periods with their result, one a row, each with a link to its page."""
    heads = [
        word,
        "net, USDC",
        "closing equity",
        "drawdown",
        "fills",
        "turnover",
        "funding",
        "note",
    ]
    lines = []
    for one in rows:
        link = anchor(f"{folder}/{one['period']}.html", one["period"], is_page=True)
        if one["status"] == NO_DATA:
            lines.append(f'<tr><td>{link}</td><td class="num">{UNKNOWN}</td>{"<td></td>" * 5}')
        else:
            lines.append(
                f"<tr><td>{link}</td>{net_cell(one['net_pnl_usdc'], places)}"
                + cell(amount(one["closing_equity_usdc"], places))
                + cell(amount(one["max_drawdown_usdc"], places))
                + cell(f"{one['fills']:,d}")
                + cell(amount(one["turnover_usdc"], 2))
                + cell(amount(one["components"]["funding"], places))
            )
        lines[-1] += f'<td class="muted">{STATUS_WORDS.get(one["status"], "")}</td></tr>'
    kind = "sortable tall" if len(rows) > TALL_ROWS else "sortable"
    return table(heads, lines, numeric=range(1, 7), kind=kind)
