"""Commands for datasets and for the ledger of trials."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hatmanifesto.cli.fetch_command import data_fetch
from hatmanifesto.cli.groups import AsJson, group
from hatmanifesto.cli.session import print_json, print_rows, session_of

COINS_SHOWN = 6
Name = Annotated[str, typer.Argument(metavar="NAME", help="NAME or NAME@HASH.")]


def add(app: typer.Typer) -> None:
    """Add the groups of this file."""
    data = group("Datasets: import, fetch, list, show, check, diff, export.")
    data.command("import")(data_import)
    data.command("list")(data_list)
    data.command("show")(data_show)
    data.command("check")(data_check)
    data.command("diff")(data_diff)
    data.command("export")(data_export)
    data.command("fetch")(data_fetch)
    app.add_typer(data, name="data")
    trials = group("Every back-test ever run, hash-chained.")
    trials.command("list")(trials_list)
    trials.command("check")(trials_check)
    app.add_typer(trials, name="trials")


def data_import(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH...")],
    dataset: Annotated[str, typer.Option(help="Name of the dataset.")],
    coin: Annotated[str, typer.Option(help="Coin of your own files that do not tell it.")] = "",
    mapping: Annotated[str, typer.Option(help="What your own columns mean: a TOML file.")] = "",
    allow_torn_tail: Annotated[
        bool, typer.Option("--allow-torn-tail", help="Leave a last row cut short out.")
    ] = False,
    network: Annotated[str, typer.Option(help="mainnet or testnet.")] = "mainnet",
    as_json: AsJson = False,
) -> int:
    """Import recorded files as one immutable snapshot."""
    from hatmanifesto.apps.data import import_paths
    from hatmanifesto.ops import clock
    from hatmanifesto.store.importers.mapping import Options

    options = Options(
        coin=coin,
        mapping=Path(mapping) if mapping else None,
        allow_torn_tail=allow_torn_tail,
        now=clock.now_ns(),
        network=network,
    )
    report = import_paths(
        [Path(path) for path in paths],
        dataset=dataset,
        home=session_of(context).home,
        progress=_silent if as_json else _say,
        options=options,
    )
    if as_json:
        print_json(report.as_json())
    return 0


def data_list(context: typer.Context, as_json: AsJson = False) -> int:
    """List the datasets."""
    from hatmanifesto.apps.data import list_datasets

    rows = list_datasets(session_of(context).home)
    if as_json:
        print_json(rows)
    else:
        print_rows([_short(row) for row in rows], ("name", "hash", "evidence", "coins", "rows_out"))
    return 0


def data_show(context: typer.Context, name: Name, as_json: AsJson = False) -> int:
    """Show counts, holes, coverage and assumptions of a dataset."""
    from hatmanifesto.apps.data import open_dataset, show_dataset

    home = session_of(context).home
    if as_json:
        print_json(show_dataset(name, home))
        return 0
    from hatmanifesto.apps.data_text import text_of

    for snapshot in open_dataset(name, home).snapshots:
        sys.stdout.write(f"{text_of(snapshot)}\n")
    return 0


def data_check(
    context: typer.Context,
    name: Name,
    deep: Annotated[bool, typer.Option("--deep", help="Hash every value too.")] = False,
    as_json: AsJson = False,
) -> int:
    """Hash every file of a dataset again."""
    from hatmanifesto.apps.data import check_dataset

    found = check_dataset(name, session_of(context).home, is_deep=deep)
    if as_json:
        print_json(found)
    else:
        sys.stdout.write(f"{found['spec']}: {found['files']} files, {found['status']}\n")
    return 0


def data_diff(
    context: typer.Context,
    left: Annotated[str, typer.Argument(metavar="A")],
    right: Annotated[str, typer.Argument(metavar="B")],
    as_json: AsJson = False,
) -> int:
    """Say which rows, kinds and coins two datasets hold differently."""
    from hatmanifesto.apps.data_diff import diff_datasets

    _show(diff_datasets(left, right, session_of(context).home), as_json=as_json)
    return 0


def data_export(
    context: typer.Context,
    name: Name,
    kind: Annotated[str, typer.Option(help="book, trade, candle, ... or quarantine.")],
    out: Annotated[str, typer.Option(metavar="FILE", help="Below HOME/exports.")],
    coin: Annotated[str, typer.Option(help="Coin; none for the quarantine.")] = "",
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    as_json: AsJson = False,
) -> int:
    """Write the rows of one kind and coin for other programs, exactly."""
    from hatmanifesto.apps.data_export import export_dataset

    home = session_of(context).home
    found = export_dataset(name, home, kind=kind, coin=coin, form=form, out=out)
    if as_json:
        print_json(found)
    else:
        sys.stdout.write(f"{found['rows']} rows: {found['path']}\n")
    return 0


def trials_list(context: typer.Context, as_json: AsJson = False) -> int:
    """List every back-test that was run in this home."""
    rows = _trials(context)
    if as_json:
        print_json(rows)
    elif rows:
        print_rows(rows, tuple(rows[0]))
    else:
        sys.stdout.write("no trials yet\n")
    return 0


def trials_check(context: typer.Context, as_json: AsJson = False) -> int:
    """Check the chain of the trial ledger, and that no run is missing from it."""
    from hatmanifesto.apps.trials import check_trials

    trials = check_trials(session_of(context).home)
    _show({"status": "ok", "trials": len(trials)}, as_json=as_json)
    return 0


def _trials(context: typer.Context) -> list[Mapping[str, Any]]:
    """Return the trials of the home; reading them checks their chain."""
    import msgspec

    from hatmanifesto.store.trials import read_trials

    return [msgspec.to_builtins(trial) for trial in read_trials(session_of(context).home)]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _silent(_line: str) -> None:
    return None


def _short(row: Mapping[str, Any]) -> Mapping[str, Any]:
    coins = row["coins"]
    more = f" and {len(coins) - COINS_SHOWN} more" if len(coins) > COINS_SHOWN else ""
    words = ",".join(coins[:COINS_SHOWN]) + more
    return {**row, "hash": str(row.get("dataset_hash", ""))[:12], "coins": words}


def _show(content: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(content)
        return
    for key, value in content.items():
        words = value if isinstance(value, str) else json.dumps(value, allow_nan=False)
        sys.stdout.write(f"{key}: {words}\n")
