"""Lays the files of named archives out below the home for an import, then removes them."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hatmanifesto.store.containers import expand, is_archive, peek

PREFIX = ".unpacked-"


@contextmanager
def unpacked(paths: Sequence[Path], home: Path) -> Iterator[list[Path]]:
    """Yield the paths with every named tar or zip archive replaced by a folder of its files.

    Archives inside folders or inside archives stay as they are: they are no data files.

    Raises:
        DataError: if an archive is hostile or damaged; nothing of it is left.
    """
    folder = home / "data" / f"{PREFIX}{os.getpid()}"
    _remove_leftovers(home / "data")
    try:
        yield [_laid_out(path, folder / str(index)) for index, path in enumerate(paths)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _laid_out(path: Path, folder: Path) -> Path:
    if not path.is_file() or not is_archive(peek(path)):
        return path
    expand(path, folder / path.name)
    return folder / path.name


def _remove_leftovers(data: Path) -> None:
    """Remove what killed imports left behind."""
    for folder in data.glob(f"{PREFIX}*"):
        if not _is_alive(folder.name.removeprefix(PREFIX)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ValueError, OSError, OverflowError):
        return False
    return int(pid) != os.getpid()
