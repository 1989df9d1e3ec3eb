"""Recorded clearinghouse states, wherever they lie, as exact integers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hatmanifesto.books.venue_margin import SZI_ONE
from hatmanifesto.domain.asset import Maintenance
from tests.fidelity import sources

ARCHIVE = "hl_api/info_api_recorded_responses.json.gz"
WHOLE = frozenset({"recorded", "doc-example"})
"""Kinds of recordings whose authors did not shorten or fill anything."""
EARLY_MS = 1_704_067_200_000
"""States before 2024 follow rules of their own."""
EARLY_LEVERAGE_MAX = 50
"""Every coin's in the universe recorded in 2023 (info/pysdk/meta.json)."""


class Source(NamedTuple):
    """A file: its name, whether its lists are complete, its network, when it was recorded."""

    name: str
    is_whole: bool
    network: str
    recorded: str


class Position(NamedTuple):
    """A recorded position: micro-USDC, szi [1e-8], prices [1e-10]; None where not told."""

    coin: str
    szi: int
    value: int | None
    mark: int | None
    entry: str | None
    pnl: int | None
    margin: int | None
    roe: str | None
    leverage: int | None
    raw_usd: int | None
    is_isolated: bool
    leverage_max: int | None
    liquidation: str | None
    context_mark: int | None

    @property
    def signed_value(self) -> int:
        """Return the value at mark, longs positive."""
        assert self.value is not None
        return self.value if self.szi > 0 else -self.value


class State(NamedTuple):
    """A recorded state; the summaries are the venue's own words."""

    source: Source
    place: str
    user: str
    total: dict[str, str]
    cross: dict[str, str]
    maintenance: int | None
    withdrawable: int | None
    positions: list[Position]
    is_early: bool

    @property
    def identity(self) -> str:
        """Return the file and the place in it."""
        return f"{self.source.name} {self.place}".rstrip()


def index() -> dict[str, Source]:
    """Return what the index of the fixtures says of each file."""
    found = {}
    for row in sources.read_json(sources.fixtures() / "index.json"):
        name = row["file"]
        network = row.get("network") or "mainnet"
        found[name] = Source(name, row["kind"] in WHOLE, network, row.get("recorded") or "")
    return found


def states() -> list[State]:
    """Return every recorded state, by file name."""
    known = index()
    root = sources.fixtures()
    found = []
    for path in sorted(p for p in root.rglob("*.json*") if p.name != "index.json"):
        name = path.relative_to(root).as_posix()
        source = known.get(name, Source(name, False, "mainnet", ""))
        for number, content in enumerate(contents(path)):
            found += list(find(content, source, f"#{number}" if number else ""))
    archive = sources.read_json(sources.data() / ARCHIVE)
    for name, exchange in archive.items():
        source = Source(ARCHIVE, True, "mainnet", exchange["recorded"])
        found += list(find(exchange["response"], source, f"/{name}"))
    return found


def contents(path: Path) -> list[Any]:
    """Return the objects of a JSON or JSON-lines file."""
    if path.suffix == ".jsonl":
        return list(sources.read_lines(path))
    return [sources.read_json(path)]


def find(node: Any, source: Source, place: str, user: str = "") -> Iterator[State]:
    """Yield the states inside ``node``."""
    if isinstance(node, list):
        for number, child in enumerate(node):
            yield from find(child, source, f"{place}/{number}", user)
    if not isinstance(node, dict):
        return
    request = node.get("request")
    named = request.get("user") if isinstance(request, dict) else node.get("user")
    user = str(named or user)
    if "accountSummaries" in node:  # a state printed in two parts
        node = {
            **node["accountSummaries"],
            "assetPositions": [{"position": node["position"]}],
            "isExample": True,
        }
    if "marginSummary" in node or "crossMarginSummary" in node:
        yield state_of(node, source, place, user)
        return
    for key, child in node.items():
        yield from find(child, source, f"{place}/{key}", user)


def state_of(node: dict[str, Any], source: Source, place: str, user: str) -> State:
    """Return one recorded state."""
    rows = [row["position"] for row in node.get("assetPositions", [])] or node.get("positions", [])
    marks = {row["name"]: row["markPx"] for row in node.get("assetContexts", [])}
    time = node.get("time")
    is_early = time < EARLY_MS if time else "2023" in source.recorded
    if node.get("isExample"):
        source = source._replace(is_whole=True)
    return State(
        source,
        place,
        user.lower(),
        node.get("marginSummary") or {},
        node.get("crossMarginSummary") or {},
        optional_micro(node.get("crossMaintenanceMarginUsed")),
        optional_micro(node.get("withdrawable")),
        [position_of(row, marks.get(row["coin"])) for row in rows],
        is_early,
    )


def position_of(row: dict[str, Any], context_mark: str | None) -> Position:
    """Return one recorded position; its mark is its value over its size, where that is whole."""
    leverage = row.get("leverage") or {}
    szi = sources.scaled(row["szi"], 8)
    value = optional_micro(row.get("positionValue"))
    return Position(
        row["coin"],
        szi,
        value,
        None if value is None else round_div(value * 10**4 * SZI_ONE, abs(szi)),
        row.get("entryPx"),
        optional_micro(row.get("unrealizedPnl")),
        optional_micro(row.get("marginUsed")),
        row.get("returnOnEquity"),
        leverage.get("value"),
        optional_micro(leverage.get("rawUsd")),
        leverage.get("type") == "isolated",
        row.get("maxLeverage"),
        row.get("liquidationPx"),
        None if context_mark is None else sources.scaled(context_mark, 10),
    )


def optional_micro(value: str | None) -> int | None:
    """Return recorded money, None where it is not told."""
    return None if value is None else sources.micro(value)


def round_div(numerator: int, denominator: int) -> int:
    """Return the nearest whole quotient of non-negative numbers."""
    return (2 * numerator + denominator) // (2 * denominator)


def tiers_of(position: Position, state: State) -> tuple[Maintenance, ...] | None:
    """Return the tiers of a position: the recorded universe's where its leverage is the same.

    A position keeps telling the maximum leverage it was given; where that is not the universe's,
    it is a flat one. Early states do not tell it: the universe of that year had one for all.
    """
    if state.is_early and position.leverage_max is None:
        return sources.flat_tiers(EARLY_LEVERAGE_MAX)
    if position.leverage_max is None:
        return None
    coin = sources.universe(state.source.network).get(position.coin)
    if coin and coin.leverage_max == position.leverage_max:
        return coin.tiers
    return sources.flat_tiers(position.leverage_max)
