"""The library's formulas of the venue, by the venue's own examples and against recorded reality."""

import json
from collections.abc import Callable

import pytest

from hatmanifesto.books import average_cost, venue_fees, venue_funding, venue_margin
from hatmanifesto.books.ledger import Ledger
from hatmanifesto.domain.asset import Asset, MarginTier, maintenance_of, maintenance_tiers
from hatmanifesto.domain.units import NS_HOUR
from hatmanifesto.simex.account import Account
from hatmanifesto.simex.funding import FundingClock
from tests.conftest import ROOT
from tests.fidelity import __main__ as command
from tests.fidelity import sources, table
from tests.fidelity.claim import Claim, Misfit, Placebo

BTC = Asset(
    "BTC",
    0,
    5,
    (MarginTier(0, 40), MarginTier(10_000_000_000, 25), MarginTier(50_000_000_000, 10)),
)
"""The testnet's BTC of PROTOCOL 15.2, bounds in micro-USDC."""


@pytest.mark.parametrize(
    ("premium", "rate"),
    [
        (0, 12_500_000),  # the interest alone
        (600_000_000, 12_500_000),  # the last premium inside the dead band
        (-400_000_000, 12_500_000),
        (-433_403_200, 8_324_600),  # ETH 2025-08-07 00:00, recorded 0.0000083246
        (1_000_000_000_000, 40_000_000_000),  # the cap
        (-1_000_000_000_000, -40_000_000_000),
    ],
)
def test_the_rate_follows_the_premium(premium: int, rate: int) -> None:
    assert venue_funding.funding_rate(premium) == rate


def test_funding_is_paid_alike_by_the_simulated_exchange() -> None:
    asset = Asset("BTC", 0, 5, (MarginTier(0, 40),))
    account = Account("a", assets=(asset,), cash=0)
    clock = FundingClock([True])
    for szi in (31, -31, 100_003):
        account.positions[0] = szi
        list(clock.cross(clock.hour_next or 1, {"a": account}))
        list(clock.cross(clock.hour_next, {"a": account}))
        row = (0, 0, NS_HOUR, 0, 125_000, 1, 0, 0, -1)
        paid = clock.settle(row, oracle=644_001_000_000_000, px_one=10)
        expected = venue_funding.funding_payment(szi * 1000, 644_001_000_000_000, 12_500_000)
        assert [fact.usdc for _, fact in paid] == [expected]


def test_the_list_of_rates_is_short_and_each_is_derived() -> None:
    assert len(venue_fees.RATES) <= 60
    assert len({(row.role, row.rate) for row in venue_fees.RATES}) == len(venue_fees.RATES)
    for row in venue_fees.RATES:
        if row.rate > 0:
            bases = venue_fees.TAKER_BASES if row.role == "taker" else venue_fees.MAKER_BASES
            assert row.base in bases
            assert row.staking in venue_fees.STAKING
            assert row.referral in (0, venue_fees.REFERRAL)
            discounts = {"staking": row.staking, "referral": row.referral}
            assert row.rate == venue_fees.discounted(row.base, **discounts)
        else:
            assert row.rate in (0, *venue_fees.REBATES)


def test_a_builders_dex_scales_what_is_charged_and_not_what_is_given() -> None:
    assert venue_fees.builder_dex_rate(4_500_000, scale=100) == 9_000_000
    assert venue_fees.builder_dex_rate(4_500_000, scale=50) == 6_750_000
    assert venue_fees.builder_dex_rate(-300_000, scale=100) == -300_000


def test_both_parts_of_a_fee_are_cut_on_their_own() -> None:
    notional = 10_472_959
    assert venue_fees.exchange_fee(notional, 4_500_000) == 4712
    assert venue_fees.exchange_fee(notional, -300_000) == -314
    assert venue_fees.builder_fee(notional, 25) == 2618


@pytest.mark.parametrize(
    ("is_buy", "is_rebate", "is_base"),
    [(True, False, True), (False, False, False), (True, True, False), (False, True, True)],
)
def test_a_spot_fee_is_told_in_the_token_received_and_a_rebate_in_the_other(
    is_buy: bool, is_rebate: bool, is_base: bool
) -> None:
    assert venue_fees.is_fee_in_base(is_buy=is_buy, is_rebate=is_rebate) == is_base


def test_closed_profit_is_against_the_truncated_entry_price() -> None:
    ledger = Ledger()
    for px, sz in ((736_132, 15), (736_133, 16)):  # SOL, four decimals: the mean is not on them
        assert average_cost.fold_closed(ledger, side=-1, px=px, sz=sz) == 0
    assert average_cost.entry_px(ledger.cost, ledger.position) == 736_132
    assert average_cost.fold_closed(ledger, side=1, px=746_720, sz=15) == -158_820
    assert average_cost.fold_closed(ledger, side=1, px=746_720, sz=20) == -169_408
    assert ledger.position == 4  # the flip closed sixteen and opened four


def test_reductions_do_not_move_the_entry_price() -> None:
    ledger = Ledger()
    average_cost.fold_closed(ledger, side=1, px=1_000_003, sz=7)
    for _ in range(6):
        assert average_cost.fold_closed(ledger, side=-1, px=1_000_004, sz=1) == 1


@pytest.mark.parametrize("szi", [1_000_000, -1_000_000, 40_000_000, -40_000_000, -600_000_000])
@pytest.mark.parametrize("available", [0, 5_000_000, 900_000_000, 7_000_000_000])
def test_at_the_liquidation_price_equity_is_maintenance(szi: int, available: int) -> None:
    tiers = maintenance_tiers(BTC)
    mark = 64_000 * venue_margin.PX_ONE
    px = venue_margin.liquidation_px(szi, mark, available, tiers)
    if px is None:
        assert szi > 0  # only a long may be worth more than it can lose
        return
    own = maintenance_of(venue_margin.position_value(szi, mark), tiers)
    equity = available + own + szi * (px - mark) // venue_margin.MICRO_PER
    needed = maintenance_of(venue_margin.position_value(szi, px), tiers)
    assert abs(equity - needed) <= 3


def test_what_may_leave_keeps_a_tenth_of_notional_and_the_orders_margin() -> None:
    recorded = {"cross_value": 27_238_902, "margin_used": 12_783_463, "notional": 244_392_280}
    assert venue_margin.withdrawable(**recorded, orders=2_740_081) == 59_593
    assert venue_margin.withdrawable(**recorded, orders=3_000_000) == 0


def a_claim(*, is_met: bool, has_failed: bool) -> Claim:
    return Claim(
        name="a",
        checked=2,
        equal=1,
        not_checkable={"no candle": 3},
        misfits=(Misfit("kind", "row 1", "1 is not 2"),),
        notes=("a note",),
        target="all",
        is_met=is_met,
        placebos=(Placebo("wrong", "0 of 2", has_failed),),
        source=("file",),
    )


@pytest.mark.parametrize(
    ("is_met", "has_failed", "status"), [(True, True, 0), (False, True, 1), (True, False, 1)]
)
def test_the_command_fails_on_a_missed_target_and_on_a_placebo_that_passes(
    *,
    is_met: bool,
    has_failed: bool,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def checked() -> list[Claim]:
        return [a_claim(is_met=is_met, has_failed=has_failed)]

    monkeypatch.setattr(command, "CHECKS", (checked,))
    monkeypatch.setattr(sources, "missing", lambda: "")
    assert command.main(["--json"]) == status
    shown = json.loads(capsys.readouterr().out)
    assert shown["passed"] == (status == 0)
    assert shown["claims"][0]["misfit_classes"] == {"kind": 1}
    assert command.main([]) == status
    assert command.main(["no such claim"]) == 1


def test_without_recordings_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sources, "missing", lambda: "data: no recorded data at x")
    assert command.main([]) == 2
    assert "no recorded data" in capsys.readouterr().err


@pytest.fixture(scope="module")
def measured() -> list[Claim]:
    """Return every claim, checked on the recordings."""
    if reason := sources.missing():
        pytest.skip(reason)
    return command.run()


@pytest.mark.slow
@pytest.mark.parametrize("check", command.CHECKS, ids=lambda check: check.__module__)
def test_claims_hold_and_their_placebos_fail(check: Callable[[], list[Claim]]) -> None:
    if reason := sources.missing():
        pytest.skip(reason)
    for claim in check():
        assert claim.is_met, table.details(claim)
        assert claim.placebo_failed, table.details(claim)


@pytest.mark.slow
def test_the_document_shows_what_is_measured(measured: list[Claim]) -> None:
    document = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
    assert table.markdown(measured) in document
