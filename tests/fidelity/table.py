"""The table of claims, as text, Markdown and JSON."""

from typing import Any

import msgspec

from tests.fidelity.claim import Claim, share, tally

COLUMNS = ("claim", "checked", "equal", "not checkable", "misfits", "placebo", "verdict")
LISTED_MAX = 40
"""Misfits and notes listed for one claim in text; JSON has them all."""


def cells(claim: Claim) -> tuple[str, ...]:
    """Return one row of the table."""
    return (
        claim.name,
        str(claim.checked),
        str(claim.equal),
        str(sum(claim.not_checkable.values())),
        str(len(claim.misfits)),
        "failed, as it must" if claim.placebo_failed else "PASSED",
        "holds" if claim.passed else "MISSED",
    )


def text(claims: list[Claim]) -> str:
    """Return the table and, below it, everything about each claim."""
    rows = [COLUMNS, *map(cells, claims)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines) + "\n" + "".join(map(details, claims))


def details(claim: Claim) -> str:
    """Return what stands below the table for one claim."""
    lines = ["", f"{claim.name}: {share(claim.equal, claim.checked)} equal; {claim.target}"]
    lines += [f"  {note}" for note in claim.notes]
    lines += [f"  not checkable, {name}: {n}" for name, n in claim.not_checkable.items()]
    lines += [f"  misfits, {name}: {n}" for name, n in claim.classes.items()]
    lines += [f"    {m.identity}: {m.detail}" for m in claim.misfits[:LISTED_MAX]]
    lines += [f"  placebo, {p.name}: {p.figure}" for p in claim.placebos]
    lines.append(f"  source: {', '.join(claim.source)}")
    return "\n".join(lines) + "\n"


def markdown(claims: list[Claim]) -> str:
    """Return the table and the details as Markdown."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
    lines += ["| " + " | ".join(cells(claim)) + " |" for claim in claims]
    for claim in claims:
        lines += ["", f"### {claim.name}", ""]
        lines += [f"Target: {claim.target}. Measured: {share(claim.equal, claim.checked)}.", ""]
        lines += [f"* {note}" for note in claim.notes]
        lines += [f"* not checkable, {name}: {n}" for name, n in claim.not_checkable.items()]
        lines += [f"* misfits, {name}: {n}" for name, n in claim.classes.items()]
        lines += [f"  * {m.identity}: {m.detail}" for m in claim.misfits[:LISTED_MAX]]
        lines += [f"* placebo, {p.name}: {p.figure}" for p in claim.placebos]
        lines.append(f"* source: {', '.join(f'`{name}`' for name in claim.source)}")
    return "\n".join(lines) + "\n"


def as_object(claims: list[Claim]) -> dict[str, Any]:
    """Return everything as one object of plain data."""
    rows = []
    for claim in claims:
        row = msgspec.to_builtins(claim)
        row |= {"passed": claim.passed, "placebo_failed": claim.placebo_failed}
        row |= {"misfit_classes": tally(misfit.kind for misfit in claim.misfits)}
        rows.append(row)
    return {"claims": rows, "passed": bool(claims) and all(claim.passed for claim in claims)}
