"""Reads CSV files whose exact header says which kind of rows they hold, one parser for each."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from hatmanifesto.store.importers.contract import Batch, Foreign
from hatmanifesto.store.importers.rowwise import Builder, SetAside, csv_rows, due, has_header

Cells = Mapping[str, str]
Row = tuple[str, dict[str, int | str]]
"""Coin, and the columns of its kind."""
Parser = Callable[[Cells, int], Row]
"""Returns the row of a line's cells and its number; raises ``SetAside``."""


def kind_of(head: bytes, headers: Mapping[str, Sequence[str]]) -> str | None:
    """Return the kind whose header opens the file, None when it is none of them."""
    return next((kind for kind, header in headers.items() if has_header(head, header)), None)


def csv_batches(foreign: Foreign, header: Sequence[str], parse: Parser) -> Iterator[Batch]:
    """Yield the rows of ``foreign``, whose kind it names; see ``FileImporter``."""
    builder = Builder(foreign.what)
    for line in csv_rows(foreign.path, header):
        try:
            if line.cells is None:
                raise SetAside("truncated")
            builder.accept(*parse(line.cells, line.number))
        except SetAside as fault:
            builder.reject(line.number, fault, line.text)
        yield from due([builder])
    yield from due([builder], at_end=True)
