"""Reads a portfolio: a TOML file that names strategies, their coins, capital and settings.

```toml
interval = "1h"             # optional: play candles of this length
half_spread_bps = "2"       # optional: assumed about their closes

[allocator]                 # optional
method = "risk_parity"      # fixed, risk_parity or kelly

[[strategy]]
name = "trend"              # a shipped name, or a .py file beside the portfolio
coins = ["BTC", "ETH"]
capital = "600"             # USDC
set = { vol_target_pct = 20 }
```
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from hatmanifesto.apps.request import parse_coins
from hatmanifesto.apps.request_candles import parse_half_spread, parse_interval
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.units import parse_fixed
from hatmanifesto.risk.allocator import AllocatorSpec

BOUNDS = {
    "every_hours": (1, 24 * 365),
    "lookback_days": (3, 3_650),
    "floor_pct": (0, 100),
    "cap_pct": (1, 100),
}


class Work(msgspec.Struct, frozen=True):
    """One sub-ledger: strategy name, its coins, capital [micro-USDC], settings as text.

    ``source_hash`` is the SHA-256 of a user's file, '' for a shipped strategy.
    """

    strategy: str
    coins: tuple[str, ...]
    capital: int
    settings: dict[str, str]
    source_hash: str = ""


class AllocatorWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How capital is divided over the strategies of a portfolio; shares in percent of equity."""

    method: Literal["fixed", "risk_parity", "kelly"] = "fixed"
    every_hours: int = 24
    lookback_days: int = 30
    floor_pct: int = 5
    cap_pct: int = 60

    def spec(self) -> AllocatorSpec:
        """Return the same for the engine."""
        return AllocatorSpec(
            method=self.method,
            every_hours=self.every_hours,
            lookback_hours=24 * self.lookback_days,
            floor=self.floor_pct / 100,
            cap=self.cap_pct / 100,
        )


class Play(NamedTuple):
    """What candles to play: length, '' to choose, and assumed half spread [1e-8 of the price]."""

    interval: str
    half_spread: int


class Portfolio(NamedTuple):
    """A portfolio: its sub-ledgers, its allocator if it names one, and what candles it plays."""

    works: tuple[Work, ...]
    allocator: AllocatorWork | None
    play: Play


def read_portfolio(path: Path, files: dict[str, bytes], *, play: Play) -> Portfolio:
    """Return what a portfolio says.

    Args:
        path: of the TOML file.
        files: takes the strategies' own files, to be kept with the run.
        play: what the command line says of candles; the portfolio's own keys count more.

    Raises:
        UsageError: if the file is no portfolio.
    """
    try:
        content: dict[str, Any] = tomllib.loads(read_file(path, what="portfolio").decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} is no valid TOML", why=str(error)) from error
    entries = content.pop("strategy", None)
    allocator = content.pop("allocator", None)
    play = _play(path, content, play)
    if content or not isinstance(entries, list) or not entries:
        raise UsageError(
            f"{path.name} is no portfolio",
            why=f"unknown keys {sorted(content)}" if content else "it has no [[strategy]] table",
            fix="give one [[strategy]] per strategy with name, coins, capital and optional set",
        )
    works = tuple(_entry(path, number, entry, files) for number, entry in enumerate(entries, 1))
    chosen = None if allocator is None else _allocator(path, allocator, books=len(works))
    return Portfolio(works, chosen, play)


def _play(path: Path, content: dict[str, Any], play: Play) -> Play:
    """Take ``interval`` and ``half_spread_bps`` out of a portfolio."""
    interval, half_spread = play
    if "interval" in content:
        interval = parse_interval(content.pop("interval"), name=f"{path.name}: interval")
    if "half_spread_bps" in content:
        raw = str(content.pop("half_spread_bps"))
        half_spread = parse_half_spread(raw, name=f"{path.name}: half_spread_bps")
    return Play(interval, half_spread)


def _allocator(path: Path, table: Any, *, books: int) -> AllocatorWork:
    where = f"{path.name}: [allocator]"
    try:
        work = msgspec.convert(table, AllocatorWork)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where} is not valid", why=str(error)) from error
    for key, (low, high) in BOUNDS.items():
        value = getattr(work, key)
        if not low <= value <= high:
            raise UsageError(f"{where}: {key} must lie in {low} .. {high}, was {value}")
    if work.floor_pct > work.cap_pct or books * work.floor_pct > 100:
        raise UsageError(
            f"{where}: floor_pct {work.floor_pct} does not fit",
            why=f"{books} strategies get at least that each, and none more than {work.cap_pct}",
            fix="lower floor_pct",
        )
    return work


def _entry(path: Path, number: int, entry: Any, files: dict[str, bytes]) -> Work:
    where = f"{path.name}: strategy {number}"
    unknown = set(entry) - {"name", "coins", "capital", "set"}
    if unknown or not {"name", "coins", "capital"} <= set(entry):
        raise UsageError(
            f"{where} needs name, coins and capital",
            why=f"unknown keys {sorted(unknown)}" if unknown else f"it has {sorted(entry)}",
        )
    try:
        capital = parse_fixed(entry["capital"], decimals=6)
    except (ValueError, AttributeError, TypeError) as error:
        raise UsageError(f"{where}: capital must be a quoted decimal", why=str(error)) from error
    if capital <= 0:
        raise UsageError(f"{where}: capital must be positive")
    name = str(entry["name"])
    if name.endswith(".py"):
        name = str(path.parent / name)
    name, digest = named_strategy(name, files)
    settings = {str(key): str(value) for key, value in dict(entry.get("set", {})).items()}
    return Work(name, parse_coins(",".join(entry["coins"])), capital, settings, digest)


def named_strategy(strategy: str, files: dict[str, bytes]) -> tuple[str, str]:
    """Return name and source hash; a user's file is noted to be kept with the run."""
    if not strategy.endswith(".py"):
        return strategy, ""
    path = Path(strategy)
    content = read_file(path, what="strategy file")
    files[f"strategy_{path.stem}.py"] = content
    return path.stem, hashlib.sha256(content).hexdigest()[:32]


def read_file(path: Path, *, what: str) -> bytes:
    """Return the bytes of a user's file.

    Raises:
        UsageError: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{what} {path.name} cannot be read", why=error.strerror or "", fix="check the path"
        ) from error
