"""Print the table of claims: `python -m tests.fidelity [--json | --markdown] [CLAIM...]`.

A CLAIM is a part of a claim's name. Exits 0 if every claim meets its target and every placebo
fails, 1 if not, 2 where there are no recordings.
"""

import argparse
import json
import sys

from tests.fidelity import (
    closed_pnl,
    fees,
    funding_payments,
    funding_rates,
    liquidation_px,
    margin,
    sources,
    table,
)
from tests.fidelity.claim import Check, Claim

CHECKS: tuple[Check, ...] = (
    funding_rates.check,
    funding_payments.check,
    fees.check,
    closed_pnl.check,
    liquidation_px.check,
    margin.check,
)


def run() -> list[Claim]:
    """Return every claim, checked."""
    return [claim for check in CHECKS for claim in check()]


def main(arguments: list[str]) -> int:
    """Check, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fidelity", description=__doc__)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one object with every misfit")
    shape.add_argument("--markdown", action="store_true", help="the tables of docs/fidelity.md")
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="parts of names; default: all")
    options = parser.parse_args(arguments)
    if reason := sources.missing():
        print(reason, file=sys.stderr)
        return 2
    claims = [
        claim
        for claim in run()
        if not options.claims or any(part in claim.name for part in options.claims)
    ]
    if options.json:
        print(json.dumps(table.as_object(claims), indent=1))
    else:
        print(table.markdown(claims) if options.markdown else table.text(claims), end="")
    return 0 if claims and all(claim.passed for claim in claims) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
