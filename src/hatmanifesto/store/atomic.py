"""Files that are there whole or not at all: canonical JSON, hashes, write-then-rename."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

BLOCK_BYTES = 1 << 20


def canonical_json(value: Any) -> bytes:
    """Return the one JSON text of ``value``: keys sorted, no blanks, ASCII, no NaN.

    Raises:
        ValueError: if ``value`` holds a NaN or an infinity.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def readable_json(value: Any) -> bytes:
    """Return canonical JSON laid out for people: one key a line, ending in a newline."""
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False).encode("ascii") + b"\n"


def sha256_bytes(content: bytes) -> str:
    """Return the SHA-256 of ``content`` as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits, reading it block by block."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def fsync_path(path: Path) -> None:
    """Make a written file, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``: a reader sees the old bytes or the new, never a part.

    The folder must exist. The temporary file lies beside the target, so that the rename stays
    within one file system.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    fsync_path(path.parent)


def publish_folder(source: Path, target: Path) -> None:
    """Rename the finished folder ``source`` to ``target`` after its bytes reached the disk.

    Raises:
        OSError: if ``target`` exists and is not empty.
    """
    for path in sorted(source.rglob("*")):
        fsync_path(path)
    fsync_path(source)
    source.replace(target)
    fsync_path(target.parent)
