"""A market row: one public fact of the venue, as a flat tuple of integers.

Rows are the hot half of the event vocabulary. They travel as tuples, not objects, because a day
holds millions of them; their bytes lie in the tape and the journal refers to them by index.

| kind    | a            | b            | c             | d                 | ref              |
|---------|--------------|--------------|---------------|-------------------|------------------|
| TRADE   | px           | sz           | side +1/-1    | trade id          | -1               |
| BBO     | bid px       | bid sz       | ask px        | ask sz            | -1               |
| L2      | bid px 0     | bid sz 0     | ask px 0      | ask sz 0          | row of `levels`  |
| CTX     | mark 1e-10   | oracle 1e-10 | premium 1e-10 | 1 = premium known | -1               |
| FUNDING | rate 1e-10   | 1 = known    | premium 1e-10 | 1 = premium known | -1               |
| GAP     | start ns     | end ns       | reason code   | 0                 | -1               |
| BAR     | high, ended  | low, ended   | open, begins  | volume sz, begins | volume sz, ended |

Of a CTX row a price of 0 is unknown. A BAR row stands where one bar ends and the next begins, and
tells of both; 0 where there is none. It is for the venue alone: what it says of the bar that begins
nobody can know yet; an open of NEVER_AGAIN says that no bar of the coin follows in the whole
recording. A FUNDING row bears the stamp of its payment, at or after its hour.

A missing side of a book has px 0 and sz 0. `exch` is the venue's stamp, `recv` ours; a GAP row
stands at the end of its hole, before the first row after it. The side of a trade is the
aggressor's.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Row = tuple[int, ...]
"""kind, coin slot, exch, recv, a, b, c, d, ref: nine. A type of fixed length says the same, but the
compiled engine would take each row apart and build it anew at every call."""

NEVER_AGAIN = -1
"""Open of a BAR row after which its coin is never traded again."""

KIND, COIN, EXCH, RECV, A, B, C, D, REF = range(9)

GAP_REASONS = ("", "reconnect", "silence", "session")
"""Reason codes of a GAP row, by index."""


class Chunk(NamedTuple):
    """A run of rows in venue order.

    Shapes: ``rows`` is a list of n tuples; ``levels`` is (n_l2, 20, 4) int64: bid px, bid sz,
    ask px, ask sz per level [px and sz units]; ``ref`` of an L2 row indexes it.
    """

    rows: list[Row]
    levels: NDArray[np.int64]


class Tape(Protocol):
    """Market rows of several coins, merged in venue order, in chunks of bounded size."""

    @property
    def coins(self) -> tuple[str, ...]:
        """Coin names; the coin slot of a row indexes this."""
        ...

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows once, in venue order, with equal stamps never split over two chunks."""
        ...
