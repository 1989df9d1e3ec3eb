"""Refuses a run whose data do not tell what a strategy cannot do without."""

from collections.abc import Callable, Sequence

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.strategies.contract import CROSS, Strategy

Told = Callable[[int], frozenset[str]]
"""From a coin slot to the series that the data tell of it."""

FROM = {
    "funding": "import funding rates and name them too: --data BARS,FUNDING",
    "oracle": "use data with contexts (oracle prices)",
    "premium": "use data with contexts, or funding with premiums",
}


def refuse_unmet_needs(
    strategy: Strategy, coins: Sequence[int], *, names: Sequence[str], told: Told
) -> None:
    """Refuse a strategy whose series are missing; zeros would be invented data.

    A strategy that looks across coins leaves out those that lack a series, but needs two that have
    it.

    Args:
        strategy: what shall run.
        coins: its coin slots.
        names: coin names by slot.
        told: what the data tell.

    Raises:
        UsageError: names the series and the coins.
    """
    for need in strategy.needs:
        lacking = [names[coin] for coin in coins if need not in told(coin)]
        left = len(coins) - len(lacking)
        if not lacking or (strategy.scope == CROSS and left >= 2):
            continue
        raise UsageError(
            f"{strategy.name} needs {need}, which the data do not tell of {', '.join(lacking)}",
            why="a missing series is unknown, and is not taken as zero",
            fix=f"{FROM[need]}, or leave the strategy or these coins out",
        )
