"""Turns a node's trades, order statuses and book differences into rows."""

from collections.abc import Mapping
from typing import Any

from hatmanifesto.store.importers.book_rows import asset_of, print_of
from hatmanifesto.store.importers.rowwise import (
    SIDES,
    SetAside,
    json_text,
    made_id,
    number,
    side_of,
    stamp_iso,
    whole,
    word,
)
from hatmanifesto.store.kinds import PX10, SZ8

DIFF_SIDES = {**SIDES, "Bid": 1, "Ask": -1}
DIFF_SIZES = {"new": ("sz", ""), "update": ("newSz", "origSz")}
"""Action -> the names of the size after it and before it."""
DIFF_FIELDS = {"new": frozenset({"sz", "insertBefore"}), "update": frozenset({"newSz", "origSz"})}

Row = tuple[str, dict[str, int | str]]


def trade_row(event: Mapping[str, Any], *, row: int, recv: int) -> Row:
    """Return the coin and columns of a node's trade; its side is the aggressor's.

    Raises:
        SetAside: ``unknown_coin``, ``bad_stamp``, ``bad_side`` or as ``print_of``.
    """
    asset = asset_of(event["coin"])
    exch = stamp_iso(event["time"])
    px, sz = print_of(event["px"], event["sz"], asset)
    return asset.coin, {
        "exch": exch,
        "recv": recv,
        "row": row,
        "px": px,
        "sz": sz,
        "side": side_of(event["side"]),
        "tid": made_id(exch, row),
        "aside": 0,
    }


def status_row(event: Mapping[str, Any], *, row: int, recv: int) -> Row:
    """Return the coin and columns of an order status; ``order`` keeps the whole order as JSON.

    Raises:
        SetAside: ``null``, ``bad_stamp``, ``bad_side``, ``non_positive``, ``off_grid``.
    """
    order = event["order"]
    if not isinstance(order, dict) or not event["user"] or not event["status"]:
        raise SetAside("null")
    numbers = {
        "limit_px": number(order.get("limitPx"), PX10),
        "sz": number(order.get("sz"), SZ8),
        "orig_sz": number(order.get("origSz"), SZ8),
    }
    if min(numbers.values()) < 0:
        raise SetAside("non_positive")
    return _coin(order), {
        "exch": stamp_iso(event["time"]),
        "recv": recv,
        "row": row,
        "user": word(event["user"]),
        "status": word(event["status"]),
        "side": side_of(order.get("side")),
        "oid": whole(order.get("oid")),
        **numbers,
        "order": json_text(order),
    }


def diff_row(event: Mapping[str, Any], *, row: int, recv: int, exch: int) -> Row:
    """Return the coin and columns of a difference of the book; sizes not told are 0.

    Raises:
        SetAside: ``unknown_field`` for an action it does not know, ``null``, ``bad_side``,
            ``non_positive``, ``off_grid``.
    """
    action, sizes = _action(event["raw_book_diff"])
    px = number(event["px"], PX10)
    after, before = (
        number(sizes.get(name), SZ8) if name else 0 for name in DIFF_SIZES.get(action, ("", ""))
    )
    if px <= 0 or before < 0 or (action == "new" and after <= 0) or after < 0:
        raise SetAside("non_positive")
    return _coin(event), {
        "exch": exch,
        "recv": recv,
        "row": row,
        "user": word(event["user"]),
        "action": action,
        "side": side_of(event["side"], DIFF_SIDES),
        "oid": whole(event["oid"]),
        "px": px,
        "sz": after,
        "orig_sz": before,
        "insert_before": word(sizes.get("insertBefore")),
    }


def _action(diff: object) -> tuple[str, Mapping[str, Any]]:
    if diff == "remove":
        return "remove", {}
    if isinstance(diff, dict) and len(diff) == 1:
        action, sizes = next(iter(diff.items()))
        if action in DIFF_FIELDS and isinstance(sizes, dict):
            unknown = sorted(set(sizes) - DIFF_FIELDS[action])
            if unknown:
                raise SetAside("unknown_field", f"unknown {', '.join(unknown)}")
            return action, sizes
    raise SetAside("unknown_field", "an action that is neither new, update nor remove")


def _coin(event: Mapping[str, Any]) -> str:
    coin = event.get("coin")
    if not isinstance(coin, str) or not coin:
        raise SetAside("null")
    return coin
