"""Ours against nautilus_trader over the same rows, wishes, throttle, fees and latency, in turns.

The peer is compiled, so the limit is laid on our compiled engine; plain Python stands beside it.
"""

import statistics
from typing import Any

import msgspec

from bench.child import PeerMissing, run_child
from bench.engine_rows import UNIT, brief, check_same, engines, rates
from bench.market import Market
from bench.plan import Plan
from bench.result import Limit, Result, result_of, with_peer
from hatmanifesto.apps.fast import COMPILED, PYTHON

PEER = "nautilus_trader"
PEER_MODULE = "peer_nautilus"
INSTALL = "peer not installed: pip install nautilus_trader==1.221.0"
NOT_BUILT = "not judged: the compiled engine is not built, make fast"
RATIO_MIN = 3.0
FILLS_APART_MAX = 5.0
FORMS = {
    "l1": "top of book only",
    "depth": "snapshots and quotes",
    "full": "quotes move the book",
}
"""How the rows are given to the peer, see `peer_nautilus`; the fastest one carries the limit."""


def bench(plan: Plan, market: Market) -> list[Result]:
    """Measure ours and every form of the peer in turns, so that all see the same machine."""
    ours: dict[str, list[dict[str, Any]]] = {engine: [] for engine in engines()}
    peers: dict[str, list[dict[str, Any]]] = {form: [] for form in FORMS}
    for _ in range(plan.repeats):
        for engine, runs in ours.items():
            runs.append(run_child("ours", engine=engine, market=market, repeat=plan.repeat))
        try:
            for form, runs in peers.items():
                runs.append(run_child(PEER_MODULE, market=market, repeat=plan.repeat, form=form))
        except PeerMissing:
            return [with_peer(own(ours[PYTHON], market), INSTALL, [], limit=None)]
    check_same([run for runs in ours.values() for run in runs])
    fastest = max(peers, key=lambda form: statistics.median(rates(peers[form])))
    results = [
        row(mine, form, peers[form], market, is_judged=engine == COMPILED and form == fastest)
        for engine, mine in ours.items()
        for form in peers
    ]
    if COMPILED not in ours:
        results.append(with_peer(own(ours[PYTHON], market), NOT_BUILT, [], limit=None))
    return results


def own(ours: list[dict[str, Any]], market: Market) -> Result:
    """Return our side of the comparison."""
    return result_of("engine peer", rates(ours), unit=UNIT, data=market.label)


def row(
    ours: list[dict[str, Any]],
    form: str,
    runs: list[dict[str, Any]],
    market: Market,
    *,
    is_judged: bool,
) -> Result:
    """Return one comparison; without fills of one order of magnitude it proves nothing."""
    most, least = sorted((ours[0]["fills"], runs[0]["fills"]), reverse=True)
    apart = most / max(1, least)
    details = {"ours": brief(ours), "peer": runs_of(runs), "form": form, "fills_apart": apart}
    name = f"engine peer, {FORMS[form]} ({ours[0]['engine']})"
    result = result_of(name, rates(ours), unit=UNIT, data=market.label, details=details)
    limit = Limit(">=", RATIO_MIN, of="ratio") if is_judged else None
    compared = with_peer(result, PEER, rates(runs), limit=limit)
    if is_judged and apart > FILLS_APART_MAX:
        return msgspec.structs.replace(compared, is_met=False)
    return compared


def runs_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the peer's runs did; it has no engine of ours."""
    return {name: value for name, value in brief(runs).items() if name != "engine"}
