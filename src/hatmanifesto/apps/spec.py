"""A run specification: everything that decides the course of a run, and nothing else.

It is the first record of the journal, so that a run can be replayed from its own folder. No path,
date or machine stands in it.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.apps.limits_file import load_limits
from hatmanifesto.apps.provenance import code_hash
from hatmanifesto.apps.request import BacktestRequest, parse_coins
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.units import parse_fixed
from hatmanifesto.risk.limits import Limits
from hatmanifesto.store.atomic import canonical_json
from hatmanifesto.store.dataset import Dataset

TIES_BOTH = "both"
TIES_HEADLINE = "pessimistic"
TIES_OTHER = "optimistic"


class Work(msgspec.Struct, frozen=True):
    """One sub-ledger: strategy name, its coins, capital [micro-USDC], settings as text.

    ``source_hash`` is the SHA-256 of a user's file, '' for a shipped strategy.
    """

    strategy: str
    coins: tuple[str, ...]
    capital: int
    settings: dict[str, str]
    source_hash: str = ""


class RunSpec(msgspec.Struct, frozen=True):
    """Header of a run. Times in UTC ns, money in micro-USDC."""

    code_hash: str
    config_hash: str
    works: tuple[Work, ...]
    data: str
    dataset_hash: str
    evidence: str
    coins: tuple[str, ...]
    start_ns: int | None
    end_ns: int | None
    capital: int
    latency: str
    latency_hash: str
    queue: str
    ties: str
    seed: int
    block_ms: int
    limits: Limits

    @property
    def tie_orders(self) -> tuple[str, ...]:
        """Return the orders of rows with one stamp to run under, the headline first."""
        return (TIES_HEADLINE, TIES_OTHER) if self.ties == TIES_BOTH else (self.ties,)

    def header(self, ties: str) -> str:
        """Return the text of the journal's first record: this specification under one order."""
        content = {"spec": msgspec.to_builtins(self), "ties": ties}
        return canonical_json(content).decode("ascii")

    @property
    def name(self) -> str:
        """Return the strategies' names, joined."""
        return "+".join(dict.fromkeys(work.strategy for work in self.works))

    @property
    def books(self) -> tuple[str, ...]:
        """Return the name of each sub-ledger: its strategy, numbered when it runs twice."""
        names = [work.strategy for work in self.works]
        return tuple(
            f"{name}#{names[: at + 1].count(name)}" if names.count(name) > 1 else name
            for at, name in enumerate(names)
        )

    def identity(self) -> str:
        """Return the run's id: names and the first 12 digits of the header's hash."""
        digest = hashlib.sha256(canonical_json(msgspec.to_builtins(self))).hexdigest()
        return f"{self.name.replace('+', '-')}-{digest[:12]}"


def build_spec(request: BacktestRequest, dataset: Dataset) -> tuple[RunSpec, dict[str, bytes]]:
    """Return the specification of ``request`` over ``dataset``, and the files it depends on.

    The files are those that the run folder keeps a copy of, by name.

    Raises:
        UsageError: if the portfolio, the limits or the latency file is not valid.
    """
    files: dict[str, bytes] = {}
    works = _portfolio(request, files) if request.portfolio else (_single(request, files),)
    latency, latency_hash = request.latency, ""
    if latency.startswith("empirical:"):
        content = read_file(Path(latency.removeprefix("empirical:")), what="latency file")
        files["latency.txt"] = content
        latency, latency_hash = "empirical:latency.txt", hashlib.sha256(content).hexdigest()[:32]
    coins = tuple(dict.fromkeys(coin for work in works for coin in work.coins))
    capital = sum(work.capital for work in works)
    spec = RunSpec(
        code_hash=code_hash(),
        config_hash=request.config_hash,
        works=works,
        data=dataset.spec,
        dataset_hash=dataset.dataset_hash,
        evidence=dataset.evidence.value,
        coins=coins,
        start_ns=request.start_ns,
        end_ns=request.end_ns,
        capital=capital,
        latency=latency,
        latency_hash=latency_hash,
        queue=request.queue,
        ties=request.ties,
        seed=request.seed,
        block_ms=request.block_ms,
        limits=load_limits(Path(request.home), capital=capital),
    )
    return spec, files


def _single(request: BacktestRequest, files: dict[str, bytes]) -> Work:
    name, digest = _named(request.strategy, files)
    return Work(name, request.coins, request.capital, dict(request.settings), digest)


def _named(strategy: str, files: dict[str, bytes]) -> tuple[str, str]:
    """Return name and source hash; a user's file is noted to be kept with the run."""
    if not strategy.endswith(".py"):
        return strategy, ""
    path = Path(strategy)
    content = read_file(path, what="strategy file")
    files[f"strategy_{path.stem}.py"] = content
    return path.stem, hashlib.sha256(content).hexdigest()[:32]


def _portfolio(request: BacktestRequest, files: dict[str, bytes]) -> tuple[Work, ...]:
    assert request.portfolio is not None
    path = Path(request.portfolio)
    try:
        content: dict[str, Any] = tomllib.loads(read_file(path, what="portfolio").decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} is no valid TOML", why=str(error)) from error
    entries = content.pop("strategy", None)
    if content or not isinstance(entries, list) or not entries:
        raise UsageError(
            f"{path.name} is no portfolio",
            why=f"unknown keys {sorted(content)}" if content else "it has no [[strategy]] table",
            fix="give one [[strategy]] per strategy with name, coins, capital and optional set",
        )
    return tuple(_entry(path, number, entry, files) for number, entry in enumerate(entries, 1))


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
    name, digest = _named(name, files)
    settings = {str(key): str(value) for key, value in dict(entry.get("set", {})).items()}
    return Work(name, parse_coins(",".join(entry["coins"])), capital, settings, digest)


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
