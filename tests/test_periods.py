"""Days, weeks and months chain and sum to the run; a missing day shows; a changed row changes."""

from fractions import Fraction
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.analytics.attribution import attribute, paths_of
from hatmanifesto.analytics.equity import equity_of
from hatmanifesto.analytics.fold import RunFacts
from hatmanifesto.analytics.mids import Mids
from hatmanifesto.analytics.periods import (
    ADDED,
    KINDS,
    NO_DATA,
    NO_FILLS,
    NS_DAY,
    OK,
    Period,
    exact_sum,
    periods_of,
    spans_of,
    year_span,
)
from hatmanifesto.domain.events import FundingUnknown
from hatmanifesto.domain.records import GapSeen
from hatmanifesto.domain.units import NS_HOUR, NS_S
from tests.analytics_world import MINUTE, T0, payment, run_of, with_fills

DAY0 = T0 // NS_DAY * NS_DAY


def cut(kind: str, facts: RunFacts, mids: dict[int, Mids]) -> list[Period]:
    paths = paths_of(facts, mids)
    return periods_of(kind, facts, paths, equity_of(facts.fills, paths, funding=facts.funding))


def without_day(
    facts: RunFacts, mids: dict[int, Mids], day: int
) -> tuple[RunFacts, dict[int, Mids]]:
    """Return the run as if nothing had been recorded on one day, and no fill on the day after."""
    start, end = DAY0 + day * NS_DAY, DAY0 + (day + 1) * NS_DAY
    kept = {
        coin: Mids(*(column[(one.ts < start) | (one.ts >= end)] for column in one))
        for coin, one in mids.items()
    }
    rows = [row for row in facts.fills if not start <= row.ts < end + NS_DAY]
    gaps = tuple(GapSeen(coin, start - MINUTE, end, 2) for coin in mids)
    return msgspec.structs.replace(with_fills(facts, rows, facts.funding), gaps=gaps), kept


@pytest.mark.slow
@given(st.integers(0, 2**32), st.sampled_from(KINDS), st.booleans())
def test_periods_chain_and_sum_to_the_run_exactly(seed: int, kind: str, has_hole: bool) -> None:
    facts, mids = run_of(seed, n=7_000, fills=120, books=3)
    paid = [payment(T0 + hour * NS_HOUR, hour % 2, hour - 40) for hour in range(1, 110, 7)]
    facts = with_fills(facts, facts.fills, paid)
    if has_hole:
        facts, mids = without_day(facts, mids, 2)
    periods = cut(kind, facts, mids)
    whole = attribute(facts, mids)[0]
    for name in ADDED:
        assert sum(getattr(one.parts, name) for one in periods) == getattr(whole.total, name), name
        for group, parts in (("by_coin", whole.by_coin), ("by_book", whole.by_book)):
            for key, part in parts.items():
                found = sum(getattr(getattr(one, group)[key], name) for one in periods)
                assert found == getattr(part, name)
    assert all(one.parts.residual == 0 for one in periods)
    assert periods[0].opening == 0
    for before, after in pairwise(periods):
        assert after.opening == before.closing
        assert after.span.start == before.span.end
    assert periods[-1].closing == whole.total.net


def test_a_day_is_what_cash_and_positions_say() -> None:
    facts, mids = run_of(3, n=5_000, fills=90)
    for period in cut("daily", facts, mids):
        worth = Fraction(0)
        for row in facts.fills:
            if row.ts < period.span.end:
                ticks = mids[row.coin].mid2[mids[row.coin].ts < period.span.end]
                worth += (
                    row.side * row.sz * Fraction(int(ticks[-1]), 2) - row.side * row.px * row.sz
                )
                worth -= row.fee
        assert period.closing == 2 * worth


def test_a_missing_day_and_a_day_without_fills_are_told_apart() -> None:
    facts, mids = without_day(*run_of(5, n=7_000, fills=150), day=2)
    periods = cut("daily", facts, mids)
    assert [one.status for one in periods] == [OK, OK, NO_DATA, NO_FILLS, OK, OK]
    missing = periods[2]
    assert missing.drawdown is None
    assert missing.parts.net == 0
    assert missing.closing == missing.opening == periods[1].closing


def test_a_day_with_an_unknown_funding_hour_does_not_know_its_funding() -> None:
    facts, mids = run_of(7, n=4_000, fills=60)
    stamp = DAY0 + NS_DAY + 3 * NS_HOUR
    facts = msgspec.structs.replace(facts, funding_unknown=(FundingUnknown(1, 5, stamp, stamp),))
    known = [one.parts.funding is not None for one in cut("daily", facts, mids)]
    assert known == [True, False, True, True]
    day = cut("daily", facts, mids)[1]
    assert day.by_coin[0].funding == 0
    assert day.by_coin[1].funding is None


def test_names_and_bounds_of_periods() -> None:
    labels = {
        kind: [one.label for one in spans_of(kind, DAY0, DAY0 + 5 * NS_DAY)] for kind in KINDS
    }
    assert labels == {
        "daily": [f"2025-09-0{day}" for day in range(4, 10)],
        "weekly": ["2025-W36", "2025-W37"],
        "monthly": ["2025-09"],
    }
    last = (NS_DAY - 1, NS_DAY)
    assert [one.label for one in spans_of("daily", *last)] == ["1970-01-01", "1970-01-02"]
    turn = year_span(2026).start
    assert [one.label for one in spans_of("weekly", turn, turn)] == ["2026-W01"]
    assert spans_of("monthly", turn, turn)[0].start == turn
    assert year_span(2024).end - year_span(2024).start == 366 * NS_DAY


def test_sums_do_not_wrap() -> None:
    values = np.full(1_000, 2**61 + 7, dtype=np.int64)
    assert exact_sum(values) == 1_000 * (2**61 + 7)
    assert exact_sum(-values) == -1_000 * (2**61 + 7)
    assert exact_sum(np.array([], dtype=np.int64)) == 0


def test_a_run_without_data_has_no_periods() -> None:
    facts, _ = run_of(1, fills=0)
    assert cut("daily", facts, {}) == []
    empty = Mids(np.array([T0 + NS_S], dtype=np.int64), np.array([9], dtype=np.int64))
    (day,) = cut("daily", facts, {0: empty})
    assert (day.status, day.opening, day.closing) == (NO_FILLS, 0, 0)
