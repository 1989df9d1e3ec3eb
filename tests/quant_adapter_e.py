"""Reference cases of strategies and their judgement (group E) against names of the library.

Renames and arranges, computes nothing; see `tests/quant_adapter.py`.
"""

from collections.abc import Callable
from typing import Any

from hatmanifesto.signals import carry, funding, reversion, trend


def funding_rate(case: Any, rng: Any) -> Any:
    result = funding.funding_quote(
        impact_bid=case["impact_bid"],
        impact_ask=case["impact_ask"],
        oracle=case["oracle"],
        position=case["position_size"],
        interest_8h=case["interest_8h"],
    )
    return {
        "premium": result.premium,
        "rate_8h": result.rate_8h,
        "rate_1h": result.rate_1h,
        "payment_by_position": result.payment,
        "simple_apr": result.apr,
    }


def hedged_carry(case: Any, rng: Any) -> Any:
    result = carry.hedged_carry(
        case["hourly_funding"],
        notional=case["notional"],
        cost_bps=case["round_trip_cost_bps_all_legs"],
        financing_apr=case["borrow_or_opportunity_apr"],
        hours=case["hours"],
    )
    return {
        "gross": result.gross,
        "costs": result.costs,
        "financing": result.financing,
        "net": result.net,
        "net_apr_on_notional": result.net_apr,
        "breakeven_hours": result.breakeven_hours,
    }


def cross_section(case: Any, rng: Any) -> Any:
    result = carry.cross_section(case["funding"], case["volatility"], gross=case["gross"])
    return {"weights": result.weights, "expected_funding_income": result.income}


def mean_reversion(case: Any, rng: Any) -> Any:
    result = reversion.mean_reversion(case["x"], dt=case["dt"])
    return {
        "phi": result.phi,
        "half_life": result.half_life,
        "long_run_mean": result.centre,
        "stationary_std": result.deviation,
        "z_last": result.z,
    }


def momentum(case: Any, rng: Any) -> Any:
    rule = trend.VolTarget(
        decay=case["ewma_lambda"],
        initial=case["initial_variance"],
        target=case["target_annual_vol"],
        periods=case["periods_per_year"],
        cap=case["cap"],
    )
    result = trend.momentum(case["prices"], case["lookbacks"], rule)
    return {
        "signal": result.signal,
        "forecast_vol_annual": result.volatility,
        "position": result.position,
    }


ADAPTERS: dict[str, Callable[[Any, Any], Any]] = {
    "Hyperliquid funding rate and payment": funding_rate,
    "delta-neutral funding carry: net PnL and break-even": hedged_carry,
    "cross-sectional funding portfolio weights": cross_section,
    "premium mean-reversion: AR(1)/OU half-life and z-score": mean_reversion,
    "time-series momentum position": momentum,
}
