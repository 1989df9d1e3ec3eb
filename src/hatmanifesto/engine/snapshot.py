"""Snapshots: the whole engine as plain data, and back. Restart is a snapshot plus the tail.

The content is nested lists of integers, floats and texts, so that it has one canonical msgpack and
one hash. Strategies' functions and parameters, assets and limits are not in it: they come from the
specification of the run, which the journal holds.
"""

from typing import Any

import msgspec

from hatmanifesto.books.blotter import ORDER_FIELDS, Order
from hatmanifesto.books.lifecycle import Phase
from hatmanifesto.books.state import state_hash
from hatmanifesto.domain.enums import Tif
from hatmanifesto.domain.modes import Mode
from hatmanifesto.domain.records import Veto
from hatmanifesto.engine.desk import Desk, Mind, SlotState
from hatmanifesto.engine.engine import Engine
from hatmanifesto.strategies.contract import View


def dump_engine(engine: Engine) -> bytes:
    """Return the canonical bytes of everything the engine's next steps depend on."""
    return msgspec.msgpack.encode(_content(engine))


def engine_hash(engine: Engine) -> str:
    """Return the hash of a snapshot (32 hex digits)."""
    return state_hash(_content(engine))


def load_engine(engine: Engine, snapshot: bytes) -> None:
    """Put a fresh engine, built from the same specification, where ``snapshot`` was taken."""
    parts = msgspec.msgpack.decode(snapshot)
    state_content, mind_contents, desk_contents, regimes, allocator, engine.next_wake = parts
    orders = _load_state(engine, state_content)
    assert len(desk_contents) == len(engine.desks), "a snapshot fits the desks it was taken from"
    for mind, content in zip(engine.minds, mind_contents, strict=True):
        _load_mind(mind, content)
    for desk, content in zip(engine.desks, desk_contents, strict=True):
        _load_desk(desk, content, orders)
    for track, content in zip(engine.decider.regimes, regimes, strict=True):
        track.load(content)
    if engine.allocator is not None:
        engine.allocator.load(allocator)


def _content(engine: Engine) -> list[Any]:
    state = engine.state
    return [
        [
            state.now,
            state.rows,
            int(state.mode),
            state.capital,
            state.intent_next,
            state.peak2,
            [list(top) for top in state.tops],
            [list(last) for last in state.prints],
            list(state.net),
            [order.dump() for _, order in sorted(state.blotter.orders.items())],
            [state.blotter.late, state.blotter.placed, state.blotter.closed],
            [[ledger.dump() for ledger in book] for book in state.ledgers],
            list(state.funded),
            state.cash2,
            state.house,
            [list(told) for told in state.told],
            [ledger.dump() for ledger in state.account],
            state.signal_next,
            list(state.hours),
            [list(held) for held in state.hour_held],
        ],
        [_dump_mind(mind) for mind in engine.minds],
        [_dump_desk(desk) for desk in engine.desks],
        [track.dump() for track in engine.decider.regimes],
        engine.allocator.dump() if engine.allocator is not None else None,
        engine.next_wake,
    ]


def _dump_mind(mind: Mind) -> list[Any]:
    return [
        mind.decide_next,
        mind.decisions,
        mind.is_dirty,
        mind.has_news,
        mind.is_stopped,
        list(mind.memory),
        [list(view) for view in mind.views],
    ]


def _dump_desk(desk: Desk) -> list[Any]:
    return [
        desk.has_news,
        desk.is_settled,
        list(desk.proposed),
        list(desk.quotes),
        desk.signal,
        desk.capital,
        [_dump_slot(slot) for slot in desk.slots],
    ]


def _dump_slot(slot: SlotState) -> list[Any]:
    return [
        slot.order.intent if slot.order is not None else 0,
        slot.old.intent if slot.old is not None else 0,
        list(slot.vetoed) if slot.vetoed is not None else None,
        slot.veto,
        slot.veto_count,
        slot.rejects,
        slot.backoff_until,
    ]


def _load_state(engine: Engine, content: list[Any]) -> dict[int, Order]:
    state = engine.state
    state.now, state.rows, mode, state.capital, state.intent_next, state.peak2 = content[:6]
    state.mode = Mode(mode)
    state.tops[:] = [tuple(top) for top in content[6]]
    state.prints[:] = [tuple(last) for last in content[7]]
    state.net[:] = content[8]
    blotter = state.blotter
    orders = {order.intent: order for order in map(_load_order, content[9])}
    blotter.orders = orders
    blotter.late, blotter.placed, blotter.closed = content[10]
    blotter.takers = sum(order.tif != Tif.ALO for order in orders.values())
    for coin in range(len(state.assets)):
        mine = [order for order in orders.values() if order.coin == coin]
        blotter.open_buy[coin] = sum(order.left for order in mine if order.side > 0)
        blotter.open_sell[coin] = sum(order.left for order in mine if order.side < 0)
    for book, ledgers in zip(state.ledgers, content[11], strict=True):
        for ledger, values in zip(book, ledgers, strict=True):
            ledger.load(values)
    state.funded[:] = content[12]
    state.cash2, state.house = content[13:15]
    state.told[:] = [tuple(told) for told in content[15]]
    for ledger, values in zip(state.account, content[16], strict=True):
        ledger.load(values)
    state.signal_next = content[17]
    state.hours[:], state.hour_held[:] = content[18:]
    return orders


def _load_order(content: list[Any]) -> Order:
    order = Order.__new__(Order)
    for name, value in zip(ORDER_FIELDS, content, strict=True):
        setattr(order, name, tuple(value) if isinstance(value, list) else value)
    order.phase = Phase(order.phase)
    return order


def _load_mind(mind: Mind, content: list[Any]) -> None:
    mind.decide_next, mind.decisions, mind.is_dirty, mind.has_news = content[:4]
    mind.is_stopped, memory, views = content[4:]
    mind.memory[:] = memory
    mind.views = tuple(View(*view) for view in views)


def _load_desk(desk: Desk, content: list[Any], orders: dict[int, Order]) -> None:
    desk.has_news, desk.is_settled, proposed, quotes, desk.signal, desk.capital, slots = content
    desk.proposed, desk.quotes = tuple(proposed), tuple(quotes)
    for slot, values in zip(desk.slots, slots, strict=True):
        order, old, vetoed, veto, slot.veto_count, slot.rejects, slot.backoff_until = values
        slot.order = orders.get(order)
        slot.old = orders.get(old)
        slot.vetoed = tuple(vetoed) if vetoed is not None else None
        slot.veto = msgspec.convert(veto, Veto) if veto is not None else None
