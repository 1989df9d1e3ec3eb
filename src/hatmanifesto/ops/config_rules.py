"""Rules that tie several settings together; each names the keys it compares."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from hatmanifesto.domain.units import parse_fixed
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.ops.config_names import HOSTS, is_loopback
from hatmanifesto.ops.config_values import duration_ns

Values = Mapping[str, str | int | None]
Rule = Callable[[Values, frozenset[str]], tuple[str, str] | None]
LIMITS = ("order_notional_max", "position_notional_max", "daily_loss_max")


def check_rules(values: Values, given: frozenset[str]) -> tuple[str, str] | None:
    """Return ``(key, what is wrong)`` of the first broken rule, or None.

    Args:
        values: every effective setting by key.
        given: the keys that somebody set, as opposed to defaults.
    """
    for rule in RULES:
        broken = rule(values, given)
        if broken:
            return broken
    return None


def _host(values: Values, _given: frozenset[str]) -> tuple[str, str] | None:
    network, url = values["network"], values["base_url"]
    if url is None:
        if network == "local":
            return None
        return "base_url", f"is not set; network {network} has no default URL, say it"
    parts = urlsplit(str(url))
    host = parts.hostname or ""
    if network == "local":
        if not is_loopback(host):
            return "base_url", f"network is local, so the host must be loopback, was {host}"
        return None
    if parts.scheme != "https":
        return "base_url", f"must be https on {network}, was {parts.scheme} (plain text)"
    expected = HOSTS[str(network)]
    if host != expected or parts.port not in (None, 443):
        return "base_url", f"does not match network {network}: expected {expected}, was {host}"
    return None


def _accounts(values: Values, _given: frozenset[str]) -> tuple[str, str] | None:
    account, agent = values["account"], values["agent"]
    if account is not None and account == agent:
        return "agent", "is the same address as account; the agent is a wallet of its own"
    if values["network"] == "local":
        return None
    for key in ("account", "agent"):
        if values[key] is None:
            return key, f"is not set; network {values['network']} needs it"
    return None


def _limits(values: Values, given: frozenset[str]) -> tuple[str, str] | None:
    amounts = [parse_fixed(str(values[f"limits.{name}"]), decimals=6) for name in LIMITS]
    if values["network"] != "local":
        for name in LIMITS:
            if f"limits.{name}" not in given:
                return f"limits.{name}", "is not set; outside the local network say every limit"
    for name, amount in zip(LIMITS, amounts, strict=True):
        if amount > amounts[1]:
            over = f"{values[f'limits.{name}']} is above limits.position_notional_max"
            return f"limits.{name}", f"{over} {values['limits.position_notional_max']}"
    return None


def _dead_man(values: Values, given: frozenset[str]) -> tuple[str, str] | None:
    refresh, period = str(values["dead_man.refresh"]), str(values["dead_man.period"])
    if duration_ns(refresh) < duration_ns(period):
        return None
    key = "dead_man.refresh" if "dead_man.refresh" in given else "dead_man.period"
    return key, f"refresh {refresh} must be shorter than period {period}, or it fires by itself"


def _leverage(values: Values, _given: frozenset[str]) -> tuple[str, str] | None:
    for key, value in values.items():
        if not key.startswith("coins."):
            continue
        coin = key.split(".")[1]
        most = PERPS[coin].leverage_max
        if isinstance(value, int) and value > most:
            return key, f"leverage must be at most {most} for {coin}, was {value}"
    return None


def _dashboard(values: Values, _given: frozenset[str]) -> tuple[str, str] | None:
    host = str(values["dashboard.bind"]).rpartition(":")[0]
    return check_bind(host, values)


def check_bind(host: str, values: Values) -> tuple[str, str] | None:
    """Return what forbids listening on ``host``: beyond loopback TLS and auth must be set."""
    needed = ("dashboard.tls_cert", "dashboard.tls_key", "dashboard.auth_file")
    missing = [key for key in needed if values[key] is None]
    if is_loopback(host) or not missing:
        return None
    return "dashboard.bind", f"{host} is not loopback: needs TLS and auth, set {', '.join(missing)}"


RULES: tuple[Rule, ...] = (_host, _accounts, _limits, _dead_man, _leverage, _dashboard)
