"""Says what a run rests on and what came of it: the summary object and the report's content."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hatmanifesto.apps.carry_text import legs_summary
from hatmanifesto.apps.ending import Ending
from hatmanifesto.apps.provenance import Provenance
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.report_data import Assumption, ReportData
from hatmanifesto.apps.spec import RunSpec
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import NS_S, format_fixed
from hatmanifesto.store.ledger_file import iso_of


def summary_of(
    spec: RunSpec,
    endings: Mapping[str, Ending],
    analyses: Mapping[str, Analysis],
    *,
    notes: Sequence[str],
    origin: Provenance,
) -> dict[str, Any]:
    """Return the summary object of `--json`, without times and paths.

    Money is decimal text; what is unknown is None. Under two tie orders the first is the headline
    and the others stand under ``other_ties``.
    """
    order, *others = analyses
    main, run = analyses[order], endings[order]
    return {
        "run_id": spec.identity(),
        "status": status_of(main, reason=run.reason),
        "ended": run.reason,
        "evidence": spec.evidence,
        "assumed": [f"{a.name}: {a.value}" for a in assumptions(spec, endings) if a.is_assumed],
        "notes": list(notes),
        "strategy": spec.name,
        "coins": list(spec.coins),
        "capital_usdc": format_fixed(spec.capital, decimals=6),
        "ties": order,
        "dataset_hash": spec.dataset_hash,
        "code_hash": spec.code_hash,
        "config_hash": spec.config_hash,
        "lock_hash": origin.lock_hash,
        "seed": spec.seed,
        "commit": origin.commit,
        "dirty": origin.dirty,
        "events": run.rows,
        "orders": main.facts.orders,
        "commands": run.commands,
        "fills": len(main.facts.fills),
        "net_pnl_usdc": main.net_pnl_usdc if main.status == "ok" else None,
        "failed_strategies": [
            {"strategy": spec.books[one.book], "error": one.error, "at_ns": one.now}
            for one in main.facts.failed
        ],
        "allocations": len(main.facts.allocations),
        "signals": {
            spec.books[one.book]: {
                "name": one.name,
                "unit": one.unit,
                "horizon_s": one.horizon_ns / NS_S,
                "logged": _logged(main, one.book),
            }
            for one in run.signals
        },
        "components": _components(main),
        "memo": dict(main.memo),
        "carry_legs": legs_summary(main.legs),
        "metrics": {name: msgspec.to_builtins(one) for name, one in main.metrics.items()},
        "edge": msgspec.to_builtins(main.edge),
        "max_drawdown": main.max_drawdown,
        "journal_hash": run.journal_hash,
        "other_ties": {
            ties: {
                "net_pnl_usdc": analyses[ties].net_pnl_usdc,
                "components": dict(analyses[ties].components),
                "fills": len(analyses[ties].facts.fills),
                "journal_hash": endings[ties].journal_hash,
            }
            for ties in others
        },
    }


def _logged(analysis: Analysis, book: int) -> int:
    """Return how many signals of a book were written down."""
    return sum(signal.book == book for signal in analysis.facts.signals)


def status_of(analysis: Analysis, *, reason: str) -> str:
    """Return how a run went: ok, empty, degraded (a strategy of it failed) or failed."""
    if reason == "margin":
        return "failed"
    return "degraded" if analysis.facts.failed else analysis.status


def origin_of(spec: RunSpec, origin: Provenance) -> dict[str, str]:
    """Return what every artefact of a run carries, as text; unknown is said so."""
    dirty = {True: "yes", False: "no", None: "unknown"}[origin.dirty]
    return {
        "run_id": spec.identity(),
        "evidence_class": spec.evidence,
        "dataset_hash": spec.dataset_hash,
        "code_hash": spec.code_hash,
        "config_hash": spec.config_hash,
        "lock_hash": origin.lock_hash,
        "commit": origin.commit or "unknown",
        "dirty": dirty,
        "seed": str(spec.seed),
    }


def _components(analysis: Analysis) -> dict[str, str | None]:
    """Return the components, each unknown when there was no fill."""
    if analysis.status == "ok":
        return dict(analysis.components)
    return dict.fromkeys(analysis.components)


def report_data(
    spec: RunSpec,
    endings: Mapping[str, Ending],
    analyses: Mapping[str, Analysis],
    *,
    origin: Provenance,
) -> ReportData:
    """Return the content of the report of a run."""
    order = next(iter(analyses))
    run = endings[order]
    notes = [f"{text}." for text in (*run.too_small, *run.waiting, *run.stranded)]
    notes += _all_refused(analyses[order])
    if spec.unhedged:
        notes.append(f"No second-leg data for {', '.join(spec.unhedged)}: left out of the hedge.")
    if spec.left_out:
        notes.append(f"Left out, their decimals are not known: {', '.join(spec.left_out)}.")
    notes = _failures(spec, analyses[order]) + notes
    if run.reason == "margin":
        notes.insert(0, "The run ended early: account value fell below maintenance margin.")
    return ReportData(
        title=spec.name,
        evidence=Evidence(spec.evidence),
        source=f"{spec.data}",
        main=analyses[order],
        ties=order,
        others={ties: one for ties, one in analyses.items() if ties != order},
        notes=notes,
        assumptions=assumptions(spec, endings),
        provenance=_provenance(spec, run, origin),
    )


def _failures(spec: RunSpec, analysis: Analysis) -> list[str]:
    """Return one sentence for each strategy that failed, with what it left open."""
    assets = analysis.identity.assets
    position: Counter[tuple[int, int]] = Counter()
    for row in analysis.facts.fills:
        position[row.book, row.coin] += row.szi
    found = []
    for one in analysis.facts.failed:
        held = [
            f"{format_fixed(szi, decimals=assets[coin].sz_decimals)} {assets[coin].coin}"
            for (book, coin), szi in sorted(position.items())
            if book == one.book and szi
        ]
        left = f"it was left holding {', '.join(held)}" if held else "it held nothing"
        found.append(
            f"{spec.books[one.book]} failed at {iso_of(one.now)} and was stopped: {one.error}; "
            f"its orders were withdrawn, {left}. The others went on."
        )
    return found


def _all_refused(analysis: Analysis) -> list[str]:
    """Return why no order left at all, one sentence for each reason; none when one did."""
    if analysis.facts.orders:
        return []
    return [
        f"No order left: the {veto.hat} hat refused {veto.loud + veto.silent} times for "
        f"{veto.reason} ({veto.example})."
        for veto in analysis.facts.vetoes
    ]


def assumptions(spec: RunSpec, endings: Mapping[str, Ending]) -> list[Assumption]:
    """Return everything the result rests on; proxies of the data are marked as assumed."""
    found = [
        Assumption("latency", spec.latency, "each leg: data to us, orders to the venue, answers"),
        _place(spec),
        Assumption("rows with one stamp", spec.ties, "pessimistic puts prints before books"),
        Assumption("block clock", f"{spec.block_ms} ms", "an action executes in the next block"),
        Assumption("fees", "taker 4.5 bps, maker 1.5 bps", "base tier, no discount"),
        Assumption("own orders", "do not move the recorded market", "prints are allotted once"),
    ]
    for text in next(iter(endings.values())).assumed:
        name, _, value = text.partition(":")
        found.append(Assumption(name.strip(), value.strip(), "proxy", is_assumed=True))
    return found


def _place(spec: RunSpec) -> Assumption:
    """Return what decides when a resting order is met."""
    if spec.interval:
        return Assumption("queue position", "none", "an order fills when a bar went through it")
    return Assumption("queue position", spec.queue, "recorded books do not show our place")


def _provenance(spec: RunSpec, run: Ending, origin: Provenance) -> list[tuple[str, str | None]]:
    dirty = None if origin.dirty is None else "yes" if origin.dirty else "no"
    return [
        ("run", spec.identity()),
        ("data", spec.data),
        ("dataset hash", spec.dataset_hash),
        ("code hash", spec.code_hash),
        ("config hash", spec.config_hash),
        ("lock hash", origin.lock_hash),
        ("commit", origin.commit),
        ("uncommitted changes", dirty),
        ("seed", str(spec.seed)),
        ("journal hash", run.journal_hash),
    ]
