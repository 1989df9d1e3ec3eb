"""What every figure of a report is made of: axes, lines, bars, thinning, bins, colours by token.

A figure is a plain Plotly specification. A colour token such as "@buy" is replaced in the page by
the palette of the reader's colour scheme.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.analytics.breakdown import Bucket
from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.mids import Int64, merge_spans
from hatmanifesto.domain.records import GapSeen

POINTS_MAX = 2_400
"""Points of one line over time."""
SHAPES_MAX = 200
SERIES = 8
"""Colours that can be told apart; more lines than this are summed as "others"."""
BINS_MAX = 48
FEW = 4
"""Fewer bars than this are drawn narrow."""
HALF_MICRO = 2e6
NS_MS = 10**6

Float64 = NDArray[np.float64]
Spec = dict[str, Any]

LEGEND: Spec = {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"}
TIME_TICKS = (
    (0.001, "1 ms"),
    (0.01, "10 ms"),
    (0.1, "0.1 s"),
    (1, "1 s"),
    (10, "10 s"),
    (60, "1 min"),
    (600, "10 min"),
    (3_600, "1 h"),
    (21_600, "6 h"),
    (86_400, "1 d"),
    (604_800, "1 wk"),
    (2_592_000, "30 d"),
)
TICKS_MAX = 7
USDC_HOVER = "%{y:,.4f} USDC"


class Variant(NamedTuple):
    """One content of a figure that shows a choice: its label, traces and layout."""

    label: str
    traces: list[Spec]
    layout: Spec


class Figure(NamedTuple):
    """One figure.

    ``caption`` says what it shows, ``n`` how many observations of what stand behind it ("" where
    that means nothing); ``is_half`` lets two stand side by side; ``choices`` are further contents
    that the reader may pick instead of the first (``traces`` and ``layout``, labelled ``label``).
    """

    name: str
    title: str
    traces: list[Spec]
    layout: Spec
    height: int
    caption: str
    n: str = ""
    is_half: bool = False
    label: str = ""
    choices: Sequence[Variant] = ()


class Missing(NamedTuple):
    """A figure that has nothing to show, and why."""

    title: str
    why: str


def millis(ts: Int64) -> list[int]:
    """Return stamps as milliseconds since the epoch, which a date axis reads as UTC."""
    return [int(value) for value in (ts // NS_MS).tolist()]


def usdc(values: Int64) -> list[float]:
    """Return half micro-USDC as USDC for drawing."""
    return [round(value / HALF_MICRO, 6) for value in values.tolist()]


def thin(values: Int64, limit: int) -> Int64:
    """Return at most ``limit`` indices that keep the lows and highs of equal stretches."""
    n = len(values)
    if n <= limit:
        return np.arange(n)
    edges = np.linspace(0, n, limit // 2).astype(np.int64)
    picked: set[int] = {0, n - 1}
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[first:last]
        picked.add(first + int(part.argmin()))
        picked.add(first + int(part.argmax()))
    return np.array(sorted(picked), dtype=np.int64)


def even(n: int, limit: int) -> Int64:
    """Return at most ``limit`` indices of 0 .. n - 1, evenly spread, first and last included."""
    if n <= limit:
        return np.arange(n)
    return np.unique(np.linspace(0, n - 1, limit).round().astype(np.int64))


def axis(title: str, **more: Any) -> Spec:
    """Return an axis of numbers; the title ends in its unit."""
    return {
        "title": {"text": title},
        "gridcolor": "@grid",
        "zerolinecolor": "@axis",
        "tickformat": ",~r",
        "automargin": True,
        **more,
    }


def time_axis(equity: Equity | None) -> Spec:
    """Return the x axis of a time figure, the same for all of a report."""
    span = {} if equity is None else {"range": millis(equity.ts[[0, -1]])}
    return {
        **span,
        "type": "date",
        "title": {"text": "time, UTC"},
        "gridcolor": "@grid",
        "zeroline": False,
        "automargin": True,
    }


def names_axis(title: str, **more: Any) -> Spec:
    """Return an axis of names."""
    return {"title": {"text": title}, "type": "category", "automargin": True, **more}


def line(name: str, x: Sequence[Any], y: Sequence[Any], colour: str, **more: Any) -> Spec:
    """Return a line; ``width``, ``dash`` and ``shape`` in ``more`` go to its pen."""
    pen = {key: more.pop(key) for key in ("width", "dash", "shape") if key in more}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": {"color": colour, "width": 1.5, **pen},
        "hovertemplate": USDC_HOVER + "<extra>%{fullData.name}</extra>",
        **more,
    }


def bars(name: str, x: Sequence[Any], y: Sequence[Any], colour: Any, **more: Any) -> Spec:
    """Return bars; ``colour`` is one token or one for each bar."""
    few = {"width": 0.45} if isinstance(colour, list) and len(x) < FEW else {}
    return {
        "type": "bar",
        "name": name,
        "x": x,
        "y": y,
        "marker": {"color": colour, "line": {"width": 0}},
        **few,
        **more,
    }


def spans_of(buckets: Sequence[Bucket], middles: Sequence[float]) -> Spec | None:
    """Return the 95 % intervals of buckets as error bars, None when none has one.

    An interval need not lie evenly round its bar's height.
    """
    spans = [bucket.interval for bucket in buckets]
    if not any(spans):
        return None
    above = [None if s is None else round(s[1] - m, 6) for s, m in zip(spans, middles, strict=True)]
    below = [None if s is None else round(m - s[0], 6) for s, m in zip(spans, middles, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": above,
        "arrayminus": below,
        "thickness": 1.2,
        "width": 3,
        "color": "@ink",
    }


def seconds_axis(title: str, values: Sequence[float]) -> Spec:
    """Return a logarithmic axis of times [s] with ticks that people know."""
    low, high = max(1e-4, min(values)), max(values)
    ticks = [(at, text) for at, text in TIME_TICKS if low / 3 <= at <= high * 3]
    ticks = ticks[:: -(-len(ticks) // TICKS_MAX)]
    return {
        "type": "log",
        "title": {"text": title},
        "tickvals": [at for at, _ in ticks],
        "ticktext": [text for _, text in ticks],
        "gridcolor": "@grid",
        "zeroline": False,
        "automargin": True,
    }


def signed_colours(values: Sequence[float]) -> list[str]:
    """Return the colour of gain or loss of each value."""
    return ["@gain" if value >= 0 else "@loss" for value in values]


def pen_of(index: int) -> Spec:
    """Return the colour of a series by its place, and a dash so that colour is not all there is."""
    return {
        "colour": f"@series{index % SERIES}",
        "dash": ("solid", "dash", "dot", "dashdot")[index // 2 % 4],
    }


def shades(gaps: Sequence[GapSeen]) -> list[Spec]:
    """Return a shaded band per hole of the recording, the longest ones if there are too many."""
    longest = sorted(gaps, key=lambda gap: (gap.start - gap.end, gap.start))[:SHAPES_MAX]
    spans = merge_spans([(gap.start, gap.end) for gap in longest])
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": start // NS_MS,
            "x1": end // NS_MS,
            "y0": 0,
            "y1": 1,
            "fillcolor": "@gap",
            "line": {"width": 0},
            "layer": "below",
        }
        for start, end in spans
    ]


def mark(x: float, text: str, colour: str, *, level: float = 1.0) -> tuple[Spec, Spec]:
    """Return a vertical line across the plot and the words at its top."""
    shape = {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": level,
        "line": {"color": colour, "width": 1.4, "dash": "dash"},
    }
    words = {
        "xref": "x",
        "yref": "paper",
        "x": x,
        "y": level,
        "text": text,
        "showarrow": False,
        "xanchor": "right",
        "yanchor": "top",
        "xshift": -4,
        "font": {"color": colour, "size": 11},
    }
    return shape, words


def bin_edges(values: Float64, *, low: float | None = None, high: float | None = None) -> Float64:
    """Return equal bins by Freedman and Diaconis, 11 to 48 of them, over [low, high].

    Source: Freedman and Diaconis 1981: width 2 IQR n^(-1/3).
    """
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    if not high > low:
        low, high = low - 0.5, high + 0.5
    q1, q3 = np.quantile(values, [0.25, 0.75])
    width = 2 * float(q3 - q1) / len(values) ** (1 / 3)
    count = BINS_MAX if width <= 0 else int(np.ceil((high - low) / width))
    return np.linspace(low, high, max(11, min(BINS_MAX, count)) + 1)


def share_of(limit: int, parts: int) -> int:
    """Return the points one of ``parts`` lines may draw, so that all together stay few."""
    return max(200, limit * 2 // max(2, parts))


def top_of(sizes: dict[Any, float], limit: int) -> list[Any]:
    """Return the ``limit`` keys of the largest absolute size, largest first, ties by key."""
    return sorted(sizes, key=lambda key: (-abs(sizes[key]), key))[:limit]


def plural(n: int, word: str) -> str:
    """Return a count of things in words."""
    return f"{n:,d} {word}{'' if n == 1 else 's'}"
