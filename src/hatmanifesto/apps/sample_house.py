"""Makes the shipped sample `house`: generated hourly candles and funding of five coins (SYN).

The shipped one is made by `python -m hatmanifesto.apps.sample_house DIR --seed 7` in an empty DIR.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from hatmanifesto.apps.sample import stamps_of
from hatmanifesto.domain.asset import Asset
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.errors import UsageError
from hatmanifesto.domain.units import NS_HOUR, NS_MS, NS_S
from hatmanifesto.domain.universe import PERPS
from hatmanifesto.simex.candle_flow import CandleSession, CandleShape, generate_candles
from hatmanifesto.store.columns import Columns
from hatmanifesto.store.dataset import HOUSE
from hatmanifesto.store.draft import HYPERLIQUID, Origin, draft_manifest
from hatmanifesto.store.importers.contract import Batch
from hatmanifesto.store.intake import Intake, SourceId
from hatmanifesto.store.intake_run import decimals_of
from hatmanifesto.store.intake_settle import settle
from hatmanifesto.store.kinds import PX10, VOLUME6
from hatmanifesto.store.manifest import Manifest
from hatmanifesto.store.warehouse import seal_snapshot

SEED = 7
DAYS = 150
START_NS = 1_754_006_400 * NS_S
"""2025-08-01 00:00 UTC."""
GENERATOR = "simex.candle_flow"
GENERATOR_VERSION = 1
INTERVAL_MS = 3_600_000
SHAPES = {
    "BTC": CandleShape(px=1_150_000, volume=90_000_000, premium=120_000_000),
    "ETH": CandleShape(px=370_000, volume=300_000_000, premium=-200_000_000),
    "SOL": CandleShape(px=1_800_000, volume=40_000_000, premium=650_000_000),
    "XRP": CandleShape(px=3_000_000, volume=9_000_000, premium=-700_000_000),
    "DOGE": CandleShape(px=220_000, volume=60_000_000, premium=300_000_000),
}
"""First prices, mean volume an hour, and the level each premium returns to."""


def make_house(folder: Path, *, seed: int = SEED, days: int = DAYS) -> Manifest:
    """Generate the sample into the empty ``folder`` and return its manifest.

    The same seed and length give the same bytes.

    Raises:
        UsageError: if ``folder`` exists and is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty", fix="name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    intake = Intake(folder, folder / "spool")
    assets = [PERPS[coin] for coin in SHAPES]
    sessions = generate_candles(
        seed, assets=assets, shapes=list(SHAPES.values()), start_ns=START_NS, hours=24 * days
    )
    for asset, session in zip(assets, sessions, strict=True):
        source = SourceId(asset.coin, "", GENERATOR, "session", asset.coin)
        intake.begin(source, decimals_of(HYPERLIQUID))
        for batch in _batches(asset, session):
            intake.take(batch)
    origin = Origin(
        dataset=HOUSE,
        venue=HYPERLIQUID,
        evidence=Evidence.SYN,
        importers={GENERATOR: GENERATOR_VERSION},
        assumed=(),
        generator={"days": days, "seed": seed, "version": GENERATOR_VERSION},
    )
    draft = draft_manifest(origin, intake, settle(intake))
    return seal_snapshot(folder, msgspec.structs.replace(draft, sources=()))


def _batches(asset: Asset, session: CandleSession) -> Iterator[Batch]:
    count = len(session.exch)
    whole = 10 ** (PX10 - asset.px_decimals)
    volume_one = 10 ** (VOLUME6 - asset.sz_decimals)
    candle: Columns = {
        **stamps_of(session.exch),
        "interval_ms": np.full(count, INTERVAL_MS, dtype=np.int64),
        "close_time": session.exch + NS_HOUR - NS_MS,
        "open": session.open * whole,
        "high": session.high * whole,
        "low": session.low * whole,
        "close": session.close * whole,
        "volume": session.volume * volume_one,
        "trades": np.full(count, -1, dtype=np.int64),
    }
    paid: Columns = {
        **stamps_of(session.settled),
        "rate": session.rate,
        "premium": session.premium,
        "has_premium": np.ones(count, dtype=np.int64),
    }
    for kind, columns in (("candle", candle), ("funding", paid)):
        yield Batch(kind, asset.coin, columns, count, merged=0, rejected=())


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the sample from the command line."""
    parser = argparse.ArgumentParser(description="generate the sample of candles and funding")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--days", type=int, default=DAYS)
    chosen = parser.parse_args(arguments)
    make_house(chosen.folder, seed=chosen.seed, days=chosen.days)


if __name__ == "__main__":
    main()
