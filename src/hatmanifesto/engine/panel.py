"""The panel: hats in sequence; the first refusal ends it; a hat that raises refuses."""

from collections.abc import Sequence

from hatmanifesto.books.state import State
from hatmanifesto.domain.commands import Command
from hatmanifesto.domain.reasons import Reason
from hatmanifesto.domain.records import Veto
from hatmanifesto.hats.contract import Hat, refuse


class Panel:
    """Hats in panel order: Security, Exchange, Risk, then those that later releases add."""

    def __init__(self, hats: Sequence[Hat]) -> None:
        self.hats = tuple(hats)
        self._judges = tuple((hat.name, hat.veto) for hat in hats)

    def judge(self, command: Command, state: State) -> Veto | None:
        """Return the first refusal, None when every hat lets the command pass."""
        for name, veto in self._judges:
            try:
                refusal = veto(command, state)
            except Exception as error:  # noqa: BLE001  a broken hat must refuse, never let pass
                return refuse(name, Reason.HAT_RAISED, repr(error), command)
            if refusal is not None:
                return refusal
        return None
