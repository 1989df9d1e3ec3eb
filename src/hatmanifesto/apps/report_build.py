"""Analyse a finished run: everything that its summary, ledger and report are written from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec
import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.allot import funding_shares
from hatmanifesto.analytics.attribution import (
    HORIZON_NS,
    Attribution,
    Components,
    FillParts,
    attribute,
    paths_of,
    split_fills,
)
from hatmanifesto.analytics.benchmark import Benchmark, benchmark_figures, benchmark_of
from hatmanifesto.analytics.breakdown import Breakdowns, Names, breakdowns_of
from hatmanifesto.analytics.carry_legs import CarryLeg, carry_legs
from hatmanifesto.analytics.equity import Equity, equity_of
from hatmanifesto.analytics.findings import SPOT_TIER, Finding, Setting, findings_of
from hatmanifesto.analytics.fold import RunFacts, fold
from hatmanifesto.analytics.markouts import HORIZONS_S, Markout, markout_bps, markout_table
from hatmanifesto.analytics.metrics import Edge, Inputs, Metric, edge_of, metrics_of
from hatmanifesto.analytics.mids import Int64, MidPath, Mids, tick_before
from hatmanifesto.analytics.spacing import spacing_of
from hatmanifesto.analytics.trades import FillState, Trade, fill_states, trades_of
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.legs import base_of
from hatmanifesto.domain.records import Record
from hatmanifesto.domain.units import NS_S, format_fixed, format_half_micro
from hatmanifesto.signals.regime import REGIMES
from hatmanifesto.store.ledger_columns import Row
from hatmanifesto.store.ledger_file import LedgerInputs, ledger_rows
from hatmanifesto.store.ledger_read import facts_of

COMPONENT_NAMES = (
    "price",
    "basis",
    "spread",
    "adverse_selection",
    "timing",
    "fees",
    "rebates",
    "funding",
    "gap",
    "residual",
)


CARRY = "carry"
"""Name of the strategy whose legs are told one by one."""

NO_SPREADS: Mapping[int, Int64] = MappingProxyType({})


@dataclass(frozen=True)
class RunIdentity:
    """What the journal does not say.

    ``assets`` by coin slot; ``books`` the strategy name of each book and ``versions`` the hash of
    its source; ``capital`` [micro-USDC]; ``net`` the profit and loss on which both sides' books
    agreed at the end of the run [half micro-USDC] and ``marks2`` twice the price of each coin then
    [px units], None and () when unknown: they check the ledger and enter no figure; ``seed`` of the
    run, from which the intervals draw.
    """

    assets: Sequence[Asset]
    books: Sequence[str]
    capital: int
    seed: int
    run_id: str
    evidence: str
    net: int | None = None
    versions: Sequence[str] = ()
    marks2: Sequence[int] = ()


@dataclass(frozen=True)
class Analysis:
    """Everything known about a run after the fact.

    ``components`` and ``memo`` are decimal text in USDC, None where unknown; ``status`` is "ok", or
    "empty" when there was no fill.
    """

    identity: RunIdentity
    facts: RunFacts
    paths: dict[int, MidPath]
    attribution: Attribution
    parts: FillParts
    equity: Equity | None
    markouts: list[Markout]
    trades: list[Trade]
    states: list[FillState]
    fill_markout_bps: NDArray[np.float64]
    metrics: dict[str, Metric]
    edge: Edge
    status: str
    net_pnl_usdc: str
    components: dict[str, str | None]
    memo: dict[str, str]
    ledger: list[Row]
    breakdowns: Breakdowns
    benchmark: Benchmark | None
    findings: list[Finding]
    names: Names
    legs: list[CarryLeg]

    @property
    def net_gap(self) -> int:
        """Return the ledger's net less the books', at their prices [half micro-USDC]."""
        run = self.identity
        if run.net is None:
            return 0
        flows = (2 * (-row.side * row.notional - row.fee) for row in self.facts.fills)
        held = (row.szi * run.marks2[row.coin] for row in self.facts.fills)
        paid = 2 * sum(event.usdc for event in self.facts.funding)
        return sum(flows) + sum(held) + paid - run.net

    @property
    def max_drawdown(self) -> str | None:
        """Return the deepest fall of profit from its high [USDC, decimal text]."""
        value = self.metrics["max_drawdown"].value if "max_drawdown" in self.metrics else None
        return value if isinstance(value, str) else None


def analyse(records: Iterable[Record], mids: Mapping[int, Mids], run: RunIdentity) -> Analysis:
    """Return the analysis of a run through the ledger that its records give.

    Args:
        records: the journal's records in order.
        mids: by coin slot; needed for every coin with a fill.
        run: what the journal does not say.

    Raises:
        AssertionError: if a fill names an order never placed, or a coin without a mid.
    """
    facts = fold(records)
    return analyse_ledger(facts, mids, run, ledger=ledger_of(facts, mids, run))


def analyse_ledger(
    facts: RunFacts, mids: Mapping[int, Mids], run: RunIdentity, *, ledger: Sequence[Row]
) -> Analysis:
    """Return the analysis whose fills and payments are those of ``ledger``.

    Args:
        facts: of the journal; only its orders, refusals, holes and times are used.
        mids: by coin slot; needed for every coin with a fill.
        run: what neither says.
        ledger: the rows of a ledger file.

    Raises:
        MismatchError: if a row cannot have been written by this program.
    """
    facts = told_by(ledger, facts, run)
    paths = paths_of(facts, mids)
    shares = funding_shares(facts.funding, facts.fills)
    attribution, parts = attribute(facts, mids, shares=shares)
    equity = equity_of(facts.fills, paths, funding=facts.funding)
    markouts = markout_table(facts.fills, paths)
    trades = trades_of(facts.fills, facts.funding, shares=shares)
    spacing_ns = spacing_of(paths)
    inputs = Inputs(
        *(facts, attribution.total, equity, markouts, trades, run.capital, run.seed),
        spacing_ns=spacing_ns,
    )
    figures = metrics_of(inputs)
    breakdowns = breakdowns_of(facts, parts, paths, equity, shares=shares)
    legs = {slot for slot, asset in enumerate(run.assets) if asset.is_spot}
    perps = {slot: path for slot, path in paths.items() if slot not in legs}
    benchmark = benchmark_of(equity, perps, capital=run.capital, seed=run.seed)
    names = names_of(run)
    return Analysis(
        identity=run,
        facts=facts,
        paths=paths,
        attribution=attribution,
        parts=parts,
        equity=equity,
        markouts=markouts,
        trades=trades,
        states=fill_states(facts.fills, facts.funding),
        fill_markout_bps=markout_bps(facts.fills, paths, horizon_ns=HORIZON_NS),
        metrics={**figures, **benchmark_figures(benchmark)},
        edge=edge_of(figures["net_pnl"], evidence=run.evidence),
        status="ok" if facts.fills else "empty",
        net_pnl_usdc=format_half_micro(attribution.total.net),
        components=component_texts(attribution.total),
        memo=memo_texts(attribution.total),
        ledger=list(ledger),
        breakdowns=breakdowns,
        benchmark=benchmark,
        findings=findings_of(
            *(facts, parts, breakdowns),
            names=names,
            setting=Setting(dict.fromkeys(legs, SPOT_TIER), spacing_ns),
            shares=shares,
        ),
        names=names,
        legs=carry_legs(
            facts,
            parts.spread.tolist(),
            shares,
            books=carry_books(run),
            perp_of=perps_of(run),
        ),
    )


def carry_books(run: RunIdentity) -> list[int]:
    """Return the books of the carries, by the name of their strategy."""
    return [book for book, name in enumerate(run.books) if name.partition("#")[0] == CARRY]


def perps_of(run: RunIdentity) -> dict[int, int]:
    """Return the slot of the perp of every second leg, by the leg's."""
    slots = {asset.coin: slot for slot, asset in enumerate(run.assets)}
    bases = {slot: base_of(asset.coin) for slot, asset in enumerate(run.assets)}
    return {slot: slots[base] for slot, base in bases.items() if base in slots}


def names_of(run: RunIdentity) -> Names:
    """Return what the buckets of a run's breakdowns are called."""
    coins = tuple(asset.coin for asset in run.assets)
    return Names(books=tuple(run.books), coins=coins, regimes=REGIMES)


def told_by(ledger: Sequence[Row], facts: RunFacts, run: RunIdentity) -> RunFacts:
    """Return ``facts`` with the fills and payments of ``ledger`` in place of the journal's.

    Raises:
        MismatchError: if a row cannot have been written by this program.
    """
    told = facts_of(ledger, run.assets)
    return msgspec.structs.replace(
        facts, fills=told.fills, funding=told.funding, funding_unknown=told.funding_unknown
    )


def ledger_of(
    facts: RunFacts,
    mids: Mapping[int, Mids],
    run: RunIdentity,
    *,
    spreads: Mapping[int, Int64] = NO_SPREADS,
) -> list[Row]:
    """Return the rows of the ledger that these facts and mids give.

    ``spreads`` are by coin slot, at the stamps of its mids [px units], where the data tell them.
    """
    paths = paths_of(facts, mids)
    return ledger_rows(
        LedgerInputs(
            facts=facts,
            parts=split_fills(facts.fills, paths),
            states=fill_states(facts.fills, facts.funding),
            markout_bps={
                horizon: markout_bps(facts.fills, paths, horizon_ns=horizon * NS_S).tolist()
                for horizon in HORIZONS_S
            },
            assets=dict(enumerate(run.assets)),
            names=dict(enumerate(run.books)),
            versions=dict(enumerate(run.versions)),
            arrival_mid2=arrival_mid2(facts, paths),
            spreads=fill_spreads(facts, paths, spreads),
            run_id=run.run_id,
            evidence=run.evidence,
            capital=run.capital,
        )
    )


def arrival_mid2(facts: RunFacts, paths: Mapping[int, MidPath]) -> list[int]:
    """Return by fill the mid just before its order came to rest, twice [px units]; 0 unknown."""
    out = [0] * len(facts.fills)
    for coin, path in sorted(paths.items()):
        rows = [
            (i, facts.rested[row.intent])
            for i, row in enumerate(facts.fills)
            if row.coin == coin and row.intent in facts.rested
        ]
        at, is_substituted = tick_before(path, np.array([ns for _, ns in rows], dtype=np.int64))
        for (i, _), mid2, unknown in zip(rows, path.mid2[at], is_substituted, strict=True):
            out[i] = 0 if unknown else int(mid2)
    return out


def fill_spreads(
    facts: RunFacts, paths: Mapping[int, MidPath], spreads: Mapping[int, Int64]
) -> list[int | None]:
    """Return by fill the spread at its reference mid [px units], None where it is not known."""
    out: list[int | None] = [None] * len(facts.fills)
    for coin, spread in sorted(spreads.items()):
        index = [i for i, row in enumerate(facts.fills) if row.coin == coin and not row.is_gap]
        ts = np.array([facts.fills[i].ts for i in index], dtype=np.int64)
        at, is_substituted = tick_before(paths[coin], ts)
        for i, value, unknown in zip(index, spread[at].tolist(), is_substituted, strict=True):
            out[i] = None if unknown else value
    return out


def component_texts(part: Components) -> dict[str, str | None]:
    """Return the components as decimal text in USDC, None where unknown."""
    values = {name: getattr(part, name) for name in COMPONENT_NAMES}
    return {name: None if v is None else format_half_micro(v) for name, v in values.items()}


def memo_texts(part: Components) -> dict[str, str]:
    """Return what is told beside the components: it does not add to net.

    ``slippage_usdc`` is negative when fills were worse than the mid at the decision;
    ``funding_known_usdc`` is the part of funding that the data hold.
    """
    return {
        "slippage_usdc": format_half_micro(part.slippage),
        "turnover_usdc": format_fixed(part.turnover, decimals=6),
        "funding_known_usdc": format_half_micro(part.funding_known),
    }
