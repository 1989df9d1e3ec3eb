"""Commands that show what runs left: reports, exports, comparisons."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hatmanifesto.cli.groups import AsJson
from hatmanifesto.cli.session import answer, plain_name, print_json, session_of, whole_number
from hatmanifesto.domain.errors import UsageError

Text = str | None


YEAR_FIRST, YEAR_LAST = 1970, 2261


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("report")(report)
    app.command("export")(export)
    app.command("compare")(compare)


def report(
    context: typer.Context,
    run: Annotated[Text, typer.Argument(metavar="RUN")] = None,
    out: Annotated[Text, typer.Option(metavar="FILE", help="Copy into HOME/reports.")] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the page anew and compare; 6 if it differs.")
    ] = False,
    daily: Annotated[bool, typer.Option("--daily", help="Write reports, show the days.")] = False,
    weekly: Annotated[bool, typer.Option("--weekly", help="... the ISO weeks.")] = False,
    monthly: Annotated[bool, typer.Option("--monthly", help="... the months.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show where a run's report is, copy it, make it anew, or write its reports by period."""
    home = session_of(context).home
    chosen = {"daily": daily, "weekly": weekly, "monthly": monthly}
    kinds = [kind for kind, is_wanted in chosen.items() if is_wanted]
    if kinds:
        return _periods(home, run, kinds, is_alone=out is None and not rebuild, as_json=as_json)
    from hatmanifesto.apps.reports import copy_report, report_path, target_path, write_report

    target = target_path(home, out) if out is not None else None
    name = plain_name("RUN", run)
    if rebuild:
        from hatmanifesto.apps.rebuild import rebuild_run

        outcome = rebuild_run(str(home), name)
        if target is not None and outcome.page:
            write_report(outcome.page, target)
        return answer(outcome, as_json=as_json)
    source = report_path(home, name)
    if target is not None:
        copy_report(source, target)
    if as_json:
        print_json({"run_id": name, "report_html": str(target or source)})
    else:
        sys.stdout.write(f"{target or source}\n")
    return 0


def _periods(
    home: Path, run: str | None, kinds: list[str], *, is_alone: bool, as_json: bool
) -> int:
    if not is_alone:
        raise UsageError(
            f"--{kinds[0]} goes with neither --out nor --rebuild",
            why="it writes below HOME/reports/RUN",
        )
    from hatmanifesto.apps.periods import write_reports

    name = None if run is None else plain_name("RUN", run)
    return answer(write_reports(home, name, kinds), as_json=as_json)


def export(
    context: typer.Context,
    year: Annotated[Text, typer.Option(help="Calendar year, UTC.")] = None,
    tax: Annotated[bool, typer.Option("--tax", help="Disposals, fees, funding.")] = False,
    method: Annotated[Text, typer.Option(help="With --tax: fifo (default) or average.")] = None,
    run: Annotated[Text, typer.Option(metavar="RUN", help="Else the newest.")] = None,
    out: Annotated[Text, typer.Option(metavar="FILE", help="Below HOME/exports.")] = None,
    as_json: AsJson = False,
) -> int:
    """Write a year of a run's ledger, or its realised disposals, as CSV."""
    number = whole_number("--year", year, low=YEAR_FIRST, high=YEAR_LAST)
    if number is None:
        raise UsageError("--year is missing", fix="give a year, e.g. --year 2026")
    if method is not None and not tax:
        raise UsageError("--method needs --tax", why="the ledger itself is at average cost")
    name = None if run is None else plain_name("--run", run)
    from hatmanifesto.apps.export import export_year

    outcome = export_year(
        session_of(context).home,
        year=number,
        run_id=name,
        is_tax=tax,
        method=method or "fifo",
        out=out,
    )
    return answer(outcome, as_json=as_json)


def compare(
    context: typer.Context,
    left: Annotated[Text, typer.Argument(metavar="RUN")] = None,
    right: Annotated[Text, typer.Argument(metavar="RUN")] = None,
    as_json: AsJson = False,
) -> int:
    """Compare two runs: how they were made, their figures, their paired difference."""
    names = plain_name("the first RUN", left), plain_name("the second RUN", right)
    from hatmanifesto.apps.compare import compare_runs

    return answer(compare_runs(session_of(context).home, *names), as_json=as_json)
