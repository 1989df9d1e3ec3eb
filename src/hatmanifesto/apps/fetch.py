"""`hat data fetch`: walks the venue's history, keeps every answer, and imports what came.

Every answer is written to HOME/fetch/WALK/pages.jsonl before the next is asked for, so that a walk
that was cut short goes on where it stopped. The finished walk is imported like any other file.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from hatmanifesto.apps.data import import_paths
from hatmanifesto.apps.times import parse_time
from hatmanifesto.domain.errors import EmptyResultError, Exit, UsageError
from hatmanifesto.domain.units import NS_MS
from hatmanifesto.store.atomic import canonical_json, write_atomic
from hatmanifesto.venue.http import VenueUnavailableError, check_url, post_json
from hatmanifesto.venue.paging import INTERVAL_MS, Candles, Fills, Funding, History, Pager
from hatmanifesto.venue.weights import WEIGHT_MAX, Budget, weight_of

KINDS = ("candles", "funding", "fills", "meta")
META = "meta"
TRIES_MAX = 6
ROWS_EXPECTED = 5_000
"""Rows that a page may bring: the budget is asked for its weight before the request is sent."""

FIRST_DAY_NS = 1_676_419_200 * 10**9
"""2023-02-15, before the venue's first recorded trade [ns]."""

Say = Callable[[str], None]


class Walk(NamedTuple):
    """What to fetch. Times in ms, inclusive; ``subject`` is the coin, or the account for fills."""

    url: str
    kind: str
    subject: str
    start: int
    end: int
    interval: str = "1h"

    def pager(self) -> Pager:
        """Return a pager at the start of the walk."""
        history: History
        if self.kind == "candles":
            history = Candles(self.subject, self.interval)
        elif self.kind == "funding":
            history = Funding(self.subject)
        else:
            history = Fills(self.subject)
        return Pager(history, start=self.start, end=self.end)

    def name(self) -> str:
        """Return a folder name that says what is walked and is the same for the same walk."""
        digest = hashlib.sha256(canonical_json(list(self))).hexdigest()[:12]
        subject = "".join(c for c in self.subject if c.isalnum())[:16] or "all"
        return f"{self.kind}-{subject}-{digest}"


class World(NamedTuple):
    """The clock [ns] and the two things a walk does to the world."""

    now_ns: Callable[[], int]
    sleep_ns: Callable[[int], None]
    post: Callable[[str, dict[str, Any]], Any] = post_json


class FetchOutcome(NamedTuple):
    """What came, what did not, and the dataset it became."""

    summary: dict[str, Any]
    text: str
    exit_code: int


def walk_of(  # noqa: PLR0913  the words of one command line
    *,
    url: str,
    kind: str,
    subject: str | None,
    start: str | None,
    end: str | None,
    interval: str,
    now_ns: int,
) -> Walk:
    """Return the walk of a command line; without times it is the whole history.

    Raises:
        UsageError: names the option that is missing or no time.
    """
    if kind != META and not subject:
        option = "--user" if kind == "fills" else "--coin"
        raise UsageError(f"{option} is missing", fix=f"say whose {kind} to fetch")
    try:
        first = parse_time(start) if start is not None else FIRST_DAY_NS
        last = parse_time(end) if end is not None else now_ns
    except ValueError as error:
        raise UsageError(f"--from or --to: {error}", fix="write 2025-01-01T00:00:00Z") from None
    whole = subject if kind != META and subject else ""
    return check_walk(Walk(url, kind, whole, first // NS_MS, last // NS_MS, interval))


def check_walk(walk: Walk) -> Walk:
    """Return ``walk`` with its address checked.

    Raises:
        UsageError: names the option that is wrong.
    """
    if walk.kind not in KINDS:
        raise UsageError(f"--kind {walk.kind!r} is unknown", fix=f"use one of {', '.join(KINDS)}")
    if walk.kind == "candles" and walk.interval not in INTERVAL_MS:
        known = ", ".join(INTERVAL_MS)
        raise UsageError(f"--interval {walk.interval!r} is unknown", fix=f"use one of {known}")
    if walk.start > walk.end:
        raise UsageError("--from must be before --to", fix="give a span that is not empty")
    return walk._replace(url=check_url(walk.url))


def fetch(walk: Walk, *, dataset: str, home: Path, world: World, say: Say) -> FetchOutcome:
    """Fetch, import, and prove what is covered.

    Raises:
        UsageError, DataError: a wrong option, or an answer that cannot be right.
        EmptyResultError: the venue has nothing of it.
        VenueUnavailableError: after several tries; the same command goes on where this stopped.
    """
    walk = check_walk(walk)
    folder = home / "fetch" / walk.name()
    folder.mkdir(parents=True, exist_ok=True)
    pages = folder / "pages.jsonl"
    budget = Budget()
    if walk.kind == META:
        answer = _ask(walk, {"type": META}, budget, world, say)
        write_atomic(pages, _line({"type": META}, answer))
        return _finish(walk, pages, [answer], [], budget, dataset=dataset, home=home, say=say)
    pager = walk.pager()
    resumed = _resume(pager, pages)
    if resumed:
        say(f"{resumed} pages are here already")
    while not pager.is_done:
        request = pager.request()
        answer = _ask(walk, request, budget, world, say)
        pager.take(answer)
        with pages.open("ab") as file:
            file.write(_line(request, answer))
        say(f"page {pager.pages}: {len(pager.rows)} rows")
    if not pager.rows:
        raise EmptyResultError(
            f"the venue has no {walk.kind} of {walk.subject} in this span",
            fix="widen --from and --to, or check the name",
        )
    lost = [{"from_ms": one.start, "to_ms": one.end, "why": one.why} for one in pager.lost()]
    return _finish(walk, pages, pager.rows, lost, budget, dataset=dataset, home=home, say=say)


def _line(request: dict[str, Any], answer: Any) -> bytes:
    return canonical_json({"request": request, "response": answer}) + b"\n"


def _resume(pager: Pager, pages: Path) -> int:
    """Give stored answers to the pager again; a half line at the end was never whole."""
    if not pages.exists():
        return 0
    whole = []
    for line in pages.read_bytes().split(b"\n"):
        try:
            page = json.loads(line)
        except ValueError:
            break
        if pager.is_done or page["request"] != pager.request():
            break
        pager.take(page["response"])
        whole.append(line)
    write_atomic(pages, b"".join(line + b"\n" for line in whole))
    return len(whole)


def _ask(walk: Walk, request: dict[str, Any], budget: Budget, world: World, say: Say) -> Any:
    """Post one request within the budget, waiting and trying again a bounded number of times."""
    kind = str(request["type"])
    expected = weight_of(kind, ROWS_EXPECTED)
    for attempt in range(TRIES_MAX):
        wait = budget.wait_ns(world.now_ns(), min(expected, WEIGHT_MAX))
        if wait:
            say(f"waiting {wait / 1e9:.1f} s: the venue's budget of this minute is spent")
            world.sleep_ns(wait)
        try:
            answer = world.post(f"{walk.url}/info", request)
        except VenueUnavailableError:
            budget.spend(world.now_ns(), weight_of(kind, 0))
            if attempt == TRIES_MAX - 1:
                raise
            world.sleep_ns(10**9 << attempt)
            continue
        budget.spend(world.now_ns(), weight_of(kind, len(answer) if answer else 0))
        return answer
    raise AssertionError("the loop returns or raises")


def _finish(  # noqa: PLR0913  two call sites, the end of a walk
    walk: Walk,
    pages: Path,
    rows: list[Any],
    lost: list[dict[str, Any]],
    budget: Budget,
    *,
    dataset: str,
    home: Path,
    say: Say,
) -> FetchOutcome:
    report = import_paths([pages], dataset=dataset, home=home, progress=say)
    summary = {
        "status": "ok",
        "kind": walk.kind,
        "subject": walk.subject,
        "from_ms": walk.start,
        "to_ms": walk.end,
        "rows": len(rows),
        "weight": budget.total,
        "missing": lost,
        "dataset": report.manifest.dataset,
        "dataset_hash": report.manifest.hash,
    }
    lines = [f"{len(rows)} {walk.kind} rows of {walk.subject}, weight {budget.total}"]
    lines += [f"missing {one['from_ms']} .. {one['to_ms']} ms: {one['why']}" for one in lost]
    if not lost and walk.kind != META:
        lines.append("nothing is missing in the span")
    lines.append(f"dataset: {report.snapshot.spec}")
    return FetchOutcome(summary, "\n".join(lines), Exit.OK)
