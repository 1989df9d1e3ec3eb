"""Claims: funding is paid on the position that the fills leave, at the oracle price.

No price comes from the payment under test: the oracle is the open of the candle that begins at the
hour, where one is recorded.
"""

import csv
import itertools
from typing import NamedTuple

from hatmanifesto.books.venue_funding import RATE_CAP, funding_payment
from tests.fidelity import sources
from tests.fidelity.claim import Claim, Misfit, Placebo, share

MONTHS = ("2026-06", "2026-07")
FUNDING = tuple(f"hl_account/account_funding_{month}.csv" for month in MONTHS)
FILLS = tuple(f"hl_account/account_fills_{month}.csv" for month in MONTHS)
CANDLES = "hl_candles/BTC-15m_2026_zanos.json.gz"
HOUR_MS = 3_600_000
QUARTER_MS = 900_000
UNIT = 10**24
"""szi * oracle * rate is in 1e-30 USDC; this many are a micro-USDC."""


class Payment(NamedTuple):
    """A recorded payment: ms, coin, micro-USDC, szi [1e-8], rate [1e-12]."""

    time: int
    coin: str
    usdc: int
    szi: int
    rate: int


class Bar(NamedTuple):
    """An hour of a coin, prices in 1e-10 USDC."""

    open: int
    high: int
    low: int


def read_rows(names: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of several CSV files by time, file order where times are equal."""
    found: list[dict[str, str]] = []
    for name in names:
        with (sources.data() / name).open(newline="") as file:
            found += csv.DictReader(file)
    return sorted(found, key=lambda row: int(row["time_ms"]))


def payments() -> list[Payment]:
    """Return the recorded payments in order of time."""
    return [
        Payment(
            int(row["time_ms"]),
            row["coin"],
            sources.micro(row["usdc"]),
            sources.scaled(row["szi"], 8),
            sources.scaled(row["fundingRate"], 12),
        )
        for row in read_rows(FUNDING)
    ]


def rebuilt(recorded: list[Payment]) -> list[tuple[int, int]]:
    """Return per payment the position and the last price that the fills before it leave."""
    fills = read_rows(FILLS)
    position: dict[str, int] = {}
    price: dict[str, int] = {}
    found = []
    at = 0
    for payment in recorded:
        while at < len(fills) and int(fills[at]["time_ms"]) <= payment.time:
            fill = fills[at]
            signed = sources.scaled(fill["sz"], 8) * (1 if fill["side"] == "B" else -1)
            position[fill["coin"]] = position.get(fill["coin"], 0) + signed
            price[fill["coin"]] = sources.scaled(fill["px"], 10)
            at += 1
        found.append((position.get(payment.coin, 0), price.get(payment.coin, 0)))
    return found


def hours() -> dict[tuple[str, int], Bar]:
    """Return the recorded BTC hours of 2026 by coin and open time, of four whole quarters each."""
    bars = {bar[0]: bar for bar in sources.read_json(sources.data() / CANDLES)["candles"]}
    found = {}
    for start, bar in bars.items():
        quarters = [bars.get(start + i * QUARTER_MS) for i in range(4)]
        if start % HOUR_MS == 0 and all(quarters):
            whole = [quarter for quarter in quarters if quarter]
            found["BTC", start] = Bar(
                sources.scaled(bar[2], 10),
                max(sources.scaled(quarter[3], 10) for quarter in whole),
                min(sources.scaled(quarter[4], 10) for quarter in whole),
            )
    return found


def is_sign_right(payment: Payment) -> bool:
    """Say whether longs pay at a positive rate; a payment cut to nothing has no sign."""
    return payment.usdc * payment.szi * payment.rate <= 0 and abs(payment.rate) <= RATE_CAP


def check() -> list[Claim]:
    """Check position and sign of all payments, and the amount where there is a candle."""
    recorded = payments()
    before = rebuilt(recorded)
    return [positions_claim(recorded, before), amounts_claim(recorded, before)]


def positions_claim(recorded: list[Payment], before: list[tuple[int, int]]) -> Claim:
    """Compare szi with the fills alone, and the sign of the payment with rate and position."""
    misfits = []
    for payment, (szi, _) in zip(recorded, before, strict=True):
        identity = f"{payment.coin} {payment.time}"
        if szi != payment.szi:
            misfits.append(Misfit("position", identity, f"fills {szi}, recorded {payment.szi}"))
        elif not is_sign_right(payment):
            misfits.append(Misfit("sign", identity, f"{payment.usdc} at {payment.rate}"))
    shifted = sum(szi == after.szi for (szi, _), after in zip(before, recorded[1:], strict=False))
    mirrored = sum(is_sign_right(p._replace(usdc=-p.usdc)) for p in recorded)
    total = len(recorded)
    return Claim(
        name="funding payments: position and sign",
        checked=total,
        equal=total - len(misfits),
        not_checkable={},
        misfits=tuple(misfits),
        notes=(f"coins: {len({p.coin for p in recorded})}",),
        target="szi from fills alone, sign and rate as recorded, in all 577 rows",
        is_met=total == 577 and not misfits,
        placebos=(
            Placebo("szi of the next row", f"{share(shifted, total - 1)} fit", shifted < total - 1),
            Placebo("longs receive", f"{share(mirrored, total)} fit", mirrored < total),
        ),
        source=(*FUNDING, *FILLS),
    )


def amount_of(payment: Payment, bar: Bar) -> int:
    """Return the payment that the formula gives with the hour's open as oracle [micro-USDC]."""
    return funding_payment(payment.szi, bar.open, payment.rate)


def is_oracle_in(payment: Payment, low: int, high: int) -> bool:
    """Say whether an oracle price within ``low`` and ``high`` explains the payment."""
    size = abs(payment.usdc)
    product = abs(payment.szi * payment.rate)
    return size * UNIT <= product * high and product * low < (size + 1) * UNIT


def amounts_claim(recorded: list[Payment], before: list[tuple[int, int]]) -> Claim:
    """Compare amounts with the formula: BTC to a micro-USDC, elsewhere the implied oracle."""
    bars = hours()
    misfits = []
    exact = rounded = 0
    covered = []
    near = 0
    for payment, (_, price) in zip(recorded, before, strict=True):
        bar = bars.get((payment.coin, payment.time - payment.time % HOUR_MS))
        if not bar:
            near += is_oracle_in(payment, price * 4 // 5, price * 6 // 5)
            continue
        covered.append((payment, bar))
        amount = amount_of(payment, bar)
        exact += amount == payment.usdc
        rounded += nearest(payment, bar) == payment.usdc
        is_close = abs(amount - payment.usdc) <= 1
        if not is_close or not is_oracle_in(payment, bar.low * 199 // 200, bar.high * 201 // 200):
            detail = f"formula {amount}, recorded {payment.usdc} micro-USDC"
            misfits.append(Misfit("amount", f"{payment.coin} {payment.time}", detail))
    rest = [p for p in recorded if (p.coin, p.time - p.time % HOUR_MS) not in bars]
    total = len(covered)
    bitcoin = sum(p.coin == "BTC" for p in rest)
    return Claim(
        name="funding payments: amount",
        checked=total,
        equal=total - len(misfits),
        not_checkable={
            "no candle of the hour (BTC)": bitcoin,
            "no candle of the coin in 2026": len(rest) - bitcoin,
        },
        misfits=tuple(misfits),
        notes=(
            f"equal to the last digit, truncated toward zero: {share(exact, total)}",
            f"equal to the last digit, rounded to the nearest: {share(rounded, total)}",
            "not checkable rows, implied oracle within 20 % of the account's own last fill: "
            + share(near, len(rest)),
        ),
        target="BTC rows with a candle within 1 micro-USDC, implied oracle in the hour +- 0.5 %",
        is_met=total > 0 and not misfits and total + len(rest) == 577,
        placebos=amount_placebos(covered),
        source=(*FUNDING, CANDLES),
    )


def nearest(payment: Payment, bar: Bar) -> int:
    """Return the formula's payment rounded to the nearest, halves away from zero [micro-USDC]."""
    product = -payment.szi * bar.open * payment.rate
    size = (2 * abs(product) + UNIT) // (2 * UNIT)
    return size if product > 0 else -size


def amount_placebos(covered: list[tuple[Payment, Bar]]) -> tuple[Placebo, ...]:
    """Check the same rows with rate, position or hour of a neighbour."""
    total = len(covered) - 1
    pairs = list(itertools.pairwise(covered))
    wrong = {
        "rate of the next row": [(p._replace(rate=q.rate), bar) for (p, bar), (q, _) in pairs],
        "szi of the next row": [(p._replace(szi=q.szi), bar) for (p, bar), (q, _) in pairs],
        "open of the next row's hour": [(p, bar) for (p, _), (_, bar) in pairs],
    }
    found = []
    for name, rows in wrong.items():
        fit = sum(abs(amount_of(payment, bar) - payment.usdc) <= 1 for payment, bar in rows)
        found.append(Placebo(name, f"{share(fit, total)} fit", fit < total))
    return tuple(found)
