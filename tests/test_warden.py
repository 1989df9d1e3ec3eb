"""The warden: a second opinion with books of its own, kept from what it signed and from fills."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.commands import Cancel, Modify, Place
from hatmanifesto.domain.enums import Status
from hatmanifesto.domain.events import Closed, Filled, Refused
from hatmanifesto.warden.policy import NullSigner, Policy, Warden

PX = 100
POLICY = Policy(
    coins=frozenset({0}), order_notional_max=1_000, position_notional_max=2_000, open_orders_max=3
)


def place(intent: int, side: int = 1, sz: int = 10, *, px: int = PX, coin: int = 0) -> Place:
    return Place(intent, 0, coin, 0, side, px, sz, 0, False, 2 * PX, 0)


def modify(intent: int, target: int, sz: int = 10) -> Modify:
    return Modify(intent, target, 0, 0, 0, 1, PX, sz, 0, False, 2 * PX, 0)


def filled(intent: int, sz: int) -> Filled:
    return Filled(intent, 1, PX, sz, 0, False, False, 0, 0)


def closed(intent: int) -> Closed:
    return Closed(intent, Status.CANCELED, 0, 0, 0)


def test_what_is_within_the_policy_is_signed() -> None:
    warden = Warden(POLICY)
    assert [warden.refusal(place(n)) for n in (1, 2)] == ["", ""]
    assert NullSigner().sign(place(3), 0) == b""


CASES = [
    (place(1, coin=1), "coin not allowed"),
    (place(0), "intent not rising"),
    (place(1, sz=0), "no price or size"),
    (place(1, px=0), "no price or size"),
    (place(1, sz=11), "order notional over"),
]


@pytest.mark.parametrize(("command", "reason"), CASES)
def test_single_commands(command: Place, reason: str) -> None:
    assert Warden(POLICY).refusal(command).startswith(reason)


def test_cancels_of_known_coins_always_pass() -> None:
    warden = Warden(POLICY)
    warden.is_latched = True
    assert warden.refusal(Cancel(1, 0, 0, 0, 0)) == ""
    assert warden.refusal(Cancel(1, 0, 5, 0, 0)) == "coin not allowed"


def test_an_intent_is_signed_once() -> None:
    warden = Warden(POLICY)
    assert warden.refusal(place(5)) == ""
    assert warden.refusal(place(5)) == "intent not rising"
    assert warden.refusal(place(4)) == "intent not rising"


def test_everything_open_counts_as_filled() -> None:
    warden = Warden(POLICY)
    assert [warden.refusal(place(n)) for n in (1, 2)] == ["", ""]
    assert warden.refusal(place(3)).startswith("worst-case position")
    warden.observe(closed(1))
    assert warden.refusal(place(4)) == ""
    warden.observe(filled(2, 10))
    assert warden.refusal(place(5)).startswith("worst-case position")


def test_the_count_of_open_orders_has_a_ceiling_and_a_modify_may_replace() -> None:
    warden = Warden(POLICY)
    for n in (1, 2, 3):
        assert warden.refusal(place(n, sz=1)) == ""
    assert warden.refusal(place(4, sz=1)).startswith("open orders")
    assert warden.refusal(modify(5, 1, sz=1)) == ""
    warden.observe(closed(1))
    warden.observe(Refused(2, Status.REJECTED, "", 0, 0))
    assert warden.refusal(place(6, sz=1)) == ""


def test_a_latched_warden_lets_reductions_out_and_nothing_else() -> None:
    warden = Warden(POLICY)
    warden.refusal(place(1))
    warden.observe(filled(1, 10))
    warden.is_latched = True
    assert warden.refusal(place(2)) == "latched"
    assert warden.refusal(place(3, -1, 6)) == ""
    assert warden.refusal(place(4, -1, 5)) == "latched", "6 of 10 are being closed already"
    assert warden.refusal(place(5, -1, 4)) == ""


acts = st.lists(
    st.tuples(st.sampled_from(["place", "fill", "close"]), st.sampled_from([1, -1]),
              st.integers(1, 12), st.integers(1, 20)),
    max_size=40,
)  # fmt: skip


@given(acts=acts)
def test_no_sequence_carries_the_position_over_the_ceiling(
    acts: list[tuple[str, int, int, int]],
) -> None:
    warden = Warden(POLICY)
    left: dict[int, tuple[int, int]] = {}
    net, intent = 0, 0
    for kind, side, sz, pick in acts:
        if kind == "place":
            intent += 1
            if warden.refusal(place(intent, side, sz)) == "":
                left[intent] = (side, sz)
        elif left:
            chosen = sorted(left)[pick % len(left)]
            at, open_sz = left.pop(chosen)
            if kind == "fill":
                part = min(sz, open_sz)
                warden.observe(filled(chosen, part))
                net += at * part
                if open_sz > part:
                    left[chosen] = (at, open_sz - part)
            else:
                warden.observe(closed(chosen))
        assert len(left) <= POLICY.open_orders_max
        for at in (1, -1):
            worst = at * net + sum(size for way, size in left.values() if way == at)
            assert worst * PX <= POLICY.position_notional_max
