"""The tables that cut a run: by strategy, by coin, by month; allocations and failures."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from hatmanifesto.analytics.allot import funding_shares
from hatmanifesto.analytics.attribution import Components
from hatmanifesto.analytics.breakdown import Bucket
from hatmanifesto.analytics.metrics import NS_DAY
from hatmanifesto.analytics.series import depth_of, profits_by
from hatmanifesto.analytics.spacing import duration
from hatmanifesto.analytics.trades import Trade
from hatmanifesto.apps.report.figures_profit import daily_profit
from hatmanifesto.apps.report.parts import even
from hatmanifesto.apps.report.tables import row, table
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.apps.report_text import (
    NOT_APPLICABLE,
    UNKNOWN,
    book_names,
    grouped,
    money,
)
from hatmanifesto.domain.units import MICRO, NS_S, format_half_micro
from hatmanifesto.store.ledger_file import iso_of

DEPTH_POINTS_MAX = 20_000
LARGE = 1_000 * 2 * MICRO
PARTS = (
    "spread",
    "adverse_selection",
    "timing",
    "price",
    "basis",
    "fees",
    "rebates",
    "funding",
    "gap",
)
TALL_ROWS = 20
TRADES_SHOWN = 10


def strategies_table(analysis: Analysis) -> str:
    """Return net, costs, activity and drawdown of each strategy's sub-ledger."""
    by_book = analysis.attribution.by_book
    names = book_names(analysis)
    trades = _trades_by(analysis, is_book=True)
    depth = _depths(analysis)
    found = {bucket.key: bucket for bucket in analysis.breakdowns["strategy"]}
    capital = _capital(analysis)
    places = _decimals(by_book)
    seen = _parts_seen(by_book)
    heads = ["strategy", "capital", "net", "95 % interval", "costs", "turnover", "fills"]
    heads += ["trades", "won", "drawdown", *[name.replace("_", " ") for name in seen]]
    numeric = tuple(range(1, len(heads)))
    rows = [
        row(
            [
                names[book],
                _capital_text(book, capital),
                _amount(part.net, places),
                _span(found.get(book), places),
                _amount(-(part.fees + part.rebates + part.funding_known), places),
                _amount(2 * part.turnover, 2),
                f"{part.fills:,d}",
                f"{len(trades[book]):,d}",
                _won(trades[book]),
                _amount(depth.get(book), places),
                *[_amount(getattr(part, name), places) for name in seen],
            ],
            numeric=numeric,
        )
        for book, part in by_book.items()
    ]
    return table(heads, rows, numeric=numeric, kind="sortable")


def _capital(analysis: Analysis) -> dict[int, int]:
    """Return the capital of each strategy's sub-ledger at the end [micro-USDC], where known."""
    if len(analysis.identity.books) == 1:
        return {0: analysis.identity.capital}
    allocations = analysis.facts.allocations
    return {item.book: item.capital for item in allocations[-1].books} if allocations else {}


def _decimals(parts: Mapping[int, Components]) -> int:
    """Return the decimals of a whole table: two where a result is large, four elsewhere."""
    return 2 if any(abs(part.net) >= LARGE for part in parts.values()) else 4


def _amount(half_micro: int | None, decimals: int) -> str:
    if half_micro is None:
        return UNKNOWN
    return grouped(format_half_micro(half_micro), decimals) if half_micro else "0"


def _parts_seen(parts: Mapping[int, Components]) -> list[str]:
    """Return the parts of net that are not zero everywhere."""
    return [name for name in PARTS if any(getattr(p, name) != 0 for p in parts.values())]


def _capital_text(book: int, capital: Mapping[int, int]) -> str:
    if book < 0:
        return NOT_APPLICABLE
    return _amount(2 * capital[book], 2) if book in capital else UNKNOWN


def _span(bucket: Bucket | None, decimals: int) -> str:
    if bucket is None or bucket.interval is None:
        return NOT_APPLICABLE
    low, high = bucket.interval
    return f"{low:,.{decimals}f} .. {high:,.{decimals}f}"


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
    series = profits_by(
        [row.book for row in facts.fills],
        facts.fills,
        analysis.paths,
        grid=grid,
        shares=funding_shares(facts.funding, facts.fills),
    )
    return {book: depth_of(profit) for book, profit in series.items()}


def coins_table(analysis: Analysis) -> str:
    """Return net and its parts, turnover and trades of each coin."""
    assets = analysis.identity.assets
    by_coin = analysis.attribution.by_coin
    found = {bucket.key: bucket for bucket in analysis.breakdowns["coin"]}
    trades = _trades_by(analysis, is_book=False)
    named: Mapping[int, Components] = dict(
        sorted(by_coin.items(), key=lambda item: (-item[1].net, item[0]))
    )
    places = _decimals(by_coin)
    seen = _parts_seen(by_coin)
    heads = ["coin", "net", "95 % interval", "net, bps", "turnover", "fills", "trades", "won"]
    heads += [name.replace("_", " ") for name in seen]
    numeric = tuple(range(1, len(heads)))
    rows = [
        row(
            [
                assets[coin].coin,
                _amount(part.net, places),
                _span(found.get(coin), places),
                _bps(part),
                _amount(2 * part.turnover, 2),
                f"{part.fills:,d}",
                f"{len(trades[coin]):,d}",
                _won(trades[coin]),
                *[_amount(getattr(part, name), places) for name in seen],
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
    days, sums = daily_profit(analysis)
    months: dict[str, list[int]] = defaultdict(list)
    for day, value in zip(days.tolist(), sums.tolist(), strict=True):
        moment = datetime.fromtimestamp(day * NS_DAY // NS_S, tz=UTC)
        months[moment.strftime("%Y-%m")].append(value)
    if len(months) < 2:
        return ""
    numeric = (1, 2, 3, 4, 5)
    rows = []
    for month, values in months.items():
        each = np.array(values, dtype=np.int64)
        gains = f"{int((each > 0).sum())} of {len(values)}"
        cells = [month, money(int(each.sum())), gains, money(max(values)), money(min(values))]
        rows.append(row([*cells, money(depth_of(np.cumsum(each)))], numeric=numeric))
    heads = ["month, UTC", "net, USDC", "days with a gain", "best day", "worst day"]
    return table([*heads, "deepest drawdown, by day"], rows, numeric=numeric, kind="sortable")


def trades_table(analysis: Analysis) -> str:
    """Return the trades that won and lost most, "" without any."""
    ranked = sorted(analysis.trades, key=lambda trade: (trade.pnl, trade.closed, trade.coin))
    if not ranked:
        return ""
    least = ranked[:TRADES_SHOWN]
    most = ranked[max(len(least), len(ranked) - TRADES_SHOWN) :]
    books, assets = analysis.identity.books, analysis.identity.assets
    rows = [
        row(
            [
                assets[trade.coin].coin,
                books[trade.book] if 0 <= trade.book < len(books) else "house",
                money(2 * trade.pnl),
                iso_of(trade.opened)[:19].replace("T", " "),
                iso_of(trade.closed)[:19].replace("T", " "),
                duration(trade.closed - trade.opened),
                f"{trade.fills:,d}",
            ],
            numeric=(2, 5, 6),
        )
        for trade in [*least, *reversed(most)]
    ]
    heads = ["coin", "strategy", "profit, USDC", "opened, UTC", "closed, UTC", "held", "fills"]
    return table(heads, rows, numeric=(2, 5, 6), kind="tall")


def failed_table(analysis: Analysis) -> str:
    """Return the strategies that failed and were stopped, and what each said."""
    books, assets = analysis.identity.books, analysis.identity.assets
    rows = [
        row(
            [
                books[one.book] if 0 <= one.book < len(books) else "house",
                assets[one.coin].coin if 0 <= one.coin < len(assets) else "all",
                iso_of(one.now)[:19].replace("T", " "),
                one.error,
            ]
        )
        for one in analysis.facts.failed
    ]
    return table(["strategy", "coin", "stopped, UTC", "error"], rows)
