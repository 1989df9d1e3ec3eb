"""Reads one account's history as CSV: fills, funding payments, ledger; and liquidation fills."""

from collections.abc import Iterator
from pathlib import Path

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.store.importers.contract import Batch, Foreign
from hatmanifesto.store.importers.fill_rows import fill_row
from hatmanifesto.store.importers.headed_csv import Cells, Parser, Row, csv_batches, kind_of
from hatmanifesto.store.importers.rowwise import (
    SetAside,
    number,
    stamp_iso,
    stamp_ms,
    whole,
)
from hatmanifesto.store.kinds import MONEY8, NO_COIN, RATE12, SZ8

USER = "account"
"""The files do not name the account they are of."""
HEADERS = {
    "fill": (
        "_key _ts time_ms time_iso coin dir side px sz startPosition closedPnl fee feeToken "
        "builderFee oid tid hash crossed liquidation"
    ).split(),
    "payment": ("_key _ts time_ms time_iso hash coin usdc szi fundingRate nSamples type".split()),
    "ledger": "_key _ts time_ms time_iso hash type usdc amount token delta_json".split(),
    "liquidation": "ts coin user episode notional".split(),
}
OWN_COLUMNS = ("_key", "_ts", "time_ms", "time_iso")
"""Columns the collector added to the venue's words."""
BOOLEANS = {"True": True, "False": False}


class Account:
    """The importer of account histories; stamps are ``time_ms``, the ISO column must agree."""

    name = "hl_account"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = (
        "user: not told in account_*.csv, called 'account'",
        "margin type and account value: not told in liquidation fills",
        "liquidation user: a hash by the collector",
    )

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return the kind of rows by the file's exact header."""
        kind = kind_of(head, HEADERS)
        return None if kind is None else Foreign(path, self.name, kind)

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the file's rows; see ``FileImporter``."""
        return csv_batches(foreign, HEADERS[foreign.what], PARSERS[foreign.what])


def _stamps(cells: Cells, row: int) -> dict[str, int | str]:
    exch = stamp_ms(cells["time_ms"])
    if stamp_iso(cells["time_iso"]) != exch:
        raise SetAside("bad_stamp", "time_iso is another moment than time_ms")
    return {"exch": exch, "recv": 0, "row": row}


def _fill(cells: Cells, row: int) -> Row:
    stamps = _stamps(cells, row)
    wire = {name: text for name, text in cells.items() if name not in OWN_COLUMNS}
    if cells["crossed"] not in BOOLEANS:
        raise SetAside("null", "crossed is neither True nor False")
    fill = {**wire, "crossed": BOOLEANS[cells["crossed"]], "time": cells["time_ms"]}
    coin, columns = fill_row(USER, fill, row=row)
    return coin, columns | stamps


def _payment(cells: Cells, row: int) -> Row:
    stamps = _stamps(cells, row)
    if cells["type"] != "funding":
        raise SetAside("foreign", "no funding payment")
    if cells["nSamples"]:
        raise SetAside("aggregated", "an average of several hours is no payment")
    return _coin(cells), {
        **stamps,
        "user": USER,
        "usdc": number(cells["usdc"], MONEY8),
        "szi": number(cells["szi"], SZ8),
        "rate": number(cells["fundingRate"], RATE12),
        "hash": cells["hash"],
    }


def _ledger(cells: Cells, row: int) -> Row:
    has_usdc = cells["usdc"] != ""
    return NO_COIN, {
        **_stamps(cells, row),
        "user": USER,
        "type": cells["type"],
        "usdc": number(cells["usdc"], MONEY8) if has_usdc else 0,
        "has_usdc": int(has_usdc),
        "hash": cells["hash"],
        "delta": cells["delta_json"],
    }


def _liquidation(cells: Cells, row: int) -> Row:
    exch = stamp_ms(cells["ts"])
    notional = number(cells["notional"], MONEY8)
    if notional <= 0:
        raise SetAside("non_positive")
    if not cells["user"]:
        raise SetAside("null")
    return _coin(cells), {
        "exch": exch,
        "recv": 0,
        "row": row,
        "user": cells["user"],
        "episode": str(whole(cells["episode"])),
        "margin_type": "",
        "notional": notional,
        "account_value": 0,
        "has_account_value": 0,
    }


def _coin(cells: Cells) -> str:
    if not cells["coin"]:
        raise SetAside("null")
    return cells["coin"]


PARSERS: dict[str, Parser] = {
    "fill": _fill,
    "payment": _payment,
    "ledger": _ledger,
    "liquidation": _liquidation,
}
