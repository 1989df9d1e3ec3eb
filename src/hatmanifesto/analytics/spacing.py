"""How far apart the mids of a run lie: what is said of shorter times than that is not measured."""

from collections.abc import Mapping

import numpy as np

from hatmanifesto.analytics.mids import MidPath
from hatmanifesto.domain.units import NS_S

UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


def spacing_of(paths: Mapping[int, MidPath]) -> int:
    """Return the usual distance between mids, the median over all coins [ns]; 0 when unknown."""
    steps = [np.diff(path.ts) for path in paths.values() if len(path.ts) > 1]
    return int(np.median(np.concatenate(steps))) if steps else 0


def duration(ns: int) -> str:
    """Return a length of time in words, in the largest unit that leaves two figures or more."""
    seconds = ns / NS_S
    for size, word in UNITS:
        if seconds == size:
            return f"1 {word[:-1]}"
        if seconds >= 2 * size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {word}"
    return "1 second" if seconds == 1 else f"{seconds:.1f}".removesuffix(".0") + " seconds"
