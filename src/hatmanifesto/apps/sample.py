"""Makes the shipped sample: generated BTC and ETH flow, stored as a snapshot of evidence SYN.

The shipped one is made by `python -m hatmanifesto.apps.sample DIR --seed 7` into an empty DIR.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.units import NS_S
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.simex.flow import FlowShape, Session, generate_session
from hatmanifesto.store.columns import Columns, columns_of_levels
from hatmanifesto.store.dataset import SAMPLE
from hatmanifesto.store.draft import HYPERLIQUID, Origin, draft_manifest
from hatmanifesto.store.importers.contract import Batch
from hatmanifesto.store.intake import Intake, SourceId
from hatmanifesto.store.intake_run import decimals_of
from hatmanifesto.store.intake_settle import settle
from hatmanifesto.store.kinds import LEVEL_FIELDS
from hatmanifesto.store.manifest import Manifest
from hatmanifesto.store.warehouse import seal_snapshot

SEED = 7
MINUTES = 30
START_NS = 1_767_615_000 * NS_S
"""2026-01-05 12:10 UTC, a Monday; no funding hour lies within 30 minutes of it."""
HOLE_SHARE = 0.4
"""Where the hole begins, as a share of the session."""
HOLE_S = 12
GENERATOR = "simex.flow"
GENERATOR_VERSION = 1
SHAPES = {
    "BTC": FlowShape(px=920_000, level_sz=90_000, trade_sz=900, volatility_milli=800),
    "ETH": FlowShape(px=315_000, level_sz=120_000, trade_sz=2_500, volatility_milli=700),
}
"""Prices of 92,000 and 3,150 USDC; mean level 0.9 BTC, 12 ETH; least aggressor 0.009, 0.25."""


def make_sample(folder: Path, *, seed: int = SEED, minutes: int = MINUTES) -> Manifest:
    """Generate the sample into the empty ``folder`` and return its manifest.

    The same seed and length give the same bytes.

    Raises:
        UsageError: if ``folder`` exists and is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty", fix="name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    intake = Intake(folder, folder / "spool")
    begin = int(minutes * 60 * HOLE_SHARE)
    for coin, shape in SHAPES.items():
        asset = PERPS[coin]
        session = generate_session(
            np.random.Generator(np.random.PCG64([seed, asset.index])),
            asset=asset,
            shape=shape,
            start_ns=START_NS,
            minutes=minutes,
            hole_s=(begin, begin + HOLE_S),
        )
        intake.begin(SourceId(coin, "", GENERATOR, "session", coin), decimals_of(HYPERLIQUID))
        for batch in _batches(coin, session):
            intake.take(batch)
    draft = draft_manifest(_origin(seed=seed, minutes=minutes), intake, settle(intake))
    return seal_snapshot(folder, msgspec.structs.replace(draft, sources=()))


def _origin(*, seed: int, minutes: int) -> Origin:
    return Origin(
        dataset=SAMPLE,
        venue=HYPERLIQUID,
        evidence=Evidence.SYN,
        importers={GENERATOR: GENERATOR_VERSION},
        assumed=("mark: book mid", "oracle: book mid", "funding: unknown"),
        generator={"minutes": minutes, "seed": seed, "version": GENERATOR_VERSION},
    )


def _batches(coin: str, session: Session) -> Iterator[Batch]:
    trades = _columns(session.trades, ("px", "sz", "side", "tid"))
    trades["aside"] = np.zeros(len(session.trades), dtype=np.int64)
    bbo = _columns(session.bbo, LEVEL_FIELDS)
    book = {**stamps_of(session.book_exch), **columns_of_levels(session.levels)}
    for kind, columns in (("bbo", bbo), ("book", book), ("trade", trades)):
        yield Batch(kind, coin, columns, len(columns["exch"]), merged=0, rejected=())


def _columns(
    rows: np.ndarray[tuple[int, ...], np.dtype[np.int64]], names: Sequence[str]
) -> Columns:
    columns = stamps_of(np.ascontiguousarray(rows[:, 0]))
    for index, name in enumerate(names, start=1):
        columns[name] = np.ascontiguousarray(rows[:, index])
    return columns


def stamps_of(exch: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Columns:
    """Return the first columns of generated rows with the stamps ``exch`` [ns], shape (n,)."""
    rows = np.arange(len(exch), dtype=np.int64)
    return {"exch": exch, "recv": np.zeros_like(exch), "row": rows}


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the sample from the command line."""
    parser = argparse.ArgumentParser(description="generate the sample dataset")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--minutes", type=int, default=MINUTES)
    chosen = parser.parse_args(arguments)
    make_sample(chosen.folder, seed=chosen.seed, minutes=chosen.minutes)


if __name__ == "__main__":
    main()
