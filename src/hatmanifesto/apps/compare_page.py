"""The page of a comparison of two runs: plain tables and one figure."""

from collections.abc import Mapping
from html import escape
from typing import Any

from hatmanifesto.analytics.paired import Paired
from hatmanifesto.apps.period_page import line_figure, page, table, text_table, words


def compare_page(summary: Mapping[str, Any], found: Paired) -> bytes:
    """Return the page of ``summary``, which is the object of the comparison."""
    left, right = summary["left"], summary["right"]
    title = f"{left['run_id']} against {right['run_id']}"
    body = [
        '<div class="meta">',
        '<span class="brand">Hat Manifesto</span>',
        f'<span class="badge">{escape(left["evidence"])} | {escape(right["evidence"])}</span>',
        "</div>",
        f"<h1>{escape(title)}</h1>",
    ]
    warnings = dict.fromkeys([*left["warnings"], *right["warnings"]])
    body += [f'<div class="banner">{escape(text)}</div>' for text in warnings]
    if summary["identical"]:
        body.append("<p>The two are identical in everything that happened.</p>")
    body += ["<h2>Profit, left less right</h2>", _pair(summary["paired"])]
    difference = (found.left - found.right).tolist()
    body.append(line_figure("Left less right over time", found.ts.tolist(), difference))
    body += ["<h2>How they were made</h2>", _configuration(summary)]
    body += ["<h2>First difference</h2>", _first(summary["first_difference"])]
    body += ["<h2>Figures</h2>", _figures(summary)]
    return page(title, body)


def _pair(pair: Mapping[str, Any]) -> str:
    rows = [
        ("from", pair["from"][:19]),
        ("to", pair["to"][:19]),
        ("difference, USDC", pair["difference_usdc"]),
        ("95 % interval, low", words(pair["ci_low"])),
        ("95 % interval, high", words(pair["ci_high"])),
        ("steps", str(pair["n"])),
        ("the interval", pair["verdict"]),
    ]
    return table(("", "value"), rows)


def _configuration(summary: Mapping[str, Any]) -> str:
    rows = summary["configuration"]
    if not rows:
        return "<p>Nothing differs.</p>"
    cells = [(one["key"], *(_short(one[side]) for side in ("left", "right"))) for one in rows]
    return text_table(("key", "left", "right"), cells)


def _short(value: object) -> str:
    return "none" if value is None else str(value)


def _first(first: Mapping[str, Any] | None) -> str:
    if first is None:
        return "<p>Not compared: the data differ.</p>"
    rows = []
    for name in ("record", "decision"):
        told = first[name]
        if told is not None:
            sides = (record_words(told[side]) for side in ("left", "right"))
            rows.append((f"{name} {told['number']}", *sides))
    return text_table(("first", "left", "right"), rows) if rows else "<p>No record differs.</p>"


def record_words(record: Mapping[str, Any] | None) -> str:
    """Return a record in one line."""
    if record is None:
        return "no more records"
    fields = [f"{name}={value}" for name, value in record.items() if name != "kind"]
    return " ".join([str(record["kind"]), *fields])


def _figures(summary: Mapping[str, Any]) -> str:
    rows = []
    for name, sides in summary["figures"].items():
        cells = []
        for side in ("left", "right"):
            one = sides[side] or {"value": None, "ci_low": None, "ci_high": None}
            span = "" if one["ci_low"] is None else f"{one['ci_low']} .. {one['ci_high']}"
            cells += [words(one["value"]), span]
        unit = (sides["left"] or sides["right"])["unit"]
        rows.append((f"{name.replace('_', ' ')}, {unit}", *cells))
    return table(("figure", "left", "95 %", "right", "95 %"), rows)
