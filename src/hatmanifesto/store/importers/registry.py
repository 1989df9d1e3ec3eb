"""The importers this release has, and which of them a file belongs to."""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, cast

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.importers.contract import FileImporter, Foreign
from hatmanifesto.store.importers.mapping import Options

IMPORTERS = (
    "recorder:Recorder",
    "candles:Candles",
    "funding:Funding",
    "open_interest:OpenInterest",
    "contexts:Contexts",
    "answers:Answers",
    "account:Account",
    "vaults:Vaults",
    "node:Node",
    "ws_raw:WsRaw",
    "archive:Archive",
    "ctx_recorder:CtxRecorder",
    "trades_2023:Trades2023",
    "fetched:Fetched",
    "binance:Binance",
    "standx:StandX",
)
"""Module and class, asked in this order; the first that recognises a file reads it. A file with a
mapping beside it is the user's own and asked for before, plain tables are asked for last."""


class Found(NamedTuple):
    """Recognised files with their importers, by path, and the files nobody knows."""

    files: tuple[tuple[FileImporter, Foreign], ...]
    ignored: tuple[Path, ...]

    @property
    def importers(self) -> tuple[FileImporter, ...]:
        """Return every importer at work, by name."""
        unique = {importer.name: importer for importer, _ in self.files}
        return tuple(unique[name] for name in sorted(unique))


@cache
def importers(options: Options = Options()) -> tuple[FileImporter, ...]:  # noqa: B008 - immutable
    """Return one of each importer; they are loaded when first asked for."""
    from hatmanifesto.store.importers.mapped import own_importers

    found = []
    for entry in IMPORTERS:
        module, _, name = entry.partition(":")
        found.append(getattr(import_module(f"hatmanifesto.store.importers.{module}"), name)())
    mapped, plain = own_importers(options)
    return (mapped, *(cast("FileImporter", one) for one in found), plain)


def recognise(path: Path, options: Options) -> tuple[FileImporter, Foreign] | None:
    """Return who reads ``path`` and what it holds, or none.

    Raises:
        DataError: if its container is damaged.
    """
    from hatmanifesto.store.containers import peek

    head = peek(path)
    for importer in importers(options):
        foreign = importer.recognise(path, head)
        if foreign is not None:
            return importer, foreign
    return None


def find(paths: Sequence[Path], options: Options = Options()) -> Found:  # noqa: B008 - immutable
    """Return the recognised files below ``paths``; a folder may hold others, a named file may not.

    Raises:
        DataError: if a path is missing, a named file or a whole folder is unknown, or the files
            are of several venues or evidence classes.
    """
    pairs: dict[Path, tuple[FileImporter, Foreign]] = {}
    ignored: list[Path] = []
    for path in paths:
        before = len(pairs)
        known = 0
        for file in _files_of(path):
            pair = recognise(file, options)
            if pair is None:
                ignored.append(file)
                continue
            known += 1
            pairs.setdefault(file.resolve(), pair)
        if len(pairs) == before and not known:
            raise _unknown(path)
    ordered = sorted(pairs.values(), key=lambda pair: str(pair[1].path))
    found = Found(tuple(ordered), tuple(ignored))
    _refuse_mixture(found, "venues", [one.venue for one in found.importers])
    _refuse_mixture(found, "evidence classes", [one.evidence.value for one in found.importers])
    return found


def _refuse_mixture(found: Found, what: str, values: Sequence[str]) -> None:
    if len(set(values)) > 1:
        names = ", ".join(
            f"{importer.name}: {value}"
            for importer, value in zip(found.importers, values, strict=True)
        )
        raise DataError(
            f"these files are of several {what}",
            why=f"{names}; a dataset has one",
            fix="import each under its own --dataset",
        )


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(
            file
            for file in path.rglob("*")
            if file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        )
    elif path.is_file():
        yield path
    else:
        raise DataError(f"no such file or folder: {path}", fix="check the path")


def _unknown(path: Path) -> DataError:
    from hatmanifesto.store.containers import peek
    from hatmanifesto.store.importers.unknown import describe

    known = ", ".join(importer.name for importer in importers())
    looks = describe(path, peek(path)) if path.is_file() else ""
    return DataError(
        f"nothing to import in {path}",
        why=looks or f"no importer ({known}) knows its names and columns",
        fix="see docs/data.md for the files that are recognised, docs/own-data.md for your own",
    )
