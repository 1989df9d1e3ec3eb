"""Reads the configuration file: an ordinary, private, small, clean UTF-8 TOML file or nothing."""

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.ops.secrets import find_secret, key_kind

SIZE_MAX = 256 * 1024
"""Largest configuration file [bytes]."""
AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")
KEY = re.compile(r"""^\s*([A-Za-z0-9_."' -]+?)\s*=""")
TABLE = re.compile(r"""^\s*\[\[?\s*([A-Za-z0-9_."' -]+?)\s*\]\]?\s*(?:#.*)?$""")
QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*$")
NUMBER_ODD = re.compile(r"[=,\[{]\s*([+-]?(?:0[xob][0-9A-Fa-f_]+|\d[\d]*_[\d_]*))")
BOMS = (
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\xef\xbb\xbf", "UTF-8"),
)


class ConfigText(NamedTuple):
    """A parsed file: its tree, and the line of every key that has one of its own."""

    path: str
    tree: dict[str, Any]
    lines: dict[str, int]


def read_config(path: Path, *, is_named: bool) -> ConfigText | None:
    """Return the parsed file, or None where the default file does not exist.

    Args:
        path: the file.
        is_named: the user named it, so it must exist.

    Raises:
        UsageError: for every fault of the file, its text or its syntax; never shows a value.
    """
    content = _read_bytes(path, is_named=is_named)
    if content is None:
        return None
    text = _decode(content, path)
    _refuse_secret_text(text, path)
    tree = _parse(text, path)
    found = find_secret(tree)
    if found:
        raise _fault(
            f"{found[0]} holds a secret, {found[1]}",
            path,
            fix="take it out and replace it everywhere; secrets never belong in configuration",
        )
    if not tree:
        raise _fault(
            "empty configuration file, it defines nothing",
            path,
            fix="start it with `schema = 1`, or remove it to run on defaults",
        )
    _refuse_odd_numbers(text, path)
    return ConfigText(str(path), tree, _lines_of(text))


def _fault(what: str, path: Path, *, line: int = 0, fix: str = "") -> UsageError:
    where = f"{path}, line {line}" if line else str(path)
    return UsageError(f"{where}: {what}", fix=fix)


def _read_bytes(path: Path, *, is_named: bool) -> bytes | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        if not is_named:
            return None
        raise _fault(
            "configuration file not found", path, fix="give --config a file that exists"
        ) from None
    except (OSError, ValueError) as error:
        raise _fault(f"configuration file cannot be read ({error})", path) from error
    _refuse_file(status, path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _fault(f"configuration file cannot be read ({error.strerror})", path) from error
    with os.fdopen(descriptor, "rb") as file:
        _refuse_file(os.fstat(descriptor), path)
        content = file.read(SIZE_MAX + 1)
    if len(content) > SIZE_MAX:
        raise _fault("configuration file is too large, over 256 KiB", path)
    return content


def _refuse_file(status: os.stat_result, path: Path) -> None:
    """Refuse what is no ordinary private file."""
    mode = status.st_mode
    kinds = (
        (stat.S_ISLNK, "is a symbolic link (symlink)"),
        (stat.S_ISDIR, "is a directory"),
        (stat.S_ISFIFO, "is a FIFO (named pipe)"),
        (stat.S_ISCHR, "is a device"),
        (stat.S_ISBLK, "is a device"),
        (stat.S_ISSOCK, "is a socket"),
    )
    for is_kind, words in kinds:
        if is_kind(mode):
            raise _fault(f"{words}", path, fix="give --config a regular file")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _fault(
            f"is writable by group or others (mode {stat.S_IMODE(mode):04o})",
            path,
            fix=f"chmod 600 {path}",
        )
    if status.st_uid not in (os.geteuid(), 0):
        raise _fault("has another owner", path, fix="own the file yourself")
    if status.st_size > SIZE_MAX:
        raise _fault(
            f"configuration file is too large, {status.st_size} bytes of at most 256 KiB", path
        )


def _decode(content: bytes, path: Path) -> str:
    for mark, name in BOMS:
        if content.startswith(mark):
            raise _fault(
                f"starts with a byte order mark (BOM) of {name}", path, fix="save as plain UTF-8"
            )
    if content[1:2] == b"\0" or content[:1] == b"\0":
        raise _fault("NUL bytes, looks like UTF-16 or UTF-32", path, fix="save as plain UTF-8")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _fault("is not valid UTF-8", path, line=line, fix="save as plain UTF-8") from None
    _refuse_control(text, path)
    return text


def _refuse_control(text: str, path: Path) -> None:
    """Refuse characters that cannot be seen: they hide what a setting really says."""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        for char in line:
            code = ord(char)
            if code == 0:
                raise _fault("NUL byte, a control character", path, line=number)
            if code == 9:
                raise _fault("tab character", path, line=number, fix="use spaces")
            if code < 32 or 127 <= code < 160:
                raise _fault(f"control character 0x{code:02x}", path, line=number)
            if code in (0xFEFF, 0x2028, 0x2029) or 0x200B <= code <= 0x200F:
                raise _fault(f"invisible character U+{code:04X}", path, line=number)
            if 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:
                raise _fault(f"text direction control character U+{code:04X}", path, line=number)


def _refuse_secret_text(text: str, path: Path) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        kind = key_kind(line)
        if kind:
            key = KEY.match(line) or re.match(r"^\s*([A-Za-z0-9_.-]{1,40})\s*:", line)
            name = key.group(1) if key and not key_kind(key.group(1)) else "a comment or value"
            raise _fault(
                f"{name} holds a secret, {kind}",
                path,
                line=number,
                fix="take it out and replace it everywhere; secrets never belong in configuration",
            )


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _explain(str(error), text, path) from error
    except RecursionError:
        raise _fault("is nested too deeply", path, fix="use plain tables") from None
    except ValueError:
        raise _fault("holds a number that is too long", path, fix="check its digits") from None


def _explain(message: str, text: str, path: Path) -> UsageError:
    """Return what is wrong with the syntax, in the terms of the line where it is."""
    at = AT_LINE.search(message)
    rows = text.split("\n")
    number = int(at.group(1)) if at else len(rows)
    row = rows[number - 1] if number <= len(rows) else ""
    key = KEY.match(row) or TABLE.match(row) or re.match(r"^\s*([A-Za-z0-9_.-]{1,40})\s*:", row)
    name = key.group(1) if key else ""
    detail = AT_LINE.sub("", message).strip()
    if "overwrite" in detail or "twice" in detail or "Duplicate" in detail:
        return _fault(f"duplicate key {name}".rstrip(), path, line=number, fix="say every key once")
    hint = _yaml_hint(row)
    if "YAML" in hint:
        hint = next((h for h in map(_yaml_hint, rows) if "not read" in h), hint)
    what = f"invalid TOML syntax at {name}" if name else "invalid TOML syntax"
    return _fault(
        f"{what} ({detail}){hint}", path, line=number, fix="see docs/configuration.md for the form"
    )


def _yaml_hint(row: str) -> str:
    value = row.strip()
    if re.match(r"^(?:[\w.-]+\s*:\s*)?!", value):
        return "; a YAML tag: the file is TOML, tags are not read"
    if re.match(r"^(?:[\w.-]+\s*:\s*)[&*]\w", value):
        return "; a YAML anchor or alias: the file is TOML, they are not read"
    if re.match(r"^[\w.-]+\s*:", value):
        return "; looks like YAML: write key = value"
    if re.search(r"=\s*[+-]?0\d", value):
        return "; a number with a leading zero (octal?) is ambiguous"
    return ""


def _refuse_odd_numbers(text: str, path: Path) -> None:
    """Refuse numbers in another base or with separators: they read differently to people."""
    for number, line in enumerate(text.split("\n"), start=1):
        odd = NUMBER_ODD.search(QUOTED.sub('""', line))
        if odd:
            key = KEY.match(line)
            name = f"{key.group(1)}: " if key else ""
            raise _fault(
                f"{name}{odd.group(1)} is not a plain decimal number",
                path,
                line=number,
                fix="no hexadecimal, octal or binary form and no separators",
            )


def _lines_of(text: str) -> dict[str, int]:
    """Return the line of every ``table`` and ``table.key``; inline tables have their key's line."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.split("\n"), start=1):
        header = TABLE.match(line)
        if header:
            table = _plain(header.group(1))
            lines.setdefault(table, number)
            continue
        key = KEY.match(line)
        if key:
            name = _plain(key.group(1))
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines


def _plain(dotted: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in dotted.split("."))
