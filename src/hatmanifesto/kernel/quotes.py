"""Quotes over many views: the compiled loop, its slow twin, and the first difference of the two."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from hatmanifesto.kernel.decide import ENTRY_TYPE, FLOATS, Compiled, compile_cached
from hatmanifesto.kernel.entry import EXACT_MAX, params_row
from hatmanifesto.strategies.contract import View

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TABLE = types.int64[:, ::1]
LOOP_SIGNATURE = types.void(ENTRY_TYPE, FLOATS, TABLE, FLOATS, TABLE)
NOTIONAL_MAX = 2**61
"""Bound of price times both sizes [micro-USDC], so that sums of products stay within int64."""
FIELD = {name: index for index, name in enumerate(View._fields)}
STAMPS = ("now", "exch", "funding_exch", "premium_exch")
"""Fields in nanoseconds: beyond what a float holds, so never to become one whole."""


class Kernel(NamedTuple):
    """A strategy ready to run compiled: its entry, the loop all strategies share, and its shape.

    ``memory`` is the number of cells, ``slots`` the number of slots.
    """

    entry: Compiled
    loop: Compiled
    params_type: Any
    slots: int
    memory: int


def loop_quotes(entry, params, columns, memory, out):  # type: ignore[no-untyped-def]
    """Call ``entry`` for every row of ``columns``; the text that is compiled."""
    for row in range(columns.shape[0]):
        entry(params, columns[row], memory, out[row])


def compile_loop(folder: str) -> Compiled:
    """Return the loop compiled for ``LOOP_SIGNATURE``, from the cache in ``folder`` if there."""
    return compile_cached(loop_quotes, LOOP_SIGNATURE, folder=folder)


def run_quotes(kernel: Kernel, params: Any, columns: Ints, memory: Floats) -> Ints:
    """Return the quotes of every view, decided in row order by compiled code.

    Args:
        kernel: the compiled strategy.
        params: its parameters.
        columns: shape (n, len(View)), int64, C-contiguous: one view a row; see ``check_columns``.
        memory: shape (kernel.memory,), float64, C-contiguous; changed in place.

    Returns:
        Shape (n, 2 * kernel.slots), int64: px and sz of each slot.

    Raises:
        UsageError: if a parameter is not of its type.
        Exception: what the decision itself raises, as in Python; rows before it are lost.
    """
    assert isinstance(params, kernel.params_type)
    check_columns(columns)
    check_memory(memory, kernel.memory)
    out = np.zeros((len(columns), 2 * kernel.slots), dtype=np.int64)
    kernel.loop.function(kernel.entry.function, params_row(params), columns, memory, out)
    return out


def run_quotes_slow(
    decide: Callable[..., tuple[int, ...]],
    params: Any,
    columns: Ints,
    memory: Floats,
    *,
    slots: int,
) -> Ints:
    """Return what ``run_quotes`` returns, by calling plain ``decide``; the kernel's slow twin.

    The memory is a list while it runs, as in the engine.
    """
    check_columns(columns)
    check_memory(memory, len(memory))
    cells = memory.tolist()
    out = np.zeros((len(columns), 2 * slots), dtype=np.int64)
    for row, fields in enumerate(columns.tolist()):
        quotes = decide(params, View(*fields), cells)
        assert len(quotes) == 2 * slots
        assert all(isinstance(value, int) for value in quotes)
        out[row] = quotes
    memory[:] = cells
    return out


def first_difference(expected: Ints, actual: Ints, columns: Ints) -> str:
    """Return the first row whose quotes differ, with both and its view; '' when there is none."""
    assert expected.shape == actual.shape
    rows = np.flatnonzero((expected != actual).any(axis=1))
    if not len(rows):
        return ""
    row = int(rows[0])
    view = View(*columns[row].tolist())
    return (
        f"row {row}, {len(rows)} of {len(expected)} differ: expected {expected[row].tolist()}, "
        f"was {actual[row].tolist()}, for {view}"
    )


def check_columns(columns: Ints) -> None:
    """Assert type, layout and ranges of views: compiled integers wrap and nobody checks indexes.

    Prices and top sizes are positive, as the engine never decides without a book; what may become
    a float without a loss lies within 2**53; price times size stays far within int64.
    """
    assert columns.dtype == np.int64
    assert columns.flags.c_contiguous
    assert columns.ndim == 2
    assert columns.shape[1] == len(FIELD)
    if not len(columns):
        return
    for name in ("bid_px", "ask_px", "bid_sz", "ask_sz", "px_one", "sz_one"):
        assert int(columns[:, FIELD[name]].min()) > 0, name
    for name in FIELD:
        if name not in STAMPS:
            column = columns[:, FIELD[name]]
            assert int(column.max()) <= EXACT_MAX, name
            assert int(column.min()) >= -EXACT_MAX, name
    px = np.maximum(columns[:, FIELD["bid_px"]], columns[:, FIELD["ask_px"]])
    sz = columns[:, FIELD["bid_sz"]] + columns[:, FIELD["ask_sz"]]
    assert float((px.astype(np.float64) * sz).max()) <= NOTIONAL_MAX


def check_memory(memory: Floats, cells: int) -> None:
    """Assert type, layout and length of a memory."""
    assert memory.dtype == np.float64
    assert memory.flags.c_contiguous
    assert memory.shape == (cells,)
