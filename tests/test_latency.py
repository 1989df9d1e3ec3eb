"""Latency models: what the spelling says, the same for the same seed, never out of order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.simex.latency import (
    LatencyModel,
    LatencySource,
    feed_stamps,
    parse_duration_ns,
    parse_latency,
)

MODELS = [
    LatencyModel("fixed", 5_000_000),
    LatencyModel("lognormal", 100_000_000, 0.4),
    LatencyModel("empirical", 3, 0.0, (1, 3, 9)),
]


def source(model: LatencyModel, seed: int = 1) -> LatencySource:
    return LatencySource(model, np.random.Generator(np.random.PCG64(seed)))


@pytest.mark.parametrize(
    ("text", "ns"),
    [("200ms", 200_000_000), ("0.2s", 200_000_000), ("150us", 150_000), ("7ns", 7)],
)
def test_durations(text: str, ns: int) -> None:
    assert parse_duration_ns(text) == ns


@pytest.mark.parametrize(
    "text", ["", "200", "ms", "-1ms", "0ms", "1e3ms", "1.2.3s", "nanms", "1 ms"]
)
def test_bad_durations_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no duration"):
        parse_duration_ns(text)


def test_models() -> None:
    assert parse_latency("fixed:5ms") == MODELS[0]
    assert parse_latency("lognormal:100ms:0.4") == MODELS[1]
    assert parse_latency("empirical:FILE", samples=(9, 1, 3)).median == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        *"""fixed fixed: normal:1ms:1 lognormal:1ms lognormal:1ms:0 lognormal:1ms:9
    lognormal:1ms:nan lognormal:1ms:x empirical:FILE""".split(),
    ],
)
def test_bad_models_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_latency(text)
    assert refusal.value.fix


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_same_seed_same_delays_all_positive(model: LatencyModel) -> None:
    first, again = source(model).draw(1_000), source(model).draw(1_000)
    assert (first == again).all()
    assert first.min() > 0


@pytest.mark.parametrize("model", MODELS[1:], ids=lambda model: model.kind)
def test_another_seed_gives_other_delays(model: LatencyModel) -> None:
    assert (source(model).draw(100) != source(model, 2).draw(100)).any()


def test_draws_are_of_the_named_distribution() -> None:
    lognormal = source(MODELS[1]).draw(20_000)
    assert np.median(lognormal) == pytest.approx(1e8, rel=0.02)
    assert np.std(np.log(lognormal)) == pytest.approx(0.4, rel=0.03)
    assert set(source(MODELS[2]).draw(200).tolist()) == {1, 3, 9}
    assert set(source(MODELS[0]).draw(10).tolist()) == {5_000_000}


def test_one_delay_at_a_time_uses_every_draw() -> None:
    single = source(MODELS[1])
    assert len({single.one() for _ in range(9_000)}) > 8_900


stamps_of = st.lists(st.integers(0, 10**9), min_size=1, max_size=60).map(sorted)


@given(
    exch=stamps_of, model=st.sampled_from(MODELS), cut=st.integers(0, 60), last=st.integers(0, 9)
)
def test_rows_keep_their_order_and_their_company(
    exch: list[int], model: LatencyModel, cut: int, last: int
) -> None:
    stamps = np.asarray(exch, dtype=np.int64)
    recv = feed_stamps(stamps, source(model), recv_last=last)
    assert (np.diff(recv) >= 0).all()
    assert (recv > stamps).all()
    assert recv[0] >= last
    same = np.diff(stamps) == 0
    assert (np.diff(recv)[same] == 0).all()
    while 0 < cut < len(exch) and exch[cut] == exch[cut - 1]:
        cut += 1
    one = source(model)
    head = feed_stamps(stamps[:cut], one, recv_last=last)
    before = int(head[-1]) if len(head) else last
    tail = feed_stamps(stamps[cut:], one, recv_last=before)
    assert [*head.tolist(), *tail.tolist()] == recv.tolist()
