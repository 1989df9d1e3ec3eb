"""Bad market data files are refused or set aside for their own fault; their twins are taken."""

import base64
import gzip
import json
import sys
from typing import Any

import pytest

from tests import bad_inputs_market
from tests.bad_inputs import check_file
from tests.test_bad_inputs import cases_of, shared_file

NAME = "market_data_file"
T0 = bad_inputs_market.T0
HEADER = "t,o,h,l,c,v,n\n"
BAR = "95000,95010,94990,95005,1.5,10\n"
TRADE = json.dumps({"time": T0, **bad_inputs_market.PRINT, "tid": 1})
GOOD = f"{T0},{BAR}"


def case(title: str, outcome: str, data: str | bytes = "", **over: Any) -> dict[str, Any]:
    if isinstance(data, bytes):
        given = {"encoding": "base64", "data": base64.b64encode(data).decode()}
    else:
        given = {"encoding": "utf8", "data": data}
    told = {"id": title, "category": NAME, "title": title, "input": given}
    return {**told, "expected": {"outcome": outcome}, **over}


def generated(title: str, **spec: Any) -> dict[str, Any]:
    return case(title, "reject_file", input={"encoding": "generator", "spec": spec})


SIBLINGS = [
    case("Empty file", "reject_file", ""),
    case("Header only", "reject_file", HEADER),
    case("UTF-8 byte order mark (control)", "accept", "\ufeff" + HEADER + GOOD),
    case("UTF-16", "reject_file", (HEADER + GOOD).encode("utf-16")),
    case("Latin-1 text", "reject_file", (HEADER + GOOD).encode() + b"\xe9\xe9\n"),
    case("Separated by tabs", "reject_file", (HEADER + GOOD).replace(",", "\t")),
    case("Semicolon and decimal comma", "reject_file", (HEADER + GOOD).replace(",", ";")),
    case("Duplicate column", "reject_file", "t,o,h,l,c,v,n,c\n" + GOOD.replace("\n", ",1\n")),
    case("Too many fields", "reject_file", HEADER + GOOD.replace("\n", ",1\n")),
    case("Seconds instead of milliseconds", "reject_file", f"{HEADER}{T0 // 1000},{BAR}"),
    case("Microseconds", "reject_file", f"{HEADER}{T0}000,{BAR}"),
    case("Negative price", "reject_row", f"{HEADER}{T0},-1,95010,-1,95005,1.5,10\n"),
    case("Zero price", "reject_row", f"{HEADER}{T0},0,95010,0,95005,1.5,10\n"),
    case("Negative volume", "reject_row", f"{HEADER}{T0},95000,95010,94990,95005,-1,10\n"),
    case("Future timestamp", "reject_row", f"{HEADER}{T0 + 86_400_000},{BAR}"),
    case("Missing value", "reject_row", f"{HEADER}{T0},,95010,94990,95005,1.5,10\n"),
    case("Unsorted rows (control)", "accept", f"{HEADER}{T0 + 60_000},{BAR}{GOOD}"),
    case("Unknown coin", "reject_row", f"t,coin,side,px,sz\n{T0},NOSUCH,B,95000,1\n"),
    case("Unknown side", "reject_row", f"t,coin,side,px,sz\n{T0},BTC,X,95000,1\n"),
    case("Price off the tick grid", "reject_row", f"t,coin,side,px,sz\n{T0},BTC,B,95000.5,1\n"),
    case("JSON lines, partial last line", "reject_file", TRADE + "\n" + TRADE[:20]),
    case("Gzip of a sound file (control)", "accept", gzip.compress((HEADER + GOOD).encode())),
    generated("Gzip bomb", gen="gzip_bomb", size_mb=64),
    generated("Zip bomb", gen="zip_bomb", size_mb=64),
    generated("Zip member with parent path", gen="zip", members=[{"name": "../e", "data": "x"}]),
    generated("Tar with absolute path", gen="tar", members=[{"name": "/e.csv", "data": "x"}]),
    generated("Tar with hard link", gen="tar", members=[{"name": "d", "hardlink": "/etc/hosts"}]),
]


@pytest.mark.slow
def test_shared_cases_pass_with_none_unmapped():
    if not shared_file().is_file():
        pytest.skip("data: the shared reliability cases are not here")
    report = check_file(cases_of(shared_file()), categories=(NAME,))
    assert report.lines == []
    assert not report.unmapped
    assert report.passed[NAME] == report.twins[NAME] > 0


@pytest.mark.slow
@pytest.mark.parametrize("one", SIBLINGS, ids=lambda one: str(one["title"]))
def test_siblings_pass_with_their_twins(one):
    report = check_file([one], categories=(NAME,))
    assert report.lines == []
    assert (report.passed[NAME], report.twins[NAME]) == (1, 1)


def answering(code: int, text: str) -> Any:
    def product(argv: list[str]) -> int:
        (sys.stdout if code == 0 else sys.stderr).write(text)
        return code

    return product


def test_products_that_refuse_or_take_everything_fail():
    report = {"rows_in": 1, "rows_out": 1, "merged": 0, "quarantined": {}, "gaps": []}
    for product in (
        answering(3, "hat: no rows, no usable, torn tail, NUL, unit of time, ohlc, non_positive"),
        answering(0, json.dumps(report)),
    ):
        found = check_file(SIBLINGS, categories=(NAME,), product=product)
        assert found.is_bad
        assert found.failed[NAME] > len(SIBLINGS)
        assert not found.twins[NAME]


@pytest.mark.parametrize(
    "over",
    [
        {"context": "the moon is full"},
        {"title": "something nobody thought of"},
        {"input": {"encoding": "mutation"}},
        {"input": {"encoding": "generator", "spec": {"gen": "hologram"}}},
        {"expected": {"outcome": "quarantine"}},
    ],
)
def test_what_cannot_be_said_is_unmapped(over):
    report = check_file([case("Header only", "reject_file", HEADER) | over], categories=(NAME,))
    assert report.unmapped[NAME] == 1
    assert report.is_bad


def test_no_case_is_no_success():
    assert check_file([], categories=(NAME,)).is_bad
