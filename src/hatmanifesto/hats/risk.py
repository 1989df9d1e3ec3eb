"""Hat 6, Risk Officer: refuses what could breach a limit in the worst case."""

from hatmanifesto.books.state import State
from hatmanifesto.domain.commands import Cancel, Command, OrderCommand
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.reasons import Reason
from hatmanifesto.domain.records import Record, Veto
from hatmanifesto.hats.contract import Finding, VetoCount, only_reduces, refuse
from hatmanifesto.risk.limits import Limits

BPS = 10_000


class RiskHat:
    """Counts position, everything resting and everything in flight at its worst."""

    name = "risk"
    reasons = frozenset(
        {
            Reason.NO_PRICE,
            Reason.ORDER_NOTIONAL_OVER_MAX,
            Reason.POSITION_NOTIONAL_OVER_MAX,
            Reason.LEVERAGE_OVER_MAX,
            Reason.OPEN_ORDERS_OVER_MAX,
            Reason.COLLAR_BREACHED,
            Reason.LOSS_OVER_MAX,
            Reason.DRAWDOWN_OVER_MAX,
        }
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._count = VetoCount(self.name)

    def veto(self, command: Command, state: State) -> Veto | None:
        """Refuse an order that breaks a limit now or could once everything open has filled."""
        if isinstance(command, Cancel) or only_reduces(command, state):
            return None
        found = self._order(command, state) or self._account(command, state)
        return refuse(self.name, found[0], found[1], command) if found else None

    def _order(self, command: OrderCommand, state: State) -> tuple[Reason, str] | None:
        limits = self._limits
        coin, px, sz = command.coin, command.px, command.sz
        mid2 = state.mid2(coin)
        if not mid2:
            return Reason.NO_PRICE, f"coin={state.assets[coin].coin}"
        notional, limit = px * sz, limits.order_notional_max
        if notional > limit:
            return Reason.ORDER_NOTIONAL_OVER_MAX, f"notional={notional} limit={limit}"
        if abs(2 * px - mid2) * BPS > limits.collar_bps * mid2:
            return Reason.COLLAR_BREACHED, f"px2={2 * px} mid2={mid2} limit={limits.collar_bps}bps"
        net = state.net[coin]
        if command.side > 0:
            worst = net + state.blotter.open_buy[coin] + sz
        else:
            worst = state.blotter.open_sell[coin] + sz - net
        notional2, limit = worst * mid2, limits.position_notional_max
        if notional2 > 2 * limit:
            return Reason.POSITION_NOTIONAL_OVER_MAX, f"worst={notional2 // 2} limit={limit}"
        return None

    def _account(self, command: OrderCommand, state: State) -> tuple[Reason, str] | None:
        limits, blotter = self._limits, state.blotter
        orders = len(blotter.orders)
        if orders >= limits.open_orders_max:
            return Reason.OPEN_ORDERS_OVER_MAX, f"open={orders} limit={limits.open_orders_max}"
        equity2 = state.cash2
        gross2 = 2 * command.px * command.sz
        for coin, net in enumerate(state.net):
            buy, sell = blotter.open_buy[coin], blotter.open_sell[coin]
            if net or buy or sell:
                mid2 = state.mid2(coin)
                if net and not mid2:
                    return Reason.NO_PRICE, f"coin={state.assets[coin].coin}"
                equity2 += net * mid2
                gross2 += (net + buy if net + buy > sell - net else sell - net) * mid2
        loss2 = 2 * state.capital - equity2
        if loss2 >= 2 * limits.loss_max:
            return Reason.LOSS_OVER_MAX, f"loss={loss2 // 2} limit={limits.loss_max}"
        fall2 = max(state.peak2 - equity2, 0)
        if fall2 >= 2 * limits.drawdown_max:
            return Reason.DRAWDOWN_OVER_MAX, f"drawdown={fall2 // 2} limit={limits.drawdown_max}"
        if gross2 * 100 > limits.leverage_max_pct * equity2:
            return (
                Reason.LEVERAGE_OVER_MAX,
                f"gross={gross2 // 2} equity={equity2 // 2} limit={limits.leverage_max_pct}%",
            )
        return None

    def observe(self, record: Record) -> None:
        """Count this hat's refusals."""
        self._count.observe(record)

    def report(self, evidence: Evidence) -> tuple[Finding, ...]:
        """Report how many commands were judged and how many were refused."""
        refused = sum(self._count.refused.values())
        judged = self._count.passed + refused
        return (
            Finding(
                claim="commands refused for a limit",
                measured=refused / judged if judged else None,
                target=0.0,
                n=judged,
                n_min=500,
                evidence=evidence,
                source="journal: Veto records of the risk hat",
            ),
        )
