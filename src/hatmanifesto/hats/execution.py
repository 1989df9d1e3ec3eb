"""Hat 5, Execution Manager: refuses an order that would meet one of our own."""

from hatmanifesto.books.blotter import Order
from hatmanifesto.books.state import State
from hatmanifesto.domain.commands import Cancel, Command, OrderCommand
from hatmanifesto.domain.enums import Evidence, Status, Tif
from hatmanifesto.domain.events import Closed
from hatmanifesto.domain.reasons import Reason
from hatmanifesto.domain.records import Record, Veto
from hatmanifesto.hats.contract import Finding, VetoCount, refuse


class ExecutionHat:
    """Knows every order that may still trade: resting, in flight, and both legs of a modify."""

    name = "execution"
    reasons = frozenset({Reason.SELF_CROSS})

    def __init__(self) -> None:
        self._count = VetoCount(self.name)
        self._self_trades = 0

    def veto(self, command: Command, state: State) -> Veto | None:
        """Refuse an order that could trade with one of ours on the other side."""
        if isinstance(command, Cancel):
            return None
        blotter = state.blotter
        if command.tif == Tif.ALO and not blotter.takers:
            return None
        far = blotter.open_sell if command.side > 0 else blotter.open_buy
        if not far[command.coin]:
            return None
        coin, side = command.coin, command.side
        for order in blotter.orders.values():
            if order.coin == coin and order.side != side and could_meet(command, order):
                detail = f"px={command.px} own intent={order.intent} px={order.px}"
                return refuse(self.name, Reason.SELF_CROSS, detail, command)
        return None

    def observe(self, record: Record) -> None:
        """Count refusals, and own orders that met all the same."""
        self._count.observe(record)
        if isinstance(record, Closed) and record.status == Status.SELF_TRADE_CANCELED:
            self._self_trades += 1

    def report(self, evidence: Evidence) -> tuple[Finding, ...]:
        """Report the share of sent orders that the venue cancelled for meeting our own."""
        sent = self._count.passed
        return (
            Finding(
                claim="no order of ours meets another of ours",
                measured=self._self_trades / sent if sent else None,
                target=0.0,
                n=sent,
                n_min=500,
                evidence=evidence,
                source="journal: Closed records with selfTradeCanceled against commands",
            ),
        )


def could_meet(command: OrderCommand, order: Order) -> bool:
    """Say whether ``command`` and an open order of the other side could trade with one another.

    Two post-only orders never do: the venue refuses the one that would take.
    """
    if (command.px - order.px) * command.side < 0:
        return False
    return not (command.tif == Tif.ALO and order.tif == Tif.ALO)
