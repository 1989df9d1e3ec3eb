"""What the documents say can be typed: every command parses, every link leads somewhere.

A fenced `sh` block is read line by line; a line that begins with `hat ` must be accepted with
`--help` appended, which checks the command and every option. A block marked `sh run` is executed.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```sh( run)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def blocks(*, only_run: bool) -> list[tuple[str, str]]:
    """Return (document, text) of the sh blocks, continued lines joined."""
    return [
        (path.relative_to(ROOT).as_posix(), match[2].replace("\\\n", " "))
        for path in DOCUMENTS
        for match in BLOCK.finditer(path.read_text(encoding="utf-8"))
        if match[1] or not only_run
    ]


def commands() -> list[str]:
    """Return every distinct `hat ...` line of the documents, in order."""
    lines = [line.strip() for _, text in blocks(only_run=False) for line in text.splitlines()]
    return list(dict.fromkeys(line for line in lines if line.startswith("hat ")))


def exit_code_of(arguments: list[str], patch: pytest.MonkeyPatch) -> int:
    """Return what `hat` exits with, called in this process."""
    from hatmanifesto.cli import main

    patch.setattr(sys, "argv", ["hat", *arguments])
    try:
        return int(main())
    except SystemExit as ending:
        return int(ending.code or 0)


@pytest.mark.parametrize("line", commands())
def test_a_documented_command_parses(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    assert exit_code_of([*arguments, "--help"], monkeypatch) == 0


def test_an_unknown_option_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exit_code_of(["backtest", "maker", "--no-such-option", "--help"], monkeypatch) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("document", "text"), blocks(only_run=True))
def test_a_block_marked_run_runs(document: str, text: str, tmp_path: Path) -> None:
    run = subprocess.run(
        ["bash", "-ec", 'hat() { "$PYTHON" -m hatmanifesto "$@"; }\n' + text],
        cwd=tmp_path,
        env={**os.environ, "PYTHON": sys.executable, "HAT_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{document}:\n{text}\n{run.stdout}\n{run.stderr}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    targets = [t for t in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in t]
    missing = [t for t in targets if not (path.parent / t.partition("#")[0]).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_documents_use_plain_hyphens(path: Path) -> None:
    assert not re.search("[\N{EN DASH}\N{EM DASH}]", path.read_text(encoding="utf-8"))


def test_the_table_of_exit_codes_is_the_one_in_the_code() -> None:
    from hatmanifesto.domain.errors import Exit

    text = (ROOT / "docs" / "exit-codes.md").read_text()
    table = {int(code): name for code, name in re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.M)}
    assert table == {int(code): code.name for code in Exit}
