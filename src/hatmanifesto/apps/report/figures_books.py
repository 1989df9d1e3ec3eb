"""Figures of several strategies side by side: how their profits move together."""

import numpy as np

from hatmanifesto.analytics.allot import funding_shares
from hatmanifesto.analytics.mids import Int64
from hatmanifesto.analytics.series import profits_by
from hatmanifesto.apps.report.figures_profit import Shown
from hatmanifesto.apps.report.parts import Figure, Float64, Missing, even, names_axis, plural
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.report_text import book_names
from hatmanifesto.domain.units import NS_HOUR, NS_S

NS_DAY = 24 * NS_HOUR
STEPS_MIN = 30
POINTS_MAX = 5_000
BOOKS_MAX = 20


def correlation_figure(analysis: Analysis) -> Shown:
    """Return how the profits of the strategies move together, by day or by step."""
    title = "Correlation of strategies"
    equity, facts = analysis.equity, analysis.facts
    if equity is None:
        return Missing(title, "no mid in the data")
    grid, word = _grid(equity.ts)
    if len(grid) <= STEPS_MIN:
        return Missing(title, f"{plural(len(grid) - 1, 'step')}, {STEPS_MIN} are needed")
    series = profits_by(
        [row.book for row in facts.fills],
        facts.fills,
        analysis.paths,
        grid=grid,
        shares=funding_shares(facts.funding, facts.fills),
    )
    steps = {book: np.diff(profit).astype(np.float64) for book, profit in series.items()}
    moving = [book for book, change in steps.items() if book >= 0 and change.std() > 0][:BOOKS_MAX]
    if len(moving) < 2:
        return Missing(title, "fewer than two strategies whose profit changed")
    table: Float64 = np.corrcoef(np.array([steps[book] for book in moving]))
    names = [book_names(analysis)[book] for book in moving]
    cells = [[round(value, 3) for value in line] for line in table.tolist()]
    trace = {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": cells,
        "zmin": -1,
        "zmax": 1,
        "colorscale": [[0, "@loss"], [0.5, "@neutral"], [1, "@accent"]],
        "texttemplate": "%{z:.2f}" if len(names) <= BOOKS_MAX // 2 else "",
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": "%{y} and %{x}: %{z:.3f}<extra></extra>",
        "colorbar": {"title": {"text": "correlation"}, "thickness": 10, "outlinewidth": 0},
    }
    layout = {
        "xaxis": names_axis("strategy", tickangle=-30),
        "yaxis": names_axis("strategy", autorange="reversed"),
    }
    caption = (
        f"Of the change of profit each {word}. Near one: they lose together; near zero: they "
        "spread the risk."
    )
    n = plural(len(grid) - 1, word.split()[0])
    height = 230 + 24 * len(names)
    return Figure("correlation", title, [trace], layout, height, caption, n, True)


def _grid(ts: Int64) -> tuple[Int64, str]:
    """Return the times between which profits are compared, and the word for their distance."""
    first, last = int(ts[0]), int(ts[-1])
    days = np.arange(first // NS_DAY + 1, last // NS_DAY + 1, dtype=np.int64) * NS_DAY
    if len(days) > STEPS_MIN:
        return np.concatenate([ts[:1], days, ts[-1:]]), "day"
    grid = ts[even(len(ts), POINTS_MAX)]
    seconds = (int(grid[1]) - int(grid[0])) / NS_S if len(grid) > 2 else 0
    return grid, f"step of about {seconds:.0f} s"
