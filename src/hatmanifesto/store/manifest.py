"""The manifest of a snapshot: what came in, what went out, what was set aside, and its hash."""

from typing import Any

import msgspec

from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.store.atomic import canonical_json, readable_json, sha256_bytes

FORMAT = 2
HASH_DIGITS = 16


class SourceFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was imported: last two parts of its path, SHA-256, importer, what it holds.

    ``rows_in = rows_out + merged + sum(quarantined)``; ``rows_out`` counts rows that are stored.
    """

    name: str
    sha256: str
    importer: str
    what: str
    coin: str
    rows_in: int
    rows_out: int
    merged: int
    quarantined: dict[str, int]


class StoredFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the snapshot; ``content_sha256`` hashes the values, ``sha256`` the bytes."""

    path: str
    kind: str
    coin: str
    rows: int
    sha256: str
    content_sha256: str


class TableCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of one kind and coin: ``rows_in = rows_out + merged + sum(quarantined)``.

    ``merged`` counts source rows that became part of another row (bid and ask of one bbo).
    ``set_aside`` rows are in ``rows_out`` and kept, but not replayed. Rejects of a source that
    holds several coins are counted under ``-``.
    """

    kind: str
    coin: str
    rows_in: int
    rows_out: int
    merged: int
    quarantined: dict[str, int]
    set_aside: dict[str, int]


class Hole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hole in a series of ``coin`` [ns]: last row before it, first row after it.

    ``kind`` is ``tick`` for books, best quotes and trades together (last book before, first quote
    after). ``series`` tells bars of one coin apart by their length, ``missing`` how many rows a
    regular series lacks.
    """

    coin: str
    start: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")
    reason: str
    kind: str
    series: str
    missing: int


class Coverage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of one series: how many, first and last stamp, time inside holes [ns], covered [1e-6].

    Trades that are set aside do not count.
    """

    kind: str
    coin: str
    series: str
    rows: int
    start: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")
    holes_ns: int
    covered_ppm: int


class MarketDecimals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units of a coin's ``book``, ``bbo`` and ``trade`` rows: decimals of price and size."""

    coin: str
    px_decimals: int
    sz_decimals: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything about a snapshot; ``hash`` addresses its content, ``seal`` this text.

    ``importers`` names every importer with its version. ``assets`` are perps with margin tiers,
    ``decimals`` every coin with rows in its own units, of whatever venue.
    """

    format: int = FORMAT
    dataset: str
    hash: str = ""
    seal: str = ""
    venue: str
    evidence: Evidence
    importers: dict[str, int]
    generator: dict[str, int] = {}
    sources: tuple[SourceFile, ...]
    rows_in: int
    rows_out: int
    merged: int
    quarantined: dict[str, int]
    set_aside: dict[str, int]
    tables: tuple[TableCount, ...]
    coins: tuple[str, ...]
    start: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")
    gap_s_min: int
    coverage: tuple[Coverage, ...]
    gaps: tuple[Hole, ...]
    files: tuple[StoredFile, ...]
    assets: tuple[Asset, ...]
    decimals: tuple[MarketDecimals, ...]
    assumed: tuple[str, ...]


def content_hash(manifest: Manifest) -> str:
    """Return the 16 digits that address a snapshot: no names, no paths, no bytes of a writer."""
    content: dict[str, Any] = msgspec.to_builtins(manifest)
    for name in ("dataset", "hash", "seal"):
        del content[name]
    for source in content["sources"]:
        del source["name"]
    for file in content["files"]:
        del file["sha256"]
    return sha256_bytes(canonical_json(content))[:HASH_DIGITS]


def seal_of(manifest: Manifest) -> str:
    """Return the SHA-256 of the manifest's own text with an empty seal."""
    unsealed = msgspec.structs.replace(manifest, seal="")
    return sha256_bytes(canonical_json(msgspec.to_builtins(unsealed)))


def sealed(manifest: Manifest) -> Manifest:
    """Return the manifest with its hash and its seal filled in."""
    hashed = msgspec.structs.replace(manifest, hash=content_hash(manifest))
    return msgspec.structs.replace(hashed, seal=seal_of(hashed))


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the one text of a manifest."""
    return readable_json(msgspec.to_builtins(manifest))


def decode_manifest(content: bytes) -> Manifest:
    """Return a manifest from its text.

    Raises:
        msgspec.DecodeError: if it is no JSON, lacks a field or has an unknown one.
    """
    return msgspec.json.decode(content, type=Manifest)
