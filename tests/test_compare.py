"""`hat compare`: two runs on their common time, paired; identical runs say so; refusals."""

import shutil
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from hatmanifesto.analytics.attribution import attribute, paths_of
from hatmanifesto.analytics.equity import equity_of
from hatmanifesto.analytics.mids import Mids
from hatmanifesto.analytics.paired import Paired, Side, common_grid, paired
from hatmanifesto.cli import main
from hatmanifesto.domain.errors import Exit
from tests.analytics_world import MINUTE, payment, run_of, with_fills
from tests.test_rebuild import change, changes_of, first_fill, hat
from tests.test_runs import Hat

__all__ = ["hat"]

MAKER = ["maker", "--data", "sample", "--coin", "BTC,ETH", "--no-report"]
SPAN = ["--from", "2026-01-05T12:10:00Z", "--to", "2026-01-05T12:13:00Z"]
LATER = ["--from", "2026-01-05T12:12:00Z", "--to", "2026-01-05T12:15:00Z"]
AFTER = ["--from", "2026-01-05T12:20:00Z", "--to", "2026-01-05T12:22:00Z"]


def side_of(facts, mids):
    paths = paths_of(facts, mids)
    equity = equity_of(facts.fills, paths, funding=facts.funding)
    assert equity is not None
    return Side(facts, paths, equity)


def with_fee(facts, fee: int):
    return with_fills(facts, [row._replace(fee=fee) for row in facts.fills], facts.funding)


def test_the_difference_of_two_runs_over_the_same_time_is_that_of_their_nets() -> None:
    facts, mids = run_of(3, n=600, fills=80)
    facts = with_fills(facts, facts.fills, [payment(facts.fills[40].ts, 0, 12_345)])
    other, _ = run_of(3, n=600, fills=80, edge=4)
    found = paired(side_of(facts, mids), side_of(other, mids), seed=1)
    nets = [attribute(one, mids)[0].total.net for one in (facts, other)]
    assert isinstance(found, Paired)
    assert found.difference == nets[0] - nets[1]
    assert found.interval is not None
    assert found.interval[0] <= found.difference / 2e6 <= found.interval[1]


def test_what_is_common_cancels() -> None:
    facts, mids = run_of(5, n=900, fills=200)
    dear = with_fee(facts, 900)
    found = paired(side_of(facts, mids), side_of(dear, mids), seed=1)
    assert found is not None
    assert found.interval is not None
    low, high = found.interval
    assert found.difference == 2 * 900 * len(facts.fills)
    assert 0 < low < high
    own = np.diff(side_of(facts, mids).equity.pnl)
    spread = 2 * 1.96 * float(own.std()) * len(own) ** 0.5 / 2e6
    assert high - low < spread / 4, "the market's moves are not in the difference"
    same = paired(side_of(facts, mids), side_of(facts, mids), seed=1)
    assert same is not None
    assert (same.difference, same.interval) == (0, (0.0, 0.0))


def test_only_the_common_time_counts() -> None:
    facts, mids = run_of(7, n=600, fills=60)
    cut = int(mids[0].ts[300])
    late = {coin: Mids(*(column[one.ts >= cut] for column in one)) for coin, one in mids.items()}
    rows = [row for row in facts.fills if row.ts > cut]
    found = paired(side_of(facts, mids), side_of(with_fills(facts, rows), late), seed=1)
    assert found is not None
    assert int(found.ts[0]) >= cut
    assert found.left[0] == found.right[0] == 0
    worth = Fraction(0)
    for row in facts.fills:
        if row.ts <= int(found.ts[0]):
            move = int(mids[row.coin].mid2[-1])
            then = mids[row.coin].mid2[mids[row.coin].ts <= int(found.ts[0])][-1]
            worth += row.side * row.sz * (move - int(then))
    assert found.difference == worth, "left alone carries the position it had"


def test_grids_meet_on_whole_steps() -> None:
    fine = np.arange(0, 40, 2, dtype=np.int64) * MINUTE
    coarse = np.array([7, 10, 20, 30, 55], dtype=np.int64) * MINUTE
    met = common_grid(fine, coarse)
    assert met is not None
    assert (met // MINUTE).tolist() == [7, 10, 20, 30, 38]
    assert common_grid(fine, fine + 41 * MINUTE) is None


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with runs that differ by a setting, and by their time."""
    home = tmp_path_factory.mktemp("two") / "home"
    slow = [*SPAN, "--latency", "fixed:900ms", "--set", "gamma=0.3"]
    for words in (SPAN, slow, LATER, AFTER, [*SPAN, "--seed", "8"]):
        assert main(["--home", str(home), "backtest", *MAKER, *words]) == Exit.OK
    return home


def runs_of(home: Path) -> list[str]:
    """Return the runs in the order they were made."""
    folders = [path for path in (home / "runs").iterdir() if not path.name.startswith(".")]
    folders.sort(key=lambda path: (path / "manifest.json").stat().st_mtime_ns)
    return [path.name for path in folders]


@pytest.mark.slow
def test_a_setting_is_named_and_the_first_decision_shown(two: Path, hat: Hat) -> None:
    plain, bold, *_ = runs_of(two)
    answer = hat(two, "compare", plain, bold, "--json").json
    assert answer["configuration"] == [
        {"key": "latency", "left": "fixed:200ms", "right": "fixed:900ms"},
        {"key": "works[0].settings.gamma", "left": None, "right": "0.3"},
    ]
    assert answer["identical"] is False
    told = answer["first_difference"]["decision"]
    assert told["left"]["kind"] == "Place"
    assert told["left"] != told["right"]
    nets = [Decimal(answer["figures"]["net_pnl"][side]["value"]) for side in ("left", "right")]
    assert Decimal(answer["paired"]["difference_usdc"]) == nets[0] - nets[1]
    page = Path(answer["page"]).read_text(encoding="utf-8")
    assert "works[0].settings.gamma" in page
    said = hat(two, "compare", plain, bold)
    assert "first difference: record" in said.out
    assert said.code == Exit.OK
    assert Path(answer["page"]).read_text(encoding="utf-8") == page


@pytest.mark.slow
def test_identical_runs_say_so(two: Path, hat: Hat) -> None:
    plain, *_, seeded = runs_of(two)
    for other in (plain, seeded):  # a seed that nothing draws from changes nothing
        said = hat(two, "compare", plain, other)
        assert "identical in everything that happened" in said.out
        assert "difference of profit" in said.out
        assert "first difference" not in said.out
    assert "seed: 0 | 8" in said.out


@pytest.mark.slow
def test_runs_that_share_no_time_are_refused(two: Path, hat: Hat) -> None:
    plain, _, later, after, _ = runs_of(two)
    said = hat(two, "compare", plain, after)
    assert said.code == Exit.DATA
    assert "the runs share no time" in said.err
    assert f"{plain} ran from 2026-01-05T12:10:00" in said.err
    answer = hat(two, "compare", plain, later, "--json").json
    assert answer["paired"]["from"].startswith("2026-01-05T12:12:0")
    assert answer["paired"]["to"].startswith("2026-01-05T12:12:5")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["price", "fee", "qty", "side"])
def test_one_changed_row_changes_the_comparison(
    two: Path, tmp_path: Path, hat: Hat, name: str
) -> None:
    home = Path(shutil.copytree(two, tmp_path / "home"))
    plain, bold, *_ = runs_of(home)
    before = hat(home, "compare", plain, bold, "--json").json
    change(home / "runs" / plain, changes_of(first_fill(home / "runs" / plain))[name])
    after = hat(home, "compare", plain, bold, "--json").json
    assert after["paired"]["difference_usdc"] != before["paired"]["difference_usdc"]
    assert after["left"]["is_sealed"] is False
    assert after["right"]["is_sealed"] is True
    assert after["figures"]["net_pnl"]["left"] != before["figures"]["net_pnl"]["left"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], Exit.USAGE, "the first RUN is missing"),
        (["a"], Exit.USAGE, "the second RUN is missing"),
        (["a", "../b"], Exit.USAGE, "plain name"),
        (["a", "b"], Exit.DATA, "no run a"),
    ],
)
def test_bad_words_are_refused(two: Path, hat: Hat, words: list[str], code: int, says: str) -> None:
    said = hat(two, "compare", *words)
    assert said.code == code
    assert says in said.err
