"""On which machine, code and libraries a result was measured."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from hatmanifesto.apps.provenance import provenance

LIBRARIES = ("numpy", "numba", "msgspec", "polars", "pyarrow", "plotly", "nautilus_trader")


def cpu_model() -> str:
    """Return the processor's name."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def version_of(library: str) -> str | None:
    """Return the installed version, None where there is none."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def cores() -> int:
    """Return how many cores this process may use."""
    count = getattr(os, "sched_getaffinity", None)
    return len(count(0)) if count else os.cpu_count() or 1


def describe() -> dict[str, Any]:
    """Return processor, cores, load, system, versions, commit and code hash."""
    origin = provenance()
    return {
        "machine": f"{cpu_model()} x{cores()}",
        "cpu": cpu_model(),
        "cores": cores(),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version_of(name) for name in LIBRARIES},
        "commit": origin.commit,
        "dirty": origin.dirty,
        "code_hash": origin.code_hash,
        "lock_hash": origin.lock_hash,
    }
