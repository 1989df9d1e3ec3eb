"""Breakdowns sum, hold is what arithmetic says, findings find what is planted and nothing else."""

import numpy as np
import pytest

from hatmanifesto.analytics.allot import funding_shares
from hatmanifesto.analytics.attribution import SUMMED, paths_of
from hatmanifesto.analytics.benchmark import benchmark_of
from hatmanifesto.analytics.breakdown import KINDS, Names
from hatmanifesto.analytics.clustered import sum_of_groups, sum_of_series
from hatmanifesto.analytics.equity import equity_of
from hatmanifesto.analytics.findings import SPOT_TIER, FeeRates, fee_findings
from hatmanifesto.analytics.markouts import markout_table
from hatmanifesto.analytics.mids import Mids
from hatmanifesto.books.allot import HOUSE
from hatmanifesto.domain.units import NS_HOUR, NS_S
from tests.analytics_world import (
    FREE,
    MINUTE,
    NAMES,
    T0,
    broken_down,
    fill,
    found_in,
    payment,
    run_of,
    with_fills,
)

SCHEDULE = FeeRates()


def labelled(facts):
    """Return the facts with regimes and payments."""
    rows = [row._replace(regime=i % 3) for i, row in enumerate(facts.fills)]
    paid = [payment(T0 + k * NS_HOUR, k % 2, 977 * k - 2_000) for k in range(1, 6)]
    return with_fills(facts, rows, paid)


@pytest.mark.parametrize("seed", range(5))
def test_every_breakdown_sums_to_the_total_exactly(seed):
    facts, mids = run_of(seed, rates=SCHEDULE)
    _, breakdowns, equity, attribution = broken_down(labelled(facts), mids)
    assert set(breakdowns) == set(KINDS)
    for kind, buckets in breakdowns.items():
        keys = [bucket.key for bucket in buckets]
        assert keys == sorted(set(keys))
        for name in (*SUMMED, "fees", "rebates", "funding", "net", "funding_known", "fills"):
            whole = sum(getattr(bucket.parts, name) for bucket in buckets)
            assert whole == getattr(attribution.total, name), (kind, name)
        assert all(bucket.parts.residual == 0 for bucket in buckets)
    for kind in ("hour", "day"):
        assert sum(bucket.earned for bucket in breakdowns[kind]) == int(equity.pnl[-1])
    assert breakdowns["strategy"][0].parts == attribution.by_book[breakdowns["strategy"][0].key]


def test_a_bucket_is_told_by_its_name():
    assert NAMES.of("strategy", 1) == "beta"
    assert NAMES.of("strategy", -1) == "house"
    assert NAMES.of("hour", 7) == "07:00 UTC"
    assert NAMES.of("day", 20_335) == "2025-09-04"
    assert (Names().of("coin", 3), Names().of("regime", 0)) == ("coin 3", "unknown")


def test_funding_that_is_unknown_is_unknown_in_its_buckets_alone():
    import msgspec

    from hatmanifesto.domain.events import FundingUnknown

    facts, mids = run_of(3)
    stamp = T0 + 2 * NS_HOUR
    facts = msgspec.structs.replace(facts, funding_unknown=(FundingUnknown(1, 5, stamp, stamp),))
    _, breakdowns, _, _ = broken_down(facts, mids)
    known = {bucket.key: bucket.parts.funding for bucket in breakdowns["coin"]}
    assert known == {0: 0, 1: None}
    hours = [bucket for bucket in breakdowns["hour"] if bucket.parts.funding is None]
    assert [bucket.key for bucket in hours] == [stamp // NS_HOUR % 24]


def test_regimes_share_funding_by_the_positions_they_opened():
    rows = [
        fill(T0 + 1, 1, 100, 30, 0, 0, True, FREE, 0, regime=1),
        fill(T0 + 2, 1, 100, 10, 0, 0, True, FREE, 1, regime=2),
    ]
    facts, _ = run_of(0, fills=0, coins=1)
    facts = with_fills(facts, rows, [payment(T0 + 9, 0, -400)])
    mids = {0: Mids(np.array([T0, T0 + NS_S]), np.array([200, 200]))}
    _, breakdowns, _, _ = broken_down(facts, mids)
    assert [b.parts.funding for b in breakdowns["regime"]] == [-600, -200]


def test_funding_is_charged_to_who_held_before_the_hour():
    """The venue charges at the hour and says so 40 ms later; a fill between pays nothing."""
    hour = (T0 // NS_HOUR + 1) * NS_HOUR
    rows = [
        fill(hour - 5, 1, 100, 30, 0, 0, True, FREE, 0),
        fill(hour, 1, 100, 70, 1, 0, True, FREE, 1),
        fill(hour + 9, -1, 100, 30, 0, 0, True, FREE, 2),
    ]
    at_hour = payment(hour + 40_000_000, 0, -600)
    named = at_hour.__class__(0, 30, 1, 1, -600, at_hour.exch, at_hour.recv)
    assert funding_shares([named], rows) == [(named, {0: -600})]
    later = named.__class__(0, 70, 1, 1, -600, hour + 40_000_001, at_hour.recv)
    assert funding_shares([named, later], rows)[1] == (later, {1: -600})
    assert funding_shares([named], []) == [(named, {HOUSE: -600})]


def test_hold_buys_each_coin_when_it_is_first_seen_and_pays_both_ways():
    ts = np.array([T0, T0 + 100 * NS_S, T0 + 300 * NS_S])
    late = np.array([T0 + 200 * NS_S, T0 + 300 * NS_S])
    mids = {0: Mids(ts, np.array([200, 260, 300])), 1: Mids(late, np.array([1000, 500]))}
    facts, _ = run_of(0, fills=0)
    paths = paths_of(facts, mids)
    equity = equity_of((), paths, step_ns=50 * NS_S)
    found = benchmark_of(equity, paths, capital=1_000 * 10**6, seed=1, taker_rate=100_000_000)
    bought = 500 / 1.01
    by_hand = bought * (1.5 + 0.5) - 1_000 - 0.01 * bought * (1.5 + 0.5)
    assert found.hold_net == pytest.approx(by_hand, rel=1e-12)
    before = np.searchsorted(equity.ts, T0 + 199 * NS_S) - 1
    assert found.hold[before] == pytest.approx(bought * 1.3 - 500, rel=1e-12)
    assert found.excess == pytest.approx(-by_hand, rel=1e-12)
    assert found.cash == 0
    assert benchmark_of(equity, paths, capital=0, seed=1) is None
    assert benchmark_of(None, {}, capital=1, seed=1) is None


def test_excess_over_hold_has_a_paired_interval():
    facts, mids = run_of(5)
    paths = paths_of(facts, mids)
    equity = equity_of(facts.fills, paths)
    found = benchmark_of(equity, paths, capital=10**9, seed=1)
    low, high = found.excess_interval
    assert low <= found.excess <= high
    assert found.excess == pytest.approx(int(equity.pnl[-1]) / 2e6 - found.hold_net, rel=1e-9)


def test_fees_twice_the_schedule_are_the_first_finding():
    facts, mids = run_of(11, rates=SCHEDULE)
    assert not [one for one in found_in(facts, mids, SCHEDULE) if one.is_fault]
    rows = [row._replace(fee=2 * row.fee) if row.book == 1 else row for row in facts.fills]
    found = found_in(with_fills(facts, rows), mids, SCHEDULE)
    excess = sum(row.fee for row in facts.fills if row.book == 1) / 1e6
    assert (found[0].kind, found[0].name) == ("fees", "beta")
    assert found[0].effect == pytest.approx(-excess)
    assert [one.name for one in found if one.is_fault] == ["beta"]


def test_fees_may_be_short_by_rounding_and_no_more():
    rows = [fill(T0 + i, 1, 100_000, 100, 0, 0, True, SCHEDULE, i) for i in range(50)]
    assert fee_findings(rows, NAMES, {}) == []
    rounded = [row._replace(fee=row.fee - 1) for row in rows]
    assert fee_findings(rounded, NAMES, {}) == []
    wrong = [row._replace(fee=row.fee * 98 // 100) for row in rows]
    assert fee_findings(wrong, NAMES, {})[0].effect > 0


def test_a_strategy_that_gives_the_spread_away_is_found():
    facts, mids = run_of(2, fills=300)
    cost = [
        row._replace(px=row.px + row.side * 40) if row.book == 0 else row for row in facts.fills
    ]
    found = found_in(with_fills(facts, cost), mids)
    assert found
    assert found[0].name == "alpha"
    assert all(one.effect < 0 and one.high < 0 for one in found)
    assert [one.effect for one in found] == sorted(one.effect for one in found)
    assert {one.kind for one in found} >= {"net", "spread"}


def test_an_hour_of_the_day_that_loses_is_found_over_many_days():
    facts, mids = run_of(4, n=24 * 30, step_ns=NS_HOUR, fills=0, coins=1)
    rng = np.random.Generator(np.random.PCG64(8))
    rows = []
    path = mids[0]
    for at in range(24 * 30 - 2):
        side = int(rng.choice([-1, 1]))
        bad = path.ts[at] // NS_HOUR % 24 == 9
        px = int(path.mid2[at]) // 2 + (side * 90 if bad else 0)
        rows.append(fill(int(path.ts[at]) + 1, side, px, 40, 0, 0, True, FREE, at))
        rows.append(
            fill(int(path.ts[at]) + 2, -side, int(path.mid2[at]) // 2, 40, 0, 0, True, FREE, at)
        )
    found = [one for one in found_in(with_fills(facts, rows), mids) if one.scope == "hour"]
    assert [one.name for one in found] == ["09:00 UTC"]
    assert found[0].n == 30


def test_markouts_of_buckets_are_those_of_their_fills():
    facts, mids = run_of(9)
    _, breakdowns, _, _ = broken_down(facts, mids)
    paths = paths_of(facts, mids)
    for bucket in breakdowns["strategy"]:
        mine = [row for row in facts.fills if row.book == bucket.key]
        assert list(bucket.markouts) == markout_table(mine, paths)
        assert sorted({row.horizon_s for row in bucket.markouts}) == [1, 5, 30, 60, 300]
    assert all(not bucket.markouts for bucket in breakdowns["day"])
    known = [bucket for bucket in breakdowns["hour"] if bucket.parts.fills]
    assert known
    assert all(len(bucket.markouts) == 10 for bucket in known)


def test_a_maker_that_is_run_over_is_found_and_one_that_earns_its_spread_is_not():
    facts, mids = run_of(12, n=20_000, step_ns=NS_S, fills=400, books=1, coins=1)
    path = mids[0]
    later = np.searchsorted(path.ts, np.array([row.ts + 5 * NS_S for row in facts.fills])) - 1
    for gain, kinds in ((-25, {"adverse_selection"}), (25, set())):
        rows = [
            row._replace(px=int(path.mid2[at]) // 2 - row.side * gain, is_taker=False)
            for row, at in zip(facts.fills, later.tolist(), strict=True)
        ]
        found = found_in(with_fills(facts, rows), mids)
        assert {one.kind for one in found} - {"net"} == kinds


def test_a_fill_without_a_label_is_no_regime():
    facts, mids = run_of(2, fills=300)
    cost = [
        row._replace(px=row.px + row.side * 400, regime=1 + i % 2)
        for i, row in enumerate(facts.fills)
    ]
    found = found_in(with_fills(facts, cost), mids)
    assert {one.key for one in found if one.scope == "regime"} == {1, 2}
    blind = [row._replace(regime=0 if row.regime == 1 else 2) for row in cost]
    found = found_in(with_fills(facts, blind), mids)
    assert {one.key for one in found if one.scope == "regime"} == {2}


def test_few_observations_find_nothing():
    for fills in (0, 1, 3):
        facts, mids = run_of(1, fills=fills, n=40)
        assert found_in(facts, mids) == []


@pytest.mark.slow
def test_noise_has_no_findings():
    """Holm holds the chance of any false finding at 5 %; 200 runs of noise leave some room."""
    false = [seed for seed in range(200) if found_in(*run_of(seed))]
    assert len(false) <= 10, false


def test_clustered_error_of_independent_numbers_is_the_plain_one():
    rng = np.random.Generator(np.random.PCG64(3))
    values = rng.standard_normal(4_000)
    found = sum_of_series(values)
    assert found.error == pytest.approx(np.sqrt(4_000), rel=0.35)
    alone = sum_of_groups(values, np.arange(4_000))
    assert alone.error == pytest.approx(values.std(ddof=1) * np.sqrt(4_000), rel=1e-12)
    assert sum_of_series(values[:20]) is None
    assert sum_of_groups(values, np.zeros(4_000, dtype=np.int64)) is None


def test_clustered_error_knows_that_days_repeat():
    day = np.repeat(np.random.Generator(np.random.PCG64(5)).standard_normal(50), 24)
    together = sum_of_groups(day, np.repeat(np.arange(50), 24))
    apart = sum_of_groups(day, np.arange(len(day)))
    assert together.error == pytest.approx(apart.error * np.sqrt(24), rel=0.02)
    assert MINUTE == 60 * NS_S


def test_a_coin_held_outright_is_held_against_its_own_schedule():
    facts, _ = run_of(1, rates=SPOT_TIER)
    assert fee_findings(facts.fills, NAMES, dict.fromkeys(range(9), SPOT_TIER)) == []
    assert fee_findings(facts.fills, NAMES, {})[0].kind == "fees"


def losing_makers():
    """Return a run whose makers lose 1,000s of USDC to the next mid, an hour later."""
    facts, mids = run_of(3, n=24 * 20, step_ns=NS_HOUR, fills=0, coins=1)
    path = mids[0]
    rows = []
    for at in range(1, 24 * 20 - 2):
        side = -1 if path.mid2[at + 1] > path.mid2[at] else 1
        ts, px = int(path.ts[at + 1]), int(path.mid2[at]) // 2 - side
        rows.append(fill(ts, side, px, 4_000_000, 0, 0, False, FREE, at))
    return with_fills(facts, rows), mids


def test_what_is_said_of_mids_an_hour_apart_is_what_was_measured():
    facts, mids = losing_makers()
    found = found_in(facts, mids, spacing_ns=NS_HOUR)
    one = next(one for one in found if one.kind == "adverse_selection")
    assert "5 s" not in one.text
    assert "until the next mid, 1 hour after the one before the fill" in one.text
    assert "recorded books" in one.experiment
    near = next(one for one in found_in(facts, mids) if one.kind == "adverse_selection")
    assert "within 5 s" in near.text
    assert (near.effect, near.p_value) == (one.effect, one.p_value)


def test_large_amounts_have_thousands_separators():
    facts, mids = losing_makers()
    one = next(one for one in found_in(facts, mids) if one.kind == "adverse_selection")
    assert abs(one.effect) > 1_000
    assert f"lost {-one.effect:,.2f} USDC" in one.text
    assert "," in f"{-one.effect:,.2f}"
