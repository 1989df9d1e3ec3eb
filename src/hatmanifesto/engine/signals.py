"""Signals of decisions: the value a strategy acted on, and the hash of all it could see."""

import hashlib
from collections.abc import Sequence

import msgspec

from hatmanifesto.domain.records import Signal
from hatmanifesto.engine.desk import Desk
from hatmanifesto.strategies.contract import CROSS, SignalSpec, Strategy, View


def features_hash(views: Sequence[View]) -> str:
    """Return the hash of what a decision could see of the market and itself (16 hex digits)."""
    return hashlib.blake2b(msgspec.msgpack.encode(views), digest_size=8).hexdigest()


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
    spec = desk.strategy.signal
    assert spec is not None
    mind = desk.mind
    view = mind.views[desk.place]
    return Signal(
        id=number,
        book=desk.book,
        coin=desk.coin,
        value=float(mind.memory[signal_cell(desk.strategy, spec, desk.place)]),
        horizon_ns=spec.horizon_ns,
        as_of=view.exch,
        features=features_hash(mind.views),
        regime=view.regime,
        now=now,
    )
