"""The importers this release has, and which of them a file belongs to."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.importers.parts import Importer, Source
from hatmanifesto.store.importers.recorder import Recorder

IMPORTERS: tuple[Importer, ...] = (Recorder(),)
"""Asked in this order; the first that recognises a file reads it."""


class Found(NamedTuple):
    """Recognised files of one importer, in a fixed order, and the files nobody knows."""

    importer: Importer
    sources: tuple[Source, ...]
    ignored: tuple[Path, ...]


def recognise(path: Path) -> tuple[Importer, Source] | None:
    """Return who reads ``path`` and what it holds, or none."""
    for importer in IMPORTERS:
        source = importer.recognise(path)
        if source is not None:
            return importer, source
    return None


def find_sources(paths: Sequence[Path]) -> Found:
    """Return the recognised files below ``paths``; a folder may hold others, a named file may not.

    Raises:
        DataError: if a path is missing, a named file or a whole folder is unknown, or the files
            belong to several importers.
    """
    pairs: list[tuple[Importer, Source]] = []
    ignored: list[Path] = []
    for path in paths:
        before = len(pairs)
        for file in _files_of(path):
            pair = recognise(file)
            if pair is not None:
                pairs.append(pair)
            else:
                ignored.append(file)
        if len(pairs) == before:
            raise _unknown(path)
    names = sorted({importer.name for importer, _ in pairs})
    if len(names) != 1:
        raise DataError(
            "these files are of several families",
            why=f"{', '.join(names) or 'none was named'}; a dataset has one",
            fix="import each family under its own --dataset",
        )
    unique = {source.path.resolve(): source for _, source in pairs}
    ordered = sorted(unique.values(), key=lambda one: (one.kind, one.coin, str(one.path)))
    return Found(pairs[0][0], tuple(ordered), tuple(ignored))


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(file for file in path.iterdir() if file.is_file())
    elif path.is_file():
        yield path
    else:
        raise DataError(f"no such file or folder: {path}", fix="check the path")


def _unknown(path: Path) -> DataError:
    known = ", ".join(importer.name for importer in IMPORTERS)
    return DataError(
        f"nothing to import in {path}",
        why=f"no importer ({known}) knows its names and columns",
        fix="see docs/data.md for the files that are recognised",
    )
