"""Finds a run's report and copies it, never outside HOME/reports and never over a file."""

from pathlib import Path

from hatmanifesto.domain.errors import DataError, UsageError
from hatmanifesto.ops.secrets import quote

REPORT_NAME = "report.html"


def report_path(home: Path, run: str) -> Path:
    """Return the path of a run's report.

    Raises:
        DataError: if there is no such run or it has no report.
    """
    folder = home / "runs" / run
    if not folder.is_dir():
        raise DataError(f"no run {quote(run)}", fix="see hat runs")
    path = folder / REPORT_NAME
    if not path.is_file():
        raise DataError(f"run {run} has no report", fix="run it again without --no-report")
    return path


def target_path(home: Path, out: str) -> Path:
    """Return where ``out`` lies below HOME/reports; creates nothing.

    Raises:
        UsageError: if it would be outside that folder, or would overwrite a file.
    """
    root = (home / "reports").resolve()
    if not out.strip() or any(ord(c) < 32 for c in out):
        raise UsageError("--out: names no file")
    target = (root / out).resolve()
    if target == root or not target.is_relative_to(root):
        raise UsageError(
            f"--out: {quote(out)} is outside the output root {root}",
            fix="give a path inside HOME/reports",
        )
    if target.exists():
        raise UsageError(f"--out: {quote(out)} exists already and is not overwritten")
    return target


def copy_report(source: Path, target: Path) -> None:
    """Copy a report; fails rather than overwrite."""
    write_report(source.read_bytes(), target)


def write_report(content: bytes, target: Path) -> None:
    """Write a page; fails rather than overwrite."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        file.write(content)
