"""Reads a user's own files: with a mapping file, or of a plain shape that needs none.

Columns are mapped by name, numbers are exact or refused, and what is wrong with one row sets that
row aside. What makes every number doubtful (another unit of time, separators, a torn tail) refuses
the file.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.units import NS_MS, NS_S
from hatmanifesto.domain.universe import perp_of
from hatmanifesto.store.containers import peek
from hatmanifesto.store.importers.contract import Batch, Foreign, Rejected, Texts
from hatmanifesto.store.importers.exact import Ints
from hatmanifesto.store.importers.mapping import (
    INTERVALS_MS,
    SUFFIX,
    Mapping,
    Options,
    check_file,
    mapping_path,
    plain_mapping,
    read_mapping,
)
from hatmanifesto.store.importers.own_sieve import OwnSieve
from hatmanifesto.store.importers.own_tables import column_names, read_rows
from hatmanifesto.store.importers.series_files import refuse
from hatmanifesto.store.kinds import KINDS, LEVELS, PX10, RATE12, SZ8

MINUTE_MS = 60_000
PRICES = ("open", "high", "low", "close")


class Mapped:
    """The importer of files that have a mapping file."""

    name = "mapped"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = (
        "meaning of columns: as the user's mapping file says",
        "close_time of bars: open + interval - 1 ms",
    )

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 - immutable
        self._options = options

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return the file when a mapping is named, or lies beside it."""
        if path.name.endswith(SUFFIX) or not head:
            return None
        found = self._options.mapping or mapping_path(path)
        return Foreign(path, self.name, str(found)) if found else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield the rows of the mapping's kind.

        Raises:
            DataError: if the mapping or the file is refused; see the module.
        """
        mapping = read_mapping(Path(foreign.what))
        check_file(foreign.path, mapping, self._options)
        yield from _batches(foreign.path, mapping, self._options)


class Plain:
    """The importer of plain candles and trades; see ``mapping.PLAIN``."""

    name = "plain"
    version = 1
    evidence: Evidence = Evidence.REP
    venue = "hyperliquid"
    assumed: tuple[str, ...] = (
        "interval of plain candles: the step that most bars have, else 1m",
        "close_time of bars: open + interval - 1 ms",
    )

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 - immutable
        self._options = options

    def recognise(self, path: Path, head: bytes) -> Foreign | None:
        """Return the shape by the names of the columns."""
        mapping = plain_mapping(frozenset(column_names(path, head)))
        return Foreign(path, self.name, mapping.kind) if mapping else None

    def batches(self, foreign: Foreign) -> Iterator[Batch]:
        """Yield candles or trades; see ``Mapped.batches``."""
        names = frozenset(column_names(foreign.path, peek(foreign.path)))
        mapping = plain_mapping(names)
        assert mapping is not None
        yield from _batches(foreign.path, mapping, self._options)


def own_importers(options: Options) -> tuple[Mapped, Plain]:
    """Return the importers of users' own files: the first to be asked first, the other last."""
    return Mapped(options), Plain(options)


def _batches(path: Path, mapping: Mapping, options: Options) -> Iterator[Batch]:
    coin = _one_coin(path, mapping, options)
    head = peek(path)
    interval_ms = INTERVALS_MS.get(mapping.interval, 0)
    for rows in read_rows(
        path,
        head,
        needed=mapping.needed,
        separator=mapping.separator,
        allow_torn_tail=options.allow_torn_tail,
    ):
        sieve = OwnSieve(path, rows, mapping)
        coins: Texts | str = coin
        if "coin" in mapping.columns:
            coins = sieve.coins(rows.columns[mapping.columns["coin"]])
            sieve.aside(np.asarray(coins != (coin or coins), dtype=np.bool_), "foreign")
        sieve.exch = sieve.stamps("exch", now=options.now)
        if mapping.kind == "candle":
            interval_ms = interval_ms or usual_step_ms(sieve.exch)
            sieve.bars(interval_ms, now=options.now)
        table = READERS[mapping.kind](sieve, coins, interval_ms)
        if "recv" in mapping.columns:
            table["recv"] = sieve.stamps("recv", now=0)
        batch = sieve.batch(mapping.kind, coins, table, source_rows=rows.source)
        yield _with_torn(batch, rows.torn)


def _one_coin(path: Path, mapping: Mapping, options: Options) -> str:
    """Return the coin of all rows, '' when only a column tells it.

    Raises:
        DataError: if nothing tells the coin, two things disagree, or no perp has this name.
    """
    told = sorted({name for name in (mapping.coin, options.coin) if name})
    if "coin" in mapping.columns and not told:
        return ""
    if len(told) != 1:
        why = f"told: {told or 'nothing'}"
        raise refuse(path, "no one coin", why=why, fix="say it with --coin, or in the mapping")
    if perp_of(told[0]) is None:
        fix = "spell it as the venue does; the decimals of other coins are not known"
        raise refuse(path, f"unknown coin {told[0][:40]!r}", why="no perp of this name", fix=fix)
    return told[0]


def _with_torn(batch: Batch, torn: tuple[Rejected, ...]) -> Batch:
    rejected = (*batch.rejected, *torn)
    return batch._replace(rows_in=batch.rows_in + len(torn), rejected=rejected)


def usual_step_ms(exch: Ints) -> int:
    """Return the interval [ms] that most neighbouring bars are apart; a minute if none is.

    Args:
        exch: opening times [ns], 0 where not known.
    """
    stamps = np.unique(exch[exch > 0]) // NS_MS
    steps, counts = np.unique(np.diff(stamps), return_counts=True)
    if not len(steps) or len(stamps) < 3:
        return MINUTE_MS
    step = int(steps[np.argmax(counts)])
    return (
        step if step in INTERVALS_MS.values() and 2 * counts.max() > len(stamps) - 1 else MINUTE_MS
    )


def _candle(sieve: OwnSieve, _: Texts | str, interval_ms: int) -> dict[str, NDArray[Any]]:
    decimals = {column.name: column.decimals for column in KINDS["candle"].columns}
    table = {name: sieve.fixed(name, decimals=decimals[name]) for name in (*PRICES, "volume")}
    counts = sieve.fixed("trades", decimals=0) if sieve.has("trades") else None
    low, high = table["low"], table["high"]
    bodies = (table["open"], table["close"])
    bad = np.logical_or.reduce([table[name] <= 0 for name in PRICES]) | (table["volume"] < 0)
    sieve.aside(bad if counts is None else bad | (counts < 0), "non_positive")
    sieve.aside((low > np.minimum(*bodies)) | (high < np.maximum(*bodies)), "ohlc")
    table["trades"] = np.full(sieve.count, -1, dtype=np.int64) if counts is None else counts
    table["interval_ms"] = np.full(sieve.count, interval_ms, dtype=np.int64)
    table["close_time"] = sieve.exch + (interval_ms - 1) * NS_MS
    return table


def _trade(sieve: OwnSieve, coins: Texts | str, _: int) -> dict[str, NDArray[Any]]:
    px, sz = sieve.fixed("px", decimals=PX10), sieve.fixed("sz", decimals=SZ8)
    sieve.aside((px <= 0) | (sz <= 0), "non_positive")
    px, sz = sieve.own_units(px, sz, coins)
    if sieve.has("tid"):
        tid = sieve.fixed("tid", decimals=0)
    else:  # made of the stamp's second and the row; see rowwise.made_id
        rows = np.arange(sieve.first_row, sieve.first_row + sieve.count, dtype=np.int64)
        tid = -(sieve.exch // NS_S * NS_S + rows)
    aside = np.zeros(sieve.count, dtype=np.int64)
    return {"px": px, "sz": sz, "side": sieve.sides(), "tid": tid, "aside": aside}


def _funding(sieve: OwnSieve, _: Texts | str, __: int) -> dict[str, NDArray[Any]]:
    zero = np.zeros(sieve.count, dtype=np.int64)
    has = sieve.has("premium")
    return {
        "rate": sieve.fixed("rate", decimals=RATE12),
        "premium": sieve.fixed("premium", decimals=RATE12) if has else zero,
        "has_premium": zero + int(has),
    }


def _bbo(sieve: OwnSieve, coins: Texts | str, _: int) -> dict[str, NDArray[Any]]:
    return {name: levels[0] for name, levels in _sides(sieve, coins).items()}


def _book(sieve: OwnSieve, coins: Texts | str, _: int) -> dict[str, NDArray[Any]]:
    sides = _sides(sieve, coins)
    for name, sign in (("bid_px", 1), ("ask_px", -1)):
        for before, after in zip(sides[name], sides[name][1:], strict=False):
            sieve.aside(sign * (after - before) >= 0, "non_monotonic")
    zero = np.zeros(sieve.count, dtype=np.int64)
    return {
        f"{name}_{level}": levels[level] if level < len(levels) else zero
        for name, levels in sides.items()
        for level in range(LEVELS)
    }


def _sides(sieve: OwnSieve, coins: Texts | str) -> dict[str, list[Ints]]:
    """Return every level of both sides in own units, best first; crossed rows are set aside."""
    found: dict[str, list[Ints]] = {}
    for side in ("bid", "ask"):
        prices = sieve.columns(f"{side}_px", decimals=PX10)
        sizes = sieve.columns(f"{side}_sz", decimals=SZ8)
        own = []
        for px, sz in zip(prices, sizes, strict=True):
            sieve.aside((px <= 0) | (sz <= 0), "non_positive")
            own.append(sieve.own_units(px, sz, coins))
        found[f"{side}_px"] = [px for px, _ in own]
        found[f"{side}_sz"] = [sz for _, sz in own]
    bid, ask = found["bid_px"][0], found["ask_px"][0]
    sieve.aside(bid > ask, "crossed")
    sieve.aside(bid == ask, "locked")
    return found


READERS = {
    "candle": _candle,
    "trade": _trade,
    "bbo": _bbo,
    "book": _book,
    "funding": _funding,
}
