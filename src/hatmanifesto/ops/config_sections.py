"""Turns a parsed configuration file into settings; unknown keys and wrong types are refused."""

from typing import Any

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.ops.config_file import ConfigText
from hatmanifesto.ops.config_schema import (
    DOCS,
    KEYS,
    NAMED,
    SECTIONS,
    Setting,
    coin_of,
    fault,
    parsed,
    suggest,
)
from hatmanifesto.ops.config_values import type_name
from hatmanifesto.ops.secrets import quote


def settings_of_file(read: ConfigText) -> dict[str, Setting]:
    """Return what the file sets; refuses unknown keys, wrong types and wrong values."""
    if "schema" not in read.tree:
        raise UsageError(f"{read.path}: schema: is missing", fix="start the file with `schema = 1`")
    rest = {key: value for key, value in read.tree.items() if key != "schema"}
    settings = parsed("schema", KEYS["schema"], read.tree["schema"], _at(read, "schema"))
    for name, value in rest.items():
        if name in NAMED:
            settings.update(_named(read, name, value))
        elif name in SECTIONS:
            settings.update(_section(read, name, value))
        elif name in KEYS:
            settings.update(parsed(name, KEYS[name], value, _at(read, name)))
        else:
            known = [*SECTIONS, *(key for key in KEYS if "." not in key)]
            raise _unknown(name, known, origin=_at(read, name))
    return settings


def _at(read: ConfigText, key: str) -> str:
    """Return ``FILE:LINE`` of a key, of its nearest parent with a line, or the file."""
    while key:
        if key in read.lines:
            return f"{read.path}:{read.lines[key]}"
        key = key.rpartition(".")[0]
    return read.path


def _unknown(key: str, known: list[str], *, origin: str) -> UsageError:
    section, _, leaf = key.rpartition(".")
    hint = suggest(leaf, [name.rpartition(".")[2] for name in known])
    where = f"unknown key in [{section}]" if section else "unknown key"
    return fault(quote(key).strip("'"), where, origin=origin, fix=hint or DOCS)


def _table(read: ConfigText, key: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise fault(key, f"expected a table, was {type_name(value)}", origin=_at(read, key))
    return value


def _section(read: ConfigText, name: str, value: object) -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    for leaf, item in _table(read, name, value).items():
        key = f"{name}.{leaf}"
        if key not in KEYS:
            known = [row for row in KEYS if row.startswith(f"{name}.")]
            raise _unknown(key, known, origin=_at(read, key))
        settings.update(parsed(key, KEYS[key], item, _at(read, key)))
    return settings


def _named(read: ConfigText, name: str, value: object) -> dict[str, Setting]:
    """Read ``[coins.BTC]`` or ``[strategies.x]``; coins may also be a plain list of names."""
    if name == "coins" and isinstance(value, list):
        value = _coins_of_list(read, value)
    if value in ({}, []):
        raise fault(name, "is empty", origin=_at(read, name), fix="name at least one, or leave out")
    settings: dict[str, Setting] = {}
    for title, rows in _table(read, name, value).items():
        key = f"{name}.{title}"
        _check_title(name, title, origin=_at(read, key))
        row = _table(read, key, rows)
        for leaf in row:
            if leaf not in NAMED[name]:
                raise _unknown(f"{key}.{leaf}", list(NAMED[name]), origin=_at(read, key))
        for leaf, spec in NAMED[name].items():
            if leaf not in row and spec.default is None:
                raise fault(f"{key}.{leaf}", "is missing", origin=_at(read, key))
            found = row.get(leaf, spec.default)
            settings.update(parsed(f"{key}.{leaf}", spec, found, _at(read, f"{key}.{leaf}")))
    return settings


def _check_title(name: str, title: str, *, origin: str) -> None:
    if name == "coins":
        try:
            coin_of(title)
        except ValueError as error:
            raise fault("coins", str(error), origin=origin) from None
    elif not (title.isascii() and title.replace("_", "").replace("-", "").isalnum()):
        raise fault(name, f"expected a plain name, was {quote(title)}", origin=origin)


def _coins_of_list(read: ConfigText, items: list[object]) -> dict[str, dict[str, object]]:
    table: dict[str, dict[str, object]] = {}
    for i, item in enumerate(items):
        try:
            coin = coin_of(item)
        except ValueError as error:
            raise fault(f"coins[{i}]", str(error), origin=_at(read, "coins")) from None
        if coin in table:
            raise fault(f"coins[{i}]", f"duplicate coin {coin}", origin=_at(read, "coins"))
        table[coin] = {}
    return table
