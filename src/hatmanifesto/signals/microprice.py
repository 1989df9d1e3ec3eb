"""The micro-price: the mid expected after many moves, from a Markov chain of book states.

Theory of operation: a state is an imbalance bucket and a spread. From a state the book either goes
to another state with the mid unmoved (Q), or moves the mid by a step of K (R1) and lands in a state
(R2). The first move is worth G1 = (I-Q)^-1 R1 K; after it the chain of states at moves has the
transition B = (I-Q)^-1 R2, so that n moves are worth the sum of B^i G1. The limit exists only when
G1 averages to zero under the chain's stationary law, which is why data are mirrored before a fit.
"""

import msgspec
import numpy as np

from hatmanifesto.signals.checks import Floats, finite_array

MOVES = 6
"""Number of moves summed by default. Source: Stoikov (2018), published notebook."""
UNIT_TOLERANCE = 1e-10
DRIFT_TOLERANCE = 1e-9
CONDITION_MAX = 1e12
"""Condition number of I-Q beyond which its solution keeps under four digits."""


class MicropriceChain(msgspec.Struct, frozen=True):
    """Worth of each state relative to the mid.

    Shapes: ``first`` (G1), ``after_moves``, ``limit`` (n_states,) [price]; ``transition`` (B)
    (n_states, n_states). ``limit`` is NaN throughout when the sum does not converge.
    """

    first: Floats
    transition: Floats
    after_moves: Floats
    limit: Floats


def microprice_chain(
    *, stay: object, move: object, steps: object, land: object, moves: int = MOVES
) -> MicropriceChain:
    """Return the adjustment of the mid in each state: micro-price = mid + adjustment.

    Args:
        stay: Q, (n, n) probabilities of a new state with the mid unmoved.
        move: R1, (n, m) probabilities of a move by each step.
        steps: K, (m,) the steps [price].
        land: R2, (n, n) probabilities of a state after a move.
        moves: number of moves summed for ``after_moves``, >= 1.

    Raises:
        ValueError: on a value that is not finite, unequal shapes, or a state that is never left
            (merge it with its neighbour).

    Source: Stoikov (2018), Theorem 3.1.
    """
    q, r1 = finite_array("Q", stay, ndim=2), finite_array("R1", move, ndim=2)
    k, r2 = finite_array("K", steps), finite_array("R2", land, ndim=2)
    n = len(q)
    if q.shape != (n, n) or r2.shape != (n, n) or r1.shape != (n, len(k)):
        shapes = (q.shape, r1.shape, k.shape, r2.shape)
        raise ValueError(f"expected Q (n,n), R1 (n,m), K (m,), R2 (n,n), was {shapes}")
    if moves < 1:
        raise ValueError(f"expected moves >= 1, was {moves}")
    leave = np.eye(n) - q
    if n and np.linalg.cond(leave) > CONDITION_MAX:
        raise ValueError("expected every state to be left, was a state that never moves")
    first = finite_array("G1", np.linalg.solve(leave, r1 @ k))
    transition = finite_array("B", np.linalg.solve(leave, r2), ndim=2)
    total, term = first.copy(), first
    for _ in range(moves - 1):
        term = transition @ term
        total = total + term
    return MicropriceChain(first, transition, total, _limit(transition, first))


def _limit(transition: Floats, first: Floats) -> Floats:
    """Return the sum of all B^i G1, or NaN where it has no limit.

    With one unit eigenvalue the sum converges when its left vector l annuls G1; then B may be
    replaced by B less its projection r l', which leaves the sum as it was and the system regular.
    """
    n = len(first)
    if not first.any():
        return np.zeros(n)
    values, right = np.linalg.eig(transition)
    on_circle = np.flatnonzero(np.abs(values) > 1.0 - UNIT_TOLERANCE)
    if len(on_circle) == 0:
        return finite_array("limit", np.linalg.solve(np.eye(n) - transition, first))
    at = int(on_circle[0])
    if len(on_circle) > 1 or abs(values[at] - 1.0) > UNIT_TOLERANCE:
        return np.full(n, np.nan)
    left_values, left = np.linalg.eig(transition.T)
    row = np.real(left[:, int(np.argmin(np.abs(left_values - 1.0)))])
    column = np.real(right[:, at])
    row = row / (row @ column)
    drift = float(np.abs(row @ first) * np.abs(column).max())
    if drift > DRIFT_TOLERANCE * float(np.abs(first).max()):
        return np.full(n, np.nan)
    system = np.eye(n) - transition + np.outer(column, row)
    centred = first - column * float(row @ first)
    return finite_array("limit", np.linalg.solve(system, centred))
