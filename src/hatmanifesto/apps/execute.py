"""Runs one specification under one tie order and returns what it left."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from hatmanifesto.analytics.mids import Market, Mids
from hatmanifesto.apps.compose import Machines, build, open_tape
from hatmanifesto.apps.ending import Ending, SignalMeaning
from hatmanifesto.apps.needs import refuse_unmet_needs
from hatmanifesto.apps.spec import RunSpec
from hatmanifesto.domain.errors import UnreconciledError
from hatmanifesto.domain.records import Began, Ended
from hatmanifesto.domain.rows import EXCH
from hatmanifesto.domain.units import NS_HOUR, format_fixed, format_half_micro
from hatmanifesto.engine.snapshot import engine_hash
from hatmanifesto.simex.replay import TRADER, Outcome
from hatmanifesto.store.dataset import Dataset
from hatmanifesto.store.journal import HashJournal, JournalWriter
from hatmanifesto.store.ledger_file import iso_of
from hatmanifesto.store.tape import ParquetTape
from hatmanifesto.strategies.contract import CROSS, View

COINS_NAMED = 6
"""More coins than this are told by their number."""

STRANDED_NS = 24 * NS_HOUR
"""A coin whose last price is older than this at the end of a run is said to have none."""


class Finished(NamedTuple):
    """A finished run: its machines, how it ended, its journal hash, and net [half micro-USDC]."""

    machines: Machines
    outcome: Outcome
    journal_hash: str
    net2: int

    def market(self) -> Market:
        """Return the prices that the run saw."""
        return market_of(self.machines.tape, rows=self.outcome.rows)

    def ending(self) -> Ending:
        """Return what is kept of the machines' last words."""
        state = self.machines.engine.state
        return Ending(
            reason=self.outcome.reason,
            rows=self.outcome.rows,
            commands=self.outcome.commands,
            journal_hash=self.journal_hash,
            net2=self.net2,
            marks2=tuple(state.mark2(coin) for coin in range(len(state.assets))),
            assets=tuple(self.machines.tape.assets),
            too_small=tuple(self.too_small()),
            assumed=tuple(self.machines.tape.assumed),
            stranded=tuple(self.stranded()),
            waiting=tuple(self.waiting()),
            signals=tuple(self.signals()),
        )

    def signals(self) -> list[SignalMeaning]:
        """Return what the signals of each book mean; a strategy that names none has none."""
        specs = {mind.book: mind.strategy.signal for mind in self.machines.engine.minds}
        return [
            SignalMeaning(book, spec.name, spec.unit, spec.horizon_ns)
            for book, spec in sorted(specs.items())
            if spec is not None
        ]

    def waiting(self) -> list[str]:
        """Return why strategies without a fill waited, one sentence a reason with its coins."""
        engine = self.machines.engine
        assets = engine.state.assets
        found: dict[tuple[str, str], list[str]] = {}
        for mind in engine.minds:
            if mind.is_stopped or any(desk.ledger.fills for desk in mind.desks):
                continue
            strategy = mind.strategy
            why = strategy.why_waiting(strategy.params, mind.memory)
            if why:
                coins = [assets[desk.coin].coin for desk in mind.desks]
                found.setdefault((strategy.name, why), []).extend(coins)
        return [
            f"{name} on {named(coins)} traded nothing: {why}"
            for (name, why), coins in found.items()
        ]

    def stranded(self) -> list[str]:
        """Return one sentence for each position whose coin's prices ended long before the run."""
        state = self.machines.engine.state
        return [
            f"{asset.coin} has no prices after {iso_of(top[EXCH])}: the position of "
            f"{format_fixed(held, decimals=asset.sz_decimals)} stays, marked at the last of them"
            for asset, top, held in zip(state.assets, state.tops, state.net, strict=True)
            if held and self.outcome.end_ns - top[EXCH] > STRANDED_NS
        ]

    def too_small(self) -> list[str]:
        """Return one sentence for each desk whose capital was too small to quote."""
        engine = self.machines.engine
        found = []
        for mind in engine.minds:
            tops = [engine.state.tops[desk.coin] for desk in mind.desks]
            if not any(top[4] and top[6] for top in tops):
                continue
            strategy, where = mind.strategy, engine.state.assets[mind.desks[0].coin].coin
            seen: View | tuple[View, ...] = engine.view_of(mind.desks[0])
            if strategy.scope == CROSS:
                seen = tuple(engine.view_of(desk) for desk in mind.desks)
                where = f"{len(seen)} coins"
            why = strategy.why_too_small(strategy.params, seen)
            if why:
                found.append(f"{strategy.name} on {where} is too small because {why}")
        return found


def named(coins: Sequence[str]) -> str:
    """Return the coins by name, or the first of them and their number."""
    if len(coins) <= COINS_NAMED:
        return ", ".join(coins)
    return f"{coins[0]} and {len(coins) - 1} other coins"


def market_of(tape: ParquetTape, *, rows: int) -> Market:
    """Return the prices of every coin slot that has any in the tape's first ``rows`` rows."""
    columns = {slot: Mids(*tape.mids(slot, rows_max=rows)) for slot in range(len(tape.coins))}
    mids = {slot: one for slot, one in columns.items() if len(one.ts)}
    told = {slot: tape.spreads(slot, rows_max=rows) for slot in mids}
    return Market(mids, {slot: one for slot, one in told.items() if one is not None})


def execute(
    spec: RunSpec,
    dataset: Dataset,
    *,
    ties: str,
    sources: Path,
    journal: JournalWriter | HashJournal,
    progress: Callable[[float], None] | None = None,
) -> Finished:
    """Run ``spec`` over ``dataset`` with rows of one stamp in order ``ties``.

    Raises:
        UsageError: if the data lack a series that a strategy needs.
        UnreconciledError: if the trader's books and the exchange's disagree at the end.
    """
    tape = open_tape(spec, dataset, ties=ties)
    total = tape.rows_total

    def report(rows: int) -> None:
        if progress is not None:
            progress(rows / total)

    machines = build(spec, tape, folder=sources, journal=journal, progress=report)
    for book in range(len(spec.works)):
        desks = [desk for desk in machines.engine.desks if desk.book == book]
        coins = [desk.coin for desk in desks if not tape.assets[desk.coin].is_spot]
        refuse_unmet_needs(desks[0].strategy, coins, names=tape.coins, told=tape.told)
    journal.write([Began(spec.header(ties))])
    outcome = machines.replay.run()
    state_hash = engine_hash(machines.engine)
    journal.write(machines.engine.finish())
    journal.write([Ended(outcome.reason, outcome.rows, state_hash)])
    return Finished(machines, outcome, journal.close(), _reconciled(machines))


def _reconciled(machines: Machines) -> int:
    """Return net profit [half micro-USDC] once both sides' books agree."""
    state = machines.engine.state
    ours = state.equity2() - 2 * state.capital
    account = machines.clearing.accounts[TRADER]
    mids2 = [state.mark2(coin) for coin in range(len(state.assets))]
    sums = 2 * (state.capital + state.house) + sum(
        ledger.equity2(mid2)
        for book in state.ledgers
        for ledger, mid2 in zip(book, mids2, strict=True)
    )
    assert sums == state.equity2(), "the sub-ledgers sum to the account"
    theirs = account.value2(mids2) - 2 * state.capital
    if ours != theirs or account.positions != state.net:
        raise UnreconciledError(
            "the trader's books and the exchange's disagree",
            why=f"ours {format_half_micro(ours)} USDC, theirs {format_half_micro(theirs)} USDC",
            fix="this is a defect: keep the run folder and report it",
        )
    return ours
