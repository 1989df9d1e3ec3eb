"""A run cut into days, weeks or months: what the account earned while each of them lasted.

Theory of operation. The parts of net (`analytics.attribution`) are computed as they stood at each
boundary: only fills and payments before it, marked at the last mid before it, with no later mid
known. A period is the difference of two such states, so the periods chain: each opens with the
close of the one before, and over all of them every part sums to the run's own, exactly.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec
import numpy as np

from hatmanifesto.analytics.allot import funding_shares
from hatmanifesto.analytics.attribution import Components, Placed, parts_until, place_fills
from hatmanifesto.analytics.equity import Equity
from hatmanifesto.analytics.fold import FillRow, RunFacts
from hatmanifesto.analytics.mids import Bools, Int64, MidPath
from hatmanifesto.analytics.places import places_of
from hatmanifesto.domain.units import NS_HOUR

NS_DAY = 24 * NS_HOUR
EPOCH = date(1970, 1, 1)
KINDS = ("daily", "weekly", "monthly")
OK, NO_FILLS, NO_DATA = "ok", "no fills", "no data"
ADDED = (
    *("price", "basis", "spread", "adverse_selection", "timing", "fees", "rebates", "gap"),
    *("residual", "net", "funding_known", "slippage", "turnover", "fills"),
)
"""Fields of `Components` that add up over periods; ``funding`` is unknown where one hour is."""
ZERO = Components(**dict.fromkeys((*ADDED, "funding"), 0))

Key = tuple[int, int]
"""Coin slot and book."""


class Span(msgspec.Struct, frozen=True):
    """A period: its name, and its first instant and end [UTC ns], end exclusive."""

    label: str
    start: int
    end: int


class Period(msgspec.Struct, frozen=True):
    """What one period held. Money in half micro-USDC.

    ``opening`` and ``closing`` are profit since the start of the run, without the capital;
    ``drawdown`` the deepest fall from the run's highest profit seen in it, None without data.
    ``status``: ok, no fills, or no data when no coin has a mid in it.
    """

    span: Span
    status: str
    opening: int
    closing: int
    drawdown: int | None
    parts: Components
    by_coin: dict[int, Components]
    by_book: dict[int, Components]


def spans_of(kind: str, start: int, end: int) -> list[Span]:
    """Return the UTC days, ISO weeks or months from the one with ``start`` to that with ``end``."""
    assert kind in KINDS
    day = _first_day(kind, EPOCH + timedelta(days=start // NS_DAY))
    out: list[Span] = []
    while _ns(day) <= end:
        following = _next(kind, day)
        out.append(Span(_label(kind, day), _ns(day), _ns(following)))
        day = following
    return out


def _ns(day: date) -> int:
    return (day - EPOCH).days * NS_DAY


def _first_day(kind: str, day: date) -> date:
    if kind == "weekly":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if kind == "monthly" else day


def _next(kind: str, day: date) -> date:
    if kind == "monthly":
        return (day + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if kind == "weekly" else 1)


def _label(kind: str, day: date) -> str:
    if kind == "weekly":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{day:%Y-%m}" if kind == "monthly" else day.isoformat()


def year_span(year: int) -> Span:
    """Return a calendar year, UTC."""
    first, last = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 1))
    return Span(str(year), first * 10**9, last * 10**9)


def run_span(facts: RunFacts, paths: Mapping[int, MidPath]) -> tuple[int, int] | None:
    """Return the first and last stamp of mids, fills and payments [ns], None when there is none."""
    stamps = [int(path.ts[i]) for path in paths.values() for i in (0, -1)]
    stamps += [row.ts for row in facts.fills[:1]] + [row.ts for row in facts.fills[-1:]]
    stamps += [event.exch for event in facts.funding] + [e.exch for e in facts.funding_unknown]
    return (min(stamps), max(stamps)) if stamps else None


def periods_of(
    kind: str, facts: RunFacts, paths: Mapping[int, MidPath], equity: Equity | None
) -> list[Period]:
    """Return every period of a run, those without data between others included.

    Args:
        kind: daily, weekly or monthly.
        facts: of the run.
        paths: by coin slot; every coin with a fill needs one.
        equity: for the drawdown.
    """
    whole = run_span(facts, paths)
    if whole is None:
        return []
    states = _States(facts, paths)
    out: list[Period] = []
    before: dict[Key, Components] = {}
    for span in spans_of(kind, *whole):
        after = states.at(span.end)
        earned = {key: _less(after[key], before.get(key, ZERO)) for key in after}
        unknown = {e.coin for e in facts.funding_unknown if span.start <= e.exch < span.end}
        parts = _marked(_total(earned.values()), is_unknown=bool(unknown))
        opening = sum(part.net for part in before.values())
        has_data = any(_ticks(path, span) for path in paths.values())
        status = OK if parts.fills else NO_FILLS if has_data else NO_DATA
        out.append(
            Period(
                span=span,
                status=status,
                opening=opening,
                closing=opening + parts.net,
                drawdown=_drawdown(equity, span) if has_data else None,
                parts=parts,
                by_coin=_grouped(earned, 0, unknown),
                by_book=_grouped(earned, 1, _holders(facts, unknown)),
            )
        )
        before = after
    return out


def _ticks(path: MidPath, span: Span) -> bool:
    first, last = np.searchsorted(path.ts, [span.start, span.end], side="left")
    return bool(last > first)


def _drawdown(equity: Equity | None, span: Span) -> int | None:
    if equity is None:
        return None
    inside = (equity.ts >= span.start) & (equity.ts < span.end)
    return int(equity.drawdown[inside].max()) if inside.any() else None


def _holders(facts: RunFacts, coins: set[int]) -> set[int]:
    return {row.book for row in facts.fills if row.coin in coins}


def _grouped(parts: Mapping[Key, Components], at: int, unknown: set[int]) -> dict[int, Components]:
    groups: dict[int, list[Components]] = defaultdict(list)
    for key, part in parts.items():
        groups[key[at]].append(part)
    return {
        name: _marked(_total(mine), is_unknown=name in unknown)
        for name, mine in sorted(groups.items())
    }


def _total(parts: Iterable[Components]) -> Components:
    rows = list(parts)
    sums = {name: sum(getattr(row, name) for row in rows) for name in ADDED}
    return Components(**sums, funding=sums["funding_known"])


def _less(after: Components, before: Components) -> Components:
    sums = {name: getattr(after, name) - getattr(before, name) for name in ADDED}
    return Components(**sums, funding=sums["funding_known"])


def _marked(part: Components, *, is_unknown: bool) -> Components:
    return msgspec.structs.replace(part, funding=None) if is_unknown else part


def exact_sum(values: Int64) -> int:
    """Return the sum of 64-bit integers without wrapping."""
    high, low = values >> 32, values & 0xFFFFFFFF
    return (int(high.sum()) << 32) + int(low.sum())


class _States:
    """The parts of net per coin and book as they stood at any instant."""

    def __init__(self, facts: RunFacts, paths: Mapping[int, MidPath]) -> None:
        self.paths = paths
        self.hedged = facts.hedged
        self.placed: dict[int, tuple[Placed, Int64]] = {}
        self.keys: set[Key] = set()
        for coin, index in places_of(facts.fills).items():
            rows: list[FillRow] = [facts.fills[i] for i in index.tolist()]
            books = np.array([row.book for row in rows], dtype=np.int64)
            self.placed[coin] = place_fills(rows, paths[coin]), books
            self.keys |= {(coin, book) for book in np.unique(books).tolist()}
        self.paid: dict[Key, list[tuple[int, int]]] = defaultdict(list)
        for event, shares in funding_shares(facts.funding, facts.fills):
            for book, usdc in shares.items():
                self.paid[event.coin, book].append((event.exch, usdc))
        self.keys |= set(self.paid)

    def at(self, when: int) -> dict[Key, Components]:
        """Return the state just before ``when`` [ns]."""
        out: dict[Key, Components] = {}
        for key in sorted(self.keys):
            funding = 2 * sum(usdc for ns, usdc in self.paid.get(key, ()) if ns < when)
            out[key] = self._trading(key, when, funding)
        return out

    def _trading(self, key: Key, when: int, funding: int) -> Components:
        coin, book = key
        if coin not in self.placed:
            return msgspec.structs.replace(
                ZERO, funding_known=funding, funding=funding, net=funding
            )
        placed, books = self.placed[coin]
        path = self.paths[coin]
        last = max(int(np.searchsorted(path.ts, when, side="left")) - 1, 0)
        mine = (books == book) & (placed.ts < when)
        chosen = Placed(*(column[mine] for column in placed))
        is_hedged = (book, coin) in self.hedged
        return _components(chosen, path, last=last, funding=funding, is_hedged=is_hedged)


def _components(
    placed: Placed, path: MidPath, *, last: int, funding: int, is_hedged: bool
) -> Components:
    parts = parts_until(placed, path, last=last)
    net = placed.x * (path.mid2[last] - 2 * placed.px) - 2 * placed.fee
    is_cost: Bools = parts.fee < 0
    held = exact_sum(parts.price)
    part = Components(
        price=0 if is_hedged else held,
        basis=held if is_hedged else 0,
        spread=exact_sum(parts.spread),
        adverse_selection=exact_sum(parts.adverse_selection),
        timing=exact_sum(parts.timing),
        fees=exact_sum(parts.fee[is_cost]),
        rebates=exact_sum(parts.fee[~is_cost]),
        funding=funding,
        gap=exact_sum(parts.gap),
        residual=0,
        net=exact_sum(net) + funding,
        funding_known=funding,
        slippage=exact_sum(parts.slippage),
        turnover=exact_sum(parts.turnover),
        fills=len(placed.ts),
    )
    return msgspec.structs.replace(part, residual=part.net - part.explained())
