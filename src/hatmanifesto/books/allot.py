"""Splits what belongs to the account over the sub-ledgers whose positions it charges."""

from collections.abc import Mapping

HOUSE = -1
"""The book that takes what no strategy's position explains."""


def allot(amount: int, weights: Mapping[int, int]) -> dict[int, int]:
    """Split ``amount`` over signed integer weights by largest remainder; the parts sum to it.

    Weights that sum to zero leave everything to ``HOUSE``.
    """
    whole = sum(weights.values())
    if whole == 0:
        return {HOUSE: amount} if amount else {}
    shares = {key: divmod(amount * weight, whole) for key, weight in weights.items() if weight}
    left = amount - sum(share for share, _ in shares.values())
    # A divmod remainder has the sign of its divisor: compare by size, ties by key.
    order = sorted(shares, key=lambda key: (-abs(shares[key][1]), key))
    parts = {key: share for key, (share, _) in shares.items()}
    for key in order[: abs(left)]:
        parts[key] += 1 if left > 0 else -1
    return parts
