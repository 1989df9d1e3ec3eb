"""Ranked findings about a run: what cannot be right first, then what costs most beyond chance.

Theory of operation. Fees are compared with the schedule exactly: no chance is involved, so a
difference beyond rounding is an error of the run or of its schedule and ranks first. Everything
else is a sum of dependent numbers, estimated with an error clustered by blocks of time, minutes or
days (`clustered`), and all of them are one family: Holm's correction holds the chance of a single
false finding at 5 %. Only losses are told, and only those whose corrected interval excludes zero;
without one the list is empty.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.allot import Share, funding_shares
from hatmanifesto.analytics.attribution import HORIZON_NS, FillParts
from hatmanifesto.analytics.breakdown import HALF, NS_DAY, Breakdowns, Names
from hatmanifesto.analytics.clustered import Estimate, sum_of_groups
from hatmanifesto.analytics.fold import FillRow, RunFacts
from hatmanifesto.analytics.markouts import BIN_NS
from hatmanifesto.analytics.spacing import duration
from hatmanifesto.analytics.student import holm
from hatmanifesto.domain.units import MICRO, rate_of

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

LEVEL = 0.05
"""Chance that a run without anything to find has a finding."""
FILLS_MIN = 30
"""Fewer fills of a bucket are not tested. Source: QUANT A.12."""
MINUTES_MIN = 10
DAYS_MIN = 5
FEE_SLACK = 0.01
"""Share of the fees due by which fees may differ before they are called wrong."""
TESTED = ("strategy", "coin", "regime", "hour")


class FeeRates(NamedTuple):
    """Fee schedule the run was under [1e-10 of notional], positive when paid."""

    taker: int = 4_500_000
    maker: int = 1_500_000


BASE_TIER = FeeRates()
SPOT_TIER = FeeRates(taker=7_000_000, maker=4_000_000)
"""Base tier of what is held outright. Source: PROTOCOL 12.1."""


NO_RATES: Mapping[int, FeeRates] = MappingProxyType({})


class Setting(NamedTuple):
    """What the findings stand on: fees by coin slot, and the distance between mids [ns].

    A coin without rates is under the base tier of perps. Where mids come further apart than the
    horizon of adverse selection, what is measured is the move to the next of them, and the words
    say so. A distance of 0 is unknown, and taken as close enough.
    """

    rates: Mapping[int, FeeRates] = NO_RATES
    spacing_ns: int = 0

    @property
    def is_coarse(self) -> bool:
        """Say whether the mids are too far apart for what happens right after a fill."""
        return self.spacing_ns > HORIZON_NS


BASE = Setting()


class Finding(msgspec.Struct, frozen=True):
    """One finding.

    ``kind``: fees, net, adverse_selection (of makers, after the spread they captured), spread of
    takers, timing (slippage against
    the decision mid before the spread) or funding. ``scope`` and ``key`` name
    the bucket. ``effect`` [USDC] is negative: what it cost; ``relative`` in ``relative_unit``.
    ``low`` and ``high`` [USDC] bound the effect, corrected for all that was tested; for fees they
    are the effect itself. ``p_value`` is corrected too. ``n`` observations.
    """

    kind: str
    scope: str
    key: int
    name: str
    text: str
    effect: float
    low: float
    high: float
    relative: float | None
    relative_unit: str
    p_value: float
    n: int
    experiment: str

    @property
    def is_fault(self) -> bool:
        """Return whether this cannot be right, rather than costing money."""
        return self.kind == "fees"


class Candidate(NamedTuple):
    """Something tested: its bucket, its estimate [USDC] and the turnover behind it [USDC]."""

    kind: str
    scope: str
    key: int
    estimate: Estimate
    turnover: float


def findings_of(
    facts: RunFacts,
    parts: FillParts,
    breakdowns: Breakdowns,
    *,
    names: Names,
    setting: Setting = BASE,
    shares: Sequence[Share] | None = None,
) -> list[Finding]:
    """Return the findings of a run, the gravest first.

    Args:
        facts: folded run.
        parts: of its fills, in their order.
        breakdowns: of the same run.
        names: of the buckets.
        setting: the fee schedules it ran under, and how far apart its mids lie.
        shares: the funding split over books, when the caller has it already.
    """
    if shares is None:
        shares = funding_shares(facts.funding, facts.fills)
    faults = fee_findings(facts.fills, names, setting.rates)
    tested = candidates_of(facts, parts, breakdowns, shares)
    costs: list[Finding] = []
    for one, (p, tail) in zip(
        tested, holm([each.estimate.p_value for each in tested], level=LEVEL), strict=True
    ):
        if p < LEVEL and one.estimate.total < 0:
            costs.append(_finding(one, (p, tail), names, setting))
    faults.sort(key=lambda f: (-abs(f.effect), f.key))
    costs.sort(key=lambda f: (f.effect, f.kind, f.scope, f.key))
    return faults + costs


def fee_findings(
    fills: Sequence[FillRow], names: Names, rates: Mapping[int, FeeRates]
) -> list[Finding]:
    """Return the strategies whose fees are not those of the schedule, for their own fills."""
    out: list[Finding] = []
    for book in sorted({row.book for row in fills}):
        mine = [row for row in fills if row.book == book]
        due = [fee_due(row, rates.get(row.coin, BASE_TIER)) for row in mine]
        excess = sum(row.fee for row in mine) - sum(due)
        allowed = max(len(mine), round(FEE_SLACK * sum(map(abs, due))))
        if abs(excess) > allowed:
            out.append(_fee_finding(book, mine, (excess, sum(due)), names))
    return out


def fee_due(row: FillRow, rates: FeeRates) -> int:
    """Return what a fill costs under a schedule [micro-USDC]."""
    return rate_of(row.notional, rates.taker if row.is_taker else rates.maker)


def _fee_finding(
    book: int, fills: Sequence[FillRow], amounts: tuple[int, int], names: Names
) -> Finding:
    excess, due = amounts
    turnover = sum(row.notional for row in fills)
    bps = 1e4 / turnover
    name = names.of("strategy", book)
    effect = -excess / MICRO
    word = "more" if excess > 0 else "less"
    return Finding(
        kind="fees",
        scope="strategy",
        key=book,
        name=name,
        text=(
            f"{name} paid {(due + excess) * bps:,.2f} bps of turnover in fees where the schedule "
            f"asks {due * bps:.2f} of its makers and takers: {abs(effect):,.2f} USDC {word}"
        ),
        effect=effect,
        low=effect,
        high=effect,
        relative=excess * bps,
        relative_unit="bps of turnover above the schedule",
        p_value=0.0,
        n=len(fills),
        experiment=(
            "compare each fill's fee with the venue's statement and the account's fee tier, "
            "then run again under the right schedule"
        ),
    )


def candidates_of(
    facts: RunFacts, parts: FillParts, breakdowns: Breakdowns, shares: Sequence[Share]
) -> list[Candidate]:
    """Return everything that is tested, in a fixed order."""
    out: list[Candidate] = []
    for kind in TESTED:
        buckets = breakdowns.get(kind, ())
        if kind in ("coin", "regime") and len(buckets) < 2:
            continue  # the same numbers as the strategies'
        for bucket in buckets:
            if kind == "regime" and bucket.key <= 0:
                continue  # what nobody labelled is no regime
            if bucket.estimate is not None and bucket.parts.fills + (kind == "hour") > 0:
                turnover = bucket.parts.turnover / MICRO
                out.append(Candidate("net", kind, bucket.key, bucket.estimate, turnover))
    return out + _fill_candidates(facts.fills, parts) + _funding_candidates(facts.fills, shares)


def _fill_candidates(fills: Sequence[FillRow], parts: FillParts) -> list[Candidate]:
    """Return costs of fills by strategy, and by coin when there are several."""
    if not fills:
        return []
    table = np.array([(r.book, r.coin, r.is_taker, r.is_gap, r.ts) for r in fills], dtype=np.int64)
    book, coin, taker, hole = table[:, 0], table[:, 1], table[:, 2] == 1, table[:, 3] == 1
    minute = table[:, 4] // BIN_NS
    costs = (
        ("adverse_selection", parts.spread + parts.adverse_selection, ~taker & ~hole),
        ("spread", parts.spread, taker & ~hole),
        ("timing", parts.timing, taker & ~hole),
    )
    scopes = [("strategy", book)]
    if len(np.unique(coin)) > 1:
        scopes.append(("coin", coin))
    out: list[Candidate] = []
    for scope, owner in scopes:
        for key in np.unique(owner).tolist():
            for kind, values, chosen in costs:
                mine = (owner == key) & chosen
                if int(mine.sum()) < FILLS_MIN:
                    continue
                usdc = values[mine].astype(np.float64) / HALF
                estimate = sum_of_groups(usdc, minute[mine], groups_min=MINUTES_MIN)
                if estimate is not None:
                    turnover = float(parts.turnover[mine].astype(np.float64).sum()) / MICRO
                    out.append(Candidate(kind, scope, key, estimate, turnover))
    return out


def _funding_candidates(fills: Sequence[FillRow], shares: Sequence[Share]) -> list[Candidate]:
    """Return the funding of each strategy, clustered by day."""
    usdc: dict[int, list[float]] = {}
    days: dict[int, list[int]] = {}
    for event, split in shares:
        for book, amount in split.items():
            usdc.setdefault(book, []).append(amount / MICRO)
            days.setdefault(book, []).append(event.exch // NS_DAY)
    turnover: dict[int, int] = {}
    for row in fills:
        turnover[row.book] = turnover.get(row.book, 0) + row.notional
    out: list[Candidate] = []
    for book in sorted(usdc):
        groups = np.array(days[book], dtype=np.int64)
        estimate = sum_of_groups(np.array(usdc[book]), groups, groups_min=DAYS_MIN)
        if estimate is not None:
            whole = turnover.get(book, 0) / MICRO
            out.append(Candidate("funding", "strategy", book, estimate, whole))
    return out


WORDS = {
    "net": ("{name} lost {usdc} USDC net", "run again without {name} and compare day by day"),
    "regime": (
        "fills in a {name} market lost {usdc} USDC net",
        "open nothing while the regime is {name} on every other day, and compare the days",
    ),
    "hour": (
        "the hour from {name} lost {usdc} USDC net",
        "stand aside in that hour on every other day, and compare the days",
    ),
    "adverse_selection": (
        "maker fills of {name} lost {usdc} USDC within 5 s, more than their spread captured",
        "quote {name} one tick wider, or cancel on the first sign of the move, on every other day",
    ),
    "spread": (
        "taker fills of {name} crossed the spread for {usdc} USDC",
        "let {name} rest at the touch first and take only what is left, on every other day",
    ),
    "timing": (
        "the mid ran away by {usdc} USDC between decision and taker fill of {name}",
        "run {name} again with half and with twice the latency and read the slope",
    ),
    "funding": (
        "{name} paid {usdc} USDC of funding",
        "run {name} again with positions closed over hours whose forecast funding is adverse",
    ),
}
"""What is said of each kind, and the experiment that would tell more."""
COARSE_WORDS = {
    "adverse_selection": (
        (
            "maker fills of {name} lost {usdc} USDC until the next mid, {spacing} after the one "
            "before the fill, more than their spread captured"
        ),
        (
            "run {name} on recorded books, which know the seconds after a fill; on these mids, "
            "quote wider on every other day and compare the days"
        ),
    ),
    "timing": (
        "the mid ran away by {usdc} USDC between decision and taker fill of {name}",
        (
            "let {name} decide one mid ({spacing}) earlier and later and compare; a shorter "
            "latency cannot be seen in these mids"
        ),
    ),
}
"""The same where mids come further apart than the horizon."""


def _finding(
    one: Candidate, chance: tuple[float, float], names: Names, setting: Setting
) -> Finding:
    """Return what is said of a loss; ``chance`` is its corrected p-value and tail."""
    p, tail = chance
    name = names.of(one.scope, one.key)
    low, high = one.estimate.span(tail)
    words = {**WORDS, **COARSE_WORDS} if setting.is_coarse else WORDS
    said, experiment = words[one.scope if one.scope in WORDS else one.kind]
    spacing = duration(setting.spacing_ns)
    bps = 1e4 * one.estimate.total / one.turnover if one.turnover else None
    text = said.format(name=name, usdc=f"{-one.estimate.total:,.2f}", spacing=spacing)
    if bps is not None:
        text += f", {-bps:,.2f} bps of turnover"
    return Finding(
        kind=one.kind,
        scope=one.scope,
        key=one.key,
        name=name,
        text=text,
        effect=one.estimate.total,
        low=low,
        high=high,
        relative=bps,
        relative_unit="bps of turnover",
        p_value=p,
        n=one.estimate.n,
        experiment=experiment.format(name=name, spacing=spacing),
    )
