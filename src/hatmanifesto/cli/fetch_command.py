"""`hat data fetch`: history from the venue's own API into a dataset."""

import time
from typing import Annotated

import typer

from hatmanifesto.cli.groups import AsJson
from hatmanifesto.cli.session import answer, session_of


def data_fetch(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="Address of the API, e.g. https://HOST.")],
    kind: Annotated[str, typer.Option(help="candles, funding, fills or meta.")],
    dataset: Annotated[str, typer.Option(help="Name of the dataset.")],
    coin: Annotated[str | None, typer.Option(help="Coin; not for fills and meta.")] = None,
    user: Annotated[str | None, typer.Option(help="Account address, for fills.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="RFC 3339 with Z.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="RFC 3339 with Z.")] = None,
    interval: Annotated[str, typer.Option(help="Candle interval.")] = "1h",
    as_json: AsJson = False,
) -> int:
    """Fetch history page by page, resume, and say what the venue no longer has."""
    from hatmanifesto.apps.fetch import World, fetch, walk_of

    walk = walk_of(
        url=url,
        kind=kind,
        subject=user if kind == "fills" else coin,
        start=start,
        end=end,
        interval=interval,
        now_ns=time.time_ns(),
    )
    outcome = fetch(
        walk,
        dataset=dataset,
        home=session_of(context).home,
        world=World(now_ns=time.time_ns, sleep_ns=lambda ns: time.sleep(ns / 1e9)),
        say=_silent if as_json else typer.echo,
    )
    return answer(outcome, as_json=as_json)


def _silent(_: str) -> None:
    return None
