"""A snapshot puts a fresh engine exactly where the old one was; restart is snapshot plus tail."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from hatmanifesto.apps.compose import build_engine, open_tape
from hatmanifesto.apps.data import open_dataset
from hatmanifesto.apps.execute import execute
from hatmanifesto.apps.request import BacktestRequest
from hatmanifesto.apps.spec import RunSpec, build_spec
from hatmanifesto.domain.ports import Batch
from hatmanifesto.domain.records import Record
from hatmanifesto.engine.engine import Engine
from hatmanifesto.engine.snapshot import dump_engine, engine_hash, load_engine
from hatmanifesto.store.dataset import Dataset
from hatmanifesto.store.journal import HashJournal

CUTS = (1, 500, 5_000, 12_345, 20_000)


class Step(msgspec.Struct):
    """One recorded step: its batch, its time and what came out."""

    batch: Batch
    now: int
    records: list[Record]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunSpec, Dataset, list[Step], str]:
    """Return a run on the sample with every step written down."""
    home = tmp_path_factory.mktemp("home")
    request = BacktestRequest(
        home=str(home), strategy="maker", settings={}, data="sample", coins=("BTC", "ETH")
    )
    dataset = open_dataset("sample", home)
    spec, _ = build_spec(request, dataset)
    steps: list[Step] = []
    real = Engine.step

    def spy(engine: Engine, batch: Batch, now: int) -> list[Record]:
        records = real(engine, batch, now)
        steps.append(Step((list(batch[0]), list(batch[1])), now, records))
        return records

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "step", spy)
        finished = execute(spec, dataset, ties="pessimistic", sources=home, journal=HashJournal())
    return spec, dataset, steps, engine_hash(finished.machines.engine)


def run_through(engine: Engine, steps: Sequence[Step]) -> int:
    """Feed the steps to an engine and demand the recorded answers; return how many commands."""
    commands = 0
    for step in steps:
        assert engine.step(step.batch, step.now) == step.records
        commands += len(step.records)
    return commands


@pytest.mark.parametrize("cut", CUTS)
def test_snapshot_and_tail_equal_the_whole_run(
    cut: int, recorded: tuple[RunSpec, Dataset, list[Step], str]
) -> None:
    spec, dataset, steps, final = recorded
    tape = open_tape(spec, dataset, ties="pessimistic")
    before = build_engine(spec, tape, folder=Path())
    run_through(before, steps[:cut])
    snapshot = dump_engine(before)
    after = build_engine(spec, tape, folder=Path())
    load_engine(after, snapshot)
    assert dump_engine(after) == snapshot
    assert run_through(after, steps[cut:]) > 0
    assert engine_hash(after) == final


def test_a_lost_order_changes_what_follows(
    recorded: tuple[RunSpec, Dataset, list[Step], str],
) -> None:
    spec, dataset, steps, _ = recorded
    tape = open_tape(spec, dataset, ties="pessimistic")
    engine = build_engine(spec, tape, folder=Path())
    run_through(engine, steps[:5_000])
    assert engine.state.blotter.orders, "the cut lies where orders rest"
    again = build_engine(spec, tape, folder=Path())
    load_engine(again, dump_engine(engine))
    again.desks[0].slots[0].order = None
    with pytest.raises(AssertionError):
        run_through(again, steps[5_000:])
