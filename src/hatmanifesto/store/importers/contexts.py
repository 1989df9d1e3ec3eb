"""Reads asset contexts: the venue's daily archive as CSV, and a websocket message of all dexs.

The message names no coins and tells no time: its perps are ``#INDEX`` (first dex) or
``DEX:#INDEX``, their stamp is 0. Numbers finer than their column are rounded half to even there
and kept digit by digit in ``finer``.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.store.importers.checks import Mask
from hatmanifesto.store.importers.contract import BATCH_ROWS, Batch, Foreign
from hatmanifesto.store.importers.exact import as_texts
from hatmanifesto.store.importers.series_files import (
    base_name,
    csv_batches,
    csv_header,
    read_json,
    refuse,
)
from hatmanifesto.store.importers.sieve import Sieve, rows_of
from hatmanifesto.store.kinds import KINDS

ARCHIVE = {
    "mark": "mark_px",
    "oracle": "oracle_px",
    "mid": "mid_px",
    "impact_bid": "impact_bid_px",
    "impact_ask": "impact_ask_px",
    "prev_day": "prev_day_px",
    "funding": "funding",
    "premium": "premium",
    "open_interest": "open_interest",
    "day_notional": "day_ntl_vlm",
}
"""Our columns by the archive's. Source: PROTOCOL 16, asset_ctxs."""
MESSAGE = {
    "mark": "markPx",
    "oracle": "oraclePx",
    "mid": "midPx",
    "prev_day": "prevDayPx",
    "funding": "funding",
    "premium": "premium",
    "open_interest": "openInterest",
    "day_notional": "dayNtlVlm",
    "day_volume": "dayBaseVlm",
}
"""Our columns by the message's; impactPxs holds the other two. Source: PROTOCOL 4.3, PerpCtx."""
IMPACT = ("impact_bid", "impact_ask")
OPTIONAL = frozenset({"mid", "premium", "day_volume", *IMPACT})
"""Columns the venue leaves out for a perp that does not trade; the others must be told."""
DECIMALS = {column.name: column.decimals for column in KINDS["ctx"].columns if column.type == "int"}
TELLING = b'"allDexsAssetCtxs"'


class Contexts:
    """The importer of asset contexts."""

    name = "hl_contexts"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = (
        "allDexsAssetCtxs: perps named by index, stamp unknown (0)",
        "contexts: numbers finer than their column rounded half to even, kept in finer",
    )

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return what the file is: an archive day by its header, a message by its channel."""
        name = base_name(path)
        if name.endswith(".csv"):
            names = set(csv_header(head))
            is_alike = {"time", "coin"} <= names and len(names & set(ARCHIVE.values())) > 5
            return Foreign(path, self.name, "archive") if is_alike else None
        is_message = re.match(rb'\s*\{\s*"channel"\s*:\s*' + TELLING, head)
        return Foreign(path, self.name, "message") if is_message and name[-5:] == ".json" else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the contexts; see ``FileImporter``."""
        yield from _archive(foreign) if foreign.what == "archive" else _message(foreign)


def _archive(foreign: Foreign) -> Iterator[Batch]:
    first = 0
    for batch in csv_batches(foreign.path, ("time", "coin", *ARCHIVE.values())):
        sieve = Sieve(foreign.path, first_row=first, count=batch.num_rows)
        coins = sieve.coins(batch["coin"])
        sieve.stamps_iso(batch["time"])
        fields = {name: batch[column] for name, column in ARCHIVE.items()}
        yield sieve.batch("ctx", coins, _table(sieve, fields), source_rows=rows_of(batch))
        first += batch.num_rows


def _message(foreign: Foreign) -> Iterator[Batch]:
    document = read_json(foreign.path)
    try:
        dexs = [(str(dex), list(perps)) for dex, perps in document["data"]["ctxs"]]
        named = [
            (f"{dex}:#{index}" if dex else f"#{index}", perp)
            for dex, perps in dexs
            for index, perp in enumerate(perps)
        ]
        is_sound = all(isinstance(perp, dict) for _, perp in named)
    except (KeyError, TypeError, ValueError):
        is_sound, named = False, []
    if not is_sound:
        raise refuse(foreign.path, "no contexts", why="expected data.ctxs: [[dex, [context]]]")
    for first in range(0, len(named), BATCH_ROWS):
        yield _message_batch(foreign, first, named[first : first + BATCH_ROWS])


def _message_batch(foreign: Foreign, first: int, part: list[tuple[str, dict[str, Any]]]) -> Batch:
    missing = sorted(set(MESSAGE.values()) - {"dayBaseVlm"} - set(part[0][1]))
    if missing:
        raise refuse(foreign.path, "missing column", why=f"no {', '.join(missing)} in a context")
    sieve = Sieve(foreign.path, first_row=first, count=len(part))
    coins = sieve.coins(as_texts([coin for coin, _ in part]))
    perps = [perp for _, perp in part]
    fields = {name: [perp.get(key) for perp in perps] for name, key in MESSAGE.items()}
    pairs = [_impact(perp.get("impactPxs")) for perp in perps]
    for index, name in enumerate(IMPACT):
        fields[name] = [pair[index] for pair in pairs]
    return sieve.batch(
        "ctx", coins, _table(sieve, fields), source_rows=rows_of([list(row) for row in part])
    )


def _impact(value: object) -> tuple[object, object]:
    if value is None:
        return None, None
    return (value[0], value[1]) if isinstance(value, list) and len(value) == 2 else ("?", "?")


def _table(sieve: Sieve, fields: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return the kind's columns; what is missing or finer is told by name."""
    table: dict[str, NDArray[Any]] = {}
    missing = np.full(sieve.count, "", dtype=np.object_)
    finer = np.full(sieve.count, "", dtype=np.object_)
    for name in KINDS["ctx"].names:
        if name not in DECIMALS or name in ("exch", "recv", "row"):
            continue
        if name not in fields:
            table[name] = np.zeros(sieve.count, dtype=np.int64)
            _append(missing, np.ones(sieve.count, dtype=np.bool_), name)
            continue
        table[name], told, is_finer = sieve.rounded(fields[name], decimals=DECIMALS[name])
        if name not in OPTIONAL:
            sieve.aside(~told, "null")
        _append(missing, ~told, name)
        _append_texts(finer, is_finer, name, fields[name])
    sieve.aside((table["mark"] <= 0) | (table["oracle"] <= 0), "non_positive")
    return {**table, "missing": missing, "finer": finer}


def _append(words: NDArray[np.object_], mask: Mask, word: str) -> None:
    """Add ``word`` to the comma-separated words of some rows."""
    for row in np.flatnonzero(mask).tolist():
        words[row] = f"{words[row]},{word}" if words[row] else word


def _append_texts(words: NDArray[np.object_], mask: Mask, name: str, values: Any) -> None:
    rows = np.flatnonzero(mask).tolist()
    if rows:
        texts = as_texts(values).take(rows).to_pylist()
        for row, text in zip(rows, texts, strict=True):
            words[row] = f"{words[row]},{name}={text}" if words[row] else f"{name}={text}"
