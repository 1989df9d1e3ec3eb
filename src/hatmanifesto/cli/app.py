"""Assembles the commands; importing this imports no application."""

from typing import Annotated

import typer

from hatmanifesto.cli import (
    data_commands,
    house_commands,
    new_commands,
    order_commands,
    report_commands,
    run_commands,
)
from hatmanifesto.cli.groups import group


def build_app() -> typer.Typer:
    """Return the command line's parser."""
    app = group("Hat Manifesto: a trading house for the Hyperliquid exchange.")
    app.callback()(_globals)
    for module in (
        run_commands,
        report_commands,
        data_commands,
        new_commands,
        house_commands,
        order_commands,
        report_commands,
    ):
        module.add(app)
    return app


def _globals(
    home: Annotated[
        str | None, typer.Option("--home", help="Folder for everything; HAT_HOME, else ~/.hat.")
    ] = None,
    config: Annotated[
        str | None, typer.Option("--config", help="Configuration; else HOME/config.toml.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Describe the global options for --help; they are taken out of the line before parsing."""
    _ = home, config, debug, version
