"""A run in which nothing filled says what its strategies waited for."""

import math
from pathlib import Path

import pytest

from hatmanifesto.apps.execute import named
from hatmanifesto.strategies import carry, reversion, trend
from hatmanifesto.strategies.contract import Strategy, says_nothing
from tests.strategy_views import NS, START, settle_all, view, walk

HOUR = 3_600 * NS


def memory_of(strategy: Strategy, coins: int = 1) -> list[float]:
    return [0.0] * (strategy.memory + coins * strategy.memory_coin)


def test_the_trend_counts_its_closes() -> None:
    p = trend.Params(sample_s=3_600, look_a=2, look_b=0, look_c=0, look_d=4)
    strategy = trend.build(p)
    m = memory_of(strategy)
    walk(trend.decide, p, [view(now=START + n * HOUR) for n in range(3)], m)
    assert strategy.why_waiting(p, m) == (
        "its longest look-back takes 5 closes, one each 3,600 s, and saw 3"
    )
    walk(trend.decide, p, [view(now=START + n * HOUR) for n in range(3, 5)], m)
    assert strategy.why_waiting(p, m) == ""


def told(n: int, bps: float) -> dict[str, int]:
    now = START + n * 60 * NS
    return {"now": now, "premium": round(bps * 1e6), "premium_exch": now}


def test_the_reversion_counts_its_pairs_and_says_how_far_the_premium_went() -> None:
    p = reversion.Params(pairs_min=10)
    strategy = reversion.build(p)
    m = memory_of(strategy)
    assert strategy.why_waiting(p, m) == "no premium was told within 60 s of a decision"
    swings = [3.0 * math.sin(0.7 * n) for n in range(40)]
    walk(reversion.decide, p, [view(**told(n, x)) for n, x in enumerate(swings[:8])], m)
    assert "takes 10 pairs of neighbouring samples" in strategy.why_waiting(p, m)
    assert strategy.why_waiting(p, m).endswith("and had 7")
    walk(
        reversion.decide,
        p,
        [view(**told(n, x)) for n, x in enumerate(swings[8:], start=8)],
        m,
    )
    said = strategy.why_waiting(p, m)
    assert "never farther than " in said
    assert 2.5 < m[reversion.FAR_BPS] < 3.5
    assert "took 20.0 bps (2 times a round trip) and a z of 2" in said


def carried(p: carry.Params, rates: tuple[float, ...], hours: int) -> tuple[Strategy, list[float]]:
    """Return a carry after some hours at constant rates [bps an hour]."""
    strategy = carry.build(p)
    m = memory_of(strategy, len(rates))
    held = [0] * len(rates)
    for n in range(hours):
        now = START + n * HOUR
        views = [
            view(
                mid=200_000 + 200 * ((n * (i + 2)) % 11),
                now=now,
                position=sz,
                funding_rate=round(rate * 1e6),
                funding_exch=now,
            )
            for i, (rate, sz) in enumerate(zip(rates, held, strict=True))
        ]
        held = settle_all(strategy.decide, p, views, m)
    return strategy, m


def test_the_carry_says_what_is_missing() -> None:
    p = carry.Params(history_h=4, rebalance_h=4.0)
    strategy, m = carried(p, (1.0,), 9)
    assert strategy.why_waiting(p, m) == (
        "a ranking takes two coins with 4 payments and hourly closes, and 1 of 1 had them"
    )
    strategy, m = carried(p, (0.15, 0.125, 0.1), 9)
    assert strategy.why_waiting(p, m) == (
        "at the last rebalance the best leg took 400 h of funding to pay its round trip and "
        "hold_h allows 72, and it takes one on each side"
    )


def test_the_hedged_carry_says_what_is_missing() -> None:
    p = carry.Params(history_h=4, rebalance_h=4.0, hedge=1)
    strategy, m = carried(p, (0.2, 0.0), 3)
    assert strategy.why_waiting(p, m).endswith("no coin had more than 3")
    strategy, m = carried(p, (0.2, 0.0), 9)
    assert "the best pair took" in strategy.why_waiting(p, m)
    strategy, m = carried(p, (-0.2, 0.0), 9)
    assert strategy.why_waiting(p, m).startswith("no pair would have been paid")


def test_many_coins_are_told_by_their_number() -> None:
    assert named(["BTC", "ETH"]) == "BTC, ETH"
    assert named([f"C{n}" for n in range(9)]) == "C0 and 8 other coins"
    assert says_nothing(None, None) == ""


@pytest.mark.slow
def test_a_run_without_a_fill_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from hatmanifesto.cli.main import main

    args = ["backtest", "trend", "--data", "sample", "--coin", "BTC,ETH", "--no-report"]
    main(["--home", str(tmp_path), *args])
    out = capsys.readouterr().out
    assert "trend on BTC, ETH traded nothing: its longest look-back takes 41 closes" in out
