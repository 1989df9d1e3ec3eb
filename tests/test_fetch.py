"""Fetching against a real server on loopback that answers from recorded histories."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hatmanifesto.apps.fetch import Walk, World, fetch
from hatmanifesto.domain.errors import DataError, EmptyResultError, UsageError
from hatmanifesto.store.dataset import resolve
from hatmanifesto.venue.http import VenueUnavailableError, check_url
from hatmanifesto.venue.paging import Candles, Fills, Funding, Pager
from hatmanifesto.venue.weights import WEIGHT_MAX, WINDOW_NS, Budget, weight_of

HOUR = 3_600_000
BEGIN = 1_735_689_600_000


def candle(index: int, coin: str = "BTC") -> dict[str, Any]:
    start = BEGIN + index * HOUR
    prices = {"o": "95000.0", "h": "95100.0", "l": "94900.0", "c": "95050.0", "v": "1.5"}
    return {"t": start, "T": start + HOUR - 1, "s": coin, "i": "1h", "n": 7, **prices}


def rate(index: int) -> dict[str, Any]:
    row = {"coin": "SOL", "fundingRate": "0.0000125", "premium": "0.0003798388"}
    return {**row, "time": BEGIN + index * HOUR + 76}


class Venue:
    """A server with a history; it counts requests and can fail some of them."""

    def __init__(self) -> None:
        self.candles = [candle(index) for index in range(1_200)]
        self.rates = [rate(index) for index in range(1_100)]
        self.requests: list[dict[str, Any]] = []
        self.failures: list[int] = []
        venue = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                venue.requests.append(body)
                status = venue.failures.pop(0) if venue.failures else 200
                content = json.dumps(venue.answer(body)).encode() if status == 200 else b"busy"
                self.send_response(status)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, body: dict[str, Any]) -> Any:
        if body["type"] == "candleSnapshot":
            ask = body["req"]
            low, high = ask["startTime"], ask["endTime"]
            return [row for row in self.candles if low <= row["t"] <= high][:500]
        if body["type"] == "fundingHistory":
            low, high = body["startTime"], body["endTime"]
            return [row for row in self.rates if low <= row["time"] <= high][:500]
        if body["type"] == "meta":
            return {"universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 40}]}
        return []


@pytest.fixture
def venue() -> Iterator[Venue]:
    found = Venue()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 10**18
        self.slept = 0

    def sleep(self, ns: int) -> None:
        self.now += ns
        self.slept += ns


def world_of(clock: Clock) -> World:
    return World(now_ns=lambda: clock.now, sleep_ns=clock.sleep)


def walk_of(venue: Venue, **changes: Any) -> Walk:
    walk = Walk(venue.url, "candles", "BTC", BEGIN, BEGIN + 1_199 * HOUR)
    return walk._replace(**changes)


def run(walk: Walk, home: Path, clock: Clock | None = None) -> dict[str, Any]:
    world = world_of(clock or Clock())
    return fetch(walk, dataset="fetched", home=home, world=world, say=lambda _: None).summary


def test_candles_are_paged_until_nothing_new_comes(venue: Venue, tmp_path: Path) -> None:
    summary = run(walk_of(venue), tmp_path)
    assert summary["rows"] == 1_200
    assert summary["missing"] == []
    assert len(venue.requests) == 3
    assert [one["req"]["startTime"] for one in venue.requests[:2]] == [BEGIN, BEGIN + 499 * HOUR]


def test_what_the_venue_no_longer_has_is_said(venue: Venue, tmp_path: Path) -> None:
    del venue.candles[:100]
    del venue.candles[200:203]
    missing = run(walk_of(venue), tmp_path)["missing"]
    assert [(one["from_ms"], one["to_ms"]) for one in missing] == [
        (BEGIN, BEGIN + 100 * HOUR),
        (BEGIN + 300 * HOUR, BEGIN + 303 * HOUR),
    ]
    assert "oldest candle" in missing[0]["why"]


def test_a_walk_goes_on_where_it_was_cut(venue: Venue, tmp_path: Path) -> None:
    walk = walk_of(venue)
    venue.failures = [200, *[503] * 10]
    with pytest.raises(VenueUnavailableError, match="503"):
        run(walk, tmp_path)
    pages = next((tmp_path / "fetch").rglob("pages.jsonl"))
    with pages.open("ab") as file:
        file.write(b'{"request":{"type":"cand')
    venue.failures = []
    venue.requests.clear()
    assert run(walk, tmp_path)["rows"] == 1_200
    assert venue.requests[0]["req"]["startTime"] == BEGIN + 499 * HOUR


def test_busy_answers_are_tried_again_later(venue: Venue, tmp_path: Path) -> None:
    clock = Clock()
    venue.failures = [429, 502]
    assert run(walk_of(venue), tmp_path, clock)["rows"] == 1_200
    assert clock.slept >= 3 * 10**9


def test_funding_keeps_premium_and_names_missing_hours(venue: Venue, tmp_path: Path) -> None:
    del venue.rates[700]
    walk = walk_of(venue, kind="funding", subject="SOL", end=BEGIN + 1_100 * HOUR)
    summary = run(walk, tmp_path)
    assert summary["rows"] == 1_099
    assert [one["why"] for one in summary["missing"]] == ["missing hours"]


def test_meta_is_one_answer(venue: Venue, tmp_path: Path) -> None:
    assert run(walk_of(venue, kind="meta", subject=""), tmp_path)["rows"] == 1


def test_an_empty_history_is_no_success(venue: Venue, tmp_path: Path) -> None:
    with pytest.raises(EmptyResultError, match="no fills"):
        run(walk_of(venue, kind="fills", subject="0x" + "1" * 40), tmp_path)


def test_wrong_options_are_named(venue: Venue, tmp_path: Path) -> None:
    for changes, words in (
        ({"kind": "news"}, "--kind 'news'"),
        ({"interval": "7m"}, "--interval '7m'"),
        ({"end": BEGIN - 1}, "--from must be before --to"),
        ({"url": "http://example.org"}, "not encrypted"),
    ):
        with pytest.raises(UsageError, match=words):
            run(walk_of(venue, **changes), tmp_path)
    with pytest.raises(UsageError, match="no address"):
        check_url("ftp://127.0.0.1")


def test_a_pager_refuses_what_cannot_be_a_history() -> None:
    for answer, words in (
        ({"error": 1}, "no list of rows"),
        ([{"t": "1"}], "no list of rows"),
        ([candle(3), candle(2)], "not in time order"),
    ):
        pager = Pager(Candles("BTC", "1h"), start=BEGIN, end=BEGIN + HOUR)
        with pytest.raises(DataError, match=words):
            pager.take(answer)


def test_a_stamp_with_more_rows_than_a_page_is_refused_and_not_walked_for_ever() -> None:
    pager = Pager(Fills("0x0"), start=5, end=10)
    page = [{"time": 5, "tid": number} for number in range(2_000)]
    with pytest.raises(DataError, match="more rows share the stamp 5"):
        pager.take(page)


def test_rows_at_the_seam_of_pages_count_once() -> None:
    pager = Pager(Funding("SOL"), start=BEGIN, end=BEGIN + 10 * HOUR)
    pager.take([rate(0), rate(1)])
    pager.take([rate(1), rate(2)])
    assert [row["time"] for row in pager.rows] == [rate(i)["time"] for i in range(3)]
    pager.take([rate(2)])
    assert pager.is_done


def test_weights_are_the_venues() -> None:
    assert weight_of("l2Book", 1) == 2
    assert weight_of("userRole", 1) == 60
    assert weight_of("fundingHistory", 500) == 45
    assert weight_of("candleSnapshot", 5_000) == 103


def test_a_budget_never_spends_more_than_a_minute_allows() -> None:
    budget = Budget()
    now = 10**18
    spent: list[tuple[int, int]] = []
    for _ in range(200):
        now += budget.wait_ns(now, 45)
        budget.spend(now, 45)
        spent.append((now, 45))
        assert sum(w for at, w in spent if at > now - WINDOW_NS) <= WEIGHT_MAX
    assert now - 10**18 >= (200 * 45 // WEIGHT_MAX - 1) * WINDOW_NS


class Recorded(Venue):
    """The venue as it was recorded: answers come from stored exchanges, a page at a time."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        with gzip.open(path, "rt", encoding="utf-8") as file:
            self.exchanges = list(json.load(file).values())

    def answer(self, body: dict[str, Any]) -> Any:
        asked = body.get("req", body)
        key = "t" if body["type"] == "candleSnapshot" else "time"
        page = 2_000 if body["type"] == "userFillsByTime" else 500
        longest = max((one for one in self.exchanges if self.fits(one, body)), key=self.length)
        rows = sorted(longest["response"], key=lambda row: row[key])
        return [row for row in rows if asked["startTime"] <= row[key] <= asked["endTime"]][:page]

    @staticmethod
    def fits(exchange: dict[str, Any], body: dict[str, Any]) -> bool:
        told, asked = (one.get("req", one) for one in (exchange["request"], body))
        names = ("coin", "user", "interval")
        is_same = exchange["request"]["type"] == body["type"]
        return is_same and all(told.get(name) == asked.get(name) for name in names)

    @staticmethod
    def length(exchange: dict[str, Any]) -> int:
        return len(exchange["response"])


@pytest.fixture
def recorded(shared_data: Path) -> Iterator[Recorded]:
    found = Recorded(shared_data / "hl_api" / "info_api_recorded_responses.json.gz")
    threading.Thread(target=found.server.serve_forever, daemon=True).start()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.mark.parametrize(
    ("kind", "subject", "rows", "table"),
    [
        ("funding", "BTC", 1_038, "funding"),
        ("candles", "kPEPE", 24, "candle"),
        ("fills", "0xb7b6f3cea3f66bf525f5d8f965f6dbf6d9b017b2", 500, "fill"),
    ],
)
def test_recorded_answers_become_rows(
    kind: str, subject: str, rows: int, table: str, recorded: Recorded, tmp_path: Path
) -> None:
    walk = Walk(recorded.url, kind, subject, 1_681_923_833_000, 1_700_000_000_000, "1h")
    summary = run(walk, tmp_path)
    assert summary["rows"] == rows
    manifest = resolve("fetched", tmp_path).snapshots[0].manifest
    stored = sum(file.rows for file in manifest.files if file.kind == table)
    aside = sum(manifest.quarantined.values())
    assert stored + aside >= rows
    assert stored > 0
    assert set(manifest.quarantined) <= {"repeated", "repeated_id"}
