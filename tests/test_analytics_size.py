"""Sizes: work grows with the data and not with its square."""

import sys

import numpy as np
import pytest

from hatmanifesto.analytics.allot import funding_shares
from hatmanifesto.analytics.attribution import attribute, paths_of
from hatmanifesto.analytics.equity import equity_of
from hatmanifesto.analytics.fold import fold
from hatmanifesto.analytics.trades import fill_states, trades_of
from hatmanifesto.domain.units import NS_HOUR
from tests.analytics_world import FREE, T0, fill, payment, walk, with_fills


def wide(coins, *, bars=60, books=4):
    """Return facts and mids of many coins, a fill and a payment for each bar of each."""
    rng = np.random.Generator(np.random.PCG64(coins))
    mids = {coin: walk(rng, n=bars, step_ns=NS_HOUR) for coin in range(coins)}
    rows, paid = [], []
    for coin in range(coins):
        for at in range(1, bars):
            ts = T0 + at * NS_HOUR
            rows.append(
                fill(ts + coin, 1 - 2 * (at % 2), 100_000, 5, at % books, coin, True, FREE, at)
            )
            paid.append(payment(ts, coin, -at))
    return with_fills(fold([]), rows, paid), mids


def lines_run(work):
    """Return how many lines of the package ``work`` executes."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        if "/analytics/" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def everything(facts, mids):
    paths = paths_of(facts, mids)
    attribute(facts, mids)
    equity_of(facts.fills, paths, funding=facts.funding, step_ns=NS_HOUR)
    funding_shares(facts.funding, facts.fills)
    trades_of(facts.fills, facts.funding)
    fill_states(facts.fills, facts.funding)


@pytest.mark.slow
def test_four_times_the_coins_are_four_times_the_work():
    small, large = wide(6), wide(24)
    ratio = lines_run(lambda: everything(*large)) / lines_run(lambda: everything(*small))
    assert 3.5 < ratio < 5.0
