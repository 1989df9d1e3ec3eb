"""Where the recordings lie and how their numbers become exact integers."""

import gzip
import json
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hatmanifesto.domain.asset import Asset, Maintenance, MarginTier, maintenance_tiers
from tests.conftest import shared_data_path


def data() -> Path:
    """Return the folder of recorded data."""
    return shared_data_path()


def fixtures() -> Path:
    """Return the folder of recorded answers, beside that of recorded data."""
    return shared_data_path().parent / "hyperliquid" / "fixtures"


def missing() -> str:
    """Return why the claims cannot be checked here; empty where they can."""
    for path in (data(), fixtures()):
        if not path.is_dir():
            return f"data: no recorded data at {path}"
    return ""


def scaled(value: str | float, decimals: int) -> int:
    """Return a recorded number in units of 10**-decimals, rounded to the nearest.

    The venue writes sums as the text of a binary float (`3182148.2545679999`), so the digits
    beyond the unit carry no meaning.
    """
    text = value if isinstance(value, str) else repr(value)
    return int(Decimal(text).scaleb(decimals).to_integral_value(ROUND_HALF_EVEN))


def micro(value: str | float) -> int:
    """Return recorded money in micro-USDC."""
    return scaled(value, 6)


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, gzipped or not."""
    return json.loads(read_text(path))


def read_lines(path: Path) -> Iterator[Any]:
    """Yield the objects of a file with one JSON object a line, gzipped or not."""
    for line in read_text(path).splitlines():
        if line.strip():
            yield json.loads(line)


def read_text(path: Path) -> str:
    """Return the text of a file, unpacked if its name ends in .gz."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


class Coin(NamedTuple):
    """What a recorded universe says of a coin: decimals of its size, leverage, margin tiers."""

    sz_decimals: int
    leverage_max: int
    tiers: tuple[Maintenance, ...]


def flat_tiers(leverage_max: int) -> tuple[Maintenance, ...]:
    """Return the tiers of a coin with one maximum leverage."""
    return maintenance_tiers(Asset("-", 0, 0, (MarginTier(0, leverage_max),)))


@cache
def universe(network: str) -> dict[str, Coin]:
    """Return the coins of ``mainnet`` or ``testnet`` by name, from the recorded universes."""
    name = "meta.20251213.json" if network == "mainnet" else "meta.testnet.json"
    meta = read_json(fixtures() / "info" / "gohl" / name)
    tables = {key: table["marginTiers"] for key, table in meta.get("marginTables", [])}
    coins = {}
    for row in meta["universe"]:
        tiers = tables.get(row.get("marginTableId")) or [
            {"lowerBound": "0.0", "maxLeverage": row["maxLeverage"]}
        ]
        rows = tuple(MarginTier(micro(t["lowerBound"]), t["maxLeverage"]) for t in tiers)
        asset = Asset(row["name"], 0, row["szDecimals"], rows)
        coins[row["name"]] = Coin(row["szDecimals"], row["maxLeverage"], maintenance_tiers(asset))
    return coins
