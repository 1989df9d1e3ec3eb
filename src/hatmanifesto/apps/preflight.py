"""Checks, without any network, that live trading could start: settings, arming, secrets, lock."""

import re
from collections.abc import Mapping

import msgspec

from hatmanifesto.domain.errors import Exit, RefusedError, UsageError
from hatmanifesto.ops.config import Config
from hatmanifesto.ops.config_schema import NETWORKS
from hatmanifesto.ops.lock import AccountLock
from hatmanifesto.ops.secrets import is_secret_name, quote, secret_kind

ARM_DIGITS = 6
SCANNED = re.compile(r"^(HAT|HL|HYPERLIQUID|AGENT|WALLET|ETH)_|MNEMONIC|PRIVATE_?KEY|SEED_?PHRASE")


class PreflightOutcome(msgspec.Struct, frozen=True):
    """What live trading would run with."""

    summary: dict[str, object]
    text: str
    exit_code: int = int(Exit.OK)


def run_preflight(
    config: Config, *, environ: Mapping[str, str], network: str | None, arm: str | None
) -> PreflightOutcome:
    """Return what live trading would run with; connects to nothing and loads no key.

    Args:
        config: effective configuration.
        environ: process environment, searched for secrets.
        network: ``--network``, must agree with the configuration.
        arm: ``--arm``, the last six digits of the account, for mainnet.

    Raises:
        UsageError: for a contradiction, missing arming, or a secret in the environment.
        BusyError: if another instance holds the account.
    """
    refuse_environment(environ)
    check_network(config, network)
    check_arm(config, arm)
    check_dashboard_files(config)
    with AccountLock(config.home, config.text("account")):
        return _outcome(config)


def refuse_environment(environ: Mapping[str, str]) -> None:
    """Refuse secrets in the environment, by name or by shape; names the variable alone.

    Raises:
        UsageError: if there is one.
    """
    for name in sorted(environ):
        if not SCANNED.search(name.upper()):
            continue
        if is_secret_name(name) or secret_kind(environ[name]):
            raise UsageError(
                f"environment {name} holds a secret in plain text",
                why="every child process can read the environment",
                fix=f"unset {name}",
            )


def check_network(config: Config, network: str | None) -> None:
    """Refuse a ``--network`` that is unknown or contradicts the configuration."""
    configured = config.text("network")
    if network is None or network == configured:
        return
    if network not in NETWORKS:
        raise UsageError(f"--network must be one of {', '.join(NETWORKS)}, was {quote(network)}")
    raise UsageError(
        f"--network {network} contradicts the configuration, which says {configured}",
        why=f"origin: {config.settings['network'].origin}",
        fix="make them agree; a contradiction is an error, not an override",
    )


def check_arm(config: Config, arm: str | None) -> None:
    """Refuse mainnet unless the last six digits of the account are typed exactly."""
    if arm is not None and secret_kind(arm):
        raise UsageError("--arm holds a secret", fix="take it out and replace it everywhere")
    network = config.text("network")
    if network != "mainnet":
        if arm is not None:
            raise UsageError(f"--arm is for mainnet only, the network is {network}")
        return
    if arm is None:
        raise UsageError(
            "mainnet needs a confirmation: --arm is missing",
            fix=f"add --arm and the last {ARM_DIGITS} digits of the account, typed by hand",
        )
    if arm != config.text("account")[-ARM_DIGITS:]:
        raise UsageError(
            f"--arm {quote(arm)} does not match the account",
            fix=f"mainnet needs the last {ARM_DIGITS} digits of the account, exactly",
        )


def check_dashboard_files(config: Config) -> None:
    """Refuse a dashboard whose certificate, key or password file is named but missing."""
    for key in ("dashboard.tls_cert", "dashboard.tls_key", "dashboard.auth_file"):
        name = config.text(key)
        if name and not (config.home / name).is_file():
            raise UsageError(f"{key}: no such file {quote(name)} in the home")


def refuse_live() -> None:
    """Say that this release does not trade.

    Raises:
        RefusedError: always.
    """
    raise RefusedError(
        "live trading is not part of this release",
        why="preflight passed, nothing was connected, nothing was signed",
        fix="use hat backtest, or wait for a release with a gate",
    )


def _outcome(config: Config) -> PreflightOutcome:
    names = [f"limits.{n}" for n in ("order_notional_max", "position_notional_max")]
    is_observing = any(config.micro(name) == 0 for name in names)
    loss = config.text("limits.daily_loss_max")
    is_observing = is_observing or loss == "0"
    settings = {key: row.value for key, row in config.settings.items() if row.value is not None}
    summary: dict[str, object] = {
        "status": "ok",
        "network": config.text("network"),
        "account": config.text("account") or None,
        "opening": "disabled" if is_observing else "enabled",
        "config_hash": config.hash,
        "settings": settings,
    }
    opening = (
        "observe only: a limit is 0, so no position may be opened"
        if is_observing
        else "positions may be opened within the limits"
    )
    who = config.text("account") or "no account"
    lines = [f"preflight passed for {who} on {config.text('network')}; {opening}"]
    lines += [f"  {key} = {value}" for key, value in settings.items()]
    lines.append("nothing was connected and nothing was signed")
    return PreflightOutcome(summary, "\n".join(lines))
