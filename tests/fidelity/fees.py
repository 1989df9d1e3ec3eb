"""Claims: a fee is the truncated product of notional and one constant rate of an enumerated list.

A group is (user, role, dex, coin); it has one rate, taken from `books.venue_fees.RATES`, for all
its fills. On builders' dexs the rate is scaled by the recorded fee scale of the dex.
"""

from functools import cache
from typing import Any, NamedTuple

from hatmanifesto.books.venue_fees import (
    BUILDER_TENTHS_MAX,
    RATES,
    builder_dex_rate,
    builder_fee,
    exchange_fee,
    is_fee_in_base,
)
from hatmanifesto.domain.units import RATE_ONE
from tests.fidelity import sources
from tests.fidelity.claim import Claim, Misfit, Placebo, share

FILLS = "hl_node_fills/node_fills_by_block_20251027T17_open.jsonl.gz"
DEXS = "fixtures: info/gohl/perpDexs.json"
SPOT = "fixtures: info/gohl/spotMeta.json"
RATES_MAX = 60
PERCENT_MIN = 96
PLACEBO_PERCENT_MAX = 20
BINARY = "binary floating point: the exact product is whole, the venue tells one unit less"


class Fill(NamedTuple):
    """One side of a trade: money in micro-USDC, builder '' when none."""

    identity: str
    user: str
    coin: str
    role: str
    dex: str
    notional: int
    exchange: int
    builder: str
    builder_fee: int


Group = tuple[str, str, str, str]


def is_spot(coin: str) -> bool:
    """Say whether ``coin`` is a spot pair."""
    return coin.startswith("@") or "/" in coin


def recorded() -> list[tuple[str, dict[str, Any]]]:
    """Return (user, fill) in the order of the blocks."""
    blocks = sources.read_lines(sources.data() / FILLS)
    return [(user, fill) for block in blocks for user, fill in block["events"]]


def perp_fills(rows: list[tuple[str, dict[str, Any]]]) -> list[Fill]:
    """Return the fills of perps; their notional is a whole number of micro-USDC."""
    found = []
    for user, fill in rows:
        if is_spot(fill["coin"]):
            continue
        product = sources.scaled(fill["px"], 10) * sources.scaled(fill["sz"], 8)
        assert product % 10**12 == 0
        part = sources.micro(fill.get("builderFee", "0"))
        found.append(
            Fill(
                f"{fill['tid']} {user[:10]}",
                user,
                fill["coin"],
                "taker" if fill["crossed"] else "maker",
                fill["coin"].partition(":")[0] if ":" in fill["coin"] else "",
                product // 10**12,
                sources.micro(fill["fee"]) - part,
                fill.get("builder", ""),
                part,
            )
        )
    return found


@cache
def dex_scales() -> dict[str, int]:
    """Return the recorded fee scale of each builder's dex [%]."""
    dexs = sources.read_json(sources.fixtures() / "info" / "gohl" / "perpDexs.json")
    return {dex["name"]: sources.scaled(dex["deployerFeeScale"], 2) for dex in dexs if dex}


def rates_of(role: str, dex: str) -> list[int]:
    """Return the rates that a group of this role and dex may have."""
    rates = [row.rate for row in RATES if row.role == role]
    if dex:
        rates = [builder_dex_rate(rate, scale=dex_scales()[dex]) for rate in rates]
    return rates


def grouped(fills: list[Fill]) -> dict[Group, list[Fill]]:
    """Return the fills by user, role, dex and coin."""
    groups: dict[Group, list[Fill]] = {}
    for fill in fills:
        groups.setdefault((fill.user, fill.role, fill.dex, fill.coin), []).append(fill)
    return groups


def is_binary_miss(fill: Fill, rate: int) -> bool:
    """Say whether the exact product is whole and the recorded fee one unit nearer to zero."""
    product = fill.notional * rate
    whole = product // RATE_ONE
    return product % RATE_ONE == 0 and abs(whole) - abs(fill.exchange) == 1


def rate_for(group: list[Fill], rates: list[int]) -> int:
    """Return the one rate that explains most fills of the group exactly, then binary ones."""

    def explained(rate: int) -> tuple[int, int]:
        exact = sum(exchange_fee(fill.notional, rate) == fill.exchange for fill in group)
        return exact, sum(is_binary_miss(fill, rate) for fill in group)

    return max(rates, key=explained)


def judged(fills: list[Fill]) -> list[tuple[Fill, int]]:
    """Return every fill with the rate of its group."""
    pairs = []
    for (_, role, dex, _), group in grouped(fills).items():
        rate = rate_for(group, rates_of(role, dex))
        pairs += [(fill, rate) for fill in group]
    return pairs


def fitting(pairs: list[tuple[Fill, int]]) -> int:
    """Return how many fees are the truncated product."""
    return sum(exchange_fee(fill.notional, rate) == fill.exchange for fill, rate in pairs)


def perturbed(fill: Fill) -> Fill:
    """Return the fill with its fee 2 % larger, truncated."""
    size = abs(fill.exchange) * 102 // 100
    return fill._replace(exchange=size if fill.exchange >= 0 else -size)


def check() -> list[Claim]:
    """Check perps without builder fee, builder fills, and the token of spot fees."""
    rows = recorded()
    fills = perp_fills(rows)
    plain = [fill for fill in fills if not fill.builder]
    built = [fill for fill in fills if fill.builder]
    return [plain_claim(plain, fills), builder_claim(built, fills), spot_claim(rows)]


def misfits_of(pairs: list[tuple[Fill, int]]) -> tuple[Misfit, ...]:
    """List the fees that are not the truncated product, classed."""
    return tuple(
        Misfit(
            BINARY if is_binary_miss(fill, rate) else "unknown rate",
            f"{fill.coin} {fill.role} {fill.identity}",
            f"{fill.notional} x {rate}e-10 = {exchange_fee(fill.notional, rate)}, "
            f"recorded {fill.exchange} micro-USDC",
        )
        for fill, rate in pairs
        if exchange_fee(fill.notional, rate) != fill.exchange
    )


def plain_claim(plain: list[Fill], fills: list[Fill]) -> Claim:
    """Check the fees of perp fills without a builder, one rate a group."""
    pairs = [(fill, rate) for fill, rate in judged(fills) if not fill.builder]
    misfits = misfits_of(pairs)
    total = len(plain)
    wrong = fitting(judged([perturbed(fill) for fill in plain]))
    swapped = [fill._replace(role="maker" if fill.role == "taker" else "taker") for fill in plain]
    roles = fitting(judged(swapped))
    single = sum(len(group) == 1 for group in grouped(plain).values())
    zero = sum(fill.exchange == 0 for fill in plain)
    others = sum(bool(fill.dex) for fill in plain)
    return Claim(
        name="fees of perp fills without builder fee",
        checked=total,
        equal=total - len(misfits),
        not_checkable={},
        misfits=misfits,
        notes=(
            f"rates in the list: {len(RATES)}",
            f"groups with one rate each: {len(grouped(plain))}, of a single fill: {single}",
            f"fills on builders' dexs: {others}; fills with fee zero: {zero}",
        ),
        target=f">= {PERCENT_MIN} % with one rate a group out of <= {RATES_MAX}",
        is_met=(total - len(misfits)) * 100 >= PERCENT_MIN * total and len(RATES) <= RATES_MAX,
        placebos=(
            Placebo(
                "recorded fees 2 % larger",
                f"{share(wrong, total)} fit, must be < {PLACEBO_PERCENT_MAX} %",
                wrong * 100 < PLACEBO_PERCENT_MAX * total,
            ),
            Placebo(
                "maker and taker swapped",
                f"{share(roles, total)} fit, must be < {PERCENT_MIN} %",
                roles * 100 < PERCENT_MIN * total,
            ),
        ),
        source=(FILLS, DEXS),
    )


def builder_claim(built: list[Fill], fills: list[Fill]) -> Claim:
    """Check both parts of builder fills: the venue's rate, and whole tenths of a basis point."""
    pairs = [(fill, rate) for fill, rate in judged(fills) if fill.builder]
    misfits = list(misfits_of(pairs))
    parts = builder_misfits(built)
    wrong = builder_misfits([f._replace(builder_fee=f.builder_fee * 102 // 100) for f in built])
    unsplit = [(f._replace(exchange=f.exchange + f.builder_fee), rate) for f, rate in pairs]
    total = len(built)
    whole = fitting(unsplit)
    spoiled = {misfit.identity for misfit in (*misfits, *parts)}
    return Claim(
        name="fees of perp fills with builder fee",
        checked=total,
        equal=total - len(spoiled),
        not_checkable={},
        misfits=(*misfits, *parts),
        notes=("the venue's part by the group's rate, the builder's by whole tenths of a bp",),
        target="all explained, both parts truncated on their own",
        is_met=not spoiled,
        placebos=(
            Placebo(
                "builder's part 2 % larger",
                f"{share(total - len(wrong), total)} fit",
                len(wrong) * 2 > total,
            ),
            Placebo("builder's part left in", f"{share(whole, total)} fit", whole * 2 < total),
        ),
        source=(FILLS, DEXS),
    )


def builder_misfits(built: list[Fill]) -> list[Misfit]:
    """List builder fees that are no whole tenths of a basis point, constant by user and builder."""
    agreed: dict[tuple[str, str, str], list[Fill]] = {}
    for fill in built:
        agreed.setdefault((fill.user, fill.builder, fill.coin), []).append(fill)
    found = []
    for group in agreed.values():
        tenths = max(
            range(BUILDER_TENTHS_MAX + 1),
            key=lambda t: sum(builder_fee(f.notional, t) == f.builder_fee for f in group),
        )
        found += [
            Misfit("builder rate", f"{fill.coin} {fill.role} {fill.identity}", f"{tenths} tenths")
            for fill in group
            if builder_fee(fill.notional, tenths) != fill.builder_fee
        ]
    return found


def spot_claim(rows: list[tuple[str, dict[str, Any]]]) -> Claim:
    """Check in which token spot fees are told."""
    meta = sources.read_json(sources.fixtures() / "info" / "gohl" / "spotMeta.json")
    names = {token["index"]: token["name"] for token in meta["tokens"]}
    pairs = {p["name"]: (names[p["tokens"][0]], names[p["tokens"][1]]) for p in meta["universe"]}
    checked = equal = naive = unknown = 0
    misfits = []
    for user, fill in rows:
        if not is_spot(fill["coin"]):
            continue
        if fill["coin"] not in pairs:
            unknown += 1
            continue
        base, quote = pairs[fill["coin"]]
        is_buy = fill["side"] == "B"
        is_rebate = fill["fee"].startswith("-")
        token = base if is_fee_in_base(is_buy=is_buy, is_rebate=is_rebate) else quote
        checked += 1
        naive += (base if is_buy else quote) == fill["feeToken"]
        if token == fill["feeToken"]:
            equal += 1
        else:
            detail = f"rule {token}, recorded {fill['feeToken']}"
            kind = "fee of zero" if not sources.scaled(fill["fee"], 8) else "token"
            misfits.append(Misfit(kind, f"{fill['coin']} {fill['tid']} {user[:10]}", detail))
    return Claim(
        name="spot fees: token",
        checked=checked,
        equal=equal,
        not_checkable={"pair is younger than the recorded spotMeta": unknown} if unknown else {},
        misfits=tuple(misfits),
        notes=(),
        target="all",
        is_met=checked > 0 and equal == checked,
        placebos=(
            Placebo(
                "rebates too in the token received", share(naive, checked) + " fit", naive < checked
            ),
        ),
        source=(FILLS, SPOT),
    )
