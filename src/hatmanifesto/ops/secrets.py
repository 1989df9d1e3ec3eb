"""Finds what looks like a secret, by name and by shape, so that it is refused and never printed."""

import re
from collections.abc import Mapping, Sequence

NAME = re.compile(
    r"private[_-]?key|secret|mnemonic|passw(or)?d|passphrase|seed[_-]?(phrase|words)|api[_-]?key",
    re.IGNORECASE,
)
HEX_64 = re.compile(r"(?<![0-9a-fA-F])(?:0[xX])?[0-9a-fA-F]{64}(?![0-9a-fA-F])")
PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
PHRASE = re.compile(r"(?:[a-z]{3,8}[ \t]+){11,23}[a-z]{3,8}")
PHRASE_WORDS = frozenset({12, 15, 18, 21, 24})
HIDDEN = "<hidden>"
QUOTE_MAX = 60


def is_secret_name(name: str) -> bool:
    """Say whether a key, variable or flag is called like a secret."""
    return NAME.search(name) is not None


def secret_kind(text: str) -> str:
    """Return what kind of secret ``text`` looks like, or an empty string."""
    key = key_kind(text)
    if key:
        return key
    words = text.split()
    if len(words) in PHRASE_WORDS and PHRASE.fullmatch(" ".join(words)):
        return f"{len(words)} lower-case words (a seed phrase)"
    return ""


def key_kind(text: str) -> str:
    """Return what kind of key ``text`` holds; phrases, which prose can resemble, are left out."""
    if HEX_64.search(text):
        return "64 hex digits (a private key)"
    return "a PEM private key" if PEM.search(text) else ""


def redact(text: str) -> str:
    """Return ``text`` with everything that has the shape of a secret hidden."""
    return PHRASE.sub(HIDDEN, PEM.sub(HIDDEN, HEX_64.sub(HIDDEN, text)))


def quote(value: object) -> str:
    """Return ``value`` for an error message: quoted, ASCII escaped, short, and never a secret."""
    text = ascii(value) if isinstance(value, str) else str(value)
    if secret_kind(str(value)):
        return HIDDEN
    return text if len(text) <= QUOTE_MAX else text[:QUOTE_MAX] + "..."


def find_secret(tree: object, path: str = "") -> tuple[str, str] | None:
    """Return ``(key path, kind)`` of the first secret in a parsed document, or None.

    Raises nothing and never returns a value; a key that is itself a secret is named by its parent.
    """
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            found = _find_in_entry(str(key), value, path)
            if found:
                return found
    elif isinstance(tree, Sequence) and not isinstance(tree, str):
        for i, value in enumerate(tree):
            found = find_secret(value, f"{path}[{i}]")
            if found:
                return found
    elif isinstance(tree, str) and secret_kind(tree):
        return path, secret_kind(tree)
    return None


def _find_in_entry(key: str, value: object, path: str) -> tuple[str, str] | None:
    if secret_kind(key):
        return path or "a key", secret_kind(key)
    where = f"{path}.{key}" if path else key
    if is_secret_name(key):
        return where, "a secret by its name"
    return find_secret(value, where)
