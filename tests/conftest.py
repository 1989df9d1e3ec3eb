"""What all tests share: determinism, a home of their own, recorded data, and no silent skips."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", parent=settings.get_profile("steady"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def shared_data_path() -> Path:
    """Return where recorded data lie: `HAT_SHARED_DATA`, else ../shared/data by the checkout."""
    named = os.environ.get("HAT_SHARED_DATA")
    return Path(named) if named else ROOT.parent / "shared" / "data"


def is_skip_allowed(reason: str, *, is_data_present: bool) -> bool:
    """Say whether a test may be skipped where every test that can run must run."""
    return reason.startswith("platform:") or (reason.startswith("data:") and not is_data_present)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--skips=fail`, which turns a skip that could have run into a failure."""
    parser.addoption("--skips", choices=("allow", "fail"), default="allow", help="see conftest.py")


def pytest_configure(config: pytest.Config) -> None:
    """Register the judge of skips where it is asked for."""
    if config.getoption("--skips") == "fail":
        config.pluginmanager.register(SkipJudge(), "skip_judge")


class SkipJudge:
    """Turns skips into failures unless their reason says why they cannot run here."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Judge a test's own skip, in any of its phases."""
        report = yield
        if not hasattr(report, "wasxfail"):
            judge(report, item.nodeid)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Judge a whole module's skip."""
        report = yield
        judge(report, collector.nodeid)
        return report


def judge(report: pytest.TestReport | pytest.CollectReport, name: str) -> None:
    """Make a skipped report a failed one unless its reason is allowed."""
    if not report.skipped:
        return
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = text.removeprefix("Skipped: ")
    if not is_skip_allowed(reason, is_data_present=shared_data_path().is_dir()):
        report.outcome = "failed"
        report.longrepr = f"{name} was skipped and should have run: {reason}"


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    """Give the whole session a home of its own, so that no test touches the user's."""
    path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAT_HOME", str(path))
        yield path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of recorded data; skip by name where there is none."""
    path = shared_data_path()
    if not path.is_dir():
        pytest.skip(f"data: no recorded data at {path}")
    return path
