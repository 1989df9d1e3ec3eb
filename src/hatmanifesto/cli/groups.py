"""Makes groups of commands with plain help, and the options that several commands share."""

from typing import Annotated

import typer

EXITS = (
    "Exit codes: 0 ok, 2 usage, 3 data, 4 failed, 5 empty, 6 mismatch, 7 not reconciled, "
    "8 refused, 9 unhealthy, 75 another instance. See docs/cli.md."
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="Name of a run; see hat runs.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Repeatable.")
]


def group(text: str) -> typer.Typer:
    """Return an empty group of commands: no colour, no shell completion, no tracebacks."""
    return typer.Typer(
        help=text,
        epilog=EXITS,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=False,
    )
