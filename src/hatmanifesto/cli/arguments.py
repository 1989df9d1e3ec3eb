"""Takes the global options out of a command line, wherever they stand, before it is parsed.

Also refuses what no parser would: an option said twice, and anything called like a secret.
"""

import re
from collections.abc import Sequence

import msgspec

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.ops.secrets import is_secret_name

VALUED = ("--home", "--config")
REPEATABLE = frozenset({"--set", "--help"})
PREFIXED_KEY = re.compile(r"0[xX][0-9a-fA-F]{64}(?![0-9a-fA-F])")
"""A key as wallets write it; a bare 64-digit hash may be the name of a run or dataset."""
FIX_SECRET = "take it out and replace it: other users can read command lines"


class Arguments(msgspec.Struct, frozen=True):
    """The global options and the rest of the command line, in its order."""

    rest: tuple[str, ...]
    home: str | None = None
    config: str | None = None
    debug: bool = False


def split_arguments(argv: Sequence[str]) -> Arguments:
    """Return the global options of ``argv`` (without the program's name) and the rest.

    Everything after ``--`` is left alone.

    Raises:
        UsageError: for an option said twice, a missing value, or a secret.
    """
    rest: list[str] = []
    found: dict[str, str] = {}
    seen: set[str] = set()
    debug = False
    last = ""
    items = list(argv)
    while items:
        item = items.pop(0)
        if item == "--":
            rest += [item, *items]
            break
        name, equals, value = item.partition("=")
        _refuse_secret(name, item, last)
        last = item
        _refuse_twice(name, seen)
        if name in VALUED:
            if not equals and (not items or items[0].startswith("--")):
                raise UsageError(f"{name} needs a value", fix=f"write {name} PATH")
            found[name] = value if equals else items.pop(0)
        elif item == "--debug":
            debug = True
        else:
            rest.append(item)
    return Arguments(tuple(rest), found.get("--home"), found.get("--config"), debug)


def _refuse_secret(name: str, item: str, last: str) -> None:
    """Refuse what is named or shaped like a secret, before it can be parsed, logged or shown."""
    if PREFIXED_KEY.search(item):
        option = next((w for w in (name, last) if w.startswith("-") and w != item), "a word")
        where = option.partition("=")[0]
        raise UsageError(f"{where} on the command line holds a secret", fix=FIX_SECRET)
    if name.startswith("-") and is_secret_name(name):
        raise UsageError(f"{name}: secrets on the command line are refused", fix=FIX_SECRET)


def _refuse_twice(name: str, seen: set[str]) -> None:
    if not name.startswith("--") or name in REPEATABLE:
        return
    if name in seen:
        raise UsageError(f"{name} is said twice", why="only one of them could count")
    seen.add(name)
