"""Turns a fill as the venue tells it into a row of fills; a field it does not know is a fault.

Numbers are exact or, where a column has too few decimals, rounded with the source's own text kept
in ``extra``: spot balances are doubles written out, merged takers have averages as prices.
"""

from collections.abc import Mapping
from typing import Any

from hatmanifesto.store.importers.rowwise import (
    SetAside,
    json_text,
    near,
    side_of,
    stamp_ms,
    whole,
    word,
)
from hatmanifesto.store.kinds import KINDS

NEEDED = ("coin", "px", "sz", "side", "time", "startPosition", "dir", "closedPnl", "hash", "oid")
OPTIONAL = frozenset(
    "crossed fee tid feeToken twapId cloid builder builderFee liquidation".split()
    + "priorityGas deployerFee feeTrialEscrow".split()
)
"""Source: PROTOCOL 5.3 and 17.2."""
NUMBERS = {
    "px": "px",
    "sz": "sz",
    "start_position": "startPosition",
    "closed_pnl": "closedPnl",
    "fee": "fee",
    "builder_fee": "builderFee",
}
"""Column -> the wire's name."""
UNTOLD_IS_ZERO = frozenset({"builderFee"})
"""The wire leaves it out when there is none; every other number must be told."""
WORDS = {
    "dir": "dir",
    "fee_token": "feeToken",
    "hash": "hash",
    "cloid": "cloid",
    "builder": "builder",
    "twap_id": "twapId",
    "liquidation": "liquidation",
}
NO_COLUMN = ("priorityGas", "deployerFee", "feeTrialEscrow")
UNTRADED = frozenset(
    "Spot Dust Conversion|Net Child Vaults|Settlement|Auto-Deleveraging"
    "|Split Outcome|Merge Outcome|Merge Question|Negate Outcome".split("|")
)
"""Directions that need no counterpart, and whose price may be zero. Source: PROTOCOL 5.3."""
DECIMALS = {column.name: column.decimals for column in KINDS["fill"].columns}


def fill_row(
    user: str, fill: Mapping[str, Any], *, row: int, recv: int = 0, block: int = 0
) -> tuple[str, dict[str, int | str]]:
    """Return the coin and the columns of one fill in the wire's words.

    Args:
        user: the account.
        fill: by the wire's names; numbers as text, or as floats with their shortest text.
        row: of the source.
        recv: [ns], 0 unknown.
        block: 0 not told.

    Raises:
        SetAside: ``unknown_field`` with its name, ``null``, ``bad_stamp``, ``bad_side``,
            ``not_finite``, ``non_positive``, ``off_grid`` (beyond 64 bits, or no number).
    """
    unknown = sorted(set(fill) - OPTIONAL - set(NEEDED))
    if unknown:
        raise SetAside("unknown_field", f"unknown {', '.join(unknown)}")
    if any(fill.get(name) in (None, "") for name in NEEDED) or not user:
        raise SetAside("null")
    if not isinstance(fill["coin"], str) or not isinstance(fill["dir"], str):
        raise SetAside("null", "coin and dir must be text")
    numbers, extra = _numbers(fill)
    is_free = fill["dir"] in UNTRADED and numbers["px"] == 0
    if numbers["sz"] <= 0 or (numbers["px"] <= 0 and not is_free):
        raise SetAside("non_positive")
    return fill["coin"], {
        "exch": stamp_ms(fill["time"]),
        "recv": recv,
        "row": row,
        "user": user,
        **numbers,
        "side": side_of(fill["side"]),
        "crossed": _crossed(fill.get("crossed")),
        "oid": whole(fill["oid"]),
        "tid": whole(fill.get("tid")),
        **{column: word(fill.get(name)) for column, name in WORDS.items()},
        "extra": json_text(extra) if extra else "",
        "block": block,
    }


def _numbers(fill: Mapping[str, Any]) -> tuple[dict[str, int], dict[str, Any]]:
    numbers = {}
    extra = {name: fill[name] for name in NO_COLUMN if fill.get(name) not in (None, "")}
    for column, name in NUMBERS.items():
        value = fill.get(name)
        if value in (None, "") and name in UNTOLD_IS_ZERO:
            numbers[column] = 0
            continue
        numbers[column], is_exact = near(value, DECIMALS[column])
        if not is_exact:
            extra[name] = value if isinstance(value, str) else repr(value)
    return numbers, extra


def _crossed(value: object) -> int:
    if value is None:
        return -1
    if not isinstance(value, bool):
        raise SetAside("null")
    return int(value)
