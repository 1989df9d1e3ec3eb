"""A killed import leaves the old snapshot, and nothing in the way of the next."""

from pathlib import Path

import pytest

from tests.import_kill import run_kills


@pytest.mark.slow
def test_killed_imports_leave_no_half_snapshot(tmp_path: Path) -> None:
    seen = run_kills(tmp_path, kills=5, seed=3)
    assert (seen.kills, seen.half, seen.leftovers) == (5, 0, 0)
