"""Every part of the attribution, left out or counted twice, makes the residual show it."""

import ast
import inspect
import textwrap

import msgspec
import numpy as np
import pytest

from hatmanifesto.analytics import attribution
from hatmanifesto.analytics.attribution import Components, attribute
from hatmanifesto.analytics.mids import Mids
from hatmanifesto.domain.records import GapSeen
from hatmanifesto.domain.units import NS_S
from tests.analytics_world import FREE, T0, fill, payment, run_of, with_fills

BOUND = 2
"""Residual that rounding could leave [half micro-USDC]; ours leaves none."""
PARTS = ("price", "basis", "spread", "adverse_selection", "timing", "gap")
FACTORS = (0, 2)


def world():
    """Return facts and mids in which every part is far from zero, and the ledger's own net."""
    facts, mids = run_of(21, n=3_700, step_ns=2 * NS_S, fills=160)
    rows = [
        row._replace(
            fee=37 if i % 3 else -19,
            mid2_decision=2 * row.px + 31,
            is_taker=i % 2 == 0,
        )
        for i, row in enumerate(facts.fills)
    ]
    inside = fill(T0 + 61 * 60 * NS_S, 1, 100_100, 90, 0, 0, False, FREE, 999)
    rows.append(inside._replace(is_gap=True))
    paid = [payment(T0 + k * 3_600 * NS_S, k % 2, -5_000 - k) for k in range(1, 3)]
    holes = (
        GapSeen(0, T0 + 60 * 60 * NS_S, T0 + 75 * 60 * NS_S, 2),
        GapSeen(1, T0 + 90 * 60 * NS_S, T0 + 99 * 60 * NS_S, 2),
    )
    mids = {coin: punched(series, holes[coin]) for coin, series in mids.items()}
    facts = with_fills(facts, rows, paid)
    facts = msgspec.structs.replace(facts, gaps=holes, hedged=frozenset({(1, 1)}))
    return facts, mids, ledger_net(facts, mids)


def punched(series, hole):
    """Return the mids without those inside the hole."""
    keep = (series.ts <= hole.start) | (series.ts >= hole.end)
    return Mids(series.ts[keep], series.mid2[keep])


def ledger_net(facts, mids):
    """Return net in half micro-USDC told without the package: cash, marks, fees, funding."""
    net = 0
    for row in facts.fills:
        last = int(mids[row.coin].mid2[-1])
        net += row.side * row.sz * (last - 2 * row.px) - 2 * row.fee
    return net + 2 * sum(event.usdc for event in facts.funding)


def check(facts, mids, net):
    """Assert what the residual test asserts."""
    total = attribute(facts, mids, net=net)[0].total
    assert abs(total.residual) <= BOUND
    assert total.explained() + total.residual == net


def test_the_world_is_explained_and_no_part_is_small():
    facts, mids, net = world()
    check(facts, mids, net)
    total = attribute(facts, mids, net=net)[0].total
    for name in (*PARTS, "fees", "rebates", "funding"):
        assert abs(getattr(total, name)) > 100 * BOUND, name


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_fills_left_out_or_doubled_is_seen(name, factor, monkeypatch):
    facts, mids, net = world()
    whole = attribution.with_basis

    def mutant(*arguments, **named):
        parts = whole(*arguments, **named)
        return parts._replace(**{name: factor * getattr(parts, name)})

    monkeypatch.setattr(attribution, "with_basis", mutant)
    with pytest.raises(AssertionError):
        check(facts, mids, net)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("name", ["fees", "rebates"])
def test_fees_or_rebates_left_out_or_doubled_are_seen(name, factor, monkeypatch):
    facts, mids, net = world()
    whole = attribution.with_basis

    def mutant(*arguments, **named):
        parts = whole(*arguments, **named)
        mine = parts.fee < 0 if name == "fees" else parts.fee > 0
        return parts._replace(fee=np.where(mine, factor * parts.fee, parts.fee))

    monkeypatch.setattr(attribution, "with_basis", mutant)
    with pytest.raises(AssertionError):
        check(facts, mids, net)


@pytest.mark.parametrize("factor", FACTORS)
def test_funding_left_out_or_doubled_is_seen(factor):
    facts, mids, net = world()
    changed = with_fills(facts, facts.fills, facts.funding * factor)
    with pytest.raises(AssertionError):
        check(changed, mids, net)


def terms():
    """Return the names that `Components.explained` adds up."""
    source = textwrap.dedent(inspect.getsource(Components.explained))
    return [node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("name", terms())
def test_a_term_of_the_sum_left_out_or_doubled_is_seen(name, factor, monkeypatch):
    facts, mids, net = world()
    whole = Components.explained

    def mutant(self):
        return whole(self) + (factor - 1) * getattr(self, name)

    monkeypatch.setattr(Components, "explained", mutant)
    total = attribute(facts, mids, net=net)[0].total
    assert abs(total.residual) > BOUND


def test_the_sum_has_every_part_once():
    assert sorted(terms()) == sorted([*PARTS, "fees", "rebates", "funding_known"])
