"""Finds everything a decision function reaches, so that it can be compiled and fingerprinted."""

import dis
import math
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from hatmanifesto.domain.errors import UsageError

NUMBERS = (bool, int, float)
CODE_PARTS = (
    "co_name",
    "co_argcount",
    "co_posonlyargcount",
    "co_kwonlyargcount",
    "co_flags",
    "co_names",
    "co_varnames",
    "co_freevars",
    "co_cellvars",
)
"""What decides the meaning of a code object besides its bytes and constants; no line numbers."""


class Reached(NamedTuple):
    """A function that a decision can get to.

    name: module and qualified name.
    file: where its source stood when it was imported.
    meaning: text that changes whenever the function as it stands in memory computes otherwise:
        its code, defaults, and the values of the constants it reads.
    function: itself.
    """

    name: str
    file: str
    meaning: str
    function: FunctionType


def reach(function: Callable[..., Any]) -> tuple[Reached, ...]:
    """Return ``function`` and every function it can call, in the order of first use.

    Raises:
        UsageError: if one of them needs what a decision may not use; the message names it.
    """
    found: dict[int, Reached] = {}
    waiting: list[Any] = [function]
    while waiting:
        one = plain_function(waiting.pop(0))
        if id(one) in found:
            continue
        values = dict(globals_of(one))
        found[id(one)] = Reached(name_of(one), one.__code__.co_filename, _meaning(one, values), one)
        waiting += [value for value in values.values() if isinstance(value, FunctionType)]
    return tuple(found.values())


def plain_function(function: Any) -> FunctionType:
    """Return ``function`` if it is a plain function at module level.

    Raises:
        UsageError: if it is decorated, compiled, a method, or closes over variables.
    """
    if not isinstance(function, FunctionType):
        raise _refused(repr(function), "it is no plain Python function")
    if function.__closure__:
        raise _refused(name_of(function), "it closes over variables of another function")
    return function


def globals_of(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield name and value of the module-level names that ``function`` reads, builtins left out.

    Raises:
        UsageError: if a value is no number, tuple of numbers, named tuple, function, or ``math``.
    """
    for name in global_names(function.__code__):
        if name not in function.__globals__:
            continue
        value = function.__globals__[name]
        if not _is_allowed(value):
            kind = type(value).__name__
            raise _refused(name_of(function), f"it reads {name}, which is of type {kind}")
        yield name, value


def global_names(code: CodeType) -> list[str]:
    """Return the global names that ``code`` loads, code within it included, in order of use."""
    names = [
        str(step.argval)
        for step in dis.get_instructions(code)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    ]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names += global_names(constant)
    return list(dict.fromkeys(names))


def name_of(function: FunctionType) -> str:
    """Return module and qualified name, for messages and keys."""
    return f"{function.__module__}.{function.__qualname__}"


def is_named_tuple(value: Any) -> bool:
    """Say whether ``value`` is a NamedTuple class."""
    return isinstance(value, type) and issubclass(value, tuple) and hasattr(value, "_fields")


def _is_constant(value: Any) -> bool:
    if type(value) is tuple:
        return all(_is_constant(item) for item in value)
    return type(value) in NUMBERS


def _is_allowed(value: Any) -> bool:
    if isinstance(value, ModuleType):
        return value is math
    if isinstance(value, BuiltinFunctionType):
        return value.__module__ == "math"
    return isinstance(value, FunctionType) or _is_constant(value) or is_named_tuple(value)


def _meaning(function: FunctionType, values: dict[str, Any]) -> str:
    """Return the text that ``Reached.meaning`` describes."""
    lines = [_code_text(function.__code__)]
    lines += [f"defaults {function.__defaults__!r} {function.__kwdefaults__!r}"]
    lines += [f"{name} = {_value_text(value)}" for name, value in values.items()]
    return "\n".join(lines)


def _value_text(value: Any) -> str:
    if isinstance(value, FunctionType):
        return name_of(value)
    if is_named_tuple(value):
        return f"{value.__qualname__}{value._fields!r}{value._field_defaults!r}"
    return repr(value)


def _code_text(code: CodeType) -> str:
    parts = [repr(getattr(code, part)) for part in CODE_PARTS]
    constants = [_constant_text(value) for value in code.co_consts]
    return "\n".join([*parts, code.co_code.hex(), *constants])


def _constant_text(value: Any) -> str:
    """Return a text of a constant that is the same in every process."""
    if isinstance(value, CodeType):
        return _code_text(value)
    if isinstance(value, frozenset):
        return f"frozenset {sorted(map(repr, value))!r}"
    return repr(value)


def _refused(name: str, why: str) -> UsageError:
    return UsageError(
        f"{name} cannot be compiled",
        why=why,
        fix="use numbers, math, named tuples and plain functions at module level (docs/kernel.md)",
    )
