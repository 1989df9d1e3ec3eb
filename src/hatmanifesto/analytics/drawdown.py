"""Falls of equity from its high: the deepest one, all of them, how long, and how much it hurt."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.returns import Vector, finite_series

Float64 = NDArray[np.float64]


class Drawdown(NamedTuple):
    """One fall; ``depth`` a fraction of the high (>= 0), the rest indices into the equity.

    ``peak`` is the last index at the high before the trough, ``trough`` the first deepest one,
    ``recovery`` the first at or above the high again, None when it never came back.
    """

    depth: float
    peak: int
    trough: int
    recovery: int | None

    @property
    def fall_periods(self) -> int:
        """Return the periods from peak to trough."""
        return self.trough - self.peak

    @property
    def recovery_periods(self) -> int | None:
        """Return the periods from trough to recovery, None when it is open."""
        return None if self.recovery is None else self.recovery - self.trough


def depths(equity: Float64) -> Float64:
    """Return how far below its high so far equity is, as fractions of the high, shape (n,)."""
    high = np.maximum.accumulate(equity)
    return np.asarray(1.0 - equity / high, dtype=np.float64)


def _checked(equity: Vector) -> Float64:
    series = finite_series("equity", equity)
    if not len(series) or series[0] <= 0:
        raise ValueError("equity: expected a start above zero")
    return series


def drawdowns(equity: Vector) -> list[Drawdown]:
    """Return every fall, in order of time; a fall ends where equity is back at its high.

    Raises:
        ValueError: if equity is empty, not finite, or does not start above zero.
    """
    series = _checked(equity)
    depth = depths(series)
    is_under = depth > 0
    edges = np.flatnonzero(np.diff(is_under.astype(np.int8), prepend=0, append=0))
    out: list[Drawdown] = []
    for first, past in edges.reshape(-1, 2).tolist():
        trough = first + int(np.argmax(depth[first:past]))
        back = past if past < len(series) else None
        out.append(Drawdown(float(depth[trough]), first - 1, trough, back))
    return out


def deepest(equity: Vector) -> Drawdown:
    """Return the deepest fall, the first of equals; depth 0 at index 0 when there was none.

    Raises:
        ValueError: as `drawdowns`.
    """
    falls = drawdowns(equity)
    return max(falls, key=lambda fall: fall.depth, default=Drawdown(0.0, 0, 0, 0))


def longest_underwater(equity: Vector) -> int:
    """Return the most periods from leaving a high to being back at it, or to the end.

    Raises:
        ValueError: as `drawdowns`.
    """
    last = len(equity) - 1
    spans = [(last if f.recovery is None else f.recovery) - f.peak for f in drawdowns(equity)]
    return max(spans, default=0)


def ulcer(equity: Vector) -> float:
    """Return the root mean square of the depths over all periods after the start; NaN without one.

    Raises:
        ValueError: as `drawdowns`.
    """
    depth = depths(_checked(equity))[1:]
    return float(np.sqrt((depth**2).mean())) if len(depth) else float("nan")
