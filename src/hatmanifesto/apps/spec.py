"""A run specification: everything that decides the course of a run, and nothing else.

It is the first record of the journal, so that a run can be replayed from its own folder. No path,
date or machine stands in it.
"""

import hashlib
from pathlib import Path

import msgspec
from msgspec import structs

from hatmanifesto.apps.limits_file import load_limits
from hatmanifesto.apps.portfolio import (
    AllocatorWork,
    Play,
    Work,
    named_strategy,
    read_file,
    read_portfolio,
)
from hatmanifesto.apps.provenance import code_hash
from hatmanifesto.apps.request import ALL, BacktestRequest
from hatmanifesto.apps.strategies_file import load_strategy
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.risk.limits import Limits
from hatmanifesto.store.atomic import canonical_json
from hatmanifesto.store.dataset import Dataset, evidence_of
from hatmanifesto.store.index_leg import with_leg
from hatmanifesto.store.series import TICKS, choose_interval, known_coins

TIES_BOTH = "both"
TIES_HEADLINE = "pessimistic"
TIES_OTHER = "optimistic"


class RunSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """Header of a run. Times in UTC ns, money in micro-USDC.

    Args of note: ``interval`` is the length of the candles played, '' for ticks; ``half_spread`` is
    assumed about their closes [1e-8 of the price]; ``left_out`` are coins whose decimals are not
    known, when all were asked for; ``unhedged`` those without data of a second leg. What has its
    default is not written, so that the identity of a run over ticks does not depend on what was
    invented for candles.
    """

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
    allocator: AllocatorWork | None = None
    interval: str = TICKS
    half_spread: int = 0
    left_out: tuple[str, ...] = ()
    unhedged: tuple[str, ...] = ()

    @property
    def tie_orders(self) -> tuple[str, ...]:
        """Return the orders of rows with one stamp to run under, the headline first.

        Candles have one order alone: no print stands beside a book.
        """
        both = (TIES_HEADLINE,) if self.interval else (TIES_HEADLINE, TIES_OTHER)
        return both if self.ties == TIES_BOTH else (self.ties,)

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
    allocator: AllocatorWork | None = None
    play = Play(request.interval, request.half_spread)
    if request.portfolio:
        works, allocator, play = read_portfolio(Path(request.portfolio), files, play=play)
    else:
        works = (_single(request, files),)
    works, left_out = _with_all_coins(works, dataset)
    works, unhedged = _with_legs(works, dataset)
    latency, latency_hash = request.latency, ""
    if latency.startswith("empirical:"):
        content = read_file(Path(latency.removeprefix("empirical:")), what="latency file")
        files["latency.txt"] = content
        latency, latency_hash = "empirical:latency.txt", hashlib.sha256(content).hexdigest()[:32]
    coins = tuple(dict.fromkeys(coin for work in works for coin in work.coins))
    interval = choose_interval(dataset, coins, asked=play.interval)
    capital = sum(work.capital for work in works)
    spec = RunSpec(
        code_hash=code_hash(),
        config_hash=request.config_hash,
        works=works,
        data=dataset.spec,
        dataset_hash=dataset.dataset_hash,
        evidence=evidence_of(dataset, interval=interval).value,
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
        allocator=allocator,
        interval=interval,
        half_spread=play.half_spread if interval else 0,
        left_out=left_out,
        unhedged=unhedged,
    )
    return spec, files


def _with_all_coins(
    works: tuple[Work, ...], dataset: Dataset
) -> tuple[tuple[Work, ...], tuple[str, ...]]:
    """Return the works with ``all`` replaced by every known coin, and the coins left out."""
    if not any(work.coins == ALL for work in works):
        return works, ()
    known, unknown = known_coins(dataset)
    if not known:
        raise UsageError(
            f"{dataset.spec} has no coin to trade",
            why="it has neither books nor candles of a coin that this release knows",
            fix="name another --data; see hat data list",
        )
    return tuple(
        structs.replace(work, coins=known) if work.coins == ALL else work for work in works
    ), unknown


def _with_legs(
    works: tuple[Work, ...], dataset: Dataset
) -> tuple[tuple[Work, ...], tuple[str, ...]]:
    """Return the works with second legs where a strategy asks for them, and the coins without one.

    Raises:
        UsageError: if no coin of such a strategy has one.
    """
    out: list[Work] = []
    lacking: list[str] = []
    for work in works:
        if work.source_hash or not load_strategy(work.strategy, work.settings).has_legs:
            out.append(work)
            continue
        pairs, without = with_leg(dataset, work.coins)
        if not pairs:
            raise UsageError(
                f"{work.strategy}: no second-leg data for {', '.join(work.coins)}",
                why="a hedge needs a recorded price of the second leg, or premiums to infer it",
                fix="add data with premiums, or leave out --set hedge=1",
            )
        out.append(structs.replace(work, coins=pairs))
        lacking += without
    return tuple(out), tuple(dict.fromkeys(lacking))


def _single(request: BacktestRequest, files: dict[str, bytes]) -> Work:
    name, digest = named_strategy(request.strategy, files)
    return Work(name, request.coins, request.capital, dict(request.settings), digest)
