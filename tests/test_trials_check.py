"""A trial ledger that lost its newest trials no longer fits the runs beside it."""

from pathlib import Path

import pytest

from hatmanifesto.apps.backtest import run_backtest
from hatmanifesto.apps.request import BacktestRequest
from hatmanifesto.apps.trials import check_trials
from hatmanifesto.domain.errors import MismatchError
from hatmanifesto.store.trials import trials_path


def run(home: Path, seed: int) -> None:
    request = BacktestRequest(
        home=str(home),
        strategy="maker",
        settings={},
        data="sample",
        coins=("BTC",),
        ties="pessimistic",
        latency="lognormal:100ms:0.3",
        seed=seed,
        report=False,
    )
    run_backtest(request)


def test_a_ledger_cut_at_a_whole_trial_is_found(tmp_path: Path) -> None:
    run(tmp_path, 1)
    whole = trials_path(tmp_path).read_bytes()
    run(tmp_path, 2)
    assert len(check_trials(tmp_path)) == 2
    trials_path(tmp_path).write_bytes(whole)
    with pytest.raises(MismatchError, match="has no trial"):
        check_trials(tmp_path)


def test_an_empty_home_has_no_trials(tmp_path: Path) -> None:
    assert check_trials(tmp_path) == ()
