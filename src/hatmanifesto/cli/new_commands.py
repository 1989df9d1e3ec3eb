"""Commands that write a file for the user to go on with."""

from typing import Annotated

import typer

from hatmanifesto.cli.groups import AsJson, group
from hatmanifesto.cli.session import answer


def add(app: typer.Typer) -> None:
    """Add the group of this file."""
    new = group("New files to start from; nothing is ever overwritten.")
    new.command("strategy")(strategy)
    app.add_typer(new, name="new")


def strategy(
    file: Annotated[str, typer.Argument(metavar="FILE.py", help="A file that does not exist.")],
    as_json: AsJson = False,
) -> int:
    """Write a working strategy to FILE.py, ready to run and to change."""
    from hatmanifesto.apps.new_file import new_strategy

    return answer(new_strategy(file), as_json=as_json)
