"""Hats: one conformance suite for all, then each hat's own rules."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatmanifesto.books.state import State
from hatmanifesto.domain.commands import Cancel, Command, Modify, Place
from hatmanifesto.domain.enums import Evidence, Status, Tif
from hatmanifesto.domain.events import Refused
from hatmanifesto.domain.modes import Mode
from hatmanifesto.domain.reasons import Reason
from hatmanifesto.engine.engine import Engine
from hatmanifesto.engine.panel import Panel
from hatmanifesto.engine.snapshot import engine_hash
from hatmanifesto.hats.contract import Hat, only_reduces
from hatmanifesto.hats.exchange import ExchangeHat
from hatmanifesto.hats.risk import RiskHat
from hatmanifesto.hats.security import SecurityHat
from hatmanifesto.risk.limits import Limits
from hatmanifesto.simex.rules import rule_broken
from tests.core_world import BTC, ETH, bbo

PX = 200_000
BID, ASK = PX - 10, PX + 10
USDC = 10**6
LIMITS = Limits(
    order_notional_max=1_000 * USDC,
    position_notional_max=2_000 * USDC,
    leverage_max_pct=300,
    open_orders_max=3,
    collar_bps=100,
    loss_max=100 * USDC,
    drawdown_max=50 * USDC,
)
HATS: dict[str, Callable[[], Hat]] = {
    "security": lambda: SecurityHat(frozenset({0})),
    "exchange": lambda: ExchangeHat((ETH, BTC)),
    "risk": lambda: RiskHat(LIMITS),
}


def state_of(
    *,
    net: int = 0,
    cash: int = 1_000,
    mode: Mode = Mode.LIVE,
    bid: int = PX - 10,
    ask: int = PX + 10,
) -> State:
    """Return a state with a book and, at the mid and without fees, ``net`` held."""
    state = State(assets=(ETH, BTC), books=1, capital=cash * USDC)
    state.tops[0] = bbo(1, bid=bid, bid_sz=5, ask=ask, ask_sz=5)
    state.mode = mode
    if net:
        state.fill(book=0, coin=0, side=1 if net > 0 else -1, px=PX, sz=abs(net), fee=0)
    return state


def place(
    side: int = 1,
    px: int = PX - 10,
    sz: int = 100,
    *,
    tif: Tif = Tif.ALO,
    reduce_only: bool = False,
    coin: int = 0,
    intent: int = 1,
) -> Place:
    return Place(intent, 0, coin, 0, side, px, sz, int(tif), reduce_only, 2 * PX, 1)


CANCEL = Cancel(1, 0, 0, 0, 1)
sides = st.sampled_from([1, -1])
places = st.builds(
    place,
    sides,
    st.one_of(st.integers(0, 2 * PX), st.integers(-20, 20).map(lambda n: PX + 10 * n)),
    st.integers(0, 10**5),
    tif=st.sampled_from(list(Tif)),
    reduce_only=st.booleans(),
    coin=st.integers(0, 1),
)
commands: st.SearchStrategy[Command] = st.one_of(
    places,
    st.just(CANCEL),
    places.map(
        lambda p: Modify(
            2, 1, 0, p.coin, 0, p.side, p.px, p.sz, p.tif, p.reduce_only, p.mid2, p.now
        )
    ),
)
states = st.builds(
    state_of,
    net=st.integers(-(10**4), 10**4),
    cash=st.integers(0, 10**6),
    mode=st.sampled_from(list(Mode)),
    bid=st.sampled_from([0, PX - 10]),
    ask=st.sampled_from([0, PX + 10]),
)


def digest(state: State) -> str:
    engine = Engine(assets=state.assets, assignments=[], panel=Panel([]), capital=0)
    engine.state = state
    return engine_hash(engine)


@pytest.mark.parametrize("name", HATS)
@settings(max_examples=200)
@given(command=commands, state=states)
def test_a_veto_is_pure_and_of_a_declared_reason(name: str, command: Command, state: State) -> None:
    hat = HATS[name]()
    before = digest(state)
    first, again = hat.veto(command, state), hat.veto(command, state)
    assert first == again
    assert digest(state) == before
    if first is not None:
        assert (first.hat, first.slot, first.now) == (hat.name, command.slot, command.now)
        assert Reason(first.reason) in hat.reasons
        assert first.detail


@given(command=commands, state=states)
def test_cancels_and_reductions_pass_all_but_security(command: Command, state: State) -> None:
    if isinstance(command, Cancel):
        assert all(HATS[name]().veto(command, state) is None for name in ("exchange", "risk"))
    elif only_reduces(command, state):
        assert HATS["risk"]().veto(command, state) is None


def test_reasons_belong_to_one_hat_each() -> None:
    declared = [reason for make in HATS.values() for reason in make().reasons]
    assert len(declared) == len(set(declared))
    assert {make().name for make in HATS.values()} == set(HATS)


@pytest.mark.parametrize("name", HATS)
def test_evidence_is_counted_and_unknown_without_commands(name: str) -> None:
    hat = HATS[name]()
    (finding,) = hat.report(Evidence.SYN)
    assert finding.n == 0
    assert finding.measured in (None, 0.0)
    hat.observe(place())
    hat.observe(Refused(1, Status.TICK_REJECTED, "", 1, 1))
    (finding,) = hat.report(Evidence.SYN)
    assert finding.n == 1
    assert finding.evidence is Evidence.SYN


book_states = st.builds(state_of, net=st.integers(-600, 600))


@settings(max_examples=300)
@given(command=places.filter(lambda p: p.coin == 0), state=book_states)
def test_the_exchange_hat_refuses_exactly_what_the_venue_would(
    command: Place, state: State
) -> None:
    top = state.tops[0]
    broken = rule_broken(
        command, px_one=10**ETH.px_decimals, position=state.net[0], best=(top[4], top[6])
    )
    assert (HATS["exchange"]().veto(command, state) is None) == (broken is None), broken


EXCHANGE = [
    (place(px=PX - 15), Reason.PX_OFF_GRID),
    (place(sz=0), Reason.SZ_INVALID),
    (place(sz=49), Reason.NOTIONAL_BELOW_MIN),
    (place(reduce_only=True), Reason.REDUCE_ONLY_INCREASES),
    (place(px=PX + 10), Reason.ALO_WOULD_CROSS),
    (place(-1, px=PX - 10), Reason.ALO_WOULD_CROSS),
    (place(px=PX + 10, tif=Tif.IOC), None),
    (place(), None),
]


@pytest.mark.parametrize(("command", "reason"), EXCHANGE)
def test_exchange(command: Place, reason: Reason | None) -> None:
    veto = HATS["exchange"]().veto(command, state_of())
    assert (veto.reason if veto else None) == reason


def with_open(count: int, sz: int = 100) -> State:
    state = state_of()
    for intent in range(1, count + 1):
        state.blotter.add(place(intent=intent, sz=sz))
    return state


RISK = [
    ("passes", place(sz=5_000 - 1), state_of(), None),
    ("order", place(sz=5_001), state_of(), Reason.ORDER_NOTIONAL_OVER_MAX),
    ("no price", place(), state_of(ask=0), Reason.NO_PRICE),
    ("collar, below", place(px=PX - 2_010), state_of(), Reason.COLLAR_BREACHED),
    ("collar, above", place(px=PX + 2_010, tif=Tif.IOC), state_of(), Reason.COLLAR_BREACHED),
    ("collar, inside", place(px=PX - 2_000), state_of(), None),
    ("position", place(sz=5_000), state_of(net=5_001), Reason.POSITION_NOTIONAL_OVER_MAX),
    ("worst case", place(sz=4_000), with_open(2, 3_001), Reason.POSITION_NOTIONAL_OVER_MAX),
    ("flip", place(-1, PX + 10, 4_999), state_of(net=-5_002), Reason.POSITION_NOTIONAL_OVER_MAX),
    ("orders", place(), with_open(3), Reason.OPEN_ORDERS_OVER_MAX),
    ("leverage", place(sz=2_000), state_of(cash=100), Reason.LEVERAGE_OVER_MAX),
]


@pytest.mark.parametrize(
    ("command", "state", "reason"), [case[1:] for case in RISK], ids=[case[0] for case in RISK]
)
def test_risk(command: Place, state: State, reason: Reason | None) -> None:
    veto = HATS["risk"]().veto(command, state)
    assert (veto.reason if veto else None) == reason


def test_risk_stops_opening_after_a_loss_and_after_a_fall_from_the_peak() -> None:
    lost = state_of()
    lost.pay_funding(book=0, coin=0, usdc=-100 * USDC)
    fallen = state_of()
    fallen.peak2 = 2 * 1_050 * USDC
    risk = HATS["risk"]()
    for state, reason in ((lost, Reason.LOSS_OVER_MAX), (fallen, Reason.DRAWDOWN_OVER_MAX)):
        veto = risk.veto(place(), state)
        assert veto is not None
        assert veto.reason == reason


def test_risk_needs_a_price_of_everything_that_is_held() -> None:
    state = state_of()
    state.net[1] = -5
    veto = HATS["risk"]().veto(place(), state)
    assert veto is not None
    assert veto.reason == Reason.NO_PRICE


def test_the_peak_is_marked_by_the_engine_and_only_at_whole_books() -> None:
    state = state_of(net=-1_000, bid=PX - 1_010, ask=PX - 990)
    state.mark_peak()
    assert state.peak2 == 2 * 1_001 * USDC
    state.tops[0] = bbo(2, bid=0, bid_sz=0, ask=PX - 100_000, ask_sz=1)
    state.mark_peak()
    assert state.peak2 == 2 * 1_001 * USDC


MODES = [
    (Mode.LIVE, True, True, True),
    (Mode.REDUCE_ONLY, True, True, False),
    (Mode.PAUSED, True, False, False),
    (Mode.CANCEL_ONLY, True, False, False),
    (Mode.RECONCILING, False, False, False),
    (Mode.BOOT, False, False, False),
    (Mode.KILLED, False, False, False),
]


@pytest.mark.parametrize(("mode", "cancels", "reduces", "opens"), MODES)
def test_modes_let_out_what_they_say(mode: Mode, cancels: bool, reduces: bool, opens: bool) -> None:
    hat = HATS["security"]()
    state = state_of(net=100, mode=mode)
    judged: list[Command] = [CANCEL, place(-1, PX + 10, 100), place(-1, PX + 10, 101)]
    assert [hat.veto(command, state) is None for command in judged] == [cancels, reduces, opens]


def test_security_knows_its_coins_and_actions() -> None:
    hat = HATS["security"]()
    veto = hat.veto(place(coin=1), state_of())
    assert veto is not None
    assert veto.reason == Reason.COIN_NOT_ALLOWED
    stranger: Any = msgspec.defstruct("Withdraw", ["book", "coin", "slot", "now"])(0, 0, 0, 0)
    veto = hat.veto(stranger, state_of())
    assert veto is not None
    assert veto.reason == Reason.ACTION_NOT_ALLOWED


def test_security_speaks_first() -> None:
    panel = Panel([make() for make in HATS.values()])
    veto = panel.judge(place(coin=1, sz=0), state_of(mode=Mode.KILLED))
    assert veto is not None
    assert veto.hat == "security"
