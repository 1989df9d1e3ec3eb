"""Turns a configuration case, written as YAML for anybody, into our TOML with the same one fault.

A case is merged over our own valid configuration, except where its fault is in the text or the
file: such bytes are passed on as they are. Keys are renamed by table; duplicates are kept.
"""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from hatmanifesto.ops.config_file import SIZE_MAX
from hatmanifesto.ops.config_schema import KEYS as KNOWN
from hatmanifesto.ops.config_schema import NAMED, SCHEMA
from hatmanifesto.ops.secrets import secret_kind
from tests.bad_inputs_table import (
    BASE,
    BYTE_FAULTS,
    ENVIRONMENT,
    FILE_FAULTS,
    GOOD,
    HEADER,
    KEYS,
    MONEY,
    VALUE_FAULTS,
    first_match,
)

COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n\"']*$", re.MULTILINE)
NESTED = re.compile(r"(?:[\[{]\s*){100}")
"""Deeper than any document; a YAML parser would take its time."""
EXPECTS = re.compile(r"expects schema (\d+)")


@dataclass(frozen=True)
class Raw:
    """A TOML literal that is written down as it is."""

    text: str


class Table(list[tuple[str, Any]]):
    """Pairs in order; a key may be there twice."""


class Absent:
    """A null. TOML has none: a required key is left out, base included, any other left empty."""


ABSENT = Absent()
UNSAID = {*HEADER, *MONEY, "limits"}
"""Keys whose absence is a fault of its own."""


@dataclass(frozen=True)
class ConfigCase:
    """A case in our terms: the bytes, the file's nature, what a refusal must name, its twin."""

    content: bytes
    twin: bytes
    words: tuple[str, ...]
    """Patterns; each must be found in the message."""
    mode: int = 0o600
    kind: str = "file"
    env: dict[str, str] | None = None


class UnmappedError(Exception):
    """The case cannot be expressed here."""


def translate(case: dict[str, Any]) -> ConfigCase:
    """Return the case in our terms.

    Raises:
        UnmappedError: for an encoding nobody knows here.
    """
    given = case["input"]
    content = content_of(given)
    mode, kind = file_of(given)
    env = {rename_variable(key): value for key, value in (given.get("env") or {}).items()}
    document = None if len(content) > SIZE_MAX else parse(content)
    twin = base_toml()
    words: tuple[str, ...] = ()
    if document is None:
        words = (raw_words(content),)
    else:
        renamed = rename(document, context=case.get("context", ""))
        comments = COMMENT.findall(content.decode())
        content = "\n".join([*comments, emit(merge_base(renamed))]).encode()
        words = tuple(value_words(renamed))
        if any(secret_kind(comment) for comment in comments):
            words = ("secret",)
        twin = emit(merge_base(twin_of(renamed))).encode()
    if kind != "file":
        words = (FILE_FAULTS[kind],)
    elif mode & 0o022:
        words = (FILE_FAULTS["mode"],)
    if env:
        words = ("|".join(re.escape(name) for name in env),)
    return ConfigCase(content, twin, words, mode, kind, env)


def content_of(given: dict[str, Any]) -> bytes:
    """Return the bytes of a case's input."""
    encoding = given["encoding"]
    if encoding == "base64":
        return base64.b64decode(given["data"])
    if encoding in ("utf8", "file"):
        return str(given.get("data", "")).encode("utf-8", "surrogatepass")
    spec = given.get("spec") or {}
    if encoding == "generator" and {"unit", "count"} <= set(spec):
        body = spec.get("prefix", "") + spec["unit"] * spec["count"] + spec.get("suffix", "")
        return body.encode()
    if encoding == "generator" and {"open", "count"} <= set(spec):
        body = spec["open"] * spec["count"] + spec.get("close", "") * spec["count"]
        return (spec.get("prefix", "") + body + spec.get("suffix", "")).encode()
    raise UnmappedError(f"encoding {encoding} {spec.get('gen', '')}")


def file_of(given: dict[str, Any]) -> tuple[int, str]:
    """Return the mode and kind of the file."""
    if given.get("fifo"):
        return 0o600, "fifo"
    if given.get("symlink_to"):
        return 0o600, "symlink"
    if given.get("directory"):
        return 0o700, "directory"
    mode = given.get("mode", 0o600)
    return (int(mode, 8) if isinstance(mode, str) else mode), "file"


def parse(content: bytes) -> Table | None:
    """Return a mapping document as pairs, or None where the fault is in the text."""
    try:
        text = content.decode("utf-8")
        if "\ufeff" in text or NESTED.search(text):
            return None
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if getattr(event, "anchor", None) or getattr(event, "tag", None):
                return None
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError):
        return None
    return pairs_of(node) if isinstance(node, yaml.MappingNode) else None


def pairs_of(node: yaml.MappingNode) -> Table:
    """Return a mapping node as pairs, duplicates kept."""
    return Table((str(key.value), value_of(value)) for key, value in node.value)


def value_of(node: yaml.Node) -> Any:
    """Return a node as pairs, list, TOML literal or ABSENT."""
    if isinstance(node, yaml.MappingNode):
        return pairs_of(node)
    if isinstance(node, yaml.SequenceNode):
        return [value_of(item) for item in node.value]
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return ABSENT
    if kind in ("int", "float") and re.fullmatch(r"[+-]?[\d:]+:[\d.]+", node.value):
        return Raw(str(yaml.SafeLoader("").construct_yaml_int(node)))
    if kind == "bool":
        return Raw("true" if node.value.lower() in ("yes", "true", "on", "y") else "false")
    if kind in ("int", "float"):
        return Raw(number_text(node.value))
    return str(node.value)


def number_text(text: str) -> str:
    """Return a YAML number as TOML spells it: .nan and .inf lose their dot."""
    plain = text.lower().replace(".nan", "nan").replace(".inf", "inf")
    return plain if plain.lstrip("+-") in ("nan", "inf") else text


def rename(pairs: Table, *, context: str, path: str = "") -> Table:
    """Return the pairs under our keys; duplicates stay."""
    renamed = Table()
    for key, value in pairs:
        there = f"{path}.{key}" if path else key
        ours = our_path(there)
        leaf = ours.rpartition(".")[2]
        if isinstance(value, Table):
            value = rename(value, context=context, path=there)
        elif value is ABSENT and ours not in UNSAID:
            value = ""
        elif isinstance(value, Raw) and ours in MONEY and re.fullmatch(r"[+-]?\w+", value.text):
            if value.text.lstrip("+-")[:1].isdigit():
                value = value.text
        elif ours == "schema" and isinstance(value, Raw):
            value = schema_of(value, context)
        if "." in ours and not path:
            value, leaf = Table([(leaf, value)]), ours.partition(".")[0]
        renamed.append((leaf, value))
    return renamed


def our_path(path: str) -> str:
    """Return our dotted key of the case's."""
    if path in KEYS:
        return KEYS[path]
    parts = path.split(".")
    starred = ".".join([parts[0], "*", *parts[2:]]) if len(parts) > 2 else path
    if starred in KEYS:
        return KEYS[starred].replace("*", parts[1])
    return ".".join([KEYS.get(parts[0], parts[0]), *parts[1:]])


def schema_of(value: Raw, context: str) -> Raw:
    """Return the schema number as far from ours as the case's is from what it expects."""
    expects = EXPECTS.search(context)
    if not expects or not re.fullmatch(r"-?\d+", value.text):
        return value
    return Raw(str(SCHEMA + int(value.text) - int(expects[1])))


def merge_base(pairs: Table) -> Table:
    """Return the base under the pairs, less what the case leaves out of its header."""
    top = [key for key, _ in pairs]
    lost = set(HEADER) - set(top) if set(HEADER) & set(top) else set()
    return merge(table_of({k: v for k, v in BASE.items() if k not in lost}), pairs)


def table_of(value: Any) -> Any:
    """Return plain values as pairs and literals."""
    if isinstance(value, dict):
        return Table((key, table_of(item)) for key, item in value.items())
    if isinstance(value, list):
        return [table_of(item) for item in value]
    return value if isinstance(value, str) else Raw(str(value))


def merge(base: Table, over: Table) -> Table:
    """Return ``over`` laid on ``base``: tables are merged once, everything else is replaced."""
    names = [key for key, _ in over]
    merged = Table((key, value) for key, value in base if key not in names)
    for key, value in over:
        below = next((v for k, v in base if k == key), None)
        if isinstance(value, Table) and isinstance(below, Table) and names.count(key) == 1:
            merged.append((key, merge(below, value)))
        elif value is not ABSENT:
            merged.append((key, value))
    return merged


def base_toml(**over: str) -> bytes:
    """Return the base as TOML, with plain keys replaced."""
    pairs = Table((key, table_of(value)) for key, value in over.items())
    return emit(merge(table_of(BASE), pairs)).encode()


def emit(pairs: Table, path: str = "") -> str:
    """Return the pairs as TOML text: plain keys first, then tables under their headers."""
    lines = [f"[{path}]"] if path else []
    for key, value in pairs:
        if not isinstance(value, Table) and value is not ABSENT:
            lines.append(f"{key_text(key)} = {literal(value)}")
    tables = [
        emit(value, f"{path}.{key_text(key)}" if path else key_text(key))
        for key, value in pairs
        if isinstance(value, Table)
    ]
    return "\n".join([*lines, "", *tables])


def key_text(key: str) -> str:
    """Return a bare or quoted TOML key."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else literal(key)


def literal(value: Any) -> str:
    """Return a value as TOML writes it in one line."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Table):
        inner = ", ".join(f"{key_text(k)} = {literal(v)}" for k, v in value if v is not ABSENT)
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(item) for item in value if item is not ABSENT) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def leaves(pairs: Table, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (our dotted key, text) of every scalar, with lists as ``key[i]``."""
    for key, value in pairs:
        here = f"{path}.{key}" if path else key
        yield from _leaves_of(here, value)


def _leaves_of(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Table):
        if not value:
            yield path, ""
        yield from leaves(value, path)
    elif isinstance(value, list) and value:
        for item in value:
            yield from _leaves_of(path, item)
    else:
        yield (
            path,
            value.text if isinstance(value, Raw) else value if isinstance(value, str) else "",
        )


def value_words(renamed: Table) -> Iterator[str]:
    """Yield what a refusal must name: a key that the case changes, and its kind of fault."""
    header = {key: str(BASE[key]) for key in HEADER}
    top = [key for key, _ in renamed]
    changed = [
        (key, text)
        for key, text in leaves(renamed)
        if header.get(key) != text or top.count(key) > 1
    ]
    lost = [key for key in HEADER if key not in top and set(HEADER) & set(top)]
    names = {part for key, _ in changed for part in (key, key.rpartition(".")[2])} | set(lost)
    names |= {key for key in top if top.count(key) > 1}
    yield "|".join(rf"(?<![\w]){re.escape(name)}(?![\w])" for name in sorted(names)) or "line"
    kinds = [first_match(VALUE_FAULTS, text) for _, text in changed]
    said = [kind for kind in kinds if kind]
    is_unknown = any(key.partition(".")[0] not in NAMED and key not in KNOWN for key, _ in changed)
    if said and is_unknown and "secret" not in said:
        said.append("unknown key")
    if said:
        yield "|".join(said)


def raw_words(content: bytes) -> str:
    """Return what a refusal of these bytes must say."""
    if len(content) > SIZE_MAX:
        return FILE_FAULTS["size"]
    for seen, say in BYTE_FAULTS[:3]:
        if re.search(seen, content, re.DOTALL):
            return say
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return FILE_FAULTS["utf8"]
    return next(say for seen, say in BYTE_FAULTS[3:] if re.search(seen, content))


def twin_of(pairs: Table, path: str = "") -> Table:
    """Return the case without its fault: each key we know with another valid value, no other."""
    twin: dict[str, Any] = {}
    for key, value in pairs:
        here = f"{path}.{key}" if path else key
        parts = here.split(".")
        starred = ".".join([parts[0], "*", *parts[2:]]) if len(parts) > 2 else here
        good = GOOD.get(here, GOOD.get(starred))
        if isinstance(value, Table):
            twin[key] = twin_of(value, here)
        elif good is not None and (here != "coins" or isinstance(value, list)):
            twin[key] = table_of(good)
        elif here in HEADER or here == "schema":
            twin[key] = table_of(BASE[here])
    known = {key: twin[key] for key in twin if key in BASE}
    kept = known if not path else twin
    if not path and set(kept) & set(HEADER):
        kept = {**{key: table_of(BASE[key]) for key in HEADER}, **kept}
    return Table(kept.items())


def rename_variable(name: str) -> str:
    """Return our name of an environment variable of the case."""
    theirs, ours = ENVIRONMENT
    return ours + name.removeprefix(theirs) if name.startswith(theirs) else name
