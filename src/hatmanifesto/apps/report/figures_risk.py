"""Figures of risk: spread of returns, rolling measures, positions held, exposure, funding."""

import numpy as np

from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.metrics import DAYS_A_YEAR, NS_DAY
from hatmanifesto.analytics.mids import Int64, tick_at
from hatmanifesto.analytics.spacing import duration
from hatmanifesto.apps.report.figures_profit import Shown, daily_profit
from hatmanifesto.apps.report.parts import (
    HALF_MICRO,
    LEGEND,
    NS_MS,
    POINTS_MAX,
    SERIES,
    Figure,
    Float64,
    Missing,
    Spec,
    axis,
    bars,
    bin_edges,
    even,
    line,
    mark,
    millis,
    pen_of,
    plural,
    shades,
    share_of,
    signed_colours,
    thin,
    time_axis,
    top_of,
    usdc,
)
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.domain.units import MICRO, NS_HOUR

OBSERVATIONS_MIN = 30
DAYS_MIN = 30
"""From here on the spread of returns is that of days, below it that of steps."""
TAIL = 0.05
BROKE = "equity was not above zero throughout"
ROLLING_DAYS = 30
ROLLING_DAYS_MIN = 60
ROLLING_STEPS_MIN = 120


def _returns(analysis: Analysis, equity: Equity) -> tuple[Float64, str, int]:
    """Return simple returns on equity [bps], the word for a period and its length [ns]."""
    days = daily_profit(analysis)[1]
    is_daily = len(days) >= DAYS_MIN
    profit: Int64 = days if is_daily else np.diff(equity.pnl)
    before = analysis.identity.capital / MICRO + (np.cumsum(profit) - profit) / HALF_MICRO
    if analysis.identity.capital <= 0 or not bool((before > 0).all()):
        return np.zeros(0), "", 0
    length = NS_DAY if is_daily else equity.step_ns
    word = "day" if is_daily else f"step of {duration(equity.step_ns)}"
    return 1e4 * profit / HALF_MICRO / before, word, length


def returns_figure(analysis: Analysis) -> Shown:
    """Return the spread of returns beside a normal one, with value at risk and shortfall."""
    title = "Spread of returns"
    if analysis.equity is None:
        return Missing(title, "no mid in the data")
    values, word, length = _returns(analysis, analysis.equity)
    if not length:
        return Missing(title, BROKE)
    if len(values) < OBSERVATIONS_MIN:
        return Missing(title, f"fewer than {OBSERVATIONS_MIN} returns")
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    if spread <= 0:
        return Missing(title, "the profit never changed")
    low, high = mean - 6 * spread, mean + 6 * spread
    inside = values[(values >= low) & (values <= high)]
    edges = bin_edges(inside)
    counts, _ = np.histogram(inside, edges)
    middle = (edges[1:] + edges[:-1]) / 2
    found = bars("returns", middle.round(9).tolist(), counts.tolist(), "@accent", opacity=0.75)
    found["hovertemplate"] = "%{x:.4~g} bps: %{y:,d}<extra></extra>"
    fine = np.linspace(edges[0], edges[-1], 121)
    width = float(edges[1] - edges[0])
    bell = np.exp(-(((fine - mean) / spread) ** 2) / 2) / (spread * (2 * np.pi) ** 0.5)
    normal = line(
        "normal, same mean and deviation",
        fine.round(9).tolist(),
        (bell * width * len(values)).round(4).tolist(),
        "@sell",
        hoverinfo="skip",
        hovertemplate=None,
    )
    at_risk = float(np.quantile(values, TAIL))
    shortfall = float(values[values <= at_risk].mean())
    shapes, words = zip(
        mark(at_risk, "VaR 95", "@ink"), mark(shortfall, "ES 95", "@loss", level=0.8), strict=True
    )
    layout = {
        "showlegend": True,
        "legend": LEGEND,
        "bargap": 0.04,
        "xaxis": axis(f"return of a {word}, bps of equity"),
        "yaxis": axis(f"number of {word.split()[0]}s"),
        "shapes": list(shapes),
        "annotations": list(words),
    }
    outside = len(values) - len(inside)
    caption = (
        f"Historical value at risk 95: {-at_risk:.3g}; expected shortfall 95: "
        f"{-shortfall:.3g} bps of equity a {word.split()[0]}."
    )
    caption += f" {outside} beyond six deviations not drawn." if outside else ""
    n = plural(len(values), "return")
    return Figure("returns", title, [found, normal], layout, 400, caption, n, True)


def rolling_figure(analysis: Analysis) -> Shown:
    """Return volatility and Sharpe ratio over a moving window, once the run is long enough."""
    title = "Rolling volatility and Sharpe ratio"
    equity = analysis.equity
    if equity is None:
        return Missing(title, "no mid in the data")
    values, word, length = _returns(analysis, equity)
    if not length:
        return Missing(title, BROKE)
    is_daily = length == NS_DAY
    least = ROLLING_DAYS_MIN if is_daily else ROLLING_STEPS_MIN
    if len(values) < least:
        return Missing(title, f"{plural(len(values), 'return')}, {least} are needed")
    window = ROLLING_DAYS if is_daily else max(30, len(values) // 10)
    ends = (daily_profit(analysis)[0] + 1) * NS_DAY if is_daily else equity.ts[1:]
    mean, spread = _moving(values, window)
    scale = DAYS_A_YEAR**0.5 if is_daily else 1.0
    ratio = np.where(spread > 1e-12, scale * mean / np.where(spread > 1e-12, spread, 1), np.nan)
    pick = even(len(mean), share_of(POINTS_MAX, 3))
    x = millis(ends[window - 1 :][pick])
    known = [None if np.isnan(value) else round(value, 4) for value in ratio[pick].tolist()]
    each = "a year" if is_daily else f"a {word.split()[0]}"
    unit = "% a year" if is_daily else f"bps {each}"
    sigma = (scale * spread[pick] / (100 if is_daily else 1)).round(7).tolist()
    hover = "%{y:.4~g}<extra>%{fullData.name}</extra>"
    traces = [
        line("volatility", x, sigma, "@accent", hovertemplate=hover),
        line("Sharpe ratio", x, known, "@sell", yaxis="y2", hovertemplate=hover),
    ]
    layout = {
        "showlegend": False,
        "xaxis": {**time_axis(equity), "anchor": "y2"},
        "yaxis": axis(f"volatility, {unit}", domain=[0.56, 1], rangemode="tozero"),
        "yaxis2": axis(f"Sharpe ratio {each}", domain=[0, 0.44]),
        "hovermode": "x unified",
    }
    caption = f"Over the last {window} {word.split()[0]}s"
    caption += ", times the root of 365." if is_daily else f" ({word}), not annualised."
    n = plural(len(values), "return")
    return Figure("rolling", title, traces, layout, 400, caption, n, True)


def _moving(values: Float64, window: int) -> tuple[Float64, Float64]:
    """Return mean and standard deviation (ddof 1) of every window, shape (n - window + 1,)."""
    centred = values - values.mean()
    one = np.concatenate([[0.0], np.cumsum(centred)])
    two = np.concatenate([[0.0], np.cumsum(centred**2)])
    total = one[window:] - one[:-window]
    square = two[window:] - two[:-window]
    variance = np.maximum(square - total**2 / window, 0) / (window - 1)
    return total / window + values.mean(), np.sqrt(variance)


def inventory_figure(analysis: Analysis) -> Shown:
    """Return the signed value held in each coin over time."""
    title = "Inventory"
    equity = analysis.equity
    if equity is None or not analysis.facts.fills:
        return Missing(title, "no fills" if equity is not None else "no mid in the data")
    values = {
        coin: held * analysis.paths[coin].mid2[tick_at(analysis.paths[coin], equity.ts)]
        for coin, held in sorted(equity.position.items())
        if held.any()
    }
    if not values:
        return Missing(title, "no position was held at a step")
    largest = {coin: float(np.abs(value).max()) for coin, value in values.items()}
    shown = sorted(top_of(largest, SERIES if len(values) <= SERIES else SERIES - 2))
    limit = share_of(POINTS_MAX, len(shown))
    assets = analysis.identity.assets
    traces: list[Spec] = []
    for place, coin in enumerate(shown):
        pick = thin(values[coin], limit)
        x, y = millis(equity.ts[pick]), usdc(values[coin][pick])
        traces.append(line(assets[coin].coin, x, y, **pen_of(place), shape="hv"))
    rest = [value for coin, value in values.items() if coin not in shown]
    caption = "Value of each position at the mid; positive is long."
    if rest:
        total = np.sum(rest, axis=0)
        pick = thin(total, limit)
        x, y = millis(equity.ts[pick]), usdc(total[pick])
        traces.append(line("others, net", x, y, "@muted", dash="dot", shape="hv"))
        caption += f" The {len(shown)} largest; others: the net of {len(rest)} more coins."
    layout = {
        "showlegend": True,
        "xaxis": time_axis(equity),
        "yaxis": axis("position at mid, USDC"),
        "shapes": shades(analysis.facts.gaps),
        "legend": LEGEND,
    }
    n = plural(len(values), "coin")
    return Figure("inventory", title, traces, layout, 320, caption, n, True)


def exposure_figure(analysis: Analysis) -> Shown:
    """Return gross and net value of all positions over time."""
    title = "Gross and net exposure"
    equity = analysis.equity
    if equity is None or not analysis.facts.fills:
        return Missing(title, "no fills" if equity is not None else "no mid in the data")
    traces: list[Spec] = []
    for name, values, colour in (
        ("gross", equity.notional, "@accent"),
        ("net", equity.net_notional, "@sell"),
    ):
        pick = thin(values, POINTS_MAX // 2)
        x, y = millis(equity.ts[pick]), usdc(values[pick])
        traces.append(line(name, x, y, colour, shape="hv"))
    layout = {
        "showlegend": True,
        "legend": LEGEND,
        "xaxis": time_axis(equity),
        "yaxis": axis("exposure at mid, USDC"),
        "shapes": shades(analysis.facts.gaps),
        "hovermode": "x unified",
    }
    caption = "Gross: sum of sizes whatever the side. Net: longs less shorts."
    capital = analysis.identity.capital / MICRO
    if capital > 0:
        most = float(equity.notional.max()) / HALF_MICRO / capital
        caption += f" Gross was at most {most:.2f} times the capital."
    n = plural(len(equity.ts), "mark")
    return Figure("exposure", title, traces, layout, 320, caption, n, True)


def funding_figure(analysis: Analysis) -> Shown:
    """Return funding by day (by hour on short runs) and its sum so far."""
    title = "Funding"
    facts = analysis.facts
    if not facts.funding:
        why = "every funding rate is unknown" if facts.funding_unknown else "no funding payment"
        return Missing(title, why)
    events = sorted(facts.funding, key=lambda event: event.exch)
    is_long = events[-1].exch - events[0].exch > 3 * NS_DAY
    size, word = (NS_DAY, "day") if is_long else (NS_HOUR, "hour")
    # a payment is stamped at or just after its hour: it belongs to the hour that ended
    sums: dict[int, int] = {}
    for event in events:
        key = (event.exch - 1) // size * size
        sums[key] = sums.get(key, 0) + 2 * event.usdc
    x = millis(np.array(list(sums), dtype=np.int64))
    y = usdc(np.array(list(sums.values()), dtype=np.int64))
    total = usdc(np.cumsum(np.array(list(sums.values()), dtype=np.int64)))
    each = bars(f"in the {word}", x, y, signed_colours(y), width=size / NS_MS * 0.9)
    each["hovertemplate"] = "%{y:,.4f} USDC<extra>" + word + "</extra>"
    mode = {"mode": "lines+markers"} if len(x) < OBSERVATIONS_MIN else {}
    so_far = line("sum so far", x, total, "@accent", yaxis="y2", **mode)
    layout = {
        "showlegend": False,
        "xaxis": {**time_axis(analysis.equity), "anchor": "y2"},
        "yaxis": axis(f"USDC each {word}", domain=[0.56, 1]),
        "yaxis2": axis("sum so far, USDC", domain=[0, 0.44]),
    }
    caption = f"Received above zero, paid below, by {word} (UTC); below: the sum so far."
    unknown = len(facts.funding_unknown)
    caption += f" {plural(unknown, 'payment')} with unknown rate left out." if unknown else ""
    n = plural(len(events), "payment")
    return Figure("funding", title, [each, so_far], layout, 320, caption, n, True)
