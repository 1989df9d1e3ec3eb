"""Index, periods and comparison as their reader meets them: rules for many, links, Chromium."""

import json
import re
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from hatmanifesto.analytics.metrics import Metric
from hatmanifesto.analytics.periods import KINDS, NO_DATA, NO_FILLS, periods_of
from hatmanifesto.apps.compare_page import apart
from hatmanifesto.apps.index_page import (
    ABOUT,
    NOT_IN_RUN,
    NOT_PRODUCED,
    Periods,
    calendar,
    index_page,
    shade,
    short_amount,
)
from hatmanifesto.apps.period_page import Around, costs_of, fees_of, net_bars, period_page
from hatmanifesto.apps.period_tables import NAMED_MAX, ranked
from hatmanifesto.apps.periods import period_object
from hatmanifesto.apps.report.palette import PALETTES
from hatmanifesto.apps.report.small import amount, places_for
from hatmanifesto.apps.report.style_small import SMALL
from hatmanifesto.apps.report_folder import PLACES
from hatmanifesto.cli import main
from hatmanifesto.domain.errors import Exit
from tests.browser import SCHEMES
from tests.house_run import house
from tests.test_compare import MAKER, SPAN, runs_of
from tests.test_report_page import PHONE, WIDE, browser, contrast, data_of_house

__all__ = ["browser"]

ABOUT_RUN = {
    "run_id": "house",
    "strategy": "portfolio",
    "evidence": "ASSUMED",
    "warnings": ["The data rest on assumptions (ASSUMED): no real trade."],
}
PLACED = [(name, "" if "{run}" in path else path) for name, path in PLACES]


def piece(net, fills=3, funding="0"):
    parts = dict.fromkeys("price basis spread adverse_selection timing".split(), "0")
    parts |= dict.fromkeys("fees rebates gap residual".split(), "0")
    parts |= {"price": net, "funding": funding}
    return {"net_pnl_usdc": net, "fills": fills, "turnover_usdc": "10", "components": parts}


def day(name, net, status="ok", fills=3):
    return {"period": name, "status": status, **piece(net, fills)}


def test_many_coins_are_the_largest_and_others_and_sum_to_the_whole():
    split = {f"C{i:03d}": piece(str((-1) ** i * i)) for i in range(1, 136)}
    split |= {"SILENT": piece("0", fills=0), "OWED": piece("0", fills=0, funding=None)}
    rows, rule = ranked(split)
    assert len(rows) == NAMED_MAX
    assert [name for name, _ in rows[:3]] == ["C135", "C134", "C133"]
    assert rows[-1][0] == "others"
    whole = sum(Decimal(one["net_pnl_usdc"]) for one in split.values())
    assert sum(Decimal(one["net_pnl_usdc"]) for _, one in rows) == whole
    assert sum(one["fills"] for _, one in rows) == 3 * 135
    assert rows[-1][1]["components"]["funding"] is None, "one coin's is unknown"
    assert rule.startswith("1 without fill, gain or loss left out. The 23 with the largest")


def test_no_data_no_fills_and_zero_are_told_apart():
    page = calendar(
        [
            day("2025-03-01", "12.5"),
            day("2025-03-02", "-0.004"),
            day("2025-03-03", "0"),
            day("2025-03-04", "0", NO_FILLS, 0),
            day("2025-03-05", "-3", NO_FILLS, 0),
            day("2025-03-06", "0", NO_DATA, 0),
        ]
    )
    found = re.findall(r'<td(?: class="([^"]*)")?><a class="page" .*?<b>(\d+)</b>([^<]*)</a>', page)
    assert [(number, kind, text) for kind, number, text in found] == [
        ("1", "up3", "+12.5"),
        ("2", "down1", "-&lt;.01"),
        ("3", "", "0"),
        ("4", "quiet", "none"),
        ("5", "down2 quiet", "-3.00"),
        ("6", "void", "-"),
    ]
    first = page.index("<tbody>")
    assert page[first:].count('<td aria-hidden="true"></td>') == 5 + 3, "1 March 2025: a Saturday"


def test_the_groups_of_shades_are_equal():
    sizes = [Decimal(i) for i in range(1, 41)]
    groups = [shade(size, sizes) for size in sizes]
    assert [groups.count(one) for one in (1, 2, 3, 4)] == [10, 10, 10, 10]


@pytest.mark.parametrize(
    ("net", "text"),
    [
        ("0", "0"),
        ("0.004", "+<.01"),
        ("-0.01", "-0.01"),
        ("9.994", "+9.99"),
        ("12.34", "+12.3"),
        ("-195.76", "-196"),
        ("1234", "+1.2k"),
        ("-123456", "-123k"),
        ("5400000", "+5.4m"),
    ],
)
def test_short_amounts(net, text):
    assert short_amount(Decimal(net)) == text


@pytest.mark.parametrize("scheme", SCHEMES)
def test_numbers_can_be_read_on_every_shade(scheme):
    colours = PALETTES[scheme]
    shares = [int(share) for share in re.findall(r"color-mix\(in srgb,var\(--gain\) (\d+)%", SMALL)]
    assert len(shares) == 4
    for name in ("gain", "loss"):
        for share in shares:
            mixed = [
                round(int(colours[name][i : i + 2], 16) * share / 100)
                + round(int(colours["paper"][i : i + 2], 16) * (100 - share) / 100)
                for i in (1, 3, 5)
            ]
            ground = "#" + "".join(f"{min(255, part):02x}" for part in mixed)
            assert contrast(colours["ink"], ground) >= 4.5, (name, share)


def test_money_has_one_number_of_decimals_and_separators():
    assert [places_for(text) for text in ("30", "999.99", "1000", "-5000")] == [4, 4, 2, 2]
    assert amount("1234567.891", 2) == "1,234,567.89"
    assert amount("0.5", 4, is_signed=True) == "+0.5000"
    assert amount("-0.000001", 2) == "-0.000001", "never a false zero"
    assert amount("0.000000", 2) == "0"
    assert amount(None, 2) == "unknown"


def test_unknown_funding_is_said_and_leaves_the_fees():
    parts = {"fees": "-4.5", "rebates": "0.5", "funding": None}
    assert costs_of(parts) is None
    assert fees_of(parts) == 4
    assert costs_of({**parts, "funding": "10"}) == -6
    assert costs_of({**parts, "funding": "0"}) == 4


@pytest.mark.parametrize(
    ("name", "left", "right", "paired", "verdict"),
    [
        ("net_pnl", ("5", "1", "9"), ("6", "1", "9"), "contains zero", "no"),
        ("net_pnl", ("5", "1", "9"), ("6", "1", "9"), "excludes zero", "yes"),
        ("net_pnl", ("5", None, None), ("6", None, None), "too few steps", "no interval"),
        ("sharpe", (1.0, 0.5, 1.5), (3.0, 2.5, 3.5), "contains zero", "yes"),
        ("sharpe", (1.0, 0.5, 2.6), (3.0, 2.5, 3.5), "excludes zero", "no"),
        ("fills", (5, None, None), (6, None, None), "excludes zero", "no interval"),
        ("fills", (5, None, None), (5, None, None), "excludes zero", "same"),
        ("calmar", (None, None, None), (None, None, None), "excludes zero", "same"),
    ],
)
def test_which_figures_are_apart(name, left, right, paired, verdict):
    pair = [Metric(*side, 9, "") for side in (left, right)]
    assert apart(name, *pair, paired) == verdict


def test_every_place_is_explained_in_a_line():
    assert list(ABOUT) == [name for name, _ in PLACES]
    assert all(len(line) < 80 and not line.endswith(".") for line in ABOUT.values())


@pytest.mark.slow
def test_what_a_run_lacks_is_not_blamed_on_the_release(pages):
    index = pages["index"].read_text()
    answers = dict(re.findall(r"<tr><td>([^<]+)</td><td><span[^>]*>([^<]+)</span>", index))
    assert answers["executive_dashboard.html"] == NOT_IN_RUN, "made without its page"
    assert answers["capacity"] == NOT_PRODUCED


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the pages of a run of forty days, and of a comparison, by name."""
    root = tmp_path_factory.mktemp("pages")
    analysis = house(coins=40, books=3, days=40, fills=900)
    found = {k: periods_of(k, analysis.facts, analysis.paths, analysis.equity) for k in KINDS}
    told = {k: [period_object(p, k, analysis) for p in found[k]] for k in KINDS}
    out = {"index": root / "index.html"}
    content = index_page(data_of_house(analysis), ABOUT_RUN, Periods(**told), PLACED)
    out["index"].write_bytes(content)
    for kind, at in (("daily", 17), ("monthly", 0)):
        inner = told["daily"][:31] if kind == "monthly" else ()
        around = Around(ABOUT_RUN, "hl_candles@0123", "", "before", "after", (), inner)
        out[kind] = root / f"{kind}.html"
        page = period_page(around, told[kind][at], found[kind][at], analysis.equity)
        assert page == period_page(around, told[kind][at], found[kind][at], analysis.equity)
        out[kind].write_bytes(page)
    home = root / "home"
    for more in ((), ("--set", "gamma=0.3")):
        assert main(["--home", str(home), "backtest", *MAKER, *SPAN, *more]) == Exit.OK
    assert main(["--home", str(home), "compare", *runs_of(home)]) == Exit.OK
    (out["compare"],) = (home / "reports" / "compare").glob("*.html")
    return out


@pytest.mark.slow
@pytest.mark.parametrize("is_known", [True, False])
def test_the_bars_add_up_to_net_where_funding_is_unknown_too(is_known):
    analysis = house(coins=3, books=2, days=9, fills=90)
    for period in periods_of("daily", analysis.facts, analysis.paths, analysis.equity)[1:]:
        told = period_object(period, "daily", analysis)
        assert Decimal(told["components"]["funding"])
        if not is_known:
            told["components"]["funding"] = None
        *parts, net = net_bars(told, period, 2)
        assert sum(bar.value for bar in parts) == pytest.approx(net.value, abs=1e-6)
        assert ("funding known" in [bar.name for bar in parts]) is not is_known


@pytest.mark.slow
def test_a_period_without_data_claims_nothing():
    analysis = house(coins=2, books=1, days=4, fills=20)
    period = periods_of("daily", analysis.facts, analysis.paths, analysis.equity)[1]
    period = msgspec.structs.replace(period, status=NO_DATA)
    told = period_object(period, "daily", analysis)
    page = period_page(Around(ABOUT_RUN, "x@1", ""), told, period, analysis.equity).decode()
    assert "<h1>No data on Thursday 2025-01-02: no coin of the run was recorded" in page
    assert "<figure" not in page
    assert 'class="tiles"' not in page
    assert 'href="2025-01-02.json"' in page


@pytest.mark.slow
def test_a_period_says_its_result_first_and_stays_small(pages: dict[str, Path]):
    page = pages["daily"].read_text()
    assert len(page) < 60_000
    sentence = re.search(r"<h1>(.*?)</h1>", page).group(1)
    assert re.match(r"portfolio (made|lost) [\d,.]+ USDC (after|with) ", sentence)
    assert re.search(r" with \d+ fills on Saturday 2025-01-18\.$", sentence)
    assert page.index("<h1>") < page.index('class="banner"') < page.index('class="tiles"')
    assert 'href="before.html"' in page
    assert 'href="after.html"' in page
    assert "others" in re.search(r"Net profit by coin</h3>(.*?)</figure>", page, re.S).group(1)
    month = pages["monthly"].read_text()
    assert 'href="../daily/2025-01-31.html"' in month
    index = pages["index"].read_text()
    assert index.count('href="tearsheets/daily/2025-01-31.html"') == 2
    assert len(index) < 120_000


FIGURES = """JSON.stringify([...document.querySelectorAll("figure")].map(figure => ({
title: figure.querySelector("h3").textContent,
axes: [...figure.querySelectorAll(".axis")].map(one => one.textContent),
ticks: figure.querySelectorAll(".tick").length,
drawn: figure.querySelectorAll("polyline, rect").length,
caption: figure.querySelector("figcaption").textContent,
right: Math.max(...[...figure.querySelectorAll("text")].map(
one => one.getBoundingClientRect().right))})))"""
UNITS = re.compile(r", USDC$|^USDC|, UTC$")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index", "daily", "monthly", "compare"])
def test_chromium_shows_every_small_page_wide_and_narrow_light_and_dark(name, pages, browser):
    grounds = set()
    for width in (WIDE, PHONE):
        for scheme in SCHEMES:
            browser.open(pages[name], width=width, scheme=scheme)
            assert browser.complaints() == []
            assert browser.requests() == [pages[name].as_uri()]
            assert browser.evaluate("document.documentElement.scrollWidth") <= width
            grounds.add(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
            figures = json.loads(browser.evaluate(FIGURES))
            assert figures
            for one in figures:
                assert one["title"]
                assert len(one["axes"]) == 2, one
                assert any(UNITS.search(text) for text in one["axes"]), one
                assert one["ticks"] >= 3, one
                assert one["drawn"] >= 1, one
                assert "Source: " in one["caption"], one
                assert one["right"] <= width, one
    assert len(grounds) == len(SCHEMES)


@pytest.mark.slow
def test_the_choice_of_colours_goes_along_to_the_next_page(pages, browser):
    browser.open(pages["daily"], width=PHONE, scheme="light")
    browser.evaluate("document.getElementById('theme').click()")
    browser.drawn("dark")
    assert browser.evaluate("document.querySelector('a.page').hash") == "#dark"
    assert browser.evaluate("document.cookie") == ""
    first = "document.activeElement.className"
    browser.evaluate("document.querySelector('.skip').focus()")
    assert browser.evaluate(first) == "skip"
    assert browser.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
