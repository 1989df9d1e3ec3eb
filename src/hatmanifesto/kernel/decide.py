"""Compiles a decision with everything it reaches, and leaves the modules it came from untouched.

Theory of operation. A function is compiled from a copy: the same code object over a new table of
globals, in which every plain function is replaced by its own compiled copy. So the engine goes on
calling plain Python, the kernel runs the very same code, and nobody patches a module. Only the
entry is written to the compile cache; numba links what it calls into it. The cache lies in a folder
that the caller keys by everything that was reached, because numba itself looks at one file only and
would not notice an edited helper.
"""

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import llvmlite  # type: ignore[import-untyped]
import numba
import numpy as np
from llvmlite import binding
from numba import njit, types
from numba.core.errors import NumbaError

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.kernel.entry import ENTRY_MODULE, ENTRY_NAME
from hatmanifesto.kernel.reach import globals_of, name_of, plain_function

CONFIG: Any = numba.config
FLOATS = types.float64[::1]
INTS = types.int64[::1]
ENTRY_SIGNATURE = types.void(FLOATS, INTS, FLOATS, INTS)
"""Of every entry: parameters, view, memory, quotes."""
ENTRY_TYPE = types.FunctionType(ENTRY_SIGNATURE)
"""The first-class function type under which the loop receives an entry."""
SETTINGS = (
    "OPT",
    "CPU_NAME",
    "CPU_FEATURES",
    "ENABLE_AVX",
    "LOOP_VECTORIZE",
    "SLP_VECTORIZE",
    "BOUNDSCHECK",
    "USING_SVML",
)
"""Settings of numba that change the machine code."""
REASON_CHARS_MAX = 400


class Compiled(NamedTuple):
    """A compiled function, and whether it came from the cache instead of the compiler."""

    function: Any
    is_cached: bool


def compile_decide(
    decide: Callable[..., Any],
    *,
    params_type: Any,
    view_type: Any,
    entry: CodeType,
    folder: str,
) -> Compiled:
    """Return ``decide`` compiled behind its entry, from the cache in ``folder`` when it is there.

    Args:
        decide: a plain function at module level.
        params_type, view_type: NamedTuples that the entry builds.
        entry: code of the function that ``entry_text`` describes; its file name must exist.
        folder: where numba keeps machine code; keyed by the caller.

    Raises:
        UsageError: if the decision uses something that cannot be compiled.
    """
    names = {
        # Loading from the cache imports the module of this name, so it must be importable.
        "__name__": ENTRY_MODULE,
        "decide": compiled_copy(decide, {}),
        "Params": params_type,
        "View": view_type,
    }
    function = FunctionType(entry, names, ENTRY_NAME)
    try:
        return compile_cached(function, ENTRY_SIGNATURE, folder=folder)
    except NumbaError as error:
        text = " ".join(str(error).split())[:REASON_CHARS_MAX]
        raise UsageError(
            f"{name_of(plain_function(decide))} cannot be compiled",
            why=text,
            fix="see the rules for a decision in docs/kernel.md",
        ) from error


def compile_cached(function: Callable[..., Any], signature: Any, *, folder: str) -> Compiled:
    """Return ``function`` compiled for ``signature`` and for nothing else.

    Raises:
        NumbaError: if it cannot be compiled.
        UsageError: if compilation is switched off.
    """
    if CONFIG.DISABLE_JIT:
        raise UsageError("numba is switched off", fix="unset NUMBA_DISABLE_JIT")
    with _caching_in(folder):
        dispatcher = njit(cache=True)(function)
    dispatcher.compile(signature)
    dispatcher.disable_compile()
    return Compiled(dispatcher, is_cached=bool(dispatcher.stats.cache_hits))


def compiled_copy(function: Callable[..., Any], known: dict[int, Any]) -> Any:
    """Return a compiled copy of ``function`` over compiled copies of what it calls.

    It compiles when it is first called, for the types it is then called with.

    Args:
        function: a plain function at module level.
        known: copies made so far, by identity; a function may call itself.

    Raises:
        UsageError: if it needs what a decision may not use.
    """
    plain = plain_function(function)
    if id(plain) in known:
        return known[id(plain)]
    names: dict[str, Any] = {"__name__": plain.__module__}
    copy = FunctionType(plain.__code__, names, plain.__name__, plain.__defaults__)
    copy.__kwdefaults__ = plain.__kwdefaults__
    copy.__qualname__ = plain.__qualname__
    known[id(plain)] = njit(copy)
    for name, value in globals_of(plain):
        names[name] = compiled_copy(value, known) if isinstance(value, FunctionType) else value
    return known[id(plain)]


def identity() -> Mapping[str, str]:
    """Return what machine code depends on besides its source: versions, processor, settings."""
    return {
        "python": f"{sys.implementation.cache_tag} {sys.version}",
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
        "numpy": np.__version__,
        "cpu": f"{binding.get_process_triple()} {binding.get_host_cpu_name()}",
        "features": binding.get_host_cpu_features().flatten(),
        **{name: str(getattr(CONFIG, name, None)) for name in SETTINGS},
    }


@contextmanager
def _caching_in(folder: str) -> Generator[None, None, None]:
    """Let functions made within keep their machine code in ``folder``."""
    before = CONFIG.CACHE_DIR
    CONFIG.CACHE_DIR = folder
    try:
        yield
    finally:
        CONFIG.CACHE_DIR = before
