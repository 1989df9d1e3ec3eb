"""The folder of a run's reports: its files beside the periods, its index, and how it is replaced.

The index names every place that a reader may look for, and says which are not produced yet.
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.analytics.fold import FillRow
from hatmanifesto.apps.carry_text import LEG_COLUMNS, leg_cells
from hatmanifesto.apps.provenance import code_hash
from hatmanifesto.apps.report_build import COMPONENT_NAMES, Analysis, component_texts
from hatmanifesto.apps.run_folder import LEDGER_PARQUET, MANIFEST, REPORT, file_hashes
from hatmanifesto.apps.stored_run import StoredRun
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.units import format_fixed, format_half_micro
from hatmanifesto.store.atomic import readable_json, sha256_bytes
from hatmanifesto.store.ledger_columns import COLUMNS, FUNDING, FUNDING_UNKNOWN, SCHEMA, Row
from hatmanifesto.store.ledger_file import iso_of, ledger_csv, ratio_text, regime_text

HASHES = "hash_manifest.json"
INDEX = "index.html"

READ_ME = f"""Generated from the run's ledger (schema `{SCHEMA}`), its journal and the mids of its
data. Start at `{INDEX}`; `{HASHES}` has the SHA-256 of every file. Money in USDC, times in UTC,
an empty cell is unknown or does not apply. In the ledger costs are positive; in the parts of net
(`pnl_attribution`, `tearsheets`) positive is good."""

PLACES = (
    ("executive_dashboard.html", "../../runs/{run}/" + REPORT),
    ("tearsheets/comprehensive", "../../runs/{run}/" + REPORT),
    ("tearsheets/latest.json", "tearsheets/latest.json"),
    ("tearsheets/daily", "tearsheets/daily.csv"),
    ("tearsheets/weekly", "tearsheets/weekly.csv"),
    ("tearsheets/monthly", "tearsheets/monthly.csv"),
    ("ledgers/trades.csv", "ledgers/trades.csv"),
    ("ledgers/trades.parquet", "ledgers/trades.parquet"),
    ("latency", "latency/latency.csv"),
    ("execution", "execution/execution.csv"),
    ("maker_taker", "maker_taker/maker_taker.csv"),
    ("microstructure", "microstructure/markouts.csv"),
    ("impact_calibration", ""),
    ("funding", "funding/funding.csv"),
    ("funding of carries", "funding/carry_legs.csv"),
    ("regime", "regime/regime.csv"),
    ("risk", "risk/equity.csv"),
    ("risk_events", "risk_events/risk_events.json"),
    ("portfolio", "pnl_attribution/by_strategy.csv"),
    ("capacity", ""),
    ("capital_scaling", ""),
    ("stress", ""),
    ("walkforward", ""),
    ("research", ""),
    ("splits", ""),
    ("ml", ""),
    ("rl_agent", ""),
    ("reconciliation", ""),
    ("pnl_attribution", "pnl_attribution/by_coin.csv"),
    ("monitoring", ""),
    ("chaos", ""),
    ("security", ""),
    ("audit", "audit/manifest.json"),
    (HASHES, HASHES),
    ("sbom.json", ""),
    ("README.md", "README.md"),
)
"""What a reader may look for, and the file that answers; '' when none does."""


def csv_bytes(header: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """Return a CSV; None is an empty cell."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return out.getvalue().encode()


def run_files(run: StoredRun, analysis: Analysis, about: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of a run's reports that belong to no period."""
    rows = analysis.ledger
    return {
        "ledgers/trades.csv": ledger_csv(rows),
        "ledgers/trades.parquet": (run.folder / LEDGER_PARQUET).read_bytes(),
        "tearsheets/latest.json": readable_json({**about, **_latest(analysis)}),
        "audit/manifest.json": (run.folder / MANIFEST).read_bytes(),
        "README.md": _readme(about).encode(),
        **_attribution(analysis),
        **_execution(rows, analysis),
        **_risk(analysis),
    }


def _latest(analysis: Analysis) -> dict[str, Any]:
    """Return the figures of the run, from its ledger as it is now."""
    return {
        "status": analysis.status,
        "net_pnl_usdc": analysis.net_pnl_usdc if analysis.status == "ok" else None,
        "components": dict(analysis.components),
        "memo": dict(analysis.memo),
        "metrics": {name: msgspec.to_builtins(one) for name, one in analysis.metrics.items()},
        "edge": msgspec.to_builtins(analysis.edge),
    }


def _attribution(analysis: Analysis) -> dict[str, bytes]:
    run = analysis.identity
    header = ("name", "fills", "net_pnl_usdc", *COMPONENT_NAMES)
    tables = {
        "by_coin": {run.assets[c].coin: p for c, p in analysis.attribution.by_coin.items()},
        "by_strategy": {
            (run.books[b] if 0 <= b < len(run.books) else "house"): p
            for b, p in analysis.attribution.by_book.items()
        },
    }
    files = {}
    for name, parts in tables.items():
        lines = [("all", analysis.attribution.total), *parts.items()]
        cells = [
            [one, p.fills, format_half_micro(p.net), *component_texts(p).values()]
            for one, p in lines
        ]
        files[f"pnl_attribution/{name}.csv"] = csv_bytes(header, cells)
    return files


def _execution(rows: Sequence[Row], analysis: Analysis) -> dict[str, bytes]:
    fills, assets = analysis.facts.fills, analysis.identity.assets
    paid = [row for row in rows if row["reason_code"] in (FUNDING, FUNDING_UNKNOWN)]
    names = (
        *("ts", "strategy_name", "symbol", "reason_code", "position_size", "oracle_price"),
        *("funding_rate", "funding", "funding_account"),
    )
    groups = _groups(fills, assets)
    files = {
        "funding/funding.csv": csv_bytes(
            names, [[row.get(name) for name in names] for row in paid]
        ),
        "microstructure/markouts.csv": csv_bytes(
            ("liquidity", "horizon_s", "bps", "se_bps", "n", "n_left_out"),
            [list(one) for one in analysis.markouts],
        ),
        "maker_taker/maker_taker.csv": csv_bytes(
            ("symbol", "liquidity", "fills", "notional_usdc", "fee_usdc", "fee_bps"),
            [[*key, *_fees(mine)] for key, mine in groups.items()],
        ),
        "execution/execution.csv": csv_bytes(
            ("symbol", "liquidity", "fills", "slippage_known", "slippage_bps"),
            [[*key, *_slippage(mine)] for key, mine in groups.items()],
        ),
        "latency/latency.csv": csv_bytes(
            ("symbol", "liquidity", "fills", "low_ms", "median_ms", "high_ms"),
            [[*key, *_latency(mine)] for key, mine in groups.items()],
        ),
    }
    if analysis.legs:
        files["funding/carry_legs.csv"] = csv_bytes(LEG_COLUMNS, leg_cells(analysis))
    labels = Counter(row.regime for row in fills)
    if set(labels) - {0}:
        cells = [
            [regime_text(label) if label else None, count]
            for label, count in sorted(labels.items())
        ]
        files["regime/regime.csv"] = csv_bytes(("regime", "fills"), cells)
    return files


def _groups(
    fills: Sequence[FillRow], assets: Sequence[Asset]
) -> dict[tuple[str, str], list[FillRow]]:
    groups: dict[tuple[str, str], list[FillRow]] = {}
    for row in fills:
        key = assets[row.coin].coin, "taker" if row.is_taker else "maker"
        groups.setdefault(key, []).append(row)
    return dict(sorted(groups.items()))


def _fees(rows: Sequence[FillRow]) -> list[object]:
    notional, fee = sum(row.notional for row in rows), sum(row.fee for row in rows)
    sums = [format_fixed(value, decimals=6) for value in (notional, fee)]
    return [len(rows), *sums, ratio_text(fee * 10**4, notional, decimals=4)]


def _slippage(rows: Sequence[FillRow]) -> list[object]:
    """Return slippage over notional, of the fills whose mid at the decision is known."""
    known = [row for row in rows if row.mid2_decision > 0]
    cost = sum(row.szi * (2 * row.px - row.mid2_decision) for row in known)
    turnover = sum(row.notional for row in known)
    mean = ratio_text(cost * 10**4, 2 * turnover, decimals=4) if turnover else None
    return [len(rows), len(known), mean]


def _latency(rows: Sequence[FillRow]) -> list[object]:
    """Return the time from the venue's stamp to our receipt, as the run drew it."""
    times = sorted(row.recv - row.ts for row in rows)
    picked = (times[0], times[len(times) // 2], times[-1])
    return [len(times), *(format_fixed(ns, decimals=6) for ns in picked)]


def _risk(analysis: Analysis) -> dict[str, bytes]:
    facts, equity = analysis.facts, analysis.equity
    events = {
        "vetoes": [msgspec.to_builtins(veto) for veto in facts.vetoes],
        "refusals": dict(facts.refusals),
        "margin_called": msgspec.to_builtins(facts.margin_called),
        "ended": facts.ended,
        "holes": len(facts.gaps),
    }
    files = {"risk_events/risk_events.json": readable_json(events)}
    if equity is not None:
        columns = (equity.ts, equity.pnl, equity.drawdown, equity.notional)
        cells = [
            [iso_of(ts), *(format_half_micro(value) for value in values)]
            for ts, *values in zip(*(column.tolist() for column in columns), strict=True)
        ]
        header = ("ts", "pnl_usdc", "drawdown_usdc", "notional_usdc")
        files["risk/equity.csv"] = csv_bytes(header, cells)
    return files


def _readme(about: Mapping[str, Any]) -> str:
    lines = [
        f"# Reports of run {about['run_id']}",
        "",
        *about["warnings"],
        "",
        READ_ME,
        "",
        "## Columns of ledgers/trades",
        "",
        "| Column | Kind |",
        "|---|---|",
        *(f"| {name} | {kind} |" for name, kind in COLUMNS),
        "",
    ]
    return "\n".join(lines)


def publish(home: Path, run: StoredRun, files: Mapping[str, bytes]) -> Path:
    """Write the files below HOME/reports/RUN, take away those of an earlier call; return it."""
    folder = home / "reports" / run.manifest.run_id
    content = dict(files)
    hashes = {
        "schema": "reports/1",
        "run_id": run.manifest.run_id,
        "reported_by": code_hash(),
        "inputs": {"manifest": run.manifest.seal, **file_hashes(run.folder)},
        "files": {name: sha256_bytes(content[name]) for name in sorted(content)},
    }
    content[HASHES] = readable_json(hashes)
    for name in _earlier(folder) - set(content):
        (folder / name).unlink(missing_ok=True)
    for name, text in content.items():  # the list comes last: it says that all is there
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    return folder


def _earlier(folder: Path) -> set[str]:
    """Return the files that an earlier call left, by what its own list says of this folder."""
    try:
        listed = msgspec.json.decode((folder / HASHES).read_bytes())["files"]
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return set()
    root = folder.resolve()
    return {name for name in listed if (folder / name).resolve().is_relative_to(root)}


def index_rows(run: StoredRun, files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Return what a reader may look for, and the file that answers or ''."""
    rows = []
    for name, target in PLACES:
        path = target.format(run=run.manifest.run_id)
        if path.startswith("../"):
            is_there = (run.folder / REPORT).is_file()
        else:
            is_there = path in files or path == HASHES
        rows.append((name, path if path and is_there else ""))
    return rows
