"""Checks one order before anybody would send it: venue rules, collar, limits; sends nothing."""

import msgspec

from hatmanifesto.domain.asset import NOTIONAL_MIN, Asset, is_on_grid
from hatmanifesto.domain.errors import Exit, UsageError
from hatmanifesto.domain.reasons import Reason
from hatmanifesto.domain.units import RATE_ONE, format_fixed, parse_fixed
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.ops.config import Config
from hatmanifesto.ops.config_schema import coin_of, suggest
from hatmanifesto.ops.config_values import decimal_fixed
from hatmanifesto.ops.secrets import quote

SIDES = ("buy", "sell")


class OrderWords(msgspec.Struct, frozen=True):
    """An order as typed: text, so that nothing is rounded on the way."""

    coin: str
    side: str
    sz: str
    px: str
    bid: str
    ask: str
    position: str = "0"
    reduce_only: bool = False


class Order(msgspec.Struct, frozen=True):
    """The same order in exact units; ``mid2`` is bid + ask [px units], ``szi`` the position."""

    asset: Asset
    is_buy: bool
    sz: int
    px: int
    mid2: int
    szi: int
    reduce_only: bool


class Finding(msgspec.Struct, frozen=True):
    """Why an order is refused."""

    reason: str
    text: str


class OrderOutcome(msgspec.Struct, frozen=True):
    """The verdict in plain words; exit code 8 when refused."""

    summary: dict[str, object]
    text: str
    exit_code: int


def check_order(config: Config, words: OrderWords) -> OrderOutcome:
    """Return whether the order would pass; nothing is signed or sent.

    Raises:
        UsageError: if a word is malformed; names the option.
    """
    order = parse_order(words)
    findings = [
        *venue_findings(order),
        *collar_findings(order, config),
        *limit_findings(order, config),
    ]
    decimals = order.asset.px_decimals
    told = (
        f"{words.side} {format_fixed(order.sz, decimals=order.asset.sz_decimals)} {words.coin}"
        f" at {format_fixed(order.px, decimals=decimals)}"
        f" ({format_fixed(order.px * order.sz, decimals=6)} USDC)"
    )
    if findings:
        lines = [f"refused: {told}", *(f"  {f.reason}: {f.text}" for f in findings)]
    else:
        lines = [f"accepted: {told} is within venue rules, collar and limits"]
    lines.append("this is a check: nothing was signed or sent; the daily loss is not checked here")
    summary: dict[str, object] = {
        "status": "refused" if findings else "accepted",
        "notional_usdc": format_fixed(order.px * order.sz, decimals=6),
        "findings": [{"reason": f.reason, "text": f.text} for f in findings],
        "sent": False,
        "config_hash": config.hash,
    }
    code = Exit.REFUSED if findings else Exit.OK
    return OrderOutcome(summary, "\n".join(lines), int(code))


def parse_order(words: OrderWords) -> Order:
    """Return the order in exact units.

    Raises:
        UsageError: names the option and what was expected.
    """
    try:
        asset = PERPS[coin_of(words.coin)]
    except ValueError as error:
        raise UsageError(f"--coin: {error}", fix="give the exact name") from None
    if words.side not in SIDES:
        hint = suggest(words.side, list(SIDES)) or "expected buy or sell"
        raise UsageError(f"--side: must be buy or sell, was {quote(words.side)}", fix=hint)
    bid = _amount("--bid", words.bid, decimals=asset.px_decimals)
    ask = _amount("--ask", words.ask, decimals=asset.px_decimals)
    if bid >= ask:
        raise UsageError(f"--bid {words.bid} must be below --ask {words.ask}")
    return Order(
        asset=asset,
        is_buy=words.side == "buy",
        sz=_amount("--sz", words.sz, decimals=asset.sz_decimals),
        px=_amount("--px", words.px, decimals=asset.px_decimals),
        mid2=bid + ask,
        szi=_signed("--position", words.position, decimals=asset.sz_decimals),
        reduce_only=words.reduce_only,
    )


def _amount(option: str, raw: str, *, decimals: int) -> int:
    try:
        amount = decimal_fixed(raw, decimals=decimals)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", fix="write a plain decimal number") from None
    if amount <= 0:
        raise UsageError(f"{option}: must be above 0, was {quote(raw)}")
    if amount > 10**18:
        raise UsageError(f"{option}: is too large, was {quote(raw)}")
    return amount


def _signed(option: str, raw: str, *, decimals: int) -> int:
    body = raw.removeprefix("-")
    if body == "0":
        return 0
    amount = _amount(option, body, decimals=decimals)
    return -amount if raw.startswith("-") else amount


def venue_findings(order: Order) -> list[Finding]:
    """Return what the venue would reject. Source: PROTOCOL 3.2 and 3.3."""
    findings = []
    if not is_on_grid(order.px, px_decimals=order.asset.px_decimals):
        findings.append(
            Finding(Reason.PX_OFF_GRID, "--px has more than five significant digits, off the grid")
        )
    if order.px * order.sz < NOTIONAL_MIN and not order.reduce_only:
        worth = format_fixed(order.px * order.sz, decimals=6)
        text = f"--sz: order is worth {worth} USDC, the venue wants at least 10"
        findings.append(Finding(Reason.NOTIONAL_BELOW_MIN, text))
    if order.reduce_only and not _reduces(order):
        findings.append(
            Finding(Reason.REDUCE_ONLY_INCREASES, "a reduce-only order must shrink the position")
        )
    return findings


def collar_findings(order: Order, config: Config) -> list[Finding]:
    """Return a finding when the price is farther from the mid than the collar allows."""
    collar = parse_fixed(config.text("limits.price_collar"), decimals=10)
    distance = abs(2 * order.px - order.mid2)
    if distance * RATE_ONE <= collar * order.mid2:
        return []
    bps = distance * 10_000 // order.mid2
    text = (
        f"--px is outside the price collar: {bps} bps from the mid,"
        f" limits.price_collar is {config.text('limits.price_collar')}"
    )
    return [Finding(Reason.COLLAR_BREACHED, text)]


def limit_findings(order: Order, config: Config) -> list[Finding]:
    """Return what the limits of the configuration forbid; a pure reduction skips what caps size."""
    findings = []
    if config.coins and order.asset.coin not in config.coins:
        findings.append(
            Finding(Reason.COIN_NOT_ALLOWED, f"--coin {order.asset.coin} is not in coins")
        )
    if _reduces(order):
        return findings
    after = order.szi + (order.sz if order.is_buy else -order.sz)
    checks = (
        (Reason.ORDER_NOTIONAL_OVER_MAX, "limits.order_notional_max", "order", order.sz),
        (
            Reason.POSITION_NOTIONAL_OVER_MAX,
            "limits.position_notional_max",
            "position after the order",
            abs(after),
        ),
    )
    for reason, key, words, sz in checks:
        most = config.micro(key)
        notional = sz * order.px
        if notional > most:
            worth = format_fixed(notional, decimals=6)
            hint = "; 0 means observe only" if most == 0 else ""
            text = f"--sz: {words} is worth {worth} USDC, over {key} {config.text(key)}{hint}"
            findings.append(Finding(reason, text))
    if config.micro("limits.daily_loss_max") == 0:
        findings.append(
            Finding(Reason.LOSS_OVER_MAX, "limits.daily_loss_max is 0, which means observe only")
        )
    return findings


def _reduces(order: Order) -> bool:
    """Say whether the order can only shrink the position it was given."""
    is_opposite = order.szi < 0 if order.is_buy else order.szi > 0
    return is_opposite and order.sz <= abs(order.szi)
