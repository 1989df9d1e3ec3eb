"""What the machines said when a run ended; kept with the run, so that nothing needs them again."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from hatmanifesto.apps.run_folder import ENDINGS
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.errors import MismatchError
from hatmanifesto.store.atomic import readable_json


class SignalMeaning(msgspec.Struct, frozen=True):
    """What the signal values of one book mean: name, unit, and the time they speak of [ns]."""

    book: int
    name: str
    unit: str
    horizon_ns: int


class Ending(msgspec.Struct, frozen=True):
    """The end of a run under one order of ties.

    ``net2`` is the profit and loss on which both sides' books agreed [half micro-USDC], ``marks2``
    twice the price at which they marked each coin slot [px units]: both check the ledger.
    ``too_small`` has a sentence for each desk whose capital was too small, ``waiting`` for each
    strategy of which nothing filled and that says what it waited for, ``stranded`` for each
    position whose coin has no prices any more; ``assumed`` are the proxies of the data;
    ``assets`` by coin slot; ``signals`` say what each book's signals mean.
    """

    reason: str
    rows: int
    commands: int
    journal_hash: str
    net2: int
    marks2: tuple[int, ...]
    assets: tuple[Asset, ...]
    too_small: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    stranded: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    signals: tuple[SignalMeaning, ...] = ()


def encode_endings(endings: Mapping[str, Ending]) -> bytes:
    """Return the one JSON text of the endings by tie order."""
    return readable_json(msgspec.to_builtins(dict(endings)))


def read_endings(folder: Path) -> dict[str, Ending]:
    """Return the endings of a run folder by tie order.

    Raises:
        MismatchError: if they are missing or damaged.
    """
    try:
        return msgspec.json.decode((folder / ENDINGS).read_bytes(), type=dict[str, Ending])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MismatchError(
            f"{ENDINGS} of run {folder.name} cannot be read",
            why=str(error),
            fix="make the run again with this release",
        ) from error
