"""Figures of the small pages as inline SVG, with axes, ticks and units; no script, no request.

Theory of operation. Lengths are shares of the plot in per cent, so that one drawing fits a desktop
and a phone while its letters keep their size; only lines lie in a view that stretches, under pens
that do not. Colours are properties of the style sheet and follow the reader's scheme; gain and loss
also differ in direction. Numbers are for drawing: money is told by the tables.
"""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from hatmanifesto.apps.report.ticks import Tick, number_ticks, time_ticks

VIEW = 1_000
"""Units of the stretched view across and down."""
POINTS_MAX = 480
NAME_MAX = 26
ROW_EM = 2.0
LETTER_EM = 0.6
LETTERS_MAX = 26
"""With more letters than this under an axis every second tick is left out on a phone."""


class Line(NamedTuple):
    """One line: its name, stamps [ns], values, colour of the sheet, and dash."""

    name: str
    ts: Sequence[int]
    values: Sequence[float]
    colour: str = "series0"
    dash: str = ""
    is_area: bool = False


class Bar(NamedTuple):
    """One bar: its name, value, the value in words, and what more to say of it."""

    name: str
    value: float
    text: str
    more: str = ""


class Frame(NamedTuple):
    """What a drawing says of itself: a label for readers who hear it, and its axes with units."""

    label: str
    x_title: str
    y_title: str


def lines_svg(lines: Sequence[Line], frame: Frame, *, height_em: float = 15) -> str:
    """Return lines over time, "" when none has two points."""
    drawn = [line for line in lines if len(line.ts) > 1]
    if not drawn:
        return ""
    start, end = min(line.ts[0] for line in drawn), max(line.ts[-1] for line in drawn)
    values = [value for line in drawn for value in line.values]
    ticks = number_ticks(min(*values, 0.0), max(*values, 0.0))
    low, high = ticks[0].at, ticks[-1].at
    parts = [*_rows(ticks), *_columns(time_ticks(start, end), start, end)]
    view = [_path(line, (start, end), (low, high)) for line in drawn]
    parts.append(
        f'<svg width="100%" height="100%" viewBox="0 0 {VIEW} {VIEW}" '
        f'preserveAspectRatio="none">{"".join(view)}</svg>'
    )
    left = max(len(tick.text) for tick in ticks)
    return _legend(drawn) + _svg(parts, frame, height_em=height_em, left=left)


def columns_svg(bars: Sequence[Bar], frame: Frame, *, height_em: float = 13) -> str:
    """Return upright bars in the order given, "" when there is none."""
    if not bars:
        return ""
    values = [bar.value for bar in bars]
    ticks = number_ticks(min(*values, 0.0), max(*values, 0.0))
    low, high = ticks[0].at, ticks[-1].at
    width = 100 / len(bars)
    parts = _rows(ticks)
    zero = _share(0, high, low)
    for at, bar in enumerate(bars):
        top = _share(max(bar.value, 0), high, low)
        tall = abs(_share(bar.value, high, low) - zero)
        parts.append(
            f'<rect class="{_sign(bar.value)}" x="{_per(at * width + width * 0.12)}" '
            f'width="{_per(width * 0.76)}" y="{_per(top)}" height="{_per(tall)}">'
            f"<title>{escape(_said(bar))}</title></rect>"
        )
    step = -(-len(bars) // 8)
    named = [Tick((at + 0.5) * width, bar.name) for at, bar in enumerate(bars) if at % step == 0]
    parts += _columns(named, 0, 100)
    left = max(len(tick.text) for tick in ticks)
    return _svg(parts, frame, height_em=height_em, left=left)


def bars_svg(bars: Sequence[Bar], frame: Frame) -> str:
    """Return lying bars, one a row, with names to the left and values to the right."""
    if not bars:
        return ""
    values = [bar.value for bar in bars]
    ticks = number_ticks(min(*values, 0.0), max(*values, 0.0), count=4)
    low, high = ticks[0].at, ticks[-1].at
    parts = []
    for tick in ticks:
        x = _per(_share(tick.at, low, high))
        kind = "zero" if tick.at == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{x}" x2="{x}" y1="0" y2="100%"/>')
    parts += _columns(ticks, low, high)
    for at, bar in enumerate(bars):
        parts += _lying(bar, (low, high), at=at, tall=100 / len(bars))
    left = max(len(_cut(bar.name)) for bar in bars)
    right = max(len(bar.text) for bar in bars)
    return _svg(parts, frame, height_em=ROW_EM * len(bars), left=left, right=right)


def _lying(bar: Bar, across: tuple[float, float], *, at: int, tall: float) -> list[str]:
    """Return one row: its bar, name and value."""
    first, last = sorted((_share(0, *across), _share(bar.value, *across)))
    middle = _per((at + 0.5) * tall)
    name, text = escape(_cut(bar.name)), escape(bar.text)
    said = escape(_said(bar))
    place = f'x="{_per(first)}" width="{_per(last - first)}"'
    return [
        f'<rect class="{_sign(bar.value)}" {place} y="{_per((at + 0.18) * tall)}" ',
        f'height="{_per(0.64 * tall)}"><title>{said}</title></rect>',
        f'<text class="name" x="-.6em" y="{middle}" dy=".34em">{name}</text>',
        f'<text class="told" x="100%" y="{middle}" dx=".6em" dy=".34em">{text}</text>',
    ]


def _svg(parts: Sequence[str], frame: Frame, *, height_em: float, left: int, right: int = 0) -> str:
    """Return the drawing within its margins [letters], with the titles of its axes."""
    edges = f"--left:{left * LETTER_EM + 1:.1f}em;--right:{right * LETTER_EM + 1:.1f}em"
    y_title = f'<text class="axis y" x="-.6em" y="-1em">{escape(frame.y_title)}</text>'
    x_title = f'<text class="axis x" x="50%" y="100%" dy="3em">{escape(frame.x_title)}</text>'
    return (
        f'<svg class="chart" role="img" aria-label="{escape(frame.label, quote=True)}" '
        f'style="{edges};height:{height_em:g}em">{y_title}{"".join(parts)}{x_title}</svg>'
    )


def _rows(ticks: Sequence[Tick]) -> list[str]:
    """Return the lines and numbers of an upright axis."""
    low, high = ticks[0].at, ticks[-1].at
    parts = []
    for tick in ticks:
        y = _per(_share(tick.at, high, low))
        kind = "zero" if tick.at == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        parts.append(
            f'<text class="tick y" x="-.6em" y="{y}" dy=".34em">{escape(tick.text)}</text>'
        )
    return parts


def _columns(ticks: Sequence[Tick], low: float, high: float) -> list[str]:
    """Return the names under a lying axis; on a phone every second one is left out."""
    parts = []
    is_long = sum(len(tick.text) for tick in ticks) > LETTERS_MAX
    for at, tick in enumerate(ticks):
        x = _per(_share(tick.at, low, high))
        kind = "tick x wide" if at % 2 and is_long else "tick x"
        parts.append(f'<text class="{kind}" x="{x}" y="100%" dy="1.4em">{escape(tick.text)}</text>')
    return parts


def _path(line: Line, across: tuple[int, int], down: tuple[float, float]) -> str:
    points = []
    for at in _kept(line.values):
        x = VIEW * (line.ts[at] - across[0]) / max(1, across[1] - across[0])
        y = VIEW * _share(line.values[at], down[1], down[0]) / 100
        points.append(f"{x:.1f},{y:.1f}")
    text = " ".join(points)
    area = ""
    if line.is_area:
        base = VIEW * _share(0, down[1], down[0]) / 100
        ends = [points[0].split(",")[0], points[-1].split(",")[0]]
        area = f'<polygon class="area" points="{ends[0]},{base:.1f} {text} {ends[1]},{base:.1f}"/>'
    dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
    return f'{area}<polyline points="{text}" style="stroke:var(--{line.colour})"{dash}/>'


def _kept(values: Sequence[float]) -> list[int]:
    """Return at most `POINTS_MAX` places that keep the lows and highs of equal stretches."""
    n = len(values)
    if n <= POINTS_MAX:
        return list(range(n))
    kept = {0, n - 1}
    parts = POINTS_MAX // 2 - 1
    for part in range(parts):
        places = range(part * n // parts, (part + 1) * n // parts)
        kept |= {min(places, key=values.__getitem__), max(places, key=values.__getitem__)}
    return sorted(kept)


def _legend(lines: Sequence[Line]) -> str:
    if len(lines) < 2:
        return ""
    items = []
    for line in lines:
        dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
        items.append(
            '<li><svg width="26" height="8" aria-hidden="true"><line x1="0" x2="26" y1="4" y2="4" '
            f'style="stroke:var(--{line.colour})"{dash}/></svg>{escape(line.name)}</li>'
        )
    return f'<ul class="legend">{"".join(items)}</ul>'


def _share(value: float, low: float, high: float) -> float:
    """Return where a value lies between two others [per cent]."""
    return 100 * (value - low) / (high - low)


def _per(share: float) -> str:
    return f"{share:.2f}".rstrip("0").rstrip(".") + "%"


def _sign(value: float) -> str:
    return "gain" if value > 0 else "loss" if value < 0 else "none"


def _said(bar: Bar) -> str:
    return f"{bar.name}: {bar.text}{bar.more}"


def _cut(name: str) -> str:
    return name if len(name) <= NAME_MAX else f"{name[: NAME_MAX - 3]}..."
