"""Hat 1, Exchange Architect: refuses what the venue would refuse anyway."""

from hatmanifesto.books.state import State
from hatmanifesto.domain.asset import NOTIONAL_MIN, Asset, grid_step
from hatmanifesto.domain.commands import Cancel, Command
from hatmanifesto.domain.enums import Evidence, Status, Tif
from hatmanifesto.domain.events import Refused
from hatmanifesto.domain.reasons import Reason
from hatmanifesto.domain.records import Record, Veto
from hatmanifesto.hats.contract import Finding, VetoCount, refuse

FORESEEABLE = frozenset(
    {Status.TICK_REJECTED, Status.MIN_TRADE_NTL_REJECTED, Status.REDUCE_ONLY_REJECTED}
)
"""Refusals that the venue's published rules foretell."""


class ExchangeHat:
    """Knows the venue's grid, minimum, and post-only rules."""

    name = "exchange"
    reasons = frozenset(
        {
            Reason.PX_OFF_GRID,
            Reason.SZ_INVALID,
            Reason.NOTIONAL_BELOW_MIN,
            Reason.REDUCE_ONLY_INCREASES,
            Reason.ALO_WOULD_CROSS,
        }
    )

    def __init__(self, assets: tuple[Asset, ...]) -> None:
        self._px_one = [10**asset.px_decimals for asset in assets]
        self._count = VetoCount(self.name)
        self._foreseeable = 0

    def veto(self, command: Command, state: State) -> Veto | None:
        """Refuse an order that breaks a published rule of the venue."""
        if isinstance(command, Cancel):
            return None
        px, sz, coin, side = command.px, command.sz, command.coin, command.side
        if px <= 0 or px % grid_step(px, self._px_one[coin]):
            return refuse(self.name, Reason.PX_OFF_GRID, f"px={px}", command)
        if sz <= 0:
            return refuse(self.name, Reason.SZ_INVALID, f"sz={sz}", command)
        net = state.net[coin]
        closes_all = net * side < 0 and (sz == abs(net) or (command.reduce_only and sz > abs(net)))
        if px * sz < NOTIONAL_MIN and not closes_all:
            detail = f"notional={px * sz} min={NOTIONAL_MIN}"
            return refuse(self.name, Reason.NOTIONAL_BELOW_MIN, detail, command)
        if command.reduce_only and net * side >= 0:
            return refuse(self.name, Reason.REDUCE_ONLY_INCREASES, f"net={net}", command)
        if command.tif == Tif.ALO:
            top = state.tops[coin]
            if (side > 0 and 0 < top[6] <= px) or (side < 0 and px <= top[4]):
                detail = f"px={px} bbo={top[4]}@{top[6]}"
                return refuse(self.name, Reason.ALO_WOULD_CROSS, detail, command)
        return None

    def observe(self, record: Record) -> None:
        """Count refusals that the rules foretold."""
        self._count.observe(record)
        if isinstance(record, Refused) and record.status in FORESEEABLE:
            self._foreseeable += 1

    def report(self, evidence: Evidence) -> tuple[Finding, ...]:
        """Report the share of sent orders that the venue refused for a published rule."""
        sent = self._count.passed
        return (
            Finding(
                claim="no sent order is refused for a published rule",
                measured=self._foreseeable / sent if sent else None,
                target=0.0,
                n=sent,
                n_min=500,
                evidence=evidence,
                source="journal: Refused records against commands",
            ),
        )
