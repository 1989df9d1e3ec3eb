"""Which figures a report shows, in which section and order, and which it leaves out and why."""

from collections.abc import Callable
from typing import NamedTuple

from hatmanifesto.apps.report.figures_books import correlation_figure
from hatmanifesto.apps.report.figures_fills import (
    fills_figure,
    markout_figure,
    orders_figure,
    trades_scatter_figure,
    turnover_figure,
)
from hatmanifesto.apps.report.figures_profit import (
    Shown,
    allocations_figure,
    books_figure,
    calendar_figure,
    equity_figure,
    parts_figure,
)
from hatmanifesto.apps.report.figures_risk import (
    exposure_figure,
    funding_figure,
    inventory_figure,
    returns_figure,
    rolling_figure,
)
from hatmanifesto.apps.report.figures_split import (
    books_split_figure,
    coins_figure,
    hours_figure,
    regimes_figure,
    waterfall_figure,
)
from hatmanifesto.apps.report.figures_spread import (
    slippage_figure,
    trades_figure,
    waiting_figure,
)
from hatmanifesto.apps.report.parts import Figure, Missing
from hatmanifesto.apps.report_build import Analysis

SECTIONS: dict[str, tuple[Callable[[Analysis], Shown], ...]] = {
    "profit": (equity_figure, books_figure, calendar_figure, allocations_figure),
    "attribution": (
        waterfall_figure,
        parts_figure,
        books_split_figure,
        coins_figure,
        hours_figure,
        regimes_figure,
    ),
    "risk": (
        exposure_figure,
        inventory_figure,
        returns_figure,
        rolling_figure,
        correlation_figure,
        funding_figure,
    ),
    "execution": (
        fills_figure,
        markout_figure,
        slippage_figure,
        trades_figure,
        trades_scatter_figure,
        waiting_figure,
        orders_figure,
        turnover_figure,
    ),
}


class Drawn(NamedTuple):
    """The figures of a report by section, in order, and those left out."""

    shown: dict[str, list[Figure]]
    missing: list[Missing]

    @property
    def all(self) -> list[Figure]:
        """Return every figure in the order of the page."""
        return [figure for part in self.shown.values() for figure in part]


def figures_of(analysis: Analysis) -> Drawn:
    """Return the figures that have something to show, and why the others have not."""
    shown: dict[str, list[Figure]] = {}
    missing: list[Missing] = []
    for section, builders in SECTIONS.items():
        found = [build(analysis) for build in builders]
        shown[section] = [item for item in found if isinstance(item, Figure)]
        missing += [item for item in found if isinstance(item, Missing)]
    return Drawn(shown, missing)
