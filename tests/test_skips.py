"""A skip that could have run fails where the whole suite must run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, is_skip_allowed


@pytest.mark.parametrize(
    ("reason", "is_data_present", "expected"),
    [
        ("data: no recorded data at X", False, True),
        ("data: no recorded data at X", True, False),
        ("platform: no uvloop on Windows", True, True),
        ("later", False, False),
        ("", False, False),
    ],
)
def test_only_absent_data_and_platforms_excuse_a_skip(
    reason: str, is_data_present: bool, expected: bool
) -> None:
    assert is_skip_allowed(reason, is_data_present=is_data_present) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flag", "closing"),
    [
        ("allow", "1 passed, 4 skipped, 1 xfailed in"),
        ("fail", "1 failed, 1 passed, 1 skipped, 1 xfailed, 2 errors in"),
    ],
)
def test_skips_of_every_kind_are_judged(tmp_path: Path, flag: str, closing: str) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_module.py").write_text(
        "import pytest\npytest.skip('later', allow_module_level=True)\n"
    )
    (tmp_path / "test_cases.py").write_text(
        "import pytest\n"
        "@pytest.mark.skip(reason='later')\ndef test_mark(): ...\n"
        "def test_call(): pytest.skip('later')\n"
        "def test_platform(): pytest.skip('platform: none')\n"
        "@pytest.mark.xfail(reason='known')\ndef test_known(): assert 0\n"
        "def test_fine(): ...\n"
    )
    flags = ["-q", "-p", "no:cacheprovider", "--continue-on-collection-errors", f"--skips={flag}"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *flags, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == int(flag == "fail"), run.stdout
    assert closing in run.stdout.splitlines()[-1]
