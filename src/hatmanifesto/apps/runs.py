"""Lists the runs of a home."""

from pathlib import Path
from typing import Any

from hatmanifesto.apps.run_folder import MANIFEST, SUMMARY, read_summary, runs_folder


def list_runs(home: str) -> list[dict[str, Any]]:
    """Return one row per run, oldest first: run_id, status, strategy, coins, net_pnl_usdc."""
    root = runs_folder(Path(home))
    folders = [path for path in root.glob("*") if (path / MANIFEST).is_file()]
    folders.sort(key=lambda path: ((path / MANIFEST).stat().st_mtime_ns, path.name))
    return [_row(folder) for folder in folders]


def _row(folder: Path) -> dict[str, Any]:
    if not (folder / SUMMARY).is_file():
        return {"run_id": folder.name, "status": "damaged"}
    summary = read_summary(folder)
    return {
        "run_id": folder.name,
        "status": summary["status"],
        "evidence": summary["evidence"],
        "strategy": summary["strategy"],
        "coins": ",".join(summary["coins"]),
        "net_pnl_usdc": summary["net_pnl_usdc"],
    }
