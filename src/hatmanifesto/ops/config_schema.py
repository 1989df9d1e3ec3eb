"""The table of configuration keys: what each accepts, its default, and what it is for."""

from difflib import get_close_matches

import msgspec

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.ops import config_names as names
from hatmanifesto.ops import config_values as values
from hatmanifesto.ops.secrets import quote

DOCS = "see docs/configuration.md"
SCHEMA = 1
"""Version of this table; a file must say it, so that an old file is never misread."""
STRATEGIES = ("maker", "carry", "trend", "reversion")
NETWORKS = ("local", "testnet", "mainnet")


class Setting(msgspec.Struct, frozen=True):
    """A value in canonical form and where it came from."""

    value: str | int | None
    origin: str


class Key(msgspec.Struct, frozen=True):
    """One setting: its parser, its default (None: unset) and one line of documentation."""

    parse: values.Parser
    default: str | int | None
    text: str
    is_fixed: bool = False
    """True where neither environment nor flags may say it: what protects must be in the file."""


def schema_version(value: object) -> int:
    """Parse ``schema``; an older or newer number is refused, never guessed at."""
    number = values.integer(-(2**31), 2**31)(value)
    assert isinstance(number, int)
    if number < SCHEMA:
        raise ValueError(
            f"{number} is older than {SCHEMA}, which this release reads; migrate the file by hand"
        )
    if number > SCHEMA:
        raise ValueError(f"{number} is newer than {SCHEMA}, which this release reads; update hat")
    return number


KEYS: dict[str, Key] = {
    "schema": Key(schema_version, SCHEMA, "version of this file's form", is_fixed=True),
    "network": Key(values.choice(*NETWORKS), "local", "which venue"),
    "base_url": Key(names.url, None, "venue address; required unless the network is local"),
    "account": Key(names.address, None, "master account that trades"),
    "agent": Key(names.address, None, "API wallet that signs; never the account itself"),
    "limits.order_notional_max": Key(
        values.money, "0", "largest order [USDC]; 0 observes only", is_fixed=True
    ),
    "limits.position_notional_max": Key(
        values.money, "0", "largest position per coin [USDC]; 0 observes only", is_fixed=True
    ),
    "limits.daily_loss_max": Key(
        values.money, "0", "loss of a UTC day that stops opening [USDC]", is_fixed=True
    ),
    "limits.price_collar": Key(
        values.collar, "0.02", "farthest order price from the mid, fraction", is_fixed=True
    ),
    "dead_man.period": Key(
        values.duration("5s", "10m"), "30s", "the venue cancels all after this silence"
    ),
    "dead_man.refresh": Key(
        values.duration("500ms", "10m"), "10s", "how often the dead-man timer is renewed"
    ),
    "orders.expires_after": Key(
        values.duration("2s", "60s"), "15s", "life of a signed action; later it is dropped"
    ),
    "journal.dir": Key(names.relative_path, "journal", "live journal, inside the home"),
    "dashboard.bind": Key(names.bind, "127.0.0.1:8787", "where the dashboard listens"),
    "dashboard.tls_cert": Key(names.relative_path, None, "certificate, inside the home"),
    "dashboard.tls_key": Key(names.relative_path, None, "its key file, inside the home"),
    "dashboard.auth_file": Key(names.relative_path, None, "password hashes, inside the home"),
    "backtest.capital": Key(values.money_positive, "10000", "starting capital [USDC]"),
    "backtest.latency": Key(values.latency, "fixed:200ms", "feed and order latency model"),
    "backtest.queue": Key(values.queue, "risk_averse", "queue position model"),
    "backtest.ties": Key(
        values.choice("pessimistic", "optimistic", "both"), "both", "order of equal stamps"
    ),
    "backtest.seed": Key(values.integer(0, 2**63 - 1), 0, "seed of every random draw"),
    "backtest.block_ms": Key(values.integer(1, 10_000), 75, "block interval [ms]"),
}
COIN_KEYS = {"leverage": Key(values.integer(1, 10**6), 1, "leverage, 1..asset maximum")}
STRATEGY_KEYS = {"name": Key(values.choice(*STRATEGIES), None, "a shipped strategy")}
NAMED = {"coins": COIN_KEYS, "strategies": STRATEGY_KEYS}
"""Sections whose tables are named by the user."""
IDENTITY = ("network", "base_url", "account", "agent")
"""Keys on which two sources must agree: a contradiction is an error, not an override."""
SECTIONS = frozenset(key.partition(".")[0] for key in KEYS if "." in key) | set(NAMED)


def suggest(word: str, known: list[str]) -> str:
    """Return ``did you mean X?`` for the closest of ``known``, or an empty string."""
    folded = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), list(folded), n=1, cutoff=0.5)
    return f"did you mean {folded[close[0]]}?" if close else ""


def coin_of(name: object) -> str:
    """Return ``name`` if it is exactly a known coin.

    Raises:
        ValueError: otherwise, with a suggestion and never a correction.
    """
    if not isinstance(name, str):
        raise ValueError(
            f"a coin must be a name in quotes, was {values.type_name(name)} {quote(name)}"
        )
    if name in PERPS:
        return name
    if not name.isascii():
        raise ValueError(f"coin {quote(name)} is not ASCII; names are exact ASCII text")
    hint = suggest(name, list(PERPS)) or f"known: {', '.join(sorted(PERPS))}"
    raise ValueError(f"unknown coin {quote(name)}, names are exact; {hint}")


def fault(key: str, what: str, *, origin: str, fix: str = DOCS) -> UsageError:
    """Return the error of one key: where it was said, its name, what is wrong, how to fix it."""
    return UsageError(f"{origin}: {key}: {what}", fix=fix)


def parsed(key: str, row: Key, value: object, origin: str) -> dict[str, Setting]:
    """Return the setting ``key`` made of ``value``, under its own name.

    Raises:
        UsageError: names the key and its origin.
    """
    try:
        return {key: Setting(row.parse(value), origin)}
    except ValueError as error:
        raise fault(key, str(error), origin=origin) from None
