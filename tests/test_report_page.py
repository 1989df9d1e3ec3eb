"""The page of a run as its reader meets it: contrast, policy, many strategies, Chromium."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from hatmanifesto.analytics.findings import Finding
from hatmanifesto.apps.demo import run_demo
from hatmanifesto.apps.report import render_report
from hatmanifesto.apps.report.figures import figures_of
from hatmanifesto.apps.report.head import ASSUMED_BANNER, SYN_BANNER
from hatmanifesto.apps.report.palette import PALETTES
from hatmanifesto.apps.report.parts import SERIES
from hatmanifesto.apps.report_data import Assumption, ReportData
from hatmanifesto.apps.report_text import caveats, headline
from hatmanifesto.domain.enums import Evidence
from tests.browser import SCHEMES, Browser, chromium
from tests.house_run import house
from tests.test_report import data_of, figures_in, journal, text_of


@pytest.fixture(scope="module")
def small():
    return data_of(*journal(), evidence=Evidence.SYN)


@pytest.fixture(scope="module")
def many():
    """Return a run of three strategies over nine coins and forty days."""
    return data_of_house(house(coins=9, books=3, days=40, fills=400))


def data_of_house(analysis):
    return ReportData(
        title="portfolio",
        evidence=Evidence.ASSUMED,
        source="hl_candles@0123",
        main=analysis,
        assumptions=[
            Assumption("half spread", "2 bps", "candles hold no book", is_assumed=True),
            Assumption("one word", ",".join(f"COIN{n}" for n in range(40)), is_assumed=True),
            Assumption("fees", "base tier"),
        ],
    )


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Return the contrast ratio. Source: WCAG 2.2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_and_lines_stand_out_from_their_ground(scheme):
    colours = PALETTES[scheme]
    for ground in ("page", "paper"):
        for word in ("ink", "muted", "accent", "gain", "loss"):
            assert contrast(colours[word], colours[ground]) >= 4.5, (word, ground)
    assert contrast(colours["warn"], colours["warnbg"]) >= 4.5
    lines = ["buy", "sell", *[f"series{i}" for i in range(SERIES)]]
    for name in lines:
        assert contrast(colours[name], colours["paper"]) >= 3, name
    assert len({colours[f"series{i}"] for i in range(SERIES)}) == SERIES


def test_the_policy_allows_the_two_scripts_of_the_page_and_nothing_else(small):
    page = render_report(small).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not re.search(r"https?:|\*|unsafe-eval", policy)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    digests = [b64encode(sha256(text.encode()).digest()).decode() for text in scripts]
    assert re.findall(r"sha256-([^']+)", policy) == digests


def test_a_caption_or_name_cannot_bring_markup(small):
    title = '</script><script>alert("x")</script><img src=x>'
    page = render_report(replace(small, title=title, source=title)).decode()
    assert "<img" not in text_of(page)
    assert page.count("<script") == 3


def test_findings_are_ranked_with_effect_interval_and_experiment(small):
    finding = Finding(
        kind="adverse_selection",
        scope="coin",
        key=0,
        name="BTC",
        text="the mid moved 4.20 USDC against maker fills of BTC within 5 s",
        effect=-4.2,
        low=-6.1,
        high=-2.3,
        relative=-1.1,
        relative_unit="bps of turnover",
        p_value=0.00001,
        n=321,
        experiment="quote one tick wider",
    )
    found = [finding, *[finding] * 7]
    told = replace(small, main=replace(small.main, findings=found))
    shell = text_of(render_report(told).decode())
    assert "The mid moved 4.20 USDC against maker fills of BTC within 5 s." in shell
    assert "95 % interval -6.10 .. -2.30 USDC" in shell
    assert "p = below 0.0001; n = 321" in shell
    assert "Try: quote one tick wider." in shell
    assert "and 4 smaller ones" in shell
    silent = replace(small, main=replace(small.main, findings=[]))
    none = text_of(render_report(silent).decode())
    assert "Nothing significant" in none


def test_assumed_pages_name_what_is_assumed(many):
    shell = text_of(render_report(many).decode())
    assert f"{ASSUMED_BANNER} <span>half spread (2 bps); one word (COIN0,COIN1," in shell


@pytest.mark.slow
def test_many_strategies_are_told_apart(many):
    page = render_report(many).decode()
    shell = text_of(page)
    names = [figure["name"] for figure in figures_in(page)["figures"]]
    for name in ("strategies", "allocations", "calendar", "by-strategy", "by-coin", "by-hour"):
        assert name in names
    assert {"by-regime", "returns", "funding"} <= set(names)
    assert "portfolio (3 strategies)" in headline(many)
    assert re.search(r"on 9 coins in [\d.]+ days .*; best strategy\d .*, worst strategy\d ", shell)
    assert "ZeroDivisionError: division by zero" in shell
    assert "risk_parity" in shell
    assert "By month" in shell


@pytest.mark.slow
def test_mids_far_apart_show_no_markouts_and_say_why(many, small):
    drawn = figures_of(many.main)
    assert "markouts" not in [figure.name for figure in drawn.all]
    reasons = {item.title: item.why for item in drawn.missing}
    assert reasons["Markouts after our fills"].startswith("mids come every 1 hour, the longest")
    assert any(note.startswith("Mids come every 1 hour:") for note in caveats(many))
    assert "markouts" in [figure.name for figure in figures_of(small.main).all]
    assert not any("Mids come" in note for note in caveats(small))


@pytest.mark.slow
def test_strategies_that_move_apart_have_no_correlation(many):
    figure = next(one for one in figures_of(many.main).all if one.name == "correlation")
    table = figure.traces[0]["z"]
    assert [table[i][i] for i in range(3)] == [1, 1, 1]
    assert all(abs(table[i][j]) < 0.6 for i in range(3) for j in range(3) if i != j)


@pytest.mark.slow
def test_strategies_over_time_sum_to_the_account(many):
    figure = next(one for one in figures_of(many.main).all if one.name == "strategies")
    last = sum(trace["y"][-1] for trace in figure.traces)
    assert last == pytest.approx(many.main.attribution.total.net / 2e6, abs=1e-5)


@pytest.mark.slow
def test_a_page_of_135_coins_and_10_strategies_stays_small():
    analysis = house(coins=135, books=10, days=120, fills=6_000)
    page = render_report(data_of_house(analysis)).decode()
    assert len(page.encode()) < 7_000_000
    figures = {figure["name"]: figure for figure in figures_in(page)["figures"]}
    assert len(figures["fills"]["contents"]) == 12
    assert len(figures["strategies"]["contents"][0]["traces"]) == SERIES
    coins = figures["by-coin"]["contents"][0]["traces"][0]
    assert len(coins["x"]) == 24
    assert coins["x"][-1] == "others"
    assert sum(coins["y"]) == pytest.approx(analysis.attribution.total.net / 2e6, abs=1e-3)
    assert text_of(page).count("<option>") == 12
    rows = re.search(r"By coin, USDC</h3>(.*?)</table>", page, re.S).group(1)
    assert rows.count("<tr>") == 1 + len(analysis.attribution.by_coin)


@pytest.mark.slow
def test_the_page_of_the_demo_has_more_than_ten_figures_and_25_key_figures(tmp_path):
    outcome = run_demo(home=str(tmp_path), seed=7)
    page = Path(outcome.summary["report_html"]).read_text()
    assert len(figures_in(page)["figures"]) > 10
    assert page.count("<figcaption>") == len(figures_in(page)["figures"])
    table = re.search(r'<table class="figures">(.*?)</table>', page, re.S).group(1)
    assert table.count("<tr><td>") >= 25
    assert SYN_BANNER in page


@pytest.fixture(scope="module")
def browser():
    path = chromium()
    if path is None:
        pytest.skip("platform: no chromium")
    with Browser(path) as one:
        yield one


WIDE, PHONE = 1400, 390
SEEN = """JSON.stringify([...document.querySelectorAll(".plot")].map(plot => [plot.id,
plot.querySelectorAll("svg.main-svg").length, plot.querySelectorAll(".trace, .points, .hm").length,
plot.querySelectorAll(".xtitle, .x2title").length > 0]))"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "looks"),
    [
        ("small", [(width, scheme) for width in (WIDE, PHONE) for scheme in SCHEMES]),
        ("many", [(WIDE, "light"), (PHONE, "dark")]),
    ],
)
def test_chromium_draws_every_figure_wide_and_narrow_light_and_dark(
    kind, looks, browser, request, tmp_path
):
    data = request.getfixturevalue(kind)
    path = tmp_path / "report.html"
    path.write_bytes(render_report(data))
    grounds = set()
    for width, scheme in looks:
        browser.open(path, width=width, scheme=scheme)
        seen = json.loads(browser.evaluate(SEEN))
        assert len(seen) >= 10
        for name, svgs, marks, has_title in seen:
            assert svgs >= 1, name
            assert marks >= 1, name
            assert has_title, name
        assert browser.complaints() == []
        assert browser.requests() == [path.as_uri()]
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        grounds.add(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == len(SCHEMES)


@pytest.mark.slow
def test_the_reader_can_switch_colours_pick_a_coin_and_sort(browser, many, tmp_path):
    path = tmp_path / "report.html"
    path.write_bytes(render_report(many))
    browser.open(path, width=WIDE, scheme="light")
    browser.evaluate("document.getElementById('theme').click()")
    browser.drawn("dark")
    assert browser.evaluate("document.documentElement.getAttribute('data-theme')") == "dark"
    assert browser.evaluate("document.cookie") == ""
    ground = "document.querySelector('#plot-equity .main-svg').style.background"
    browser.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.evaluate(ground) == "rgb(255, 255, 255)"  # ink on white paper
    browser.evaluate("window.dispatchEvent(new Event('afterprint'))")
    browser.drawn("dark")
    title = "document.querySelector('#plot-fills .ytitle').textContent"
    before = browser.evaluate(title)
    pick = "const s = document.getElementById('fills-pick'); s.selectedIndex = 1;"
    browser.evaluate(f"{{{pick} s.dispatchEvent(new Event('change'));}}")
    assert browser.evaluate(title) != before
    table = "[...document.querySelectorAll('table.sortable')].find(t => /^coin/.test(t.innerText))"
    column = f"JSON.stringify([...{table}.tBodies[0].rows].map(r => r.cells[1].textContent))"
    click = f"{table}.querySelectorAll('thead button')[1].click()"
    browser.evaluate(click)
    falling = [float(x.replace(",", "")) for x in json.loads(browser.evaluate(column))]
    browser.evaluate(click)
    rising = [float(x.replace(",", "")) for x in json.loads(browser.evaluate(column))]
    assert falling == sorted(falling, reverse=True)
    assert rising == sorted(falling)
    assert browser.complaints() == []
