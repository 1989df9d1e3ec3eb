"""Keeps rows by partition until their source is read: in memory first, then on disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hatmanifesto.store.columns import Columns, from_arrow, join, to_arrow

WAITING_BYTES_MAX = 64 << 20
"""Rows kept in memory over all partitions; beyond it every partition goes to its file."""


class Partition(NamedTuple):
    """Where rows will lie: ``period`` is a day, a year or ``all``; '' when not yet told apart."""

    kind: str
    coin: str
    period: str


class _Pile:
    """What is known of one partition: rows on disk and rows waiting."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.waiting: list[Any] = []
        self.newest = 0
        self.is_sorted = True
        self.is_on_disk = False


class Spool:
    """Rows by partition, in order of arrival. Files are uncompressed Arrow streams, appended to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._piles: dict[Partition, _Pile] = {}
        self._bytes = 0

    def append(self, partition: Partition, columns: Columns) -> None:
        """Keep rows, at least one; the arrays must not be changed afterwards."""
        pile = self._piles.get(partition)
        if pile is None:
            pile = _Pile(self._folder / f"{len(self._piles):06d}.arrow")
            self._piles[partition] = pile
        exch = columns["exch"]
        falls = bool((exch[1:] < exch[:-1]).any()) or int(exch[0]) < pile.newest
        pile.is_sorted = pile.is_sorted and not falls
        pile.newest = max(pile.newest, int(exch[-1]))
        table = to_arrow(columns, partition.kind)
        pile.waiting.append(table)
        self._bytes += table.nbytes
        if self._bytes > WAITING_BYTES_MAX:
            self._write_all()

    def _write_all(self) -> None:
        import pyarrow as pa

        self._folder.mkdir(parents=True, exist_ok=True)
        for pile in self._piles.values():
            if pile.waiting:
                table = pa.concat_tables(pile.waiting)
                with pile.path.open("ab") as file, pa.ipc.new_stream(file, table.schema) as stream:
                    stream.write_table(table)
                pile.waiting, pile.is_on_disk = [], True
        self._bytes = 0

    def partitions(self) -> list[Partition]:
        """Return every partition, by kind, coin and period."""
        return sorted(self._piles)

    def has(self, partition: Partition) -> bool:
        """Say whether rows of a partition wait."""
        return partition in self._piles

    def is_sorted(self, partition: Partition) -> bool:
        """Say whether the rows arrived in order of their stamps."""
        return self._piles[partition].is_sorted

    def pieces(self, partition: Partition) -> Iterator[Columns]:
        """Yield a partition's rows in order of arrival, piece by piece."""
        import pyarrow as pa

        pile = self._piles[partition]
        if pile.is_on_disk:
            with pa.memory_map(str(pile.path)) as file:
                while file.tell() < file.size():
                    with pa.ipc.open_stream(file) as stream:
                        for batch in stream:
                            yield from_arrow(batch)
        for table in pile.waiting:
            yield from_arrow(table)

    def whole(self, partition: Partition) -> Columns:
        """Return all rows of a partition in order of arrival."""
        return join(list(self.pieces(partition)), partition.kind)

    def drop(self, partition: Partition) -> None:
        """Forget a partition that was settled."""
        pile = self._piles.pop(partition)
        pile.path.unlink(missing_ok=True)
