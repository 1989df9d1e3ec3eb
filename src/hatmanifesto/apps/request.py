"""What a back-test is asked to do and what it answers; every word is checked before it starts."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.apps.request_candles import parse_half_spread, parse_interval
from hatmanifesto.apps.times import parse_time
from hatmanifesto.domain.candles import HALF_SPREAD
from hatmanifesto.domain.errors import Exit, UsageError
from hatmanifesto.domain.units import parse_fixed
from hatmanifesto.ops import config_values as values
from hatmanifesto.ops.config import Config
from hatmanifesto.ops.config_schema import STRATEGIES, coin_of, suggest
from hatmanifesto.ops.secrets import is_secret_name, quote, secret_kind

DATA = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(?:@[0-9a-f]{6,64})?")
SETTING = re.compile(r"[a-z][a-z0-9_]{0,63}")
ALL = ("all",)
"""In place of coins: every coin that has ticks or candles and known decimals."""
PROTECTED = ("limits.", "risk.")


class BacktestRequest(msgspec.Struct, frozen=True):
    """A checked request.

    Args:
        home: folder everything is written to.
        strategy: a shipped name or the path of a .py file; empty with ``portfolio``.
        settings: strategy parameters as text, by name.
        data: ``NAME[@HASH][,NAME...]``.
        coins: at least one, exact names, in the order given.
        start_ns, end_ns: half-open span [UTC ns], None for the dataset's own.
        capital: > 0 [micro-USDC].
        latency, queue, ties: the words of ``docs/cli.md``.
        seed: of every draw.
        block_ms: block interval [ms].
        interval: length of the candles to play, '' to choose; ``ALL`` coins are those of the data.
        half_spread: assumed about the closes of candles [1e-8 of the price].
        portfolio: path of a TOML file, or None.
        report: write the HTML report.
        config_hash: of the effective configuration.
        progress: called with a fraction in [0, 1], or None.
    """

    home: str
    strategy: str
    settings: dict[str, str]
    data: str
    coins: tuple[str, ...]
    start_ns: int | None = None
    end_ns: int | None = None
    capital: int = 10_000 * 10**6
    latency: str = "fixed:200ms"
    queue: str = "risk_averse"
    ties: str = "both"
    seed: int = 0
    block_ms: int = 75
    interval: str = ""
    half_spread: int = HALF_SPREAD
    portfolio: str | None = None
    report: bool = True
    config_hash: str = ""
    progress: Callable[[float], None] | None = None


class BacktestOutcome(msgspec.Struct, frozen=True):
    """The answer: the JSON object, the same in plain words, and the exit code."""

    summary: dict[str, Any]
    text: str
    exit_code: int = int(Exit.OK)


def build_request(config: Config, words: Mapping[str, Any]) -> BacktestRequest:
    """Return the request of the command line ``words`` (option name to text; None when not said).

    Raises:
        UsageError: names the option and what was expected.
    """
    start = _time("--from", words.get("start"))
    end = _time("--to", words.get("end"))
    if start is not None and end is not None and start >= end:
        raise UsageError("--from must be before --to", fix="give a span that is not empty")
    portfolio = words.get("portfolio")
    strategy = words.get("strategy")
    coins = words.get("coins")
    return BacktestRequest(
        home=str(config.home),
        strategy=_strategy(strategy, has_portfolio=portfolio is not None),
        settings=parse_settings(words.get("settings") or ()),
        data=_data(words.get("data")),
        coins=() if portfolio is not None and coins is None else parse_coins(coins),
        start_ns=start,
        end_ns=end,
        capital=_capital(config, words.get("capital")),
        latency=_word(config, words, "latency"),
        queue=_word(config, words, "queue"),
        ties=_word(config, words, "ties"),
        seed=_number(config, words, "seed"),
        block_ms=_number(config, words, "block_ms"),
        interval=parse_interval(words.get("interval") or "", name="--interval"),
        half_spread=_half_spread(words.get("half_spread_bps")),
        portfolio=_portfolio(portfolio),
        report=bool(words.get("report", True)),
        config_hash=config.hash,
    )


def option_error(option: str, error: ValueError | str, fix: str = "") -> UsageError:
    """Return the usage error of one option."""
    return UsageError(f"{option}: {error}", fix=fix or "see hat --help and docs/cli.md")


def _time(option: str, raw: str | None) -> int | None:
    if raw is None:
        return None
    try:
        return parse_time(raw)
    except ValueError as error:
        raise option_error(option, error) from None


def _strategy(raw: str | None, *, has_portfolio: bool) -> str:
    if has_portfolio:
        if raw is not None:
            raise option_error("STRATEGY", "is not said together with --portfolio")
        return ""
    if raw is None:
        raise option_error("STRATEGY", f"is missing, one of {', '.join(STRATEGIES)} or FILE.py")
    if raw.endswith(".py"):
        if not Path(raw).is_file():
            raise option_error("STRATEGY", f"no such file {quote(raw)}")
        return raw
    if raw not in STRATEGIES:
        hint = suggest(raw, list(STRATEGIES)) or f"known: {', '.join(STRATEGIES)} or FILE.py"
        raise option_error("STRATEGY", f"unknown strategy {quote(raw)}", hint)
    return raw


def parse_settings(pairs: Sequence[str]) -> dict[str, str]:
    """Return ``k=v`` pairs as a mapping; limits, secrets and repeated names are refused."""
    settings: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if is_secret_name(name) or secret_kind(pair):
            raise option_error("--set", "holds a secret; the command line is visible to others")
        if name.startswith(PROTECTED):
            raise option_error(
                "--set",
                f"{quote(name)} is a limit; limits cannot be set on the command line",
                "edit the configuration file",
            )
        if not equals or not SETTING.fullmatch(name):
            raise option_error("--set", f"expected name=value, was {quote(pair)}")
        if name in settings:
            raise option_error("--set", f"{name} is said twice")
        settings[name] = value
    return settings


def _data(raw: str | None) -> str:
    if raw is None:
        raise option_error("--data", "is missing", "name a dataset; see hat data list")
    for part in raw.split(","):
        if not DATA.fullmatch(part):
            raise option_error("--data", f"expected NAME or NAME@HASH, was {quote(part)}")
    return raw


def parse_coins(raw: str | None) -> tuple[str, ...]:
    """Return the coins of ``BTC,ETH``, exact names, each once; ``ALL`` for ``all``."""
    if raw is None:
        raise option_error("--coin", "is missing", "name at least one coin, for example BTC")
    if raw == ALL[0]:
        return ALL
    coins: list[str] = []
    for part in raw.split(","):
        try:
            coin = coin_of(part)
        except ValueError as error:
            raise option_error("--coin", error) from None
        if coin in coins:
            raise option_error("--coin", f"{coin} is said twice")
        coins.append(coin)
    return tuple(coins)


def _half_spread(raw: str | None) -> int:
    return HALF_SPREAD if raw is None else parse_half_spread(raw, name="--half-spread-bps")


def _capital(config: Config, raw: str | None) -> int:
    if raw is None:
        return config.micro("backtest.capital")
    try:
        return parse_fixed(values.money_positive(raw), decimals=6)
    except ValueError as error:
        raise option_error("--capital", error) from None


def _word(config: Config, words: Mapping[str, Any], name: str) -> str:
    raw = words.get(name)
    if raw is None:
        return config.text(f"backtest.{name}")
    return str(_checked(name, str(raw)))


def _number(config: Config, words: Mapping[str, Any], name: str) -> int:
    raw = words.get(name)
    if raw is None:
        return config.number(f"backtest.{name}")
    number = _checked(name, raw)
    assert isinstance(number, int)
    return number


def _checked(name: str, value: object) -> str | int:
    from hatmanifesto.ops.config_schema import KEYS

    try:
        return KEYS[f"backtest.{name}"].parse(value)
    except ValueError as error:
        raise option_error(f"--{name.replace('_', '-')}", error) from None


def _portfolio(raw: str | None) -> str | None:
    if raw is None:
        return None
    if not raw.endswith(".toml") or not Path(raw).is_file():
        raise option_error("--portfolio", f"no such TOML file {quote(raw)}")
    return raw
