"""Reads recorded exchanges with the info endpoint: what was asked, what the venue answered.

A document ``{name: {recorded, uri, request, status, response}}``; requests and responses are kept
as canonical JSON and not interpreted. ``exch`` is the venue's own date of the answer, to 1 s.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.store.atomic import canonical_json
from hatmanifesto.store.importers.contract import BATCH_ROWS, Batch, Foreign
from hatmanifesto.store.importers.exact import stamps_from_iso
from hatmanifesto.store.importers.series_files import base_name, read_json, refuse
from hatmanifesto.store.importers.sieve import Sieve, rows_of
from hatmanifesto.store.kinds import NO_COIN

FIELDS = ("recorded", "uri", "request", "status", "response")
FIRST = re.compile(rb'\s*\{\s*"[^"]+"\s*:\s*\{\s*"(recorded|uri|request|status|response)"\s*:')
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}:[0-9]{2}:[0-9]{2}) GMT"
)
"""Source: RFC 9110, section 5.6.7, IMF-fixdate."""


class Answers:
    """The importer of recorded answers of the info endpoint."""

    name = "hl_answers"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = ("answers: stamped by the Date header, whole seconds",)

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return what the file is by its name and its first entry's keys."""
        name = base_name(path)
        is_named = name.endswith(".json") and "recorded_responses" in name
        return Foreign(path, self.name, "answers") if is_named and FIRST.match(head) else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the exchanges; see ``FileImporter``."""
        document = read_json(foreign.path, fraction=_exact, constant=_no_number)
        if not isinstance(document, dict):
            raise refuse(foreign.path, "no recorded answers", why="expected an object by name")
        entries = list(document.items())
        for first in range(0, len(entries), BATCH_ROWS):
            yield _batch(foreign, first, entries[first : first + BATCH_ROWS])


def _batch(foreign: Foreign, first: int, entries: Sequence[tuple[str, Any]]) -> Batch:
    sieve = Sieve(foreign.path, first_row=first, count=len(entries))
    whole = np.array([isinstance(e, dict) and set(FIELDS) <= set(e) for _, e in entries])
    sieve.aside(~whole.astype(np.bool_), "null")
    sound = [entry if known else {} for (_, entry), known in zip(entries, whole, strict=True)]
    sieve.exch, dated = stamps_from_iso([iso_of(entry.get("recorded")) for entry in sound])
    sieve.aside(~dated, "bad_stamp")
    columns = {
        "name": [name for name, _ in entries],
        "request": [_text({"uri": e.get("uri"), "request": e.get("request")}) for e in sound],
        "status": [_text(entry.get("status")) for entry in sound],
        "response": [_text(entry.get("response")) for entry in sound],
    }
    table = {name: np.array(values, dtype=np.object_) for name, values in columns.items()}
    return sieve.batch(
        "answer", NO_COIN, table, source_rows=rows_of([list(entry) for entry in entries])
    )


def iso_of(value: object) -> str | None:
    """Return the date of an HTTP header as RFC 3339 text, none if it is no such date."""
    match = HTTP_DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in MONTHS:
        return None
    return f"{match[3]}-{MONTHS.index(match[2]) + 1:02}-{match[1]} {match[4]}+00:00"


def _exact(text: str) -> float:
    """Return a number whose own text comes out again.

    Raises:
        ValueError: if it has more digits than that, or another spelling.
    """
    value = float(text)
    if repr(value) != text:
        raise ValueError(f"expected a number that a double keeps as written, was {text}")
    return value


def _no_number(text: str) -> object:
    raise ValueError(f"expected a number, was {text}")


def _text(value: object) -> str:
    return canonical_json(value).decode("ascii")
