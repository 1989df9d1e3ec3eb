"""Reads the limits file: HOME/limits.toml if there is one, else the shipped `small` template."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.risk.limits import Limits

LIMITS_FILE = "limits.toml"


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: percentages of capital, hundredths of leverage, counts, basis points."""

    schema: int
    order_notional_max_pct: int
    position_notional_max_pct: int
    leverage_max_pct: int
    open_orders_max: int
    collar_bps: int
    loss_max_pct: int
    drawdown_max_pct: int


BOUNDS = {
    "schema": (1, 1),
    "order_notional_max_pct": (0, 1_000),
    "position_notional_max_pct": (0, 4_000),
    "leverage_max_pct": (0, 4_000),
    "open_orders_max": (0, 1_000),
    "collar_bps": (1, 2_000),
    "loss_max_pct": (0, 100),
    "drawdown_max_pct": (0, 100),
}


def load_limits(home: Path, *, capital: int) -> Limits:
    """Return the limits of an account with ``capital`` [micro-USDC].

    Raises:
        UsageError: if the file is no TOML, has unknown or missing keys, or values out of range.
    """
    path = home / LIMITS_FILE
    if path.exists():
        text, name = path.read_text(encoding="utf-8"), str(LIMITS_FILE)
    else:
        shipped = resources.files("hatmanifesto.risk") / LIMITS_FILE
        text, name = shipped.read_text(encoding="utf-8"), "the shipped limits"
    template = _parse(text, name)
    return Limits(
        order_notional_max=capital * template.order_notional_max_pct // 100,
        position_notional_max=capital * template.position_notional_max_pct // 100,
        leverage_max_pct=template.leverage_max_pct,
        open_orders_max=template.open_orders_max,
        collar_bps=template.collar_bps,
        loss_max=capital * template.loss_max_pct // 100,
        drawdown_max=capital * template.drawdown_max_pct // 100,
    )


def _parse(text: str, name: str) -> Template:
    try:
        content: dict[str, Any] = tomllib.loads(text)
        template = msgspec.convert(content, Template)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UsageError(
            f"{name} is not valid", why=str(error), fix="compare docs/limits.md"
        ) from error
    for key, (low, high) in BOUNDS.items():
        value = getattr(template, key)
        if not low <= value <= high:
            raise UsageError(
                f"{name}: {key} is out of range", why=f"it must lie in {low} .. {high}, was {value}"
            )
    return template
