"""Claim: an hour's funding rate follows from its premium."""

import csv
import gzip
import itertools

from hatmanifesto.books.venue_funding import CLAMP, INTEREST, funding_rate
from tests.fidelity import sources
from tests.fidelity.claim import Claim, Misfit, Placebo, share

SOL = "hl_funding/SOL_fundingHistory_api_202501_202602.json.gz"
ETH = "hl_funding/ETH_funding_premium_202508_202602.csv.gz"
TOLERANCE = 1000
"""1e-9, in units of 1e-12."""


def rows() -> list[tuple[str, int, int]]:
    """Return (coin and time, premium, rate) of every recorded hour that tells its premium."""
    recorded = sources.read_json(sources.data() / SOL)
    with gzip.open(sources.data() / ETH, "rt", newline="") as file:
        recorded += list(csv.DictReader(file))
    return [
        (
            f"{row['coin']} {row['time']}",
            sources.scaled(row["premium"], 12),
            sources.scaled(row["fundingRate"], 12),
        )
        for row in recorded
        if row["premium"] not in (None, "")
    ]


def fitting(
    recorded: list[tuple[str, int, int]], *, interest: int = INTEREST, clamp: int = CLAMP
) -> int:
    """Return how many recorded rates the formula gives to 1e-9."""
    return sum(
        abs(funding_rate(premium, interest=interest, clamp=clamp) - rate) <= TOLERANCE
        for _, premium, rate in recorded
    )


def check() -> list[Claim]:
    """Check every hour of SOL and ETH."""
    recorded = rows()
    misfits = tuple(
        Misfit("rate", name, f"formula {funding_rate(premium)}e-12, recorded {rate}e-12")
        for name, premium, rate in recorded
        if abs(funding_rate(premium) - rate) > TOLERANCE
    )
    exact = sum(abs(funding_rate(premium) - rate) <= 100 for _, premium, rate in recorded)
    bound = sum(rate != INTEREST // 8 for _, _, rate in recorded)
    total = len(recorded)
    shifted = [
        (name, premium, later[2]) for (name, premium, _), later in itertools.pairwise(recorded)
    ]
    wrong = {
        "interest 0.02 %": (fitting(recorded, interest=2 * INTEREST), total),
        "clamp 0.04 %": (fitting(recorded, clamp=4 * CLAMP // 5), total),
        "premium of the hour before": (fitting(shifted), total - 1),
    }
    return [
        Claim(
            name="funding rate from premium",
            checked=total,
            equal=total - len(misfits),
            not_checkable={},
            misfits=misfits,
            notes=(
                f"to one unit of the tenth decimal: {share(exact, total)}",
                f"hours outside the dead band, where the premium decides: {share(bound, total)}",
            ),
            target="all 14,223 rows to 1e-9",
            is_met=total == 14_223 and not misfits,
            placebos=tuple(
                Placebo(name, f"{share(fit, of)} fit", fit < of)
                for name, (fit, of) in wrong.items()
            ),
            source=(SOL, ETH),
        )
    ]
