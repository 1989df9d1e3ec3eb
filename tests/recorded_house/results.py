"""Runs a case through the command line and writes the table of results from what the runs left."""

import io
import json
import re
import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from hatmanifesto.cli.main import main
from tests.recorded_house.cases import CASES, DATASETS, Case
from tests.recorded_house.raw import Audit, audit

REBUILD_S_MAX = 60.0
FILLS_MIN = 20
HEADLINE = re.compile(r"<h1>(.*?)</h1>", re.S)


class Result(NamedTuple):
    """What came of a case: its exit code, messages, summary and what was checked afterwards.

    ``by_strategy`` counts fills; ``rebuilds`` are the seconds of each rebuild, ``is_rebuilt`` says
    that both gave the page of the run byte for byte; ``faults`` is what ought not to be.
    """

    case: Case
    code: int
    error: str
    summary: Mapping[str, Any]
    headline: str
    by_strategy: Mapping[str, int]
    checked: Audit | None
    rebuilds: Sequence[float]
    is_rebuilt: bool
    faults: Sequence[str]


def hat(home: Path, arguments: Sequence[str]) -> tuple[int, str, str]:
    """Return exit code, output and messages of a command."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["--home", str(home), *arguments])
    return code, out.getvalue(), err.getvalue()


def import_all(home: Path, data: Path) -> None:
    """Import the recordings as the datasets of the cases."""
    for name, files in DATASETS.items():
        code, _, err = hat(
            home, ["data", "import", *[str(data / file) for file in files], "--dataset", name]
        )
        assert code == 0, err


def run_case(case: Case, home: Path, data: Path, *, rebuilds: int = 2) -> Result:
    """Run a case and check what it left."""
    if case.portfolio:
        (home / f"{case.name}.toml").write_text(case.portfolio)
    code, out, err = hat(home, [*case.command(home), "--json"])
    summary = json.loads(out) if out.strip().startswith("{") else {}
    if not summary:
        faults = [] if code == case.code else [f"exit {code}, not {case.code}"]
        return Result(case, code, err.strip(), {}, "", {}, None, (), False, faults)
    folder = home / "runs" / summary["run_id"]
    page = HEADLINE.search((folder / "report.html").read_text())
    ledger = folder / "ledger.parquet"
    counts = Counter(
        row["strategy_name"]
        for row in pq.read_table(ledger, columns=["strategy_name", "reason_code"]).to_pylist()
        if row["reason_code"].startswith("fill")
    )
    is_hourly = summary["evidence"] == "ASSUMED"
    checked = audit(ledger, data) if is_hourly and summary["fills"] else None
    times, same = _rebuilds(home, summary["run_id"], rebuilds)
    result = Result(
        case,
        code,
        err.strip(),
        summary,
        unescape(page.group(1)) if page else "",
        dict(sorted(counts.items())),
        checked,
        times,
        same,
        (),
    )
    return result._replace(faults=faults_of(result))


def _rebuilds(home: Path, run_id: str, times: int) -> tuple[list[float], bool]:
    """Return the seconds of each rebuild and whether all gave the page of the run."""
    took, is_same = [], True
    for _ in range(times):
        start = time.perf_counter()
        code, out, _ = hat(home, ["report", run_id, "--rebuild", "--json"])
        took.append(time.perf_counter() - start)
        is_same = is_same and code == 0 and json.loads(out)["identical"]
    return took, is_same


def faults_of(result: Result) -> list[str]:
    """Return what ought not to be, in words."""
    case, summary = result.case, result.summary
    found = []
    if result.code != case.code:
        found.append(f"exit {result.code}, not {case.code}: {result.error}")
    if result.rebuilds and not result.is_rebuilt:
        found.append("a rebuild differs from the run's own report")
    if any(took > REBUILD_S_MAX for took in result.rebuilds):
        found.append(f"a rebuild took {max(result.rebuilds):.0f} s")
    if summary["fills"]:
        if summary["components"]["residual"] != "0":
            found.append(f"residual {summary['components']['residual']} USDC")
    elif not summary["notes"]:
        found.append("no fill, and not a word why")
    if case.portfolio:
        few = [f"{name}: {n} fills" for name, n in result.by_strategy.items() if n < FILLS_MIN]
        found += few + ([] if len(result.by_strategy) == 4 else ["not every strategy filled"])
    if result.checked:
        found += result.checked.misfits[:10]
    return found


def markdown(results: Sequence[Result], versions: str) -> str:
    """Return docs/results.md."""
    names = " ".join(f"`{name}`" for name in DATASETS)
    lines = [
        "# Results on recorded months",
        "",
        "Written by `python -m tests.recorded_house --write docs/results.md`: no figure is typed.",
        "Candles have no book: spread, fills and marks are ASSUMED ([candles.md](candles.md)).",
        "These runs exercise the machine and tell what textbook defaults might have done; they",
        "show no edge. Two parameters were set because the defaults trade nothing, as their own",
        "cases show: `hold_h=720` of carry-hedged-sol, `cost_mult=0.5` of the house's reversion.",
        "Positive is good for us.",
        "",
        f"Measured with {versions}. Wall times are of the machine that wrote this page.",
        "",
        "## Commands",
        "",
        "```sh",
    ]
    for name, files in DATASETS.items():
        lines.append(f"hat data import {' '.join(files)} --dataset {name}")
    lines += [f"hat {shlex.join(one.case.command())}" for one in results]
    lines += [
        "```",
        "",
        f"Files lie below the recorded data of the tests; datasets are {names}.",
        "",
    ]
    lines += _table(results)
    lines += ["", "## What each run says", ""]
    for one in results:
        lines += _said(one)
    lines += _audited(results)
    house = next((one.case for one in results if one.case.portfolio), None)
    if house:
        lines += ["", f"## {house.name}.toml", "", "```toml", house.portfolio.rstrip(), "```"]
    return "\n".join(lines) + "\n"


def _table(results: Sequence[Result]) -> list[str]:
    heads = (
        *("case", "net, USDC", "95 % interval", "price", "basis", "spread", "adverse", "fees"),
        *("funding", "deepest fall", "orders", "fills", "coins", "evidence", "rows", "wall, s"),
        *("rebuild, s", "run"),
    )
    lines = ["## Measured", "", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for one in results:
        cells = _cells(one) if one.summary else ["refused", *[""] * (len(heads) - 2)]
        lines.append(f"| {one.case.name} | {' | '.join(cells)} |")
    lines += ["", "| run | data | journal |", "|---|---|---|"]
    lines += [
        f"| {s['run_id']} | {s['dataset_hash']} | {s['journal_hash']} |"
        for s in (one.summary for one in results)
        if s
    ]
    return lines


def _cells(one: Result) -> list[str]:
    s = one.summary
    net, parts = s["metrics"]["net_pnl"], s["components"]
    has = bool(s["fills"])
    funding = parts["funding"]
    if has and funding is None:
        funding = f"unknown (known: {_usdc(s['memo']['funding_known_usdc'])})"
    else:
        funding = _usdc(funding)
    span = f"{_usdc(net['ci_low'])} .. {_usdc(net['ci_high'])}" if has else ""
    named = ("price", "basis", "spread", "adverse_selection", "fees")
    return [
        _usdc(s["net_pnl_usdc"]),
        span,
        *[_usdc(parts[name]) for name in named],
        funding,
        _usdc(s["max_drawdown"]) if has else "",
        f"{s['orders']:,d}",
        f"{s['fills']:,d}",
        f"{len(s['coins'])}",
        s["evidence"],
        f"{s['events']:,d}",
        f"{s['wall_s']:.1f}",
        " ".join(f"{took:.1f}" for took in one.rebuilds),
        s["run_id"],
    ]


def _usdc(text: str | None) -> str:
    return "" if text is None else f"{float(text):,.2f}"


def _said(one: Result) -> list[str]:
    lines = [f"**{one.case.name}** ({one.case.shows}). "]
    if not one.summary:
        return [lines[0] + f"Exit {one.code}: {' '.join(one.error.split())}", ""]
    lines[0] += one.headline
    if one.case.portfolio:
        counts = ", ".join(f"{name} {n:,d}" for name, n in one.by_strategy.items())
        lines.append(f"Fills by strategy: {counts}; allocations: {one.summary['allocations']}.")
    legs = one.summary["carry_legs"]
    if legs:
        lines.append(_legs(legs))
    if one.summary["fills"] and one.summary["components"]["funding"] is None:
        lines.append("Funding is unknown as a whole: some hours have no recorded payment.")
    return [*lines, *one.summary["notes"], ""]


def _legs(legs: Mapping[str, Any]) -> str:
    text = (
        f"Legs: {legs['legs']:,d}, paid by their funding {legs['paid']:,d}, never "
        f"{legs['never']:,d}, open {legs['open']:,d}, unknown {legs['unknown']:,d}"
    )
    if legs["break_even_h_median"] is not None:
        text += f"; those paid took {legs['break_even_h_median']:,.0f} h in the median"
    if legs["break_even_expected_h_median"] is not None:
        text += f", expected were {legs['break_even_expected_h_median']:,.0f} h over all"
    return text + "."


def _audited(results: Sequence[Result]) -> list[str]:
    lines = [
        "## Audited against the raw files",
        "",
        "`tests/recorded_house/raw.py` recomputes from the recordings: the price of every fill,",
        "its fee (rate times notional, truncated), the share of each bar's volume, and for every",
        "hour with a position the payment (minus position before the hour times last close times",
        "rate, so that a positive rate is paid by longs), and that no recorded hour was left out.",
        "Second legs and books are not in these files.",
        "",
        "| case | fills | payments | hours unknown | second-leg fills, not checked | misfits |",
        "|---|---|---|---|---|---|",
    ]
    for one in results:
        if one.checked:
            seen = one.checked
            lines.append(
                f"| {one.case.name} | {seen.fills:,d} | {seen.payments:,d} | "
                f"{seen.hours_unknown:,d} | {seen.legs:,d} | {len(seen.misfits)} |"
            )
    return lines


def chosen(names: Sequence[str]) -> list[Case]:
    """Return the cases whose name is among ``names``, all when there are none."""
    return [case for case in CASES if not names or case.name in names]
