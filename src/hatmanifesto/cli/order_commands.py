"""Commands about single orders."""

from typing import Annotated

import typer

from hatmanifesto.cli.groups import AsJson, Settings, group
from hatmanifesto.cli.session import answer, flag_settings, session_of


def add(app: typer.Typer) -> None:
    """Add the group of this file."""
    order = group("Single orders; nothing is ever sent.")
    order.command("check")(order_check)
    app.add_typer(order, name="order")


def order_check(
    context: typer.Context,
    coin: Annotated[str, typer.Option(help="Exact name.")],
    side: Annotated[str, typer.Option(help="buy or sell.")],
    sz: Annotated[str, typer.Option(help="Size in coins, plain decimal.")],
    px: Annotated[str, typer.Option(help="Limit price, plain decimal.")],
    bid: Annotated[str, typer.Option(help="Best bid now.")],
    ask: Annotated[str, typer.Option(help="Best ask now.")],
    position: Annotated[str, typer.Option(help="Signed position in coins.")] = "0",
    reduce_only: Annotated[bool, typer.Option("--reduce-only", help="May only shrink.")] = False,
    settings: Settings = None,
    as_json: AsJson = False,
) -> int:
    """Check one order against venue rules, price collar and limits."""
    from hatmanifesto.apps.order_check import OrderWords, check_order

    config = session_of(context).load(flag_settings(settings))
    words = OrderWords(
        coin=coin,
        side=side,
        sz=sz,
        px=px,
        bid=bid,
        ask=ask,
        position=position,
        reduce_only=reduce_only,
    )
    return answer(check_order(config, words), as_json=as_json)
