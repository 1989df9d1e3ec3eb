"""Tables that turn a case's words into ours, and its faults into the words a refusal must say."""

import re

CATEGORIES = (
    "ws_message",
    "http_reply",
    "config",
    "keystore",
    "market_data_file",
    "cli_args",
    "dashboard_request",
    "journal_file",
)
"""Every category of the case file; those without an adapter here are unmapped."""

ACCOUNT = "0x1111111111111111111111111111111111111111"
AGENT = "0x37f61204bbfbaea521b2b934ff18a5a7b49b9464"
URLS = {
    "testnet": "https://api.hyperliquid-testnet.xyz",
    "mainnet": "https://api.hyperliquid.xyz",
    "local": "http://127.0.0.1:3001",
}
HEADER = ("network", "base_url", "account", "agent")

BASE: dict[str, object] = {
    "schema": 1,
    "network": "testnet",
    "base_url": URLS["testnet"],
    "account": ACCOUNT,
    "agent": AGENT,
    "limits": {
        "order_notional_max": "1000",
        "position_notional_max": "5000",
        "daily_loss_max": "50",
        "price_collar": "0.02",
    },
    "coins": {"BTC": {"leverage": 5}, "ETH": {"leverage": 5}},
    "dead_man": {"period": "30s", "refresh": "3s"},
    "orders": {"expires_after": "15s"},
    "journal": {"dir": "journal"},
    "dashboard": {"bind": "127.0.0.1:8787"},
    "strategies": {"x": {"name": "maker"}},
}
"""Our own valid configuration, over which a case is merged; the limits are the fixture's."""

KEYS = {
    "risk": "limits",
    "risk.max_order_notional_usd": "limits.order_notional_max",
    "risk.max_position_notional_usd": "limits.position_notional_max",
    "risk.max_daily_loss_usd": "limits.daily_loss_max",
    "risk.price_collar": "limits.price_collar",
    "symbols": "coins",
    "dms": "dead_man",
    "heartbeat": "dead_man.refresh",
    "strategies.*.class": "strategies.*.name",
}
"""Case key -> our key; a key that is not here keeps its name."""

MONEY = frozenset(
    f"limits.{name}" for name in ("order_notional_max", "position_notional_max", "daily_loss_max")
)
"""Where a case writes a bare integer and we want it quoted: the case's fault is another one."""

GOOD: dict[str, object] = {
    "limits.order_notional_max": "100",
    "limits.position_notional_max": "2000",
    "limits.daily_loss_max": "40.5",
    "limits.price_collar": "0.05",
    "coins": ["BTC", "ETH"],
    "coins.*.leverage": 3,
    "dead_man.period": "60s",
    "dead_man.refresh": "2500ms",
    "orders.expires_after": "20s",
    "journal.dir": "journal/live",
    "dashboard.bind": "127.0.0.1:8080",
    "strategies.*.name": "maker",
    "agent": "0x37f61204BBfbaEa521b2b934FF18A5A7B49b9464",
    "account": "0x2222222222222222222222222222222222222222",
    "base_url": URLS["testnet"] + "/",
}
"""Another valid value of each key, for twins."""

COMMANDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("run",): ("preflight",),
    ("start",): ("preflight",),
    ("trade",): ("preflight",),
    ("live",): ("preflight",),
    ("preflight",): ("preflight",),
    ("check",): ("preflight",),
    ("order",): ("order", "check"),
    ("order", "place"): ("order", "check"),
    ("order", "check"): ("order", "check"),
    ("kill", "reset"): ("resume",),
    ("resume",): ("resume",),
    ("kill",): ("kill",),
    ("dashboard",): ("dashboard",),
    ("audit", "verify"): ("audit", "verify"),
    ("report",): ("report",),
    ("export",): ("report",),
    ("config",): ("config", "show"),
    ("config", "show"): ("config", "show"),
    ("config", "check"): ("config", "show"),
    ("config", "validate"): ("config", "show"),
}
"""The case's command words -> ours."""

FLAGS = {
    "--symbol": "--coin",
    "--size": "--sz",
    "--qty": "--sz",
    "--price": "--px",
    "--i-understand-mainnet": "--arm",
    "--output": "--out",
    "--host": "--bind",
}
"""The case's flag -> ours; a flag that is not here keeps its name."""

ENVIRONMENT = ("HLT_", "HAT_")
"""Prefix of the case's variables -> ours."""

VALUE_FAULTS: tuple[tuple[str, str], ...] = (
    (r"^-\d", r"negative|between|above 0|older"),
    (r"^[+-]?\.?nan$", r"finite|NaN"),
    (r"^[+-]?\.?inf(inity)?$", r"finite|infinit"),
    (r"^\d+\.\d+$", r"quotes|integer|between|at most|above|decimals|text"),
    (r"^\d{1,3}(,\d{3})+", r"separator"),
    (r"^\d[\d.]*[eE][+-]?\d+$", r"exponent|quotes|integer"),
    (r"^0[0-9]+$|^0[xo][0-9a-f]{1,16}$", r"leading zero|plain decimal|zero"),
    (r"^(true|false|yes|no)$", r"boolean|name|quotes|unknown coin|one of"),
    (r"(?<![0-9a-f])(0x)?[0-9a-f]{64}(?![0-9a-f])", r"secret"),
    (r"^([a-z]{3,8} ){11,23}[a-z]{3,8}$", r"secret"),
    (r"^http://", r"https|loopback"),
    (r"[^\x00-\x7f]", r"ASCII"),
    (r"https?://[^/]*@", r"user info"),
    (r"\$|^~", r"interpolat"),
    (r"\.\./|/\.\.|^/", r"inside|relative|one of"),
    (r"^\w+:\w+$", r"one of|unit|HOST:PORT"),
    (r"^(0\.0\.0\.0|\[?::\]?)(:\d+)?$", r"TLS"),
    (r"^0(ms|s|m|h)$", r"between|above"),
)
"""(pattern of a changed value, what the refusal must say): the first that fits counts."""

BYTE_FAULTS: tuple[tuple[bytes, str], ...] = (
    (rb"^(\xff\xfe|\xfe\xff|\xef\xbb\xbf)", r"BOM|byte order"),
    (rb"^.\x00|^\x00", r"UTF-16|NUL"),
    (rb"\x00", r"NUL"),
    (rb"^(\s*(#[^\n]*)?\n?)*\Z", r"empty"),
    (rb"\t", r"tab"),
    (rb"(?:^|[\s:])!", r"tag"),
    (rb": [&*]\w", r"anchor|alias"),
    (rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]", r"control"),
    (rb"", r"line \d+"),
)
"""(pattern of the raw bytes, what the refusal must say): the first that fits counts."""

FILE_FAULTS = {
    "symlink": r"symlink|symbolic link",
    "fifo": r"FIFO|pipe",
    "directory": r"directory",
    "mode": r"writable|mode",
    "size": r"too large|256 KiB",
    "utf8": r"UTF-8",
}

TITLE_FAULTS: tuple[tuple[str, str], ...] = (
    (r"no arguments", r"no command|usage"),
    (r"duplicate", r"duplicate|twice"),
    (r"mainnet without conf", r"--arm"),
    (r"mainnet conf", r"--arm.*account"),
    (r"contradict", r"contradict"),
    (r"password|secret|private key|mnemonic|seed phrase", r"secret"),
    (r"fat finger|above .*cap", r"limits\.order_notional_max"),
    (r"collar|ten times off", r"collar"),
    (r"lower case", r"BTC"),
    (r"cyrillic|homoglyph|non-ascii", r"ASCII"),
    (r"path missing", r"not found"),
    (r"second instance", r"process \d+ holds"),
    (r"positions disagree|reconcil", r"reconcil"),
    (r"port out", r"65535"),
    (r"bind all|all interfaces", r"TLS.*auth"),
    (r"date impossible", r"month|day|impossible"),
    (r"without zone", r"zone required"),
    (r"override a risk limit", r"limits"),
    (r"escapes the output", r"outside"),
    (r"typo|unknown key", r"unknown key"),
    (r"(testnet|mainnet).*(testnet|mainnet).*url", r"does not match network"),
    (r"url null", r"no default URL"),
    (r"equals agent", r"same address"),
    (r"checksum", r"EIP-55"),
    (r"digit short|digit long", r"40 hex"),
    (r"leverage above", r"at most \d+"),
    (r"order limit above position", r"above limits\.position"),
    (r"dead-man.*below", r"between 5s"),
    (r"refresh longer", r"shorter than period"),
    (r"older than", r"older"),
    (r"newer than", r"newer"),
    (r"sexagesimal", r"unit"),
)
"""(pattern of the title, what the refusal must say), in addition to naming the key or flag."""

ACCEPT_WORDS: tuple[tuple[str, str], ...] = ((r"limit zero", r"observe only"),)
"""(pattern of the title, what must be said although the case is accepted)."""


def first_match(table: tuple[tuple[str, str], ...], text: str) -> str:
    """Return the second member of the first row whose pattern is found, or ''."""
    return next((say for seen, say in table if re.search(seen, text, re.IGNORECASE)), "")
