"""`hat compare RUN RUN`: what differs in how two runs were made, and in what came of them."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.analytics.metrics import usdc_text
from hatmanifesto.analytics.paired import Paired, Side, paired
from hatmanifesto.apps.compare_page import Shown, compare_page, record_words
from hatmanifesto.apps.periods import about_run
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.run_folder import REPORT, journal_name
from hatmanifesto.apps.spec import RunSpec
from hatmanifesto.apps.stored_run import StoredRun, open_run
from hatmanifesto.domain.commands import Cancel, Modify, Place
from hatmanifesto.domain.errors import DataError, Exit
from hatmanifesto.domain.records import Began, Record, Veto
from hatmanifesto.domain.units import format_half_micro
from hatmanifesto.store.atomic import readable_json, write_atomic
from hatmanifesto.store.journal import read_records
from hatmanifesto.store.ledger_file import iso_of

DECISIONS = Place | Modify | Cancel | Veto
SHOWN = ("net_pnl", "return", "max_drawdown", "sharpe", "fills", "maker_share", "turnover")
"""Figures that the text tells; page and object have all."""


class CompareOutcome(msgspec.Struct, frozen=True):
    """The comparison, in words and as an object."""

    summary: dict[str, Any]
    text: str
    exit_code: int


def compare_runs(home: Path, left_id: str, right_id: str) -> CompareOutcome:
    """Compare two runs and leave page and object below HOME/reports/compare.

    Raises:
        DataError: if a run or its data are missing, or the two share no time.
        MismatchError: if a ledger or journal cannot be read.
    """
    left, right = open_run(home, left_id), open_run(home, right_id)
    analyses = left.analyse(), right.analyse()
    found = _paired(analyses, (left_id, right_id))
    first = first_differences(left, right)
    facts = [(one.facts.fills, one.facts.funding) for one in analyses]
    summary = {
        "left": about_run(left),
        "right": about_run(right),
        "identical": facts[0] == facts[1] and first is not None and not any(first.values()),
        "configuration": configuration(left.spec, right.spec),
        "figures": _figures(*analyses),
        "paired": _paired_object(found),
        "first_difference": first,
    }
    path = home / "reports" / "compare" / f"{left_id}--{right_id}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = _shown(left), _shown(right)
    write_atomic(path, compare_page(summary, found, shown))
    write_atomic(path.with_suffix(".json"), readable_json(summary))
    summary = {**summary, "page": str(path)}
    return CompareOutcome(summary, _text(summary), Exit.OK)


def _shown(run: StoredRun) -> Shown:
    """Return what the page says of one run beside the summary."""
    name = run.manifest.run_id
    report = f"../../runs/{name}/{REPORT}" if (run.folder / REPORT).is_file() else ""
    return Shown(f"{run.spec.data}", report)


def _paired(analyses: tuple[Analysis, Analysis], names: tuple[str, str]) -> Paired:
    """Return the paired difference.

    Raises:
        DataError: if the two share no time.
    """
    sides = []
    for analysis, name in zip(analyses, names, strict=True):
        if analysis.equity is None:
            raise DataError(f"run {name} has no mid to compare at", why="its data hold none")
        sides.append(Side(analysis.facts, analysis.paths, analysis.equity))
    found = paired(sides[0], sides[1], seed=analyses[0].identity.seed)
    if found is None:
        spans = [[iso_of(int(side.equity.ts[i]))[:19] for i in (0, -1)] for side in sides]
        raise DataError(
            "the runs share no time",
            why="; ".join(
                f"{name} ran from {span[0]} to {span[1]}"
                for name, span in zip(names, spans, strict=True)
            ),
            fix="run both over the same --from and --to",
        )
    return found


def configuration(left: RunSpec, right: RunSpec) -> list[dict[str, Any]]:
    """Return every key of the specifications under which they differ, None where one has none."""
    mine, other = (dict(_flat(msgspec.to_builtins(spec), "")) for spec in (left, right))
    keys = sorted(key for key in {**mine, **other} if mine.get(key) != other.get(key))
    return [{"key": key, "left": mine.get(key), "right": other.get(key)} for key in keys]


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{number}]")
    else:
        yield path, list(value) if isinstance(value, tuple) else value


def first_differences(left: StoredRun, right: StoredRun) -> dict[str, Any] | None:
    """Return the first record and the first decision that differ, None when the data do."""
    if left.spec.dataset_hash != right.spec.dataset_hash:
        return None
    out: dict[str, Any] = {"record": None, "decision": None}
    journals = [_records(run) for run in (left, right)]
    for number, (mine, other) in enumerate(zip_longest(*journals), 1):
        if mine == other:
            continue
        told = {"number": number, "left": _told(mine), "right": _told(other)}
        out["record"] = out["record"] or told
        if isinstance(mine, DECISIONS) or isinstance(other, DECISIONS):
            out["decision"] = told
            break
    return out


def _records(run: StoredRun) -> Iterator[Record]:
    folder = run.folder / journal_name(run.spec.tie_orders[0], run.spec)
    return (record for record in read_records(folder) if not isinstance(record, Began))


def _told(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    plain = msgspec.json.decode(msgspec.json.encode(fields))  # what is not finite becomes null
    return {"kind": type(record).__name__, **plain}


def _figures(left: Analysis, right: Analysis) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys([*left.metrics, *right.metrics]):
        found = [one.metrics.get(name) for one in (left, right)]
        out[name] = {
            side: None if metric is None else msgspec.to_builtins(metric)
            for side, metric in zip(("left", "right"), found, strict=True)
        }
    return out


def _paired_object(found: Paired) -> dict[str, Any]:
    span = found.interval
    verdict = "too few steps for an interval"
    if span is not None:
        verdict = "contains zero" if span[0] <= 0 <= span[1] else "excludes zero"
    return {
        "from": iso_of(int(found.ts[0])),
        "to": iso_of(int(found.ts[-1])),
        "difference_usdc": format_half_micro(found.difference),
        "ci_low": None if span is None else usdc_text(span[0]),
        "ci_high": None if span is None else usdc_text(span[1]),
        "n": found.n,
        "verdict": verdict,
    }


def _text(summary: Mapping[str, Any]) -> str:
    left, right = summary["left"]["run_id"], summary["right"]["run_id"]
    changed = summary["configuration"]
    lines = list(dict.fromkeys(summary["left"]["warnings"] + summary["right"]["warnings"]))
    if summary["identical"]:
        lines.append(f"{left} and {right}: identical in everything that happened")
    lines += [f"{one['key']}: {one['left']} | {one['right']}" for one in changed]
    for name in SHOWN:
        one = summary["figures"].get(name)
        if one is not None:
            lines.append(f"{name}: {_figure(one['left'])} | {_figure(one['right'])}")
    pair = summary["paired"]
    lines.append(
        f"difference of profit from {pair['from'][:19]} to {pair['to'][:19]}: "
        f"{pair['difference_usdc']} USDC, 95 % interval {_span(pair)} ({pair['verdict']})"
    )
    first = summary["first_difference"]
    if first is None:
        lines.append("decisions are not compared: the data differ")
    elif first["record"] or first["decision"]:
        told = first["decision"] or first["record"]
        sides = " | ".join(record_words(told[side]) for side in ("left", "right"))
        lines.append(f"first difference: record {told['number']}: {sides}")
    return "\n".join([*lines, f"page: {summary['page']}"])


def _figure(metric: Mapping[str, Any] | None) -> str:
    if metric is None or metric["value"] is None:
        return "unknown"
    span = "" if metric["ci_low"] is None else f" [{metric['ci_low']} .. {metric['ci_high']}]"
    return f"{metric['value']}{span}"


def _span(pair: Mapping[str, Any]) -> str:
    return "unknown" if pair["ci_low"] is None else f"{pair['ci_low']} .. {pair['ci_high']}"
