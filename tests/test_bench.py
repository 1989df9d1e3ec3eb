"""The benchmarks run and say what they measured; no speed is asserted here."""

import json
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.engine_peer import INSTALL
from bench.market import SAMPLE, market_rows, prepare
from bench.result import Limit, result_of, with_peer, worst_but


def test_a_floor_and_a_ceiling_are_judged_by_the_median() -> None:
    floor, ceiling = Limit(">=", 2.0), Limit("<", 2.0)
    assert result_of("rate", [1.0, 2.0, 9.0], unit="rows/s", limits=(floor,)).is_met is True
    assert result_of("time", [1.0, 2.0, 9.0], unit="s", limits=(ceiling,)).is_met is False


def test_the_99th_percentile_is_on_the_bad_side() -> None:
    values = [float(value) for value in range(1, 101)]
    assert worst_but(values, share=0.01, is_rate=False) == 99.0
    assert worst_but(values, share=0.01, is_rate=True) == 2.0


def test_a_missing_peer_gives_no_ratio() -> None:
    row = with_peer(result_of("rate", [4.0], unit="rows/s"), INSTALL, [], limit=Limit(">=", 3.0))
    assert (row.peer, row.ratio, row.is_met) == (None, None, None)
    assert "pip install" in row.peer_name


def test_a_peer_gives_the_ratio_of_medians() -> None:
    own = result_of("rate", [6.0, 8.0, 7.0], unit="rows/s")
    row = with_peer(own, "peer", [1.0, 2.0, 4.0], limit=Limit(">=", 3.0, of="ratio"))
    assert (row.ratio, row.is_met) == (3.5, True)


def test_the_sample_stands_in_for_missing_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAT_SHARED_DATA", str(tmp_path / "none"))
    market = prepare(tmp_path)
    assert market.data == SAMPLE
    assert "SYN" in market.label
    once, twice = market.tape(1), market.tape(2)
    assert market_rows(twice) == 2 * market_rows(once)


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["no_such"])
    assert ending.value.code == 2
    assert "engine_rows" in capsys.readouterr().err


@pytest.mark.slow
def test_a_quick_run_leaves_a_file_with_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAT_SHARED_DATA", str(tmp_path / "none"))
    main(["engine_rows", "engine_peer", "warehouse", "--quick", "--results", str(tmp_path)])
    (path,) = tmp_path.glob("*.json")
    content = json.loads(path.read_text())
    rows = {row["benchmark"]: row for row in content["results"]}
    plain = rows["engine rows (python)"]
    assert plain["details"]["fills"] > 0
    assert plain["data"].startswith("sample")
    rates = [rows[f"data {name}"] for name in ("import", "check", "check --deep")]
    assert all(row["is_met"] == (row["ours"] >= 1_000_000) for row in rates)
    peers = [row for name, row in rows.items() if name.startswith("engine peer")]
    assert peers
    assert all((row["ratio"] is None) == (row["peer"] is None) for row in peers)
    assert content["machine"]["cpu"]
    assert "engine rows" in capsys.readouterr().out
