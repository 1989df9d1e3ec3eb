"""Where the rows of each coin stand, found in one pass."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class OfCoin(Protocol):
    """Anything that belongs to a coin."""

    @property
    def coin(self) -> int:
        """Coin slot."""
        ...


def places_of(rows: Sequence[OfCoin]) -> dict[int, NDArray[np.int64]]:
    """Return the indices of every coin's rows, ascending, by coin slot in order."""
    found: dict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        found[row.coin].append(place)
    return {coin: np.array(found[coin], dtype=np.int64) for coin in sorted(found)}
