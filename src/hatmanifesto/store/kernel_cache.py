"""Where compiled strategies lie: a folder per hash of everything the machine code depends on."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from types import CodeType
from typing import Any

from hatmanifesto.domain.errors import DataError, UsageError
from hatmanifesto.kernel.decide import compile_decide, identity
from hatmanifesto.kernel.entry import entry_text
from hatmanifesto.kernel.quotes import Kernel, compile_loop, loop_quotes
from hatmanifesto.kernel.reach import reach
from hatmanifesto.store.atomic import canonical_json, write_atomic
from hatmanifesto.strategies.contract import Strategy, View

CACHE_FOLDER = "cache"
ENTRY_FILE = "entry.py"
FOLDER_MODE = 0o700
"""Nobody else may write what this process will run."""
KEY_DIGITS = 32


def cache_key(function: Callable[..., Any], *, entry: str = "") -> str:
    """Return the hash of everything on which the machine code of ``function`` depends.

    That is each function it reaches, as it stands in memory and as its file stands on disk, the
    values of the constants they read, ``entry``, the compiler's versions and the processor. The
    memory is what gets compiled; with the disk alone, a file edited after its import would file
    old code under the new text.

    Raises:
        UsageError: if a reached function cannot be compiled or its source is no readable file.
    """
    functions = [
        {"name": one.name, "meaning": one.meaning, "file": _hash_of(one.name, one.file)}
        for one in reach(function)
    ]
    content = {"functions": functions, "entry": entry, "machine": dict(identity())}
    return hashlib.sha256(canonical_json(content)).hexdigest()[:KEY_DIGITS]


def cache_folder(home: Path, key: str) -> Path:
    """Return the folder of machine code under ``key``, not yet created."""
    return home / CACHE_FOLDER / key


def load_kernel(strategy: Strategy, home: Path) -> Kernel:
    """Return ``strategy`` compiled, from the cache below ``home`` when nothing it needs changed.

    Raises:
        UsageError: if the strategy cannot be compiled; the message names what stands in the way.
        DataError: if a file of the cache is cut short.
    """
    text = entry_text(type(strategy.params), View, slots=len(strategy.slots))
    folder = _made(cache_folder(home, cache_key(strategy.decide, entry=text)))
    loop_folder = _made(cache_folder(home, cache_key(loop_quotes)))
    path = folder / ENTRY_FILE
    if not path.exists():
        write_atomic(path, text.encode())
    try:
        return _compiled(strategy, _code_of(text, path), folder, loop_folder)
    except (UnpicklingError, EOFError) as error:
        raise DataError(
            f"the compile cache {folder.parent} is damaged",
            why=str(error),
            fix="delete that folder; it is made anew",
        ) from error


def _compiled(strategy: Strategy, entry: CodeType, folder: Path, loop_folder: Path) -> Kernel:
    """Compile or load entry and loop, each in its own folder."""
    params_type = type(strategy.params)
    return Kernel(
        entry=compile_decide(
            strategy.decide,
            params_type=params_type,
            view_type=View,
            entry=entry,
            folder=str(folder),
        ),
        loop=compile_loop(str(loop_folder)),
        params_type=params_type,
        slots=len(strategy.slots),
        memory=strategy.memory,
    )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    return folder


def _code_of(text: str, path: Path) -> CodeType:
    """Return the code of the one function in ``text``, which is the content of ``path``."""
    module = compile(text, str(path), "exec", dont_inherit=True)
    codes = [value for value in module.co_consts if isinstance(value, CodeType)]
    assert len(codes) == 1
    return codes[0]


def _hash_of(name: str, file: str) -> str:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(
            f"{name} cannot be compiled",
            why=f"its source {file} cannot be read",
            fix="put the strategy into a file",
        ) from error
