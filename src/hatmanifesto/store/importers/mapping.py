"""A mapping file: what a user's own columns mean, in TOML; and the plain shapes that need none."""

import re
import tomllib
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.atomic import sha256_file
from hatmanifesto.store.importers.series_files import refuse
from hatmanifesto.store.kinds import LEVELS

SUFFIX = ".map.toml"
MAPPING_BYTES_MAX = 1 << 16
INTERVALS_MS = {
    f"{count}{unit}": count * minutes * 60_000
    for unit, minutes, counts in (
        ("m", 1, (1, 3, 5, 15, 30)),
        ("h", 60, (1, 2, 4, 8, 12)),
        ("d", 1440, (1,)),
    )
    for count in counts
}
"""Bars open on multiples of these, UTC. Source: PROTOCOL 4.2."""

LEVEL_FIELDS = ("bid_px", "bid_sz", "ask_px", "ask_sz")
FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "candle": (("exch", "open", "high", "low", "close", "volume"), ("trades",)),
    "trade": (("exch", "px", "sz", "side"), ("tid",)),
    "bbo": (("exch", *LEVEL_FIELDS), ()),
    "book": (("exch", *LEVEL_FIELDS), ()),
    "funding": (("exch", "rate"), ("premium",)),
}
"""Kind -> columns that must be mapped, columns that may be; ``coin`` and ``recv`` always may."""
BUY = ("B", "b", "buy", "Buy", "BUY")
SELL = ("A", "a", "sell", "Sell", "SELL")

Unit = Literal["s", "ms", "us", "ns", "iso"]


class Sides(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's own words for the aggressor's side."""

    buy: tuple[str, ...] = BUY
    sell: tuple[str, ...] = SELL


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a file holds. ``columns`` maps our names to the file's; of a book with ``{level}``.

    ``time`` is the unit of its stamps, ``levels`` the levels a side of a book; ``sha256`` and
    ``network``, where given, must be those of the file and of the import.
    """

    kind: Literal["candle", "trade", "bbo", "book", "funding"]
    columns: dict[str, str]
    time: Unit
    coin: str = ""
    interval: str = ""
    levels: int = LEVELS
    sides: Sides = Sides()
    separator: Literal[",", ";", "\t"] = ","
    network: Literal["mainnet", "testnet"] = "mainnet"
    sha256: str = ""

    def names(self, field: str) -> tuple[str, ...]:
        """Return the file's columns of one of our fields, best level first; none if not mapped."""
        if field not in self.columns:
            return ()
        if self.kind == "book" and field in LEVEL_FIELDS:
            pattern = self.columns[field]
            return tuple(pattern.replace("{level}", str(level)) for level in range(self.levels))
        return (self.columns[field],)

    @property
    def needed(self) -> tuple[str, ...]:
        """Return every column of the file that is read."""
        return tuple(dict.fromkeys(name for field in self.columns for name in self.names(field)))


class Options(NamedTuple):
    """What the user says about the files of one import.

    Args of note: ``now`` [UTC ns], 0 when no bar can be open any more; ``network`` the network
    the study is about.
    """

    coin: str = ""
    mapping: Path | None = None
    allow_torn_tail: bool = False
    now: int = 0
    network: str = "mainnet"


def mapping_path(path: Path) -> Path | None:
    """Return the mapping file beside ``path``: its name or its stem and ``.map.toml``."""
    beside = (path.with_name(path.name + SUFFIX), path.with_name(path.stem + SUFFIX))
    return next((found for found in beside if found.is_file()), None)


def read_mapping(path: Path) -> Mapping:
    """Return the mapping of a file.

    Raises:
        DataError: naming the key at fault.
    """
    try:
        content = path.read_bytes()
        if len(content) > MAPPING_BYTES_MAX:
            raise ValueError(f"more than {MAPPING_BYTES_MAX} bytes")
        mapping = msgspec.convert(tomllib.loads(content.decode("utf-8")), Mapping)
        _check(mapping)
    except (OSError, ValueError, RecursionError, msgspec.ValidationError) as error:
        raise DataError(
            f"cannot read the mapping file {path.name}",
            why=str(error),
            fix="see docs/own-data.md for its keys",
        ) from error
    return mapping


def _check(mapping: Mapping) -> None:
    must, may = FIELDS[mapping.kind]
    missing = [name for name in must if name not in mapping.columns]
    odd = [name for name in mapping.columns if name not in (*must, *may, "coin", "recv")]
    if missing or odd:
        raise ValueError(f"columns of a {mapping.kind}: missing {missing}, unknown {odd}")
    if mapping.kind == "candle" and mapping.interval not in INTERVALS_MS:
        raise ValueError(f"interval must be one of {', '.join(INTERVALS_MS)}")
    if mapping.kind == "book":
        flat = [name for name in LEVEL_FIELDS if "{level}" not in mapping.columns[name]]
        if flat or not 1 <= mapping.levels <= LEVELS:
            raise ValueError(f"a book needs {{level}} in {flat} and levels from 1 to {LEVELS}")
    if mapping.sha256 and not re.fullmatch(r"[0-9a-f]{64}", mapping.sha256):
        raise ValueError("sha256 must be 64 hexadecimal digits")
    if set(mapping.sides.buy) & set(mapping.sides.sell):
        raise ValueError("a word is both of sides.buy and of sides.sell")


def check_file(path: Path, mapping: Mapping, options: Options) -> None:
    """Check what the mapping says about the file itself.

    Raises:
        DataError: if the file is another one, or of another network.
    """
    if mapping.network != options.network:
        raise refuse(
            path,
            "another network",
            why=f"its mapping says network {mapping.network}, this import is of {options.network}",
            fix="two networks are never mixed; import it with --network, under its own --dataset",
        )
    if mapping.sha256 and (found := sha256_file(path)) != mapping.sha256:
        raise refuse(
            path,
            "another SHA-256 than its mapping says",
            why=f"expected {mapping.sha256}, was {found}",
            fix="fetch the file again",
        )


def _plain(kind: Literal["candle", "trade"], **columns: str) -> Mapping:
    return Mapping(kind=kind, columns=columns, time="ms")


PLAIN = (
    _plain("candle", exch="t", open="o", high="h", low="l", close="c", volume="v", trades="n"),
    _plain("trade", exch="t", coin="coin", side="side", px="px", sz="sz", tid="tid"),
    _plain("trade", exch="time", coin="coin", side="side", px="px", sz="sz", tid="tid"),
)
"""Shapes that need no mapping file: the venue's own words, stamps in milliseconds."""


def plain_mapping(names: frozenset[str]) -> Mapping | None:
    """Return the plain shape that columns of these names have, if any.

    A time and prices tell a shape even when other columns are missing, so that they can be named.
    """
    for mapping in PLAIN:
        telling = ("open", "close") if mapping.kind == "candle" else ("px",)
        if names >= {mapping.columns[field] for field in ("exch", *telling)}:
            missing_id = "tid" in mapping.columns and "tid" not in names
            return _without(mapping, "tid") if missing_id else mapping
    return None


def _without(mapping: Mapping, field: str) -> Mapping:
    columns = {key: name for key, name in mapping.columns.items() if key != field}
    return msgspec.structs.replace(mapping, columns=columns)
