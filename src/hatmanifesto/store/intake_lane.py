"""Writes rows that come in order straight to their partitions, setting aside those that do not."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.units import NS_HOUR, NS_S
from hatmanifesto.store.atomic import sha256_file
from hatmanifesto.store.columns import Columns, ColumnWriter, take
from hatmanifesto.store.importers.checks import backward, first_reason
from hatmanifesto.store.kinds import KINDS
from hatmanifesto.store.manifest import StoredFile

NS_DAY = 24 * NS_HOUR
Late = Callable[[Columns, NDArray[np.str_]], None]
"""Takes rows that were accepted by their importer and are set aside after all, with reasons."""


def period_of(stamp: int, kind: str) -> str:
    """Return the partition of a stamp [ns]: YYYY-MM-DD, YYYY or ``all``, in UTC."""
    period = KINDS[kind].period
    if period == "all":
        return "all"
    moment = datetime.fromtimestamp(stamp // NS_S, tz=UTC)
    return moment.strftime("%Y-%m-%d" if period == "day" else "%Y")


def periods_of(exch: NDArray[np.int64], kind: str) -> NDArray[np.int64]:
    """Return a number for each stamp that is equal within a partition and rises with time."""
    period = KINDS[kind].period
    if period == "day":
        return np.asarray(exch // NS_DAY, dtype=np.int64)
    if period == "year":
        years = exch.astype("datetime64[ns]").astype("datetime64[Y]")
        return np.asarray(years.astype(np.int64))
    return np.zeros(len(exch), dtype=np.int64)


def path_of(kind: str, coin: str, period: str) -> str:
    """Return where a partition lies in a snapshot; a coin's own signs cannot leave its folder."""
    file = "all.parquet" if period == "all" else f"{KINDS[kind].period}={period}.parquet"
    return PurePosixPath(f"kind={kind}", f"coin={quote(coin, safe='')}", file).as_posix()


class RisingFilter:
    """Finds rows older than one before them and rows equal to their neighbour, over all batches."""

    def __init__(self) -> None:
        self._newest = np.iinfo(np.int64).min
        self._last: Columns = {}

    def reasons(self, columns: Columns) -> NDArray[np.str_]:
        """Return each row's reason to be set aside, or an empty text."""
        exch = columns["exch"]
        back = backward(exch) | (exch < self._newest)
        same = np.zeros(len(exch), dtype=np.bool_)
        candidates = np.flatnonzero(exch[1:] == exch[:-1]) + 1
        if len(candidates):
            same[candidates] = _equal(columns, columns, candidates, candidates - 1)
        if self._last and exch[0] == self._last["exch"][0]:
            zero = np.zeros(1, dtype=np.intp)
            same[0] = bool(_equal(columns, self._last, zero, zero)[0])
        self._newest = max(self._newest, int(exch.max()))
        self._last = {name: values[-1:].copy() for name, values in columns.items()}
        return first_reason([("backward", back), ("repeated", same)])


def _equal(
    ours: Columns, theirs: Columns, at: NDArray[np.intp], of: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Say where rows equal others in every column but when we received them."""
    mask = np.ones(len(at), dtype=np.bool_)
    for name, values in ours.items():
        if name not in ("recv", "row"):
            mask &= values[at] == theirs[name][of]
    return mask


class Lane:
    """Partitions of one kind and coin whose rows come in order; one file is open at a time."""

    def __init__(self, folder: Path, *, kind: str, coin: str) -> None:
        self.files: list[StoredFile] = []
        self._folder = folder
        self._kind = kind
        self._coin = coin
        self._period = ""
        self._writer: ColumnWriter | None = None

    def write(self, columns: Columns) -> None:
        """Write rows whose stamps do not fall, within the call and from call to call."""
        if not len(columns["exch"]):
            return
        numbers = periods_of(columns["exch"], self._kind)
        cuts = [0, *(np.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist(), len(numbers)]
        for low, high in pairwise(cuts):
            period = period_of(int(columns["exch"][low]), self._kind)
            if period != self._period:
                self.close()
            if self._writer is None:
                self._period = period
                path = self._folder / path_of(self._kind, self._coin, period)
                self._writer = ColumnWriter(path, self._kind)
            whole = low == 0 and high == len(numbers)
            self._writer.add(columns if whole else take(columns, slice(low, high)))

    def close(self) -> None:
        """End the open file and enter it in ``files``."""
        if self._writer is None:
            return
        written = self._writer.close()
        self._writer = None
        path = path_of(self._kind, self._coin, self._period)
        self.files.append(
            StoredFile(
                path=path,
                kind=self._kind,
                coin=self._coin,
                rows=written.rows,
                sha256=sha256_file(self._folder / path),
                content_sha256=written.content_sha256,
            )
        )

    def abort(self) -> None:
        """Close the open file without entering it."""
        if self._writer is not None:
            self._writer.abort()
            self._writer = None


class RisingLane:
    """A lane behind a filter: what a rising kind's rows go through, batch by batch."""

    def __init__(self, lane: Lane, late: Late) -> None:
        self.lane = lane
        self._late = late
        self._filter = RisingFilter()

    def take(self, columns: Columns) -> None:
        """Write the good rows; hand the others over with their reasons."""
        reason = self._filter.reasons(columns)
        good = reason == ""
        if good.all():
            self.lane.write(columns)
            return
        self._late(take(columns, ~good), reason[~good])
        self.lane.write(take(columns, good))
