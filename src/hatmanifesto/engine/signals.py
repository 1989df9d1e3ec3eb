"""Signals of decisions: the value a strategy acted on, and the hash of all it could see."""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from hatmanifesto.domain.records import Signal
from hatmanifesto.engine.desk import Desk
from hatmanifesto.strategies.contract import CROSS, SignalSpec, Strategy, View

encode = msgspec.msgpack.Encoder().encode


def features_hash(views: Sequence[View]) -> str:
    """Return the hash of what a decision could see of the market and itself (16 hex digits)."""
    return blake2b(encode(views), digest_size=8).hexdigest()


def memory_cells(strategy: Strategy, coins: int) -> int:
    """Return how many memory cells a strategy needs over ``coins`` coins."""
    return strategy.memory + (coins * strategy.memory_coin if strategy.scope == CROSS else 0)


def signal_cell(strategy: Strategy, spec: SignalSpec, at: int) -> int:
    """Return the memory cell that holds the signal of the coin at place ``at`` of its strategy."""
    if strategy.scope == CROSS:
        return strategy.memory + at * strategy.memory_coin + spec.cell
    return spec.cell


def signal_of(desk: Desk, number: int, now: int) -> Signal:
    """Return the signal of the last decision of a desk whose strategy names one."""
    mind = desk.mind
    strategy = mind.strategy
    spec = strategy.signal
    assert spec is not None
    cell = signal_cell(strategy, spec, desk.place) if mind.is_cross else spec.cell
    view = mind.views[desk.place]
    value = float(mind.memory[cell])
    digest = features_hash(mind.views)
    return Signal(
        number, desk.book, desk.coin, value, spec.horizon_ns, view.exch, digest, view.regime, now
    )
