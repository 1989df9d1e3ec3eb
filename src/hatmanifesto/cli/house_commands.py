"""Commands about the house itself: configuration, preflight, kill switch, dashboard, audit."""

import os
import sys
from typing import Annotated

import typer

from hatmanifesto.cli.groups import AsJson, Settings, group
from hatmanifesto.cli.session import (
    answer,
    flag_settings,
    not_in_release,
    print_json,
    session_of,
    whole_number,
)
from hatmanifesto.domain.errors import RefusedError, UnreconciledError, UsageError
from hatmanifesto.ops.secrets import quote, secret_kind

Text = str | None
Network = Annotated[Text, typer.Option("--network", help="Must agree with the configuration.")]
Arm = Annotated[Text, typer.Option("--arm", help="Mainnet: last six digits of the account.")]
REASON_MAX = 200


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    config = group("The effective configuration.")
    config.command("show")(config_show)
    app.add_typer(config, name="config")
    app.command("preflight")(preflight)
    app.command("live")(live)
    app.command("kill")(kill)
    app.command("resume")(resume)
    app.command("dashboard")(dashboard)
    audit = group("The record of what was done.")
    audit.command("verify")(audit_verify)
    app.add_typer(audit, name="audit")


def config_show(context: typer.Context, settings: Settings = None, as_json: AsJson = False) -> int:
    """Print every setting with its value and where it came from."""
    config = session_of(context).load(flag_settings(settings))
    rows = config.settings
    if as_json:
        listed = {key: {"value": row.value, "origin": row.origin} for key, row in rows.items()}
        print_json(
            {
                "home": str(config.home),
                "file": config.path,
                "config_hash": config.hash,
                "settings": listed,
            }
        )
        return 0
    width = max(len(key) for key in rows)
    for key, row in rows.items():
        value = "(not set)" if row.value is None else row.value
        sys.stdout.write(f"{key.ljust(width)} = {value}  # {row.origin}\n")
    sys.stdout.write(f"# home {config.home}, hash {config.hash}\n")
    return 0


def preflight(
    context: typer.Context,
    network: Network = None,
    arm: Arm = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> int:
    """Check that live trading could start; connects to nothing."""
    from hatmanifesto.apps.preflight import run_preflight

    config = session_of(context).load(flag_settings(settings))
    outcome = run_preflight(config, environ=os.environ, network=network, arm=arm)
    return answer(outcome, as_json=as_json)


def live(
    context: typer.Context, network: Network = None, arm: Arm = None, settings: Settings = None
) -> int:
    """Run preflight, then refuse: live trading is not part of this release."""
    from hatmanifesto.apps.preflight import refuse_live

    preflight(context, network=network, arm=arm, settings=settings)
    refuse_live()
    return 0


def kill(context: typer.Context) -> int:
    """Cancel everything and latch; nothing runs live in this release."""
    session_of(context).load()
    raise not_in_release("the kill switch", "no live trading exists that it could stop")


def resume(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why it is safe, for the record.")],
    operator: Annotated[str, typer.Option(help="Who resumes.")],
) -> int:
    """Release the kill latch; refused unless it is set and the books agree with the venue."""
    from hatmanifesto.ops.latch import read_latch

    _check_words("--reason", reason, words_max=REASON_MAX)
    _check_words("--operator", operator, words_max=32)
    latch = read_latch(session_of(context).home)
    if not latch.is_latched:
        raise RefusedError("nothing is latched, there is nothing to resume")
    if not latch.is_reconciled:
        raise UnreconciledError(
            "the kill latch stays: reconciliation is not clean",
            why="our books and the venue's disagree",
            fix="reconcile first, then resume",
        )
    raise not_in_release("releasing the kill latch", "no live trading exists that could resume")


def _check_words(option: str, raw: str, *, words_max: int) -> None:
    if secret_kind(raw):
        raise UsageError(f"{option}: holds a secret", fix="take it out and replace it")
    if not raw.strip() or not raw.isprintable() or len(raw) > words_max:
        raise UsageError(f"{option}: expected 1 to {words_max} printable characters")


def dashboard(
    context: typer.Context,
    port: Annotated[Text, typer.Option(help="1..65535.")] = None,
    bind: Annotated[Text, typer.Option(help="IP address; beyond loopback TLS and auth.")] = None,
) -> int:
    """Serve the dashboard; not part of this release."""
    from hatmanifesto.ops.config_names import bind_host
    from hatmanifesto.ops.config_rules import check_bind

    number = whole_number("--port", port, low=1, high=65535)
    config = session_of(context).load()
    host = bind
    if bind is not None and bind.count(":") == 1:
        host, _, inner = bind.partition(":")
        whole_number("--bind", inner, low=1, high=65535)
        if number is not None:
            raise UsageError("--bind: the port is said twice, there and in --port")
    if host is not None:
        try:
            bind_host(host)
        except ValueError as error:
            raise UsageError(f"--bind: {error}") from None
        broken = check_bind(host, config.values)
        if broken:
            raise UsageError(f"--bind: {broken[1]}", fix="see docs/configuration.md")
    raise not_in_release("the dashboard", "read HOME/runs/RUN/report.html")


def audit_verify(
    context: typer.Context,
    since: Annotated[str, typer.Option(help="First instant: RFC 3339 with Z, or a UTC date.")],
    until: Annotated[Text, typer.Option(help="End, exclusive; now when not said.")] = None,
    as_json: AsJson = False,
) -> int:
    """Verify every run since a time; exits with the worst result."""
    from hatmanifesto.apps.audit import verify_since
    from hatmanifesto.apps.times import parse_day_or_time
    from hatmanifesto.ops.clock import now_ns

    now = now_ns()
    start = _instant("--since", since, parse_day_or_time)
    end = now if until is None else _instant("--until", until, parse_day_or_time)
    if start > now:
        raise UsageError(f"--since: {quote(since)} is in the future")
    if start >= end:
        raise UsageError("--since must be before --until", fix="give a span that is not empty")
    return answer(verify_since(session_of(context).home, start, end), as_json=as_json)


def _instant(option: str, raw: str, parse: object) -> int:
    assert callable(parse)
    try:
        return int(parse(raw))
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
