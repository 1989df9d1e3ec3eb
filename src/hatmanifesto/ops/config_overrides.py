"""Turns HAT_* variables and flags into settings; what protects money is not among them."""

from collections.abc import Mapping

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.ops.config_schema import DOCS, KEYS, NAMED, Setting, fault, parsed, suggest
from hatmanifesto.ops.secrets import is_secret_name, quote, secret_kind

PREFIX = "HAT_"
NOT_SETTINGS = ("HAT_HOME", "HAT_FAST")
"""Variables that are no settings: where the home is, and whether the compiled engine runs."""
PREFIXES_APART = ("HAT_SHARED_", "HAT_TEST_", "HAT_BENCH_")
"""How variables of tests and benchmarks begin, which are no settings either."""


def _variable(key: str) -> str:
    return PREFIX + key.replace(".", "__").upper()


def settings_of_environ(environ: Mapping[str, str]) -> dict[str, Setting]:
    """Return what HAT_* variables set; an unknown one is refused, a secret is never shown."""
    known = {_variable(key): key for key in KEYS}
    settings: dict[str, Setting] = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        if name.startswith(PREFIXES_APART):
            continue
        origin = f"environment {name}"
        if is_secret_name(name) or secret_kind(environ[name]):
            raise UsageError(
                f"{origin} holds a secret in plain text",
                why="every child process can read the environment",
                fix=f"unset {name}",
            )
        if name not in known:
            raise UsageError(f"{origin}: unknown key", fix=suggest(name, sorted(known)) or DOCS)
        settings.update(_from_text(known[name], environ[name], origin=origin))
    return settings


def settings_of_flags(flags: Mapping[str, str]) -> dict[str, Setting]:
    """Return what ``--set KEY=VALUE`` sets; limits and the schema cannot be set so."""
    settings: dict[str, Setting] = {}
    for key, value in flags.items():
        origin = f"flag --set {key}"
        if secret_kind(value) or is_secret_name(key):
            raise UsageError(f"{quote(key)} on the command line holds a secret", fix="take it out")
        if key.partition(".")[0] in NAMED:
            raise fault(key, "can only be set in the file", origin=origin)
        if key not in KEYS:
            is_limit = key.partition(".")[0] in ("limits", "risk")
            fix = "limits are raised only in the configuration file" if is_limit else ""
            raise UsageError(
                f"{origin}: unknown key {quote(key)}",
                fix=fix or suggest(key, sorted(KEYS)) or DOCS,
            )
        settings.update(_from_text(key, value, origin=origin))
    return settings


def _from_text(key: str, value: str, *, origin: str) -> dict[str, Setting]:
    row = KEYS[key]
    if row.is_fixed:
        raise fault(
            key,
            "can only be set in the configuration file",
            origin=origin,
            fix="limits cannot be changed by environment or flags; edit the file",
        )
    is_number = isinstance(row.default, int)
    if is_number and not (value.isascii() and value.isdigit() and str(int(value)) == value):
        raise fault(key, f"expected an integer, was {quote(value)}", origin=origin)
    return parsed(key, row, int(value) if is_number else value, origin)
