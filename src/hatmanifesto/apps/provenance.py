"""What code, which lock and which commit a result was made with."""

import functools
import hashlib
import subprocess
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parent.parent
SUFFIXES = {".py", ".toml"}
GIT_TIMEOUT_S = 10


class Provenance(NamedTuple):
    """Hashes of code and locked versions; commit and dirty are None outside a git checkout."""

    code_hash: str
    lock_hash: str
    commit: str | None
    dirty: bool | None


@functools.cache
def code_hash() -> str:
    """Return the hash of every source file of the package, by relative path and content."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in SUFFIXES and "__pycache__" not in path.parts:
            digest.update(path.relative_to(PACKAGE).as_posix().encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


@functools.cache
def lock_hash() -> str:
    """Return the hash of the installed versions of everything the package requires."""
    names = sorted(
        requirement.split(";")[0].split(">")[0].split("=")[0].split("[")[0].strip()
        for requirement in metadata.requires("hatmanifesto") or []
        if "extra ==" not in requirement
    )
    text = "\n".join(f"{name}=={metadata.version(name)}" for name in names)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@functools.cache
def provenance() -> Provenance:
    """Return where the running code comes from."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain")
    return Provenance(
        code_hash=code_hash(),
        lock_hash=lock_hash(),
        commit=commit,
        dirty=None if changes is None else bool(changes),
    )


def _git(*words: str) -> str | None:
    if not (PACKAGE.parent.parent / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(PACKAGE), *words],
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
