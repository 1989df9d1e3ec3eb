"""Settles what an intake kept: each partition in order, without repeats, with its holes known."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.columns import Columns, Ints, read_columns, take
from hatmanifesto.store.gaps import Silence, SilenceFinder, backlog_mask
from hatmanifesto.store.intake import QUOTES, Intake
from hatmanifesto.store.intake_keys import reason_of, repeats_of
from hatmanifesto.store.intake_lane import Lane
from hatmanifesto.store.intake_spool import Partition
from hatmanifesto.store.kinds import KINDS, NO_COIN
from hatmanifesto.store.manifest import StoredFile

TRADES = frozenset({"trade", "print"})
TICKS = QUOTES | TRADES
NEVER = 2**62
"""A stamp after everything [ns]."""


class Quiet(NamedTuple):
    """The silences of one coin's quotes, and its first and last quote [ns]."""

    coin: str
    silences: tuple[Silence, ...]
    first: int
    last: int


class Settled(NamedTuple):
    """What lies in the folder: files by kind and coin in time order, the quarantine, silences."""

    files: dict[tuple[str, str], list[StoredFile]]
    quarantine: StoredFile
    quiet: tuple[Quiet, ...]


def settle(intake: Intake) -> Settled:
    """Write every partition that still waits, and close the quarantine.

    Raises:
        DataError: if two rows of one key tell different things, or a series has no usable row.
    """
    intake.end()
    files: dict[tuple[str, str], list[StoredFile]] = {}
    quiet: list[Quiet] = []
    for coin in sorted({coin for _, coin in intake.series}):
        kinds = sorted(kind for kind, name in intake.series if name == coin)
        for kind in (one for one in kinds if one in QUOTES):
            files[kind, coin] = _settle_series(intake, kind, coin, None)
        heard = _quiet(intake, coin, files, with_trades=False)
        for kind in (one for one in kinds if one not in QUOTES):
            files[kind, coin] = _settle_series(intake, kind, coin, heard)
        if TICKS & set(kinds) and coin != NO_COIN:
            has_books = bool(files.get(("book", coin)))
            quiet.append(heard if has_books else _quiet(intake, coin, files, with_trades=True))
    _refuse_empty(intake)
    return Settled(files, intake.quarantine.close(), tuple(quiet))


def _settle_series(intake: Intake, kind: str, coin: str, heard: Quiet | None) -> list[StoredFile]:
    """Write the waiting partitions of one series and return all its files."""
    if (kind, coin) in intake.lanes:
        return intake.lanes[kind, coin].lane.files
    mine = [one for one in intake.spool.partitions() if (one.kind, one.coin) == (kind, coin)]
    if KINDS[kind].rising:
        rising = intake.new_lane(kind, coin)
        for piece in (piece for one in mine for piece in intake.spool.pieces(one)):
            rising.take(piece)
        lane = rising.lane
    else:
        lane = Lane(intake.folder, kind=kind, coin=coin)
        for partition in mine:
            for piece in _ordered(intake, partition):
                lane.write(_marked(intake, piece, partition, heard))
            lane.close()
    lane.close()
    for partition in mine:
        intake.spool.drop(partition)
    return lane.files


def _ordered(intake: Intake, partition: Partition) -> Iterator[Columns]:
    """Yield a partition's rows by stamp, then by source row, each key once."""
    if not KINDS[partition.kind].key and intake.spool.is_sorted(partition):
        yield from intake.spool.pieces(partition)
        return
    columns = intake.spool.whole(partition)
    if KINDS[partition.kind].key:
        columns = _first_of_each_key(intake, partition, columns)
    exch = columns["exch"]
    if (exch[1:] < exch[:-1]).any():
        columns = take(columns, np.lexsort((columns["row"], exch)))
    yield columns


def _first_of_each_key(intake: Intake, partition: Partition, columns: Columns) -> Columns:
    repeats = repeats_of(columns, partition.kind)
    if not len(repeats.at):
        return columns
    if repeats.is_other.any():
        at = int(np.flatnonzero(repeats.is_other)[0])
        rows = (int(repeats.kept[at]), int(repeats.at[at]))
        raise _two_truths(intake, partition, columns, rows)
    late = np.sort(repeats.at)
    reason = np.full(len(late), reason_of(partition.kind))
    intake.set_late(partition.kind, partition.coin, take(columns, late), reason)
    good = np.ones(len(columns["exch"]), dtype=np.bool_)
    good[late] = False
    return take(columns, good)


def _two_truths(
    intake: Intake, partition: Partition, columns: Columns, rows: tuple[int, int]
) -> DataError:
    series = intake.series[partition.kind, partition.coin]
    places = []
    for at in rows:
        origin, row = series.origin_of(int(columns["row"][at]))
        places.append(f"{intake.sources[origin].name} row {row}")
    key = ", ".join(f"{name} {columns[name][rows[0]]}" for name in KINDS[partition.kind].key)
    differing = [
        f"{name} {columns[name][rows[0]]} and {columns[name][rows[1]]}"
        for name in columns
        if name not in ("recv", "row") and columns[name][rows[0]] != columns[name][rows[1]]
    ]
    return DataError(
        f"two truths for one {partition.kind} of {partition.coin}",
        why=f"{' and '.join(places)} have one key ({key}) and tell {'; '.join(differing)}",
        fix="leave one of the files out",
    )


def _marked(intake: Intake, columns: Columns, partition: Partition, heard: Quiet | None) -> Columns:
    """Mark trades that no live trader saw; without quotes there is nothing to compare with."""
    if partition.kind != "trade" or heard is None or heard.first == NEVER:
        return columns
    has_books = ("book", partition.coin) in intake.series
    silences = heard.silences if has_books else ()
    aside = backlog_mask(columns["exch"], first_quote=heard.first, silences=silences)
    count = int(aside.sum())
    if count:
        intake.series[partition.kind, partition.coin].set_aside["backlog"] += count
    return {**columns, "aside": aside.astype(np.int64)}


def _quiet(
    intake: Intake,
    coin: str,
    files: dict[tuple[str, str], list[StoredFile]],
    *,
    with_trades: bool,
) -> Quiet:
    """Return the silences of a coin, read back from its final files day by day."""
    kinds = sorted(TICKS if with_trades else QUOTES)
    days: dict[str, dict[str, StoredFile]] = {}
    for kind in kinds:
        for file in files.get((kind, coin), ()):
            days.setdefault(file.path.rpartition("/")[2], {})[kind] = file
    boundaries = sorted(
        {
            last
            for kind in sorted(QUOTES)
            if (kind, coin) in intake.series
            for last in intake.series[kind, coin].lasts.values()
        }
    )
    finder = SilenceFinder(has_books=bool(files.get(("book", coin))), boundaries=boundaries)
    first, last = NEVER, -1
    for day in sorted(days):
        stamps = {kind: _stamps(intake, file) for kind, file in sorted(days[day].items())}
        quotes = np.unique(np.concatenate(list(stamps.values())))
        finder.add(stamps.get("book", np.empty(0, dtype=np.int64)), quotes)
        first, last = min(first, int(quotes[0])), max(last, int(quotes[-1]))
    return Quiet(coin, tuple(finder.found), first, last)


def _stamps(intake: Intake, file: StoredFile) -> Ints:
    columns = read_columns(intake.folder / file.path, file.kind, ("exch",))
    return np.asarray(columns["exch"], dtype=np.int64)


def _refuse_empty(intake: Intake) -> None:
    """Refuse a series of which every row was set aside: the file is not what it seems."""
    for (kind, coin), series in sorted(intake.series.items()):
        if series.rows_out or (coin == NO_COIN and _has_rows(intake, kind)):
            continue
        reasons: Sequence[str] = [
            f"{n} {reason}" for reason, n in sorted(series.quarantined.items())
        ]
        raise DataError(
            f"no usable {kind} row of {coin}",
            why=f"of {series.rows_in} rows: {', '.join(reasons) or 'none'}",
            fix="check the source; leave this file out to import the others",
        )
    if not intake.series:
        raise DataError("no row in what was named", fix="check the sources")


def _has_rows(intake: Intake, kind: str) -> bool:
    return any(one.rows_out for (name, _), one in intake.series.items() if name == kind)
