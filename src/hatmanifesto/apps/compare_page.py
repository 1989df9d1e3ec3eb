"""The page of a comparison of two runs: what differs in their making, then in what came of them."""

from collections.abc import Mapping
from decimal import Decimal
from html import escape
from typing import Any, NamedTuple

from hatmanifesto.analytics.metrics import Metric
from hatmanifesto.analytics.paired import Paired
from hatmanifesto.analytics.spacing import duration
from hatmanifesto.apps.report.parts import HALF_MICRO
from hatmanifesto.apps.report.small import (
    Link,
    amount,
    anchor,
    figure,
    plots,
    section,
    small_page,
    top,
)
from hatmanifesto.apps.report.svg import Frame, Line, lines_svg
from hatmanifesto.apps.report.tables import GROUPS, table
from hatmanifesto.apps.report_text import figure_text, interval_text, unit_text
from hatmanifesto.store.ledger_file import iso_of

Object = Mapping[str, Any]

SIDES = ("left", "right")
RULE = (
    "Apart: for net profit the interval of the paired difference excludes zero; for the rest the "
    "two 95 % intervals do not overlap. Neither is corrected for the number of figures: of many, "
    "some are apart by chance. A figure without an interval says nothing of chance."
)
STAMPS = ("now", "exch", "recv", "start", "end")
"""Fields of records that are instants [ns]."""
NO_FIGURE = Metric(None, None, None, 0, "")


class Shown(NamedTuple):
    """What the page says of one side beside the summary: its data, and the way to its report."""

    source: str
    report: str


def compare_page(summary: Object, found: Paired, sides: tuple[Shown, Shown]) -> bytes:
    """Return the page of ``summary``, which is the object of the comparison."""
    left, right = summary["left"], summary["right"]
    ids = [summary[side]["run_id"] for side in SIDES]
    warnings = dict.fromkeys([*left["warnings"], *right["warnings"]])
    badge = " | ".join(dict.fromkeys([left["evidence"], right["evidence"]]))
    told = [f"{name} {escape(one)}" for name, one in zip(SIDES, ids, strict=True)]
    body = [
        *top(told, sentence(summary, found), warnings, badge=badge),
        section("made", "How they were made", _sides(summary, sides), _configuration(summary)),
        section("profit", "Profit on the time they share", _profit(summary, found, sides)),
        section("figures", "Figures side by side", _figures(summary)),
        section("first", "First difference", _first(summary["first_difference"])),
    ]
    links = [Link("#made", "How they were made"), Link("#profit", "Profit")]
    links += [Link("#figures", "Figures"), Link("#first", "First difference")]
    return small_page(f"{ids[0]} against {ids[1]}", body, links)


def sentence(summary: Object, found: Paired) -> str:
    """Return the difference with its interval in one sentence."""
    if summary["identical"]:
        return "The two runs are identical in everything that happened."
    pair = summary["paired"]
    net = Decimal(pair["difference_usdc"])
    word = "more" if net >= 0 else "less"
    size = amount(format(abs(net), "f"), 2 if abs(net) >= 1_000 else 4)
    span = duration(int(found.ts[-1]) - int(found.ts[0]))
    start = f"Left made {size} USDC {word} than right over the {span} that they share"
    if pair["ci_low"] is None:
        return f"{start}; {pair['n']:,d} common steps are too few to tell that from chance."
    low, high = (Decimal(pair[name]) for name in ("ci_low", "ci_high"))
    places = 2 if max(abs(low), abs(high)) >= 1_000 else 4
    bounds = " .. ".join(amount(format(one, "f"), places) for one in (low, high))
    verdict = "so it may be chance"
    if "excludes" in pair["verdict"]:
        verdict = "more than chance gives if no other pairs were tried"
    told = f"the 95 % interval of the difference is {bounds} and {pair['verdict']}"
    return f"{start}; {told}, {verdict}."


def _sides(summary: Object, sides: tuple[Shown, Shown]) -> str:
    rows = []
    for name, side in zip(SIDES, sides, strict=True):
        one = summary[name]
        run = anchor(side.report, one["run_id"]) if side.report else escape(one["run_id"])
        rows.append(
            f"<tr><td>{name}</td><td>{run}</td><td>{escape(one['strategy'])}</td>"
            f"<td>{escape(side.source)}</td><td>{escape(one['evidence'])}</td></tr>"
        )
    return table(["", "run", "strategy", "data", "evidence"], rows)


def _configuration(summary: Object) -> str:
    rows = summary["configuration"]
    if not rows:
        return '<p class="muted">No setting differs.</p>'
    lines = [
        f'<tr><td class="hash">{escape(one["key"])}</td>'
        + "".join(f'<td class="value">{escape(_short(one[side]))}</td>' for side in SIDES)
        + "</tr>"
        for one in rows
    ]
    count = f"{len(rows):,d} setting{'' if len(rows) == 1 else 's'} differ"
    tail = "s" if len(rows) == 1 else ""
    return f'<h3 class="of">{count}{tail}</h3>{table(["setting", *SIDES], lines)}'


def _short(value: object) -> str:
    return "none" if value is None else str(value)


def _profit(summary: Object, found: Paired, sides: tuple[Shown, Shown]) -> str:
    """Return both profits and their difference on one axis."""
    ts = found.ts.tolist()
    left, right = ((side / HALF_MICRO).round(6).tolist() for side in (found.left, found.right))
    gap = ((found.left - found.right) / HALF_MICRO).round(6).tolist()
    drawing = lines_svg(
        [
            Line("left", ts, left),
            Line("right", ts, right, "series1", "7 4"),
            Line("left less right", ts, gap, "series3", "2 3"),
        ],
        Frame("Profit of both and their difference", "time, UTC", "profit since the start, USDC"),
        height_em=19,
    )
    pair = summary["paired"]
    sources = " and ".join(dict.fromkeys(side.source for side in sides))
    runs = " and ".join(summary[side]["run_id"] for side in SIDES)
    caption = (
        "From the first point of time that both runs have, net of fees and known funding; what "
        "the market did to both alike cancels in the difference. "
        f"n = {pair['n']:,d} common steps. Source: {sources}; runs {runs}."
    )
    return plots(figure("Profit of both and their difference", drawing, caption))


def _figures(summary: Object) -> str:
    """Return the figures that differ, then folded those that do not."""
    figures = summary["figures"]
    named = {name for _, members in GROUPS for name, _ in members}
    more = tuple(
        (name, name.replace("_", " ").capitalize()) for name in figures if name not in named
    )
    rows: list[str] = []
    same: list[str] = []
    for group, members in (*GROUPS, ("More", more)):
        differing: list[str] = []
        for name, label in members:
            if name not in figures:
                continue
            pair = [_metric(figures[name][side]) for side in SIDES]
            verdict = apart(name, pair[0], pair[1], summary["paired"]["verdict"])
            (same if verdict == "same" else differing).append(_row(label, pair, verdict))
        if differing:
            rows.append(f'<tr class="group"><td colspan="7">{escape(group)}</td></tr>')
            rows += differing
    heads = ["", "left", "95 % interval", "right", "95 % interval", "apart", "unit"]
    numeric = (1, 2, 3, 4)
    shown = '<p class="muted">No figure differs.</p>'
    if rows:
        shown = table(heads, rows, numeric=numeric) + f'<p class="muted">{RULE}</p>'
    if same:
        folded = table(heads, same, numeric=numeric)
        shown += f"<details><summary>{len(same):,d} equal in both</summary>{folded}</details>"
    return shown


def _metric(one: Object | None) -> Metric:
    return NO_FIGURE if one is None else Metric(**one)


def apart(name: str, left: Metric, right: Metric, paired: str) -> str:
    """Return whether two figures differ by more than chance: yes, no, same, or no interval.

    Args:
        name: of the figure.
        left, right: the two.
        paired: the verdict on the paired difference of net profit.
    """
    if (left.value, left.ci_low, left.ci_high) == (right.value, right.ci_low, right.ci_high):
        return "same"
    if name == "net_pnl":
        return "yes" if "excludes" in paired else "no" if "contains" in paired else "no interval"
    bounds = (left.ci_low, left.ci_high, right.ci_low, right.ci_high)
    if any(bound is None for bound in bounds):
        return "no interval"
    low, high, other_low, other_high = (float(bound) for bound in bounds if bound is not None)
    return "yes" if low > other_high or other_low > high else "no"


def _row(label: str, pair: list[Metric], verdict: str) -> str:
    unit = next((unit_text(one.unit) for one in pair if one.unit), "")
    cells = []
    for one in pair:
        cells.append(f'<td class="num">{escape(figure_text(one.value, one.unit))}</td>')
        cells.append(f'<td class="num muted">{escape(interval_text(one))}</td>')
    word = "<b>yes</b>" if verdict == "yes" else f'<span class="muted">{verdict}</span>'
    return (
        f"<tr><td>{escape(label)}</td>{''.join(cells)}<td>{word}</td><td>{escape(unit)}</td></tr>"
    )


def _first(first: Object | None) -> str:
    if first is None:
        return '<p class="muted">Not compared: the data differ.</p>'
    lines = []
    for name in ("record", "decision"):
        told = first[name]
        if told is not None:
            cells = "".join(
                f'<td class="value">{escape(record_words(told[side]))}</td>' for side in SIDES
            )
            lines.append(f"<tr><td>{name} {told['number']:,d}</td>{cells}</tr>")
    if not lines:
        return '<p class="muted">No record differs.</p>'
    return table(["first", *SIDES], lines)


def record_words(record: Object | None) -> str:
    """Return a record in one line."""
    if record is None:
        return "no more records"
    fields = [f"{name}={_told(name, value)}" for name, value in record.items() if name != "kind"]
    return " ".join([str(record["kind"]), *fields])


def _told(name: str, value: object) -> object:
    return iso_of(value) if name in STAMPS and isinstance(value, int) else value
