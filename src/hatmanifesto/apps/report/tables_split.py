"""The tables that cut a run: by strategy, by coin, by month; allocations and failures."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from hatmanifesto.analytics.attribution import Components
from hatmanifesto.analytics.metrics import NS_DAY
from hatmanifesto.analytics.over_time import bucket_profit, depth_of, profit_by_book
from hatmanifesto.analytics.trades import Trade
from hatmanifesto.apps.report.parts import even
from hatmanifesto.apps.report.tables import row, table
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.report_text import NOT_APPLICABLE, book_names, money
from hatmanifesto.domain.units import NS_S

DEPTH_POINTS_MAX = 20_000
PARTS = ("spread", "adverse_selection", "timing", "price", "fees", "rebates", "funding", "gap")
TALL_ROWS = 20


def strategies_table(analysis: Analysis) -> str:
    """Return net, costs, activity and drawdown of each strategy's sub-ledger."""
    by_book = analysis.attribution.by_book
    names = book_names(analysis)
    trades = _trades_by(analysis, is_book=True)
    depth = _depths(analysis)
    heads = [
        "strategy",
        "net",
        "costs",
        "turnover",
        "fills",
        "trades",
        "won",
        "deepest drawdown",
        "spread",
        "adverse selection",
        "price",
        "funding",
    ]
    numeric = tuple(range(1, len(heads)))
    rows = [
        row(
            [
                names[book],
                money(part.net),
                money(-(part.fees + part.rebates + part.funding_known)),
                money(2 * part.turnover),
                f"{part.fills:,d}",
                f"{len(trades[book]):,d}",
                _won(trades[book]),
                money(depth.get(book)),
                money(part.spread),
                money(part.adverse_selection),
                money(part.price),
                money(part.funding),
            ],
            numeric=numeric,
        )
        for book, part in by_book.items()
    ]
    return table(heads, rows, numeric=numeric, kind="sortable")


def _trades_by(analysis: Analysis, *, is_book: bool) -> dict[int, list[Trade]]:
    out: dict[int, list[Trade]] = defaultdict(list)
    for trade in analysis.trades:
        out[trade.book if is_book else trade.coin].append(trade)
    return out


def _won(trades: list[Trade]) -> str:
    if not trades:
        return NOT_APPLICABLE
    return f"{100 * sum(trade.pnl > 0 for trade in trades) / len(trades):.1f} %"


def _depths(analysis: Analysis) -> dict[int, int]:
    """Return the deepest drawdown of each book on the grid of the equity [half micro-USDC]."""
    equity, facts = analysis.equity, analysis.facts
    if equity is None:
        return {}
    grid = equity.ts[even(len(equity.ts), DEPTH_POINTS_MAX)]
    series = profit_by_book(facts.fills, facts.funding, analysis.paths, grid)
    return {book: depth_of(profit) for book, profit in series.items()}


def coins_table(analysis: Analysis) -> str:
    """Return net and its parts, turnover and trades of each coin."""
    assets = analysis.identity.assets
    by_coin = analysis.attribution.by_coin
    trades = _trades_by(analysis, is_book=False)
    named: Mapping[int, Components] = dict(
        sorted(by_coin.items(), key=lambda item: (-item[1].net, item[0]))
    )
    heads = ["coin", "net", "net, bps", "turnover", "fills", "trades", "won"]
    heads += [name.replace("_", " ") for name in PARTS]
    numeric = tuple(range(1, len(heads)))
    rows = [
        row(
            [
                assets[coin].coin,
                money(part.net),
                _bps(part),
                money(2 * part.turnover),
                f"{part.fills:,d}",
                f"{len(trades[coin]):,d}",
                _won(trades[coin]),
                *[money(getattr(part, name)) for name in PARTS],
            ],
            numeric=numeric,
        )
        for coin, part in named.items()
    ]
    kind = "sortable tall" if len(rows) > TALL_ROWS else "sortable"
    return table(heads, rows, numeric=numeric, kind=kind)


def _bps(part: Components) -> str:
    if not part.turnover:
        return NOT_APPLICABLE
    return f"{1e4 * part.net / (2 * part.turnover):.2f}"


def months_table(analysis: Analysis) -> str:
    """Return the profit of each month, "" for a run of less than two."""
    if analysis.equity is None:
        return ""
    starts, sums = bucket_profit(analysis.equity, size_ns=NS_DAY)
    months: dict[str, list[int]] = defaultdict(list)
    for start, value in zip(starts.tolist(), sums.tolist(), strict=True):
        months[datetime.fromtimestamp(start // NS_S, tz=UTC).strftime("%Y-%m")].append(value)
    if len(months) < 2:
        return ""
    numeric = (1, 2, 3, 4, 5)
    rows = []
    for month, days in months.items():
        so_far = np.array(days, dtype=np.int64)
        gains = f"{int((so_far > 0).sum())} of {len(days)}"
        cells = [month, money(int(so_far.sum())), gains, money(max(days)), money(min(days))]
        rows.append(row([*cells, money(depth_of(np.cumsum(so_far)))], numeric=numeric))
    heads = ["month, UTC", "net, USDC", "days with a gain", "best day", "worst day"]
    return table([*heads, "deepest drawdown, by day"], rows, numeric=numeric, kind="sortable")
