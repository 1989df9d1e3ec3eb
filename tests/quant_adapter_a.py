"""Reference cases of performance and attribution (group A) against names of the library.

Renames and arranges, computes nothing; see `tests/quant_adapter.py`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from hatmanifesto.analytics import drawdown, identity, sharpe_error, shortfall, summary
from hatmanifesto.analytics.trade_statistics import trade_statistics
from hatmanifesto.analytics.turnover import turnover_of

Inputs = Mapping[str, Any]
Rng = Any
PERIODS_A_YEAR = {"periods": "periods_per_year", "mar": "mar_per_period"}


def performance(case: Inputs, rng: Rng) -> Any:
    settings = {ours: case[theirs] for ours, theirs in PERIODS_A_YEAR.items() if theirs in case}
    result = summary.summarise(case["r"], **settings)
    return {
        "total_return": result.total,
        "cagr": result.growth,
        "ann_vol": result.volatility,
        "sharpe": result.sharpe,
        "downside_dev_per_period": result.downside,
        "sortino": result.sortino,
        "max_drawdown": result.fall.depth,
        "calmar": result.calmar,
        "skew": result.skew,
        "kurtosis": result.kurtosis,
        "tail_ratio": result.tail_ratio,
        "omega0": result.omega,
        "ulcer": result.ulcer,
        "peak_index": result.fall.peak,
        "trough_index": result.fall.trough,
        "recovery_index": result.fall.recovery,
        "longest_underwater": result.underwater,
    }


def deepest_fall(case: Inputs, rng: Rng) -> Any:
    result = drawdown.deepest(case["equity"])
    return {
        "depth": result.depth,
        "peak": result.peak,
        "trough": result.trough,
        "recovery": result.recovery,
        "peak_to_trough": result.fall_periods,
        "recovery_len": result.recovery_periods,
        "longest_underwater": drawdown.longest_underwater(case["equity"]),
    }


def ratio_error(case: Inputs, rng: Rng) -> Any:
    result = sharpe_error.sharpe_error(
        case["sharpe_per_period"], n=case["n"], skew=case["skew"], kurtosis=case["kurtosis"]
    )
    return {
        "se_iid_normal_div_n": result.normal,
        "se_nonnormal_div_n_minus_1": result.shaped,
        "se_nonnormal_div_n": result.shaped_n,
    }


def time_aggregation(case: Inputs, rng: Rng) -> Any:
    result = sharpe_error.aggregation_ar1(case["q"], case["rho1"])
    return {"eta": result.eta, "naive_sqrt_q": result.naive, "ratio_to_naive": result.share}


def adjusted_ratio(case: Inputs, rng: Rng) -> Any:
    result = sharpe_error.adjusted_sharpe(
        case["r"], q=case["q"], max_lag=case["max_lag_used"], hac_lags=case["hac_lags"]
    )
    named = {f"rho_{lag}": rho for lag, rho in enumerate(result.correlations.tolist(), start=1)}
    return {
        "sr_per_period": result.per_period,
        **named,
        "eta": result.eta,
        "annual_sr_naive": result.naive,
        "annual_sr_lo": result.adjusted,
        "hac_sr_population": result.hac.ratio,
        "hac_se": result.hac.error,
    }


def closed_trades(case: Inputs, rng: Rng) -> Any:
    result = trade_statistics(case["pnl"])
    return {
        "n": result.n,
        "win_rate": result.win_rate,
        "loss_rate": result.loss_rate,
        "profit_factor": result.profit_factor,
        "expectancy": result.expectancy,
        "avg_win": result.win_mean,
        "avg_loss": result.loss_mean,
        "payoff_ratio": result.payoff,
        "sqn": result.sqn,
    }


def _fills(case: Inputs) -> list[identity.PlainFill]:
    return [identity.PlainFill(**row) for row in case["fills"]]


def attribution(case: Inputs, rng: Rng) -> Any:
    horizons = case["horizons_s"]
    result = identity.identity_of(
        identity.mid_series(case["mid_times"], case["mid_prices"]),
        _fills(case),
        funding=[identity.PlainFunding(**row) for row in case["funding"]],
        start=case["initial_position"],
        end=case["T"],
        horizons=horizons,
    )
    names = [f"{horizon:g}s" for horizon in horizons]
    adverse = zip(names, result.adverse, strict=True)
    residual = zip(names, result.residual, strict=True)
    return {
        "total": result.total,
        "spread_capture": result.spread,
        "price_pnl": result.price,
        "fees": result.fees,
        "funding": result.funding,
        "slippage_vs_arrival": result.slippage,
        "timing": result.timing,
        "final_position": result.position,
        **{f"adverse_selection_{name}": value for name, value in adverse},
        **{f"residual_price_{name}": value for name, value in residual},
    }


def markouts(case: Inputs, rng: Rng) -> Any:
    result = identity.markouts_of(
        identity.mid_series(case["mid_times"], case["mid_prices"]),
        _fills(case),
        horizons=case["horizons_s"],
    )
    return {"per_fill_bps": result.fills, "notional_weighted_bps": result.weighted}


def perold(case: Inputs, rng: Rng) -> Any:
    order = shortfall.ParentOrder(
        side=case["side"],
        qty=case["order_qty"],
        decision_px=case["decision_px"],
        arrival_px=case["arrival_px"],
        end_px=case["end_px"],
    )
    fills = [shortfall.OrderFill(*row) for row in case["fills_qty_px_fee"]]
    result = shortfall.shortfall_of(order, fills)
    return {
        "delay": result.delay,
        "execution": result.execution,
        "opportunity": result.opportunity,
        "fees": result.fees,
        "total": result.total,
        "bps_of_decision_notional": result.bps,
        "paper_minus_real": result.paper_less_real,
    }


def turnover(case: Inputs, rng: Rng) -> Any:
    result = turnover_of(
        case["target_weights"],
        case["weights_before_rebalance"],
        periods=case["periods_per_year"],
    )
    return {
        "two_sided_per_period": result.two_sided,
        "two_sided_annual": result.two_sided_annual,
        "one_sided_annual": result.one_sided_annual,
        "avg_gross": result.gross_mean,
        "avg_net": result.net_mean,
        "max_gross": result.gross_max,
        "time_in_market": result.held,
    }


ADAPTERS: dict[str, Callable[[Any, Any], Any]] = {
    "performance summary from a return series": performance,
    "edge cases of the performance summary": performance,
    "maximum drawdown with dates and durations": deepest_fall,
    "standard error of a per-period Sharpe ratio": ratio_error,
    "Lo (2002) time-aggregation factor for AR(1) returns": time_aggregation,
    "autocorrelation-adjusted Sharpe (Lo) and HAC standard error": adjusted_ratio,
    "trade statistics from closed-trade PnL": closed_trades,
    (
        "perp PnL attribution (spread, adverse selection, price, fees, funding, slippage)"
    ): attribution,
    "markouts in bps at fixed horizons": markouts,
    "implementation shortfall (Perold) with components": perold,
    "turnover and exposure": turnover,
}
