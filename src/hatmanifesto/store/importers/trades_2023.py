"""Reads the venue's own first published history of 2023: trades, liquidations, ledger updates."""

from collections.abc import Iterator
from pathlib import Path

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.store.importers.contract import Batch, Foreign
from hatmanifesto.store.importers.headed_csv import Cells, Parser, Row, csv_batches, kind_of
from hatmanifesto.store.importers.rowwise import (
    SetAside,
    made_id,
    number,
    side_of,
    stamp_iso,
)
from hatmanifesto.store.kinds import KINDS, MONEY8, NO_COIN, PX10, SZ8

HEADERS = {
    "fill": "time user coin side px sz crossed".split(),
    "liquidation": ("time user liquidated_ntl_pos liquidated_account_value leverage_type".split()),
    "ledger": "time user delta_usd".split(),
}
SIDES = {"Bid": 1, "Ask": -1}
BOOLEANS = {"true": 1, "false": 0}
MARGIN_TYPES = ("Cross", "Isolated")
UNTOLD: dict[str, int | str] = {
    column.name: "" if column.type == "text" else 0 for column in KINDS["fill"].columns
}
"""A fill of which nothing is told."""


class Trades2023:
    """The importer of the 2023 files; market makers are not in them."""

    name = "hl_trades_2023"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = (
        "stamps: whole seconds",
        "market makers: left out by the venue, this is not the full tape",
        "trade ids: not told, negative ones made of second and row",
        "start position, closed PnL, fee, order id, direction of fills: not told, 0 or empty",
    )

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return the kind of rows by the file's exact header."""
        kind = kind_of(head, HEADERS)
        return None if kind is None else Foreign(path, self.name, kind)

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the file's rows; see ``FileImporter``."""
        return csv_batches(foreign, HEADERS[foreign.what], PARSERS[foreign.what])


def _stamps(cells: Cells, row: int) -> dict[str, int | str]:
    if not cells["user"]:
        raise SetAside("null")
    return {"exch": stamp_iso(cells["time"]), "recv": 0, "row": row, "user": cells["user"]}


def _fill(cells: Cells, row: int) -> Row:
    stamps = _stamps(cells, row)
    px, sz = number(cells["px"], PX10), number(cells["sz"], SZ8)
    if px <= 0 or sz <= 0:
        raise SetAside("non_positive")
    if not cells["coin"] or cells["crossed"] not in BOOLEANS:
        raise SetAside("null")
    return cells["coin"], {
        **UNTOLD,
        **stamps,
        "px": px,
        "sz": sz,
        "side": side_of(cells["side"], SIDES),
        "crossed": BOOLEANS[cells["crossed"]],
        "tid": made_id(stamp_iso(cells["time"]), row),
    }


def _liquidation(cells: Cells, row: int) -> Row:
    notional = number(cells["liquidated_ntl_pos"], MONEY8)
    if notional <= 0:
        raise SetAside("non_positive")
    if cells["leverage_type"] not in MARGIN_TYPES:
        raise SetAside("null", "leverage_type is neither Cross nor Isolated")
    return NO_COIN, {
        **_stamps(cells, row),
        "episode": "",
        "margin_type": cells["leverage_type"],
        "notional": notional,
        "account_value": number(cells["liquidated_account_value"], MONEY8),
        "has_account_value": 1,
    }


def _ledger(cells: Cells, row: int) -> Row:
    return NO_COIN, {
        **_stamps(cells, row),
        "type": "delta_usd",
        "usdc": number(cells["delta_usd"], MONEY8),
        "has_usdc": 1,
        "hash": "",
        "delta": "",
    }


PARSERS: dict[str, Parser] = {
    "fill": _fill,
    "liquidation": _liquidation,
    "ledger": _ledger,
}
