"""Hat 7, Security Architect: refuses actions, coins and modes that the policy does not allow."""

from hatmanifesto.books.state import State
from hatmanifesto.domain.commands import Cancel, Command, Modify, Place
from hatmanifesto.domain.enums import Evidence
from hatmanifesto.domain.modes import Mode
from hatmanifesto.domain.reasons import Reason
from hatmanifesto.domain.records import Record, Veto
from hatmanifesto.hats.contract import Finding, VetoCount, only_reduces, refuse

ALLOWED = (Place, Modify, Cancel)


class SecurityHat:
    """Speaks for the allow-list; the only hat that may refuse a reduction."""

    name = "security"
    reasons = frozenset({Reason.ACTION_NOT_ALLOWED, Reason.COIN_NOT_ALLOWED, Reason.MODE_FORBIDS})

    def __init__(self, coins: frozenset[int]) -> None:
        self._coins = coins
        self._count = VetoCount(self.name)

    def veto(self, command: Command, state: State) -> Veto | None:
        """Refuse what is not on the list, or what the mode does not let out."""
        if type(command) not in ALLOWED:
            return refuse(self.name, Reason.ACTION_NOT_ALLOWED, type(command).__name__, command)
        if command.coin not in self._coins:
            return refuse(self.name, Reason.COIN_NOT_ALLOWED, f"coin={command.coin}", command)
        mode = state.mode
        if mode is Mode.LIVE:
            return None
        if isinstance(command, Cancel) and mode >= Mode.CANCEL_ONLY:
            return None
        if mode is Mode.REDUCE_ONLY and only_reduces(command, state):
            return None
        return refuse(self.name, Reason.MODE_FORBIDS, f"mode={mode.name}", command)

    def observe(self, record: Record) -> None:
        """Count this hat's refusals."""
        self._count.observe(record)

    def report(self, evidence: Evidence) -> tuple[Finding, ...]:
        """Report how many commands went out that the allow-list does not name: none can."""
        return (
            Finding(
                claim="commands refused by the allow-list",
                measured=float(sum(self._count.refused.values())),
                target=0.0,
                n=self._count.passed,
                n_min=500,
                evidence=evidence,
                source="journal: Veto records of the security hat",
            ),
        )
