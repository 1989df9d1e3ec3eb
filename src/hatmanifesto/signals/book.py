"""Signals of the best quotes: imbalance, weighted mid, order flow, Roll's spread, next move."""

import math

import msgspec
import numpy as np

from hatmanifesto.signals.checks import (
    Floats,
    Vector,
    finite_array,
    require_finite,
    require_not_negative,
    same_length,
)
from hatmanifesto.signals.closed_form import weighted_mid2

BPS = 1e4
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
PHASE_PER_PANEL = 4.0
"""Radians of the fastest oscillation that one panel of 20 Gauss nodes resolves to rounding."""


class Imbalance(msgspec.Struct, frozen=True):
    """What the two best sizes say; all but ``mid`` are NaN for an empty book.

    Units: ``share`` in [0, 1] and ``signed`` in [-1, 1], large when the bid is; ``weighted_mid``
    and ``mid`` [price]; ``lean_bps`` = weighted mid less mid [bps of the mid].
    """

    share: float
    signed: float
    weighted_mid: float
    mid: float
    lean_bps: float


def queue_imbalance(*, bid_px: float, bid_sz: float, ask_px: float, ask_sz: float) -> Imbalance:
    """Return the imbalance of the best quotes and the mid it implies.

    Raises:
        ValueError: on a value that is not finite or a negative size.

    Source: Gould & Bonart (2016); Stoikov (2018).
    """
    require_finite({"bid_px": bid_px, "ask_px": ask_px})
    require_not_negative({"bid_sz": bid_sz, "ask_sz": ask_sz})
    mid = 0.5 * (bid_px + ask_px)
    total = bid_sz + ask_sz
    if total == 0:
        return Imbalance(math.nan, math.nan, math.nan, mid, math.nan)
    weighted = 0.5 * weighted_mid2(bid_px, bid_sz, ask_px, ask_sz)
    lean = 0.5 * (ask_px - bid_px) * (bid_sz - ask_sz) / total
    return Imbalance(
        share=bid_sz / total,
        signed=(bid_sz - ask_sz) / total,
        weighted_mid=weighted,
        mid=mid,
        lean_bps=BPS * lean / mid if mid != 0 else math.nan,
    )


class OrderFlow(msgspec.Struct, frozen=True):
    """Order-flow imbalance: per change of the quotes, shape (n-1,), and in total [size].

    The total of fewer than two quotes is NaN: nothing was observed.
    """

    events: Floats
    total: float


def order_flow_imbalance(
    *, bid_px: Vector, bid_sz: Vector, ask_px: Vector, ask_sz: Vector
) -> OrderFlow:
    """Return the net size added at the bid less that added at the ask, change by change.

    Args:
        bid_px, bid_sz, ask_px, ask_sz: successive best quotes, shape (n,) [price], [size].

    Raises:
        ValueError: on a value that is not finite or unequal lengths.

    Source: Cont, Kukanov & Stoikov (2014), eq. 4.
    """
    bids, bid_sizes = finite_array("bid_px", bid_px), finite_array("bid_sz", bid_sz)
    asks, ask_sizes = finite_array("ask_px", ask_px), finite_array("ask_sz", ask_sz)
    same_length({"bid_px": bids, "bid_sz": bid_sizes, "ask_px": asks, "ask_sz": ask_sizes})
    if len(bids) < 2:
        return OrderFlow(np.zeros(0), math.nan)
    bid_up, bid_down = bids[1:] >= bids[:-1], bids[1:] <= bids[:-1]
    ask_down, ask_up = asks[1:] <= asks[:-1], asks[1:] >= asks[:-1]
    bought = bid_up * bid_sizes[1:] - bid_down * bid_sizes[:-1]
    sold = ask_down * ask_sizes[1:] - ask_up * ask_sizes[:-1]
    events = bought - sold
    return OrderFlow(events, math.fsum(events))


class RollSpread(msgspec.Struct, frozen=True):
    """Spread implied by the bounce of trade prices [price], and the autocovariance behind it."""

    spread: float
    autocov: float


def roll_spread(prices: Vector) -> RollSpread:
    """Return 2 sqrt(-cov(dp_t, dp_t-1)); NaN where the covariance is not negative.

    Each of the two series of changes is demeaned by itself; the divisor is the number of pairs.

    Raises:
        ValueError: on a value that is not finite.

    Source: Roll (1984).
    """
    changes = np.diff(finite_array("prices", prices))
    if len(changes) < 2:
        return RollSpread(math.nan, math.nan)
    now, before = changes[1:] - changes[1:].mean(), changes[:-1] - changes[:-1].mean()
    autocov = float(now @ before) / len(now)
    return RollSpread(2.0 * math.sqrt(-autocov) if autocov < 0 else math.nan, autocov)


def next_move_up(*, bid_queue: float, ask_queue: float) -> float:
    """Return the probability that the ask is exhausted before the bid, with balanced flow.

    An exhausted queue decides (0 or 1); two of them are undefined (NaN). With s = sin(t/2) the
    bracket of the paper, (2-cos t) - sqrt((2-cos t)^2 - 1), is exp(-2 asinh(s)), which keeps its
    digits near t = 0; the integrand is analytic on [0, pi], so composite Gauss nodes settle it.

    Args:
        bid_queue, ask_queue: sizes in average orders, >= 0.

    Raises:
        ValueError: on a value that is not finite or negative.

    Source: Cont & de Larrard (2013), Prop. 1.
    """
    require_not_negative({"bid_queue": bid_queue, "ask_queue": ask_queue})
    if bid_queue == 0 or ask_queue == 0:
        return math.nan if bid_queue == ask_queue else float(ask_queue == 0)
    panels = 8 + math.ceil(math.pi * (bid_queue + ask_queue) / PHASE_PER_PANEL)
    half = 0.5 * math.pi / panels
    centres = half * (2.0 * np.arange(panels) + 1.0)
    t = (centres[:, None] + half * NODES[None, :]).ravel()
    sine = np.sin(0.5 * t)
    decay = np.exp(-2.0 * ask_queue * np.arcsinh(sine))
    values = decay * np.sin(bid_queue * t) * np.cos(0.5 * t) / sine
    return float(half * (np.tile(WEIGHTS, panels) @ values) / math.pi)
