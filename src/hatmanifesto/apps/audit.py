"""Verifies every run that was made in a span of time."""

from pathlib import Path

import msgspec

from hatmanifesto.domain.errors import Exit, HatError
from hatmanifesto.domain.units import Ns


class AuditOutcome(msgspec.Struct, frozen=True):
    """How many runs were verified and which failed."""

    summary: dict[str, object]
    text: str
    exit_code: int


def verify_since(home: Path, start: int, end: int) -> AuditOutcome:
    """Return the verdict on every run made in ``[start, end)`` [UTC ns]; empty is exit code 5.

    A run whose manifest cannot be read counts as inside the span, so that damage is never skipped.
    """
    results: dict[str, str] = {}
    worst = int(Exit.OK)
    for folder in sorted((home / "runs").glob("*")) if (home / "runs").is_dir() else []:
        if not folder.is_dir() or not start <= _made(folder, start) < end:
            continue
        code, words = _verify(home, folder.name)
        results[folder.name] = words
        worst = worst or code
    if not results:
        text = "0 runs in this span: nothing was verified"
        return AuditOutcome({"status": "empty", "runs": {}}, text, int(Exit.EMPTY))
    lines = [f"{name}: {words}" for name, words in results.items()]
    failed = sum(words != "ok" for words in results.values())
    lines.append(f"{len(results)} runs verified, {failed} failed")
    status = "failed" if failed else "ok"
    return AuditOutcome({"status": status, "runs": results}, "\n".join(lines), worst)


def _made(folder: Path, fallback: int) -> Ns:
    """Return when the run was made: its manifest's modification time [UTC ns]."""
    try:
        return Ns((folder / "manifest.json").stat().st_mtime_ns)
    except OSError:
        return Ns(fallback)


def _verify(home: Path, run: str) -> tuple[int, str]:
    from hatmanifesto.apps.verify import verify_run

    try:
        outcome = verify_run(str(home), run)
    except HatError as error:
        return int(error.exit_code), str(error).replace("\n", " ")
    code = int(outcome.exit_code)
    return code, "ok" if code == 0 else str(outcome.text).replace("\n", " ")
