"""Queue models: nobody is moved back, and the spellings of the command line mean what they say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.simex.queue import (
    KINDS,
    POWER,
    QueueModel,
    chance_behind,
    estimated_front,
    follow_queue,
    front_after_depth,
    front_after_trade,
    is_reached,
    parse_queue_model,
)

MODELS = [QueueModel(kind, exponent) for kind in KINDS for exponent in (1.0, 2.0, 3.5)]
sizes = st.integers(0, 10**9)
models = st.sampled_from(MODELS)


@given(front=sizes, behind=sizes, shown=sizes, traded=sizes, model=models)
def test_front_never_grows_nor_exceeds_what_is_shown(
    front: int, behind: int, shown: int, traded: int, model: QueueModel
) -> None:
    before = front + behind
    after = front_after_depth(front, shown_before=before, shown=shown, traded=traded, model=model)
    assert after <= front
    assert after <= shown


@given(front=sizes, behind=sizes, shown=sizes, model=models)
def test_cancels_alone_never_fill(front: int, behind: int, shown: int, model: QueueModel) -> None:
    before = front + behind
    after = front_after_depth(front, shown_before=before, shown=shown, traded=0, model=model)
    assert after >= 0


def test_published_estimate_may_fill_without_a_trade() -> None:
    change = {"shown_before": 3, "shown": 0, "traded": 0}
    assert estimated_front(1, **change, model=QueueModel("log")) < 0


@given(front=sizes, behind=sizes, fewer=sizes, more=sizes, model=models)
def test_more_cancels_bring_us_no_further_back(
    front: int, behind: int, fewer: int, more: int, model: QueueModel
) -> None:
    before = front + behind
    low, high = sorted((min(fewer, before), min(more, before)))
    moved = [
        front_after_depth(front, shown_before=before, shown=before - n, traded=0, model=model)
        for n in (low, high)
    ]
    assert moved[1] <= moved[0] + 1e-6 * (before + 1)


@given(front=sizes, behind=sizes, shown=sizes, traded=sizes, model=models)
def test_risk_averse_is_the_slowest(
    front: int, behind: int, shown: int, traded: int, model: QueueModel
) -> None:
    change = {"shown_before": front + behind, "shown": shown, "traded": traded}
    slowest = front_after_depth(front, **change, model=QueueModel("risk_averse"))
    assert front_after_depth(front, **change, model=model) <= slowest


@given(front=sizes, behind=sizes, model=models)
def test_chance_is_a_probability(front: int, behind: int, model: QueueModel) -> None:
    assert 0.0 <= chance_behind(front, behind, model=model) <= 1.0


@given(front=sizes, behind=sizes, shift=st.integers(0, 10**6), model=models)
def test_chance_behind_rises_with_the_size_behind(
    front: int, behind: int, shift: int, model: QueueModel
) -> None:
    low = chance_behind(front, behind, model=model)
    assert chance_behind(front, behind + shift, model=model) >= low - 1e-12


@pytest.mark.parametrize("model", MODELS)
def test_empty_level_puts_every_cancel_behind(model: QueueModel) -> None:
    assert chance_behind(0, 0, model=model) == 1.0


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_equal_sizes_are_even_under_power(exponent: float) -> None:
    assert chance_behind(7, 7, model=QueueModel(POWER, exponent)) == 0.5


def test_worked_chances() -> None:
    assert chance_behind(3, 1, model=QueueModel("power", 2.0)) == pytest.approx(0.1)
    assert chance_behind(3, 1, model=QueueModel("power2", 2.0)) == pytest.approx(1 / 16)
    assert chance_behind(3, 1, model=QueueModel("power3", 2.0)) == pytest.approx(7 / 16)
    log = math.log(2) / (math.log(2) + math.log(4))
    assert chance_behind(3, 1, model=QueueModel("log")) == pytest.approx(log)
    assert chance_behind(3, 1, model=QueueModel("log2")) == pytest.approx(math.log(2, 5))


def test_large_exponents_do_not_overflow() -> None:
    model = QueueModel("power", 100.0)
    assert chance_behind(10**15, 1, model=model) == 0.0
    assert chance_behind(1, 10**15, model=model) == 1.0


def test_reached_only_past_the_last_unit() -> None:
    assert not is_reached(front_after_trade(5, 5))
    assert is_reached(front_after_trade(5, 6))


def test_trades_are_not_counted_twice() -> None:
    events = [("trade", 4.0), ("depth", 6.0)]
    assert follow_queue(10.0, events, model=QueueModel("power", 2.0)) == [6.0, 6.0]


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("risk_averse", QueueModel("risk_averse")),
        ("prob:3", QueueModel("power", 3.0)),
        ("prob:2.5", QueueModel("power", 2.5)),
        ("log", QueueModel("log")),
        ("log2", QueueModel("log2")),
        ("power2:2", QueueModel("power2", 2.0)),
        ("power3:3", QueueModel("power3", 3.0)),
    ],
)
def test_spellings(text: str, model: QueueModel) -> None:
    assert parse_queue_model(text) == model


@pytest.mark.parametrize(
    "text", ["", "prob", "prob:", "prob:x", "prob:0", "prob:-1", "prob:nan", "prob:inf", "prob:1e9"]
)
def test_bad_exponents_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="queue model") as refusal:
        parse_queue_model(text)
    assert refusal.value.fix


@pytest.mark.parametrize("text", ["fifo", "log:2", "risk_averse:1", "PROB:2", "power:2"])
def test_unknown_spellings_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not known"):
        parse_queue_model(text)


@pytest.mark.parametrize("events", [[("trade", math.nan)], [("depth", -1.0)], [("cancel", 1.0)]])
def test_bad_events_are_refused(events: list[tuple[str, float]]) -> None:
    with pytest.raises(ValueError, match="expected"):
        follow_queue(1.0, events, model=QueueModel("log"))
