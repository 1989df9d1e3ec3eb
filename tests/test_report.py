"""The report and the ledger files of a small generated run: bytes, words, honesty, exactness."""

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from hatmanifesto.analytics.mids import Mids
from hatmanifesto.analytics.spacing import duration
from hatmanifesto.apps.report import render_report
from hatmanifesto.apps.report.head import SYN_BANNER
from hatmanifesto.apps.report.page import NAV
from hatmanifesto.apps.report.parts import thin
from hatmanifesto.apps.report_build import COMPONENT_NAMES, RunIdentity, analyse
from hatmanifesto.apps.report_data import Assumption, ReportData
from hatmanifesto.apps.report_text import grouped, headline, money
from hatmanifesto.domain.commands import Place
from hatmanifesto.domain.enums import Evidence, Status, Tif
from hatmanifesto.domain.events import Closed, Filled, FundingPaid, FundingUnknown, Opened, Refused
from hatmanifesto.domain.records import BatchMark, Began, Ended, GapSeen, Veto
from hatmanifesto.domain.units import NS_S
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.store.ledger_columns import COLUMNS
from hatmanifesto.store.ledger_file import (
    iso_of,
    ledger_csv,
    ledger_parquet,
    ratio_text,
    totals_of,
)
from hatmanifesto.store.ledger_read import read_ledger_csv

T0 = 1_756_987_200 * NS_S  # 2025-09-04T12:00:00Z
COINS = ("BTC", "ETH")
PX = {"BTC": 1_112_000, "ETH": 440_000}
TICK = {"BTC": 10, "ETH": 10}
SZ = {"BTC": 90, "ETH": 220}


def walk(coin, *, seconds, seed):
    """Return half-second mids of a random walk with a hole after a third of the time."""
    rng = np.random.Generator(np.random.PCG64(seed))
    steps = rng.integers(-2, 3, size=2 * seconds) * TICK[coin]
    ts = T0 + np.arange(2 * seconds, dtype=np.int64) * (NS_S // 2)
    mid2 = 2 * PX[coin] + TICK[coin] + np.cumsum(steps)
    hole = slice(2 * seconds // 3, 2 * seconds // 3 + 180)
    keep = np.ones(len(ts), dtype=bool)
    keep[hole] = False
    gap = (int(ts[hole.start - 1]), int(ts[hole.stop]))
    return Mids(ts[keep], mid2[keep].astype(np.int64)), gap


def journal(*, seconds=2_100, seed=5, every=9, coins=COINS):
    """Return the records and mids of a made-up maker that leans against its inventory."""
    rng = np.random.Generator(np.random.PCG64(seed))
    mids, records = {}, [Began("{}"), BatchMark(T0, 1, 0)]
    for slot, coin in enumerate(coins):
        mids[slot], (start, end) = walk(coin, seconds=seconds, seed=seed + slot)
        records.append(GapSeen(slot, start, end, 2))
    held = dict.fromkeys(range(len(coins)), 0)
    for intent, second in enumerate(range(every, seconds - 5, every)):
        slot = intent % len(coins)
        coin = coins[slot]
        ts = T0 + second * NS_S + 7
        at = int(np.searchsorted(mids[slot].ts, ts)) - 1
        is_hole = ts - int(mids[slot].ts[at]) > NS_S
        side = -1 if held[slot] > 0 else 1 if held[slot] < 0 else int(rng.choice([-1, 1]))
        taker = intent % 6 == 5
        mid2 = int(mids[slot].mid2[at])
        px = mid2 // 2 + (side if taker else -side) * TICK[coin] * int(rng.integers(0, 3))
        sz = SZ[coin] if held[slot] == 0 else abs(held[slot])
        fee = px * sz * (450 if taker else 150) // 10**6
        tif = Tif.IOC if taker else Tif.ALO
        records.append(Place(intent, 0, slot, 0, side, px, sz, tif, False, mid2, ts - 3 * NS_S))
        records.append(Opened(intent, intent, sz, ts - 2 * NS_S, ts - 2 * NS_S))
        if intent % 11 == 10:
            records.append(Closed(intent, Status.CANCELED, 0, ts, ts + 10))
        elif intent % 29 == 28:
            records.append(Refused(intent, Status.BAD_ALO_PX_REJECTED, "crossed", ts, ts))
        else:
            recv = ts + 200_000_000
            records.append(Filled(intent, intent, px, sz, fee, taker, is_hole, ts, recv))
            held[slot] += side * sz
    stamp = T0 + 1_200 * NS_S
    records.append(FundingPaid(0, 90, PX["BTC"] * 10**9, 125_000, -12, stamp, stamp))
    records.append(Veto("risk", "position_notional_over_max", "notional=120 max=100", 0, 0, 0, T0))
    records.append(Veto("risk", "position_notional_over_max", "", 0, 0, 0, T0, 41))
    records += [BatchMark(T0 + seconds * NS_S, 1, 0), Ended("end of data", 2, "0")]
    return records, mids


def analysis_of(records, mids, **changes):
    assets = [PERPS[coin] for coin in COINS[: len(mids)]]
    identity = RunIdentity(assets, ["maker"], 650 * 10**6, 7, "demo", "REP")
    return analyse(records, mids, replace(identity, **changes))


def data_of(records, mids, evidence=Evidence.REP, **changes):
    main = analysis_of(records, mids)
    return ReportData(
        **{
            "title": "maker",
            "evidence": evidence,
            "source": "hl_example, BTC and ETH book and trades",
            "main": main,
            "ties": "pessimistic",
            "others": {"optimistic": main},
            "notes": ["Too small because one ETH lot of 10 USDC is 12 % of 80 USDC."],
            "assumptions": [
                Assumption("order latency", "fixed 200 ms", "published median of the venue"),
                Assumption("queue model", "risk averse", "cancels behind us only", is_assumed=True),
            ],
            "provenance": [("dataset", "ab" * 32), ("commit", "cd" * 20), ("dirty", None)],
            **changes,
        }
    )


@pytest.fixture(scope="module")
def run():
    return journal()


@pytest.fixture(scope="module")
def page(run):
    return render_report(data_of(*run)).decode()


def text_of(page):
    """Return the page without its scripts and styles."""
    return re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)


def test_the_page_is_one_file_that_asks_for_nothing(page):
    assert len(page.encode()) < 6_000_000
    shell = text_of(page)
    assert not re.search(r"\ssrc=|url\(|@import|https?:", shell)
    assert set(re.findall(r'href="([^"]*)"', shell)) == {f"#{name}" for name in [*NAV]}
    assert page.count("<h1>") == 1
    assert page.count("plotly.js v") == 1


def figures_in(page):
    return json.loads(re.search(r'id="figures">(.*?)</script>', page, re.S).group(1))


def test_every_figure_has_a_title_axes_units_a_caption_and_a_source(page):
    names = [figure["name"] for figure in figures_in(page)["figures"]]
    assert len(names) >= 10
    assert names[:3] == ["equity", "attribution", "parts"]
    for figure in figures_in(page)["figures"]:
        for content in figure["contents"]:
            axes = [v for k, v in content["layout"].items() if k.startswith(("xaxis", "yaxis"))]
            assert len(axes) >= 2
            assert all(axis["title"]["text"] for axis in axes)
            if len(content["traces"]) > 1:
                assert all(trace["name"] for trace in content["traces"])
        assert f'id="plot-{figure["name"]}"' in page
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert len(captions) == len(names)
    for caption in captions:
        assert caption.endswith("Source: hl_example, BTC and ETH book and trades; run demo.")
        assert len(caption) > 100
    titles = re.findall(r'<h3 id="[a-z-]+-title">([^<]+)</h3>', page)
    assert len(titles) == len(set(titles)) == len(names)


def test_ids_are_unique(page):
    ids = re.findall(r'\sid="([^"]+)"', text_of(page))
    assert len(ids) == len(set(ids))


def test_what_is_not_drawn_is_said_once_with_its_reason(page):
    line = re.search(r'<p class="absent">Not shown: (.*?)</p>', page).group(1)
    assert "Net profit by strategy over time (one strategy)" in line
    assert "Net profit by day (1 day, 10 are needed)" in line
    assert page.count('class="absent"') == 1


def test_every_colour_token_is_in_both_palettes(page):
    content = figures_in(page)
    tokens = set(re.findall(r'"@([a-z0-9]+)"', json.dumps(content["figures"])))
    assert tokens
    for palette in content["palettes"].values():
        assert tokens <= set(palette)


def test_the_first_sentence_says_result_cost_time_nothing_and_edge(run):
    sentence = headline(data_of(*run))
    pattern = (
        r"maker (made|lost) [\d.,]+ USDC after [\d.,]+ of costs on BTC and ETH in 33\.5 minutes of "
        r"recorded data; doing nothing made 0; edge (not )?shown "
        r"\((loss; )?95 % interval -?[\d.,]+ \.\. -?[\d.,]+\)\."
    )
    assert re.fullmatch(pattern, sentence)


def test_generated_data_are_never_evidence(run):
    page = render_report(data_of(*run, evidence=Evidence.SYN)).decode()
    assert SYN_BANNER in page
    assert "of generated data" in text_of(page)
    assert SYN_BANNER not in render_report(data_of(*run)).decode()


def test_notes_assumptions_and_unknowns_are_on_the_page(page):
    shell = text_of(page)
    assert "Too small because one ETH lot" in shell
    assert "ASSUMED" in shell
    assert re.search(r'dirty</td><td class="hash">unknown', shell)
    assert "position notional over max" in shell
    assert "badAloPxRejected" in shell


def test_the_parts_on_the_page_sum_to_net(run):
    found = analysis_of(*run)
    parts = [Decimal(found.components[name]) for name in COMPONENT_NAMES]
    assert sum(parts) == Decimal(found.net_pnl_usdc)
    assert found.components["residual"] == "0"


def test_unknown_funding_is_null_in_the_parts_and_said_on_the_page(run):
    records, mids = run
    stamp = T0 + 1_500 * NS_S
    records = [*records, FundingUnknown(1, 5, stamp, stamp)]
    found = analysis_of(records, mids)
    assert found.components["funding"] is None
    assert Decimal(found.memo["funding_known_usdc"]) == Decimal("-0.000012")
    shell = text_of(render_report(data_of(records, mids)).decode())
    assert "1 funding hour of ETH passed with a position and no rate" in shell
    assert re.search(r'>funding<span[^>]*>[^<]*</span></td><td class="num">unknown</td>', shell)


def test_a_run_without_fills_says_so():
    records, mids = journal(every=5_000)
    data = data_of(records, mids)
    assert data.main.status == "empty"
    shell = text_of(render_report(data).decode())
    assert "made no fills" in shell
    assert "no result" in shell
    assert 'class="muted">no fills' in shell


def test_a_run_without_mids_still_renders():
    data = data_of([Began("{}"), Ended("end of data", 0, "")], {})
    assert "unknown: no mid in the data" in render_report(data).decode()


SCRIPT = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from hatmanifesto.apps.report import render_report
from hatmanifesto.store.ledger_file import ledger_csv, ledger_parquet
from tests.house_run import house
from tests.test_report import data_of, journal
from tests.test_report_page import data_of_house
print(hashlib.sha256(render_report(data_of_house(house(coins=5, books=3, days=12, fills=90))))
    .hexdigest())
data = data_of(*journal())
rows = data.main.ledger
for content in (render_report(data), ledger_csv(rows), ledger_parquet(rows)):
    print(hashlib.sha256(content).hexdigest())
"""


@pytest.mark.slow
def test_bytes_do_not_depend_on_zone_locale_hash_seed_or_folder(tmp_path):
    root = Path(__file__).parents[1]
    settings = [("UTC", "C", "0"), ("Asia/Kathmandu", "C.UTF-8", "4711")]
    outputs = set()
    for number, (zone, locale, seed) in enumerate(settings):
        folder = tmp_path / str(number)
        folder.mkdir()
        env = {**os.environ, "TZ": zone, "LC_ALL": locale, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", SCRIPT, str(root)]
        done = subprocess.run(
            command, env=env, cwd=folder, capture_output=True, text=True, check=True
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1


def test_ledger_files_hold_the_same_totals_exactly(run):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found = analysis_of(*run)
    rows = read_ledger_csv(ledger_csv(found.ledger))
    assert rows == found.ledger
    stored = pq.read_table(io.BytesIO(ledger_parquet(found.ledger)))
    assert stored.column_names == [name for name, _ in COLUMNS]
    totals = totals_of(rows)
    for name, total in totals.items():
        assert pc.sum(stored[name]).as_py() == total
    fees = Decimal(found.components["fees"]) + Decimal(found.components["rebates"])
    assert totals["fee"] == -fees
    assert totals["funding"] == Decimal(found.components["funding"])
    assert totals["notional"] == Decimal(found.memo["turnover_usdc"])
    assert stored["ts_ns"].to_pylist() == sorted(stored["ts_ns"].to_pylist())


def test_ledger_closes_to_net_when_everything_is_flat(run):
    found = analysis_of(*run)
    last = {}
    for row in found.ledger:
        if row["reason_code"].startswith("fill"):
            last[row["symbol"]] = row
    totals = totals_of(found.ledger)
    closed = totals["pnl_realized"] - totals["fee"] + totals["funding"]
    assert Decimal(found.ledger[-1]["account_balance"]) == 650 + closed
    if all(row["position_size"] == "0" for row in last.values()):
        assert closed == Decimal(found.net_pnl_usdc)


def test_csv_has_newlines_only_and_the_agreed_columns(run):
    content = ledger_csv(analysis_of(*run).ledger)
    assert b"\r" not in content
    head = content.split(b"\n", 1)[0].decode().split(",")
    agreed = (
        "ts strategy_name side qty price fee fee_bps funding slippage_bps pnl_realized "
        "pnl_unrealized reason_code maker_flag order_state regime_label cloid symbol order_id "
        "fill_id run_id evidence_class expected_price decision_mid markout_5s_bps"
    )
    assert set(agreed.split()) <= set(head)


def test_words_for_numbers():
    assert iso_of(T0 + 5) == "2025-09-04T12:00:00.000000005Z"
    assert [ratio_text(a, 3, decimals=2) for a in (1, 2, -2)] == ["0.33", "0.67", "-0.67"]
    assert ratio_text(1, 2, decimals=0) == "1"
    assert grouped("-1234567.891", 2) == "-1,234,567.89"
    assert grouped("0.0000004", 4) == "0.0000004"
    assert money(None) == "unknown"
    assert duration(35 * 60 * NS_S) == "35 minutes"
    assert duration(90 * NS_S) == "90 seconds"


def test_thinning_keeps_the_extremes():
    values = np.zeros(100_000, dtype=np.int64)
    values[[31_415, 77_777]] = [9, -9]
    kept = thin(values, 500)
    assert len(kept) <= 500
    assert {0, 31_415, 77_777, 99_999} <= set(kept.tolist())
