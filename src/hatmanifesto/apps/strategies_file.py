"""Finds strategies: the shipped ones by name, a user's by the path of its file."""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.strategies import carry, maker, reversion, trend
from hatmanifesto.strategies.contract import Strategy

SHIPPED = {"maker": maker, "carry": carry, "trend": trend, "reversion": reversion}


def load_strategy(
    name: str, settings: Mapping[str, str], *, source: Path | None = None
) -> Strategy:
    """Return the strategy ``name`` with ``settings`` (text by parameter name).

    Args:
        name: a shipped name, or the stem of ``source``.
        settings: parameters to change.
        source: the file of a user's strategy; it defines ``Params`` and ``build(params)``.

    Raises:
        UsageError: unknown name, unknown parameter, a value of the wrong type or out of bounds, or
            a file without ``Params`` and ``build``.
    """
    module = _from_file(source) if source is not None else _shipped(name)
    params = module.Params(**_values(name, module.Params, settings))
    strategy: Strategy = module.build(params)
    for key, (low, high) in strategy.bounds.items():
        value = getattr(params, key)
        if not low <= value <= high:
            raise UsageError(
                f"{name}: {key}={value:g} is out of bounds",
                why=f"it must lie in {low:g} .. {high:g}",
                fix=f"choose --set {key}=V within them",
            )
    return strategy


def _shipped(name: str) -> Any:
    if name in SHIPPED:
        return SHIPPED[name]
    raise UsageError(
        f"unknown strategy {name!r}", fix=f"use {', '.join(SHIPPED)} or the path of a .py file"
    )


def _from_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"hat_strategy_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path.name} is no Python file", fix="give the path of a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(
            f"{path.name} cannot be loaded", why=repr(error), fix="run it with python to see where"
        ) from error
    if not (hasattr(module, "Params") and hasattr(module, "build")):
        raise UsageError(
            f"{path.name} is no strategy",
            why="it defines no Params and build(params)",
            fix="see docs/strategies.md",
        )
    return module


def _values(name: str, params: Any, settings: Mapping[str, str]) -> dict[str, int | float]:
    types = get_type_hints(params)
    values: dict[str, int | float] = {}
    for key, text in settings.items():
        if key not in types:
            raise UsageError(
                f"{name} has no parameter {key!r}", fix=f"choose among {', '.join(types)}"
            )
        try:
            values[key] = types[key](text)
        except ValueError as error:
            raise UsageError(
                f"{name}: {key} must be a number, was {text!r}",
                why=f"its type is {types[key].__name__}",
                fix=f"write --set {key}={params._field_defaults.get(key, 1)}",
            ) from error
    return values
