"""What every command needs: the home, the configuration, and one way to answer."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import typer

from hatmanifesto.domain.errors import RefusedError, UsageError
from hatmanifesto.ops.config import Config, load_config
from hatmanifesto.ops.home import resolve_home
from hatmanifesto.ops.secrets import is_secret_name, quote


class Outcome(Protocol):
    """What an application answers: an object for programs, words for people, an exit code."""

    @property
    def summary(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def exit_code(self) -> int: ...  # noqa: D102


class Session(msgspec.Struct, frozen=True):
    """The global options of one call."""

    home: Path
    config_file: str | None

    def load(self, flags: Mapping[str, str] | None = None) -> Config:
        """Return the effective configuration of this call."""
        return load_config(self.home, file=self.config_file, environ=os.environ, flags=flags)


def open_session(home: str | None, config_file: str | None) -> Session:
    """Return the session of these global options; creates nothing."""
    return Session(resolve_home(home, os.environ), config_file)


def session_of(context: typer.Context) -> Session:
    """Return the session that ``main`` put into the context."""
    session = context.obj
    assert isinstance(session, Session)
    return session


def answer(outcome: Outcome, *, as_json: bool) -> int:
    """Print an outcome in the form that was asked for and return its exit code."""
    if as_json:
        print_json(outcome.summary)
    else:
        sys.stdout.write(outcome.text.rstrip("\n") + "\n")
    return int(outcome.exit_code)


def print_json(value: object) -> None:
    """Print one JSON document in ASCII on one line."""
    sys.stdout.write(json.dumps(value, allow_nan=False) + "\n")


def print_rows(rows: Sequence[Mapping[str, Any]], keys: tuple[str, ...]) -> None:
    """Print rows as aligned columns with a heading."""
    cells = [list(keys), *([_cell(row.get(key)) for key in keys] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(keys))]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def whole_number(option: str, raw: str | None, *, low: int, high: int) -> int | None:
    """Return plain decimal digits as an integer, None for None.

    Raises:
        UsageError: if there is anything else, or it is out of range.
    """
    if raw is None:
        return None
    is_plain = raw.isascii() and raw.isdigit() and len(raw) <= 20 and str(int(raw)) == raw
    if not is_plain or not low <= int(raw) <= high:
        raise UsageError(
            f"{option}: must be a whole number between {low} and {high}, was {quote(raw)}"
        )
    return int(raw)


def flag_settings(pairs: list[str] | None) -> dict[str, str]:
    """Return ``--set KEY=VALUE`` as a mapping of configuration keys.

    Raises:
        UsageError: if a pair has no name, is said twice, or is called like a secret.
    """
    flags: dict[str, str] = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if is_secret_name(key):
            raise UsageError("--set: secrets on the command line are refused", fix="take it out")
        if not equals or not key:
            raise UsageError(f"--set: expected KEY=VALUE, was {quote(pair)}")
        if key in flags:
            raise UsageError(f"--set: {quote(key)} is said twice")
        flags[key] = value
    return flags


def plain_name(option: str, raw: str | None) -> str:
    """Return a name that is safe as part of a path: letters, digits, dot, dash, underscore.

    Raises:
        UsageError: if it is missing or is anything else.
    """
    if raw is None:
        raise UsageError(f"{option} is missing")
    is_plain = raw.isascii() and raw.replace("-", "").replace("_", "").replace(".", "").isalnum()
    if not is_plain or raw.startswith(".") or len(raw) > 128:
        raise UsageError(f"{option}: expected a plain name, was {quote(raw)}")
    return raw


def not_in_release(what: str, fix: str) -> RefusedError:
    """Return the honest answer of a command whose machine does not exist yet."""
    return RefusedError(f"{what} is not part of this release", why="nothing was done", fix=fix)
