"""Wires the machines of a run by hand, from its specification; the only file that knows all."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hatmanifesto.apps.spec import RunSpec
from hatmanifesto.apps.strategies_file import load_strategy
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.ports import Journal
from hatmanifesto.domain.units import NS_MS
from hatmanifesto.engine.engine import Assignment, Engine
from hatmanifesto.engine.panel import Panel
from hatmanifesto.hats.contract import Hat
from hatmanifesto.hats.exchange import ExchangeHat
from hatmanifesto.hats.execution import ExecutionHat
from hatmanifesto.hats.risk import RiskHat
from hatmanifesto.hats.security import SecurityHat
from hatmanifesto.simex.candle_book import CandleBook
from hatmanifesto.simex.clearing import Clearing, FeeSchedule
from hatmanifesto.simex.latency import LatencyModel, LatencySource, parse_latency
from hatmanifesto.simex.matching import Matcher
from hatmanifesto.simex.queue import parse_queue_model
from hatmanifesto.simex.replay import SNAPSHOT_BARS, SNAPSHOT_NS, TRADER, Legs, Replay
from hatmanifesto.simex.replay_book import ReplayBook
from hatmanifesto.store.dataset import Dataset
from hatmanifesto.store.draft import interval_ns
from hatmanifesto.store.series import TICKS
from hatmanifesto.store.tape import STAMP_MAX, ParquetTape
from hatmanifesto.warden.policy import NullSigner, Policy, Warden

LEG_FEED, LEG_ORDER, LEG_ANSWER = 1, 2, 3


class Machines(NamedTuple):
    """A run, ready to go."""

    tape: ParquetTape
    engine: Engine
    clearing: Clearing
    replay: Replay


def open_tape(spec: RunSpec, dataset: Dataset, *, ties: str) -> ParquetTape:
    """Return the tape of a run under one order of rows with one stamp."""
    return ParquetTape(
        dataset,
        coins=spec.coins,
        start_ns=spec.start_ns or 0,
        end_ns=STAMP_MAX if spec.end_ns is None else spec.end_ns,
        ties=ties,
        interval=spec.interval,
        half_spread=spec.half_spread,
    )


def build(
    spec: RunSpec,
    tape: ParquetTape,
    *,
    folder: Path,
    journal: Journal,
    progress: Callable[[int], None] | None = None,
) -> Machines:
    """Return the machines of ``spec``.

    Args:
        spec: what to run.
        tape: its market rows.
        folder: where the copies of a user's files lie.
        journal: receives every record.
        progress: called now and then with the number of rows done.

    Raises:
        UsageError: if a strategy, its settings or the latency file is not valid.
    """
    assets = tape.assets
    engine = build_engine(spec, tape, folder=folder)
    matcher = _matcher(spec, tape)
    clearing = Clearing(assets=assets, matcher=matcher, fees=FeeSchedule())
    clearing.open_account(TRADER, cash=spec.capital)
    limits = spec.limits
    warden = Warden(
        Policy(
            coins=frozenset(range(len(assets))),
            order_notional_max=limits.order_notional_max,
            position_notional_max=2 * limits.position_notional_max,
            open_orders_max=limits.open_orders_max,
        )
    )
    replay = Replay(
        tape=tape,
        engine=engine,
        clearing=clearing,
        matcher=matcher,
        warden=warden,
        signer=NullSigner(),
        journal=journal,
        legs=_legs(spec, folder),
        block_ns=spec.block_ms * NS_MS,
        snapshot_ns=_snapshot_ns(spec),
        progress=progress,
    )
    return Machines(tape, engine, clearing, replay)


def _snapshot_ns(spec: RunSpec) -> int:
    """Return how often the journal notes the hash of the engine [ns]."""
    if spec.interval == TICKS:
        return SNAPSHOT_NS
    return max(SNAPSHOT_NS, SNAPSHOT_BARS * interval_ns(spec.interval))


def _matcher(spec: RunSpec, tape: ParquetTape) -> Matcher:
    """Return the book of a run: recorded levels, or candles."""
    if spec.interval == TICKS:
        return ReplayBook(coins=len(tape.assets), queue=parse_queue_model(spec.queue))
    px_ones = [10**asset.px_decimals for asset in tape.assets]
    return CandleBook(px_ones=px_ones, half_spread=spec.half_spread)


def build_engine(spec: RunSpec, tape: ParquetTape, *, folder: Path) -> Engine:
    """Return the engine of ``spec`` with its panel of hats."""
    slots = {coin: slot for slot, coin in enumerate(spec.coins)}
    assignments = [
        Assignment(
            load_strategy(
                work.strategy,
                work.settings,
                source=folder / f"strategy_{work.strategy}.py" if work.source_hash else None,
            ),
            tuple(slots[coin] for coin in work.coins),
            work.capital,
        )
        for work in spec.works
    ]
    hats: list[Hat] = [
        SecurityHat(frozenset(range(len(tape.assets)))),
        ExchangeHat(tape.assets),
        RiskHat(spec.limits),
        ExecutionHat(),
    ]
    allocator = spec.allocator
    return Engine(
        assets=tape.assets,
        assignments=assignments,
        panel=Panel(hats),
        capital=spec.capital,
        allocator=allocator.spec() if allocator is not None else None,
    )


def _legs(spec: RunSpec, folder: Path) -> Legs:
    model = _latency(spec, folder)

    def leg(number: int) -> LatencySource:
        seeds = np.random.SeedSequence([spec.seed, number])
        return LatencySource(model, np.random.Generator(np.random.PCG64(seeds)))

    return Legs(feed=leg(LEG_FEED), order=leg(LEG_ORDER), answer=leg(LEG_ANSWER))


def _latency(spec: RunSpec, folder: Path) -> LatencyModel:
    if not spec.latency.startswith("empirical:"):
        return parse_latency(spec.latency)
    lines = (folder / spec.latency.removeprefix("empirical:")).read_text(encoding="utf-8").split()
    try:
        samples = tuple(round(float(line) * NS_MS) for line in lines)
    except ValueError as error:
        raise UsageError("the latency file is no list of numbers", why=str(error)) from error
    if not samples or min(samples) <= 0:
        raise UsageError(
            "the latency file holds no positive delays", fix="write one delay in ms per line"
        )
    return parse_latency(spec.latency, samples=samples)
