"""Closed profit and entry price as the venue tells them: average cost, fees left out.

The cost basis itself stays exact (`books.ledger.Ledger`); what is told is cut: the entry price is
truncated to the coin's price decimals, and closed profit is against that truncated price. The
ledger's units are the caller's, so prices that are averages of prints may be finer than the grid.
Source: PROTOCOL 4.4 and 5.3, measured on recorded fills (docs/fidelity.md).
"""

from hatmanifesto.books.ledger import Ledger


def entry_px(cost: int, szi: int, *, unit: int = 1) -> int:
    """Return the shown entry price: cost per coin truncated to whole ``unit``s [px unit].

    Args:
        cost: signed cost of the open position; has the sign of ``szi``.
        szi: signed size, not 0.
        unit: the last shown decimal [px unit]; 1 where prices are on the coin's own grid.
    """
    assert szi
    return abs(cost) // (abs(szi) * unit) * unit


def fold_closed(ledger: Ledger, *, side: int, px: int, sz: int, unit: int = 1) -> int:
    """Fold one fill into ``ledger`` and return its closed profit [px unit times sz unit].

    Only the part that reduces the position earns anything; an opening fill returns 0. The entry
    comes from the basis of the last increase, so reductions do not move it.

    Args:
        side: 1 bought, -1 sold.
        px, sz: in the ledger's own units, sz > 0.
        unit: as in `entry_px`.
    """
    before = ledger.position
    closed = 0
    if before * side < 0:
        entry = entry_px(ledger.basis_cost, ledger.basis_sz, unit=unit)
        closed = -side * (px - entry) * min(sz, abs(before))
    ledger.fill(side=side, px=px, sz=sz, fee=0)
    return closed
