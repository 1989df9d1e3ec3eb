"""Ours against nautilus_trader over the same rows, wishes, throttle, fees and latency, in turns."""

from typing import Any

import msgspec

from bench.child import PeerMissing, run_child
from bench.engine_rows import UNIT, brief, rates
from bench.market import Market
from bench.plan import Plan
from bench.result import Limit, Result, result_of, with_peer

PEER = "nautilus_trader"
PEER_MODULE = "peer_nautilus"
INSTALL = "peer not installed: pip install nautilus_trader==1.221.0"
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
    ours: list[dict[str, Any]] = []
    peers: dict[str, list[dict[str, Any]]] = {form: [] for form in FORMS}
    for _ in range(plan.repeats):
        ours.append(run_child("ours", market=market, repeat=plan.repeat))
        try:
            for form, runs in peers.items():
                runs.append(run_child(PEER_MODULE, market=market, repeat=plan.repeat, form=form))
        except PeerMissing:
            return [with_peer(own(ours, market), INSTALL, [], limit=None)]
    fastest = max(peers, key=lambda form: sorted(rates(peers[form]))[len(peers[form]) // 2])
    return [row(ours, form, peers[form], market, is_judged=form == fastest) for form in peers]


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
    apart = max(ours[0]["fills"], runs[0]["fills"]) / max(
        1, min(ours[0]["fills"], runs[0]["fills"])
    )
    details = {"ours": brief(ours), "peer": brief(runs), "form": form, "fills_apart": apart}
    result = result_of(
        f"engine peer, {FORMS[form]}", rates(ours), unit=UNIT, data=market.label, details=details
    )
    limit = Limit(">=", RATIO_MIN, of="ratio") if is_judged else None
    compared = with_peer(result, PEER, rates(runs), limit=limit)
    if is_judged and apart > FILLS_APART_MAX:
        return msgspec.structs.replace(compared, is_met=False)
    return compared
