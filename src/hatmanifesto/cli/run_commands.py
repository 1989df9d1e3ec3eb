"""Commands that make, replay, verify and show runs."""

import sys
from typing import Annotated

import typer
from msgspec import structs

from hatmanifesto.cli.groups import AsJson, RunName, Settings
from hatmanifesto.cli.progress import progress_line
from hatmanifesto.cli.session import (
    answer,
    plain_name,
    print_json,
    print_rows,
    session_of,
    whole_number,
)

Text = str | None
SEED_MAX = 2**63 - 1


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("backtest")(backtest)
    app.command("demo")(demo)
    app.command("replay")(replay)
    app.command("verify")(verify)
    app.command("runs")(runs)


def backtest(
    context: typer.Context,
    strategy: Annotated[Text, typer.Argument(metavar="STRATEGY|FILE.py")] = None,
    settings: Settings = None,
    data: Annotated[Text, typer.Option(help="NAME[@HASH][,NAME...]")] = None,
    coin: Annotated[Text, typer.Option(help="Coins, for example BTC,ETH; or all.")] = None,
    start: Annotated[Text, typer.Option("--from", help="First instant, RFC 3339 with Z.")] = None,
    end: Annotated[Text, typer.Option("--to", help="End, exclusive, RFC 3339 with Z.")] = None,
    capital: Annotated[Text, typer.Option(help="Starting capital, USDC.")] = None,
    latency: Annotated[
        Text, typer.Option(help="fixed:200ms, lognormal:MED:SIGMA or empirical:FILE.")
    ] = None,
    queue: Annotated[Text, typer.Option(help="risk_averse, prob:N, ...")] = None,
    ties: Annotated[Text, typer.Option(help="pessimistic, optimistic or both.")] = None,
    seed: Annotated[Text, typer.Option(help="Seed of every draw.")] = None,
    block_ms: Annotated[Text, typer.Option(help="Block interval, ms.")] = None,
    interval: Annotated[Text, typer.Option(help="Length of candles to play, e.g. 1h.")] = None,
    half_spread_bps: Annotated[
        Text, typer.Option(help="Half spread assumed over candles, bps.")
    ] = None,
    portfolio: Annotated[
        Text, typer.Option(metavar="FILE.toml", help="Several strategies.")
    ] = None,
    as_json: AsJson = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Leave the HTML out.")] = False,
) -> int:
    """Back-test a strategy on recorded data."""
    from hatmanifesto.apps.request import build_request

    config = session_of(context).load()
    request = build_request(
        config,
        {
            "strategy": strategy,
            "settings": settings,
            "data": data,
            "coins": coin,
            "start": start,
            "end": end,
            "capital": capital,
            "latency": latency,
            "queue": queue,
            "ties": ties,
            "seed": whole_number("--seed", seed, low=0, high=SEED_MAX),
            "block_ms": whole_number("--block-ms", block_ms, low=1, high=10_000),
            "interval": interval,
            "half_spread_bps": half_spread_bps,
            "portfolio": portfolio,
            "report": not no_report,
        },
    )
    from hatmanifesto.apps.backtest import run_backtest

    request = structs.replace(request, progress=progress_line("back-test"))
    return answer(run_backtest(request), as_json=as_json)


def demo(
    context: typer.Context,
    seed: Annotated[Text, typer.Option(help="Seed of every draw.")] = None,
    house: Annotated[
        bool, typer.Option("--house", help="All four strategies, on generated candles.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Back-test a shipped sample and write a report."""
    config = session_of(context).load()
    number = whole_number("--seed", seed, low=0, high=SEED_MAX)
    from hatmanifesto.apps.demo import run_demo

    if number is None:
        number = config.number("backtest.seed")
    outcome = run_demo(
        home=str(config.home),
        seed=number,
        is_house=house,
        config_hash=config.hash,
        progress=progress_line("demo"),
    )
    return answer(outcome, as_json=as_json)


def replay(context: typer.Context, run: RunName, as_json: AsJson = False) -> int:
    """Run a recorded run again and compare, bit for bit."""
    name = plain_name("RUN", run)
    from hatmanifesto.apps.replay import replay_run

    return answer(replay_run(str(session_of(context).home), name), as_json=as_json)


def verify(context: typer.Context, run: RunName, as_json: AsJson = False) -> int:
    """Check every byte of a run against its hashes."""
    name = plain_name("RUN", run)
    from hatmanifesto.apps.verify import verify_run

    return answer(verify_run(str(session_of(context).home), name), as_json=as_json)


def runs(context: typer.Context, as_json: AsJson = False) -> int:
    """List the runs, newest last."""
    from hatmanifesto.apps.runs import list_runs

    rows = list_runs(str(session_of(context).home))
    if as_json:
        print_json(rows)
    elif rows:
        keys = ("run_id", "status", "strategy", "coins", "net_pnl_usdc")
        print_rows(rows, keys)
    else:
        sys.stdout.write("no runs yet; try hat demo\n")
    return 0
