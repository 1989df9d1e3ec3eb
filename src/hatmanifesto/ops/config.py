"""The effective configuration: defaults, then the file, then HAT_* variables, then flags.

Every setting keeps its origin. Limits and the schema version come from the file alone; network,
URL, account and agent may be said twice but never differently.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.units import parse_fixed
from hatmanifesto.ops.config_file import read_config
from hatmanifesto.ops.config_overrides import settings_of_environ, settings_of_flags
from hatmanifesto.ops.config_rules import check_rules
from hatmanifesto.ops.config_schema import IDENTITY, KEYS, Setting, fault
from hatmanifesto.ops.config_sections import settings_of_file
from hatmanifesto.ops.config_values import duration_ns
from hatmanifesto.ops.secrets import quote

CONFIG_NAME = "config.toml"


class Config(msgspec.Struct, frozen=True):
    """The effective configuration.

    Args:
        home: folder everything is written to.
        settings: by dotted key, sorted.
        path: the file that was read, or None.
    """

    home: Path
    settings: dict[str, Setting]
    path: str | None

    @property
    def values(self) -> dict[str, str | int | None]:
        """Return the values without their origins."""
        return {key: setting.value for key, setting in self.settings.items()}

    @property
    def hash(self) -> str:
        """Return the SHA-256 of the values, independent of where they came from [hex]."""
        text = json.dumps(self.values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    @property
    def coins(self) -> tuple[str, ...]:
        """Return the configured coins, in order of name."""
        return tuple(sorted({k.split(".")[1] for k in self.settings if k.startswith("coins.")}))

    def text(self, key: str) -> str:
        """Return a text setting, empty when unset."""
        value = self.settings[key].value
        return "" if value is None else str(value)

    def number(self, key: str) -> int:
        """Return an integer setting."""
        value = self.settings[key].value
        assert isinstance(value, int)
        return value

    def micro(self, key: str) -> int:
        """Return a money setting [micro-USDC]."""
        return parse_fixed(self.text(key), decimals=6)

    def ns(self, key: str) -> int:
        """Return a duration setting [ns]."""
        return duration_ns(self.text(key))


def load_config(
    home: Path,
    *,
    file: str | None = None,
    environ: Mapping[str, str],
    flags: Mapping[str, str] | None = None,
) -> Config:
    """Return the effective configuration, checked.

    Args:
        home: resolved home; ``config.toml`` in it is read when ``file`` is None.
        file: ``--config``, must exist.
        environ: process environment.
        flags: settings said on the command line, by dotted key.

    Raises:
        UsageError: names the key, its origin, and what to write instead; shows no secret.
    """
    if file is not None and not file.strip():
        raise UsageError("--config names no file", fix="give the path of a TOML file")
    path = Path(file).absolute() if file is not None else home / CONFIG_NAME
    read = read_config(path, is_named=file is not None)
    settings = {key: Setting(row.default, "default") for key, row in KEYS.items()}
    if read is not None:
        settings.update(settings_of_file(read))
    _overlay(settings, settings_of_environ(environ))
    _overlay(settings, settings_of_flags(flags or {}))
    given = frozenset(key for key, row in settings.items() if row.origin != "default")
    broken = check_rules({key: row.value for key, row in settings.items()}, given)
    if broken:
        raise fault(broken[0], broken[1], origin=settings[broken[0]].origin)
    return Config(home, dict(sorted(settings.items())), read.path if read else None)


def _overlay(settings: dict[str, Setting], upper: dict[str, Setting]) -> None:
    """Lay ``upper`` over ``settings``; identity keys must not contradict what was said before."""
    for key, row in upper.items():
        below = settings[key]
        if key in IDENTITY and below.origin != "default" and below.value != row.value:
            raise fault(
                key,
                f"contradicts {below.origin}, which says {quote(below.value)}",
                origin=f"{row.origin} says {quote(row.value)}",
                fix="make them agree; a contradiction is an error, not an override",
            )
        settings[key] = row
