"""Names of reference cases against names of the library: renames and arranges, computes nothing.

A test reads the syntax tree of this file and refuses arithmetic, float literals and any import that
could compute. Each adapter takes the inputs of a case and a random generator for simulations.
"""

from collections.abc import Callable, Mapping
from typing import Any

from hatmanifesto.domain.enums import Side
from hatmanifesto.execution.cost import Route, route_cost, sweep_book
from hatmanifesto.signals import (
    almgren_chriss,
    book,
    hawkes,
    impact,
    intensity,
    microprice,
    quoting,
    quoting_simulation,
    spreads,
    toxicity,
)
from hatmanifesto.simex import queue
from tests.quant_adapter_a import ADAPTERS as PERFORMANCE
from tests.quant_adapter_e import ADAPTERS as STRATEGIES

Inputs = Mapping[str, Any]
Rng = Any
PATHS = 20_000


def _column(rows: Any, name: str) -> list[Any]:
    return [row[name] for row in rows]


def trade_spreads(case: Inputs, rng: Rng) -> Any:
    rows = case["trades"]
    result = spreads.trade_spreads(
        bid=_column(rows, "bid"),
        ask=_column(rows, "ask"),
        px=_column(rows, "px"),
        side=_column(rows, "side"),
        sz=_column(rows, "qty"),
        mid_after=_column(rows, "mid_after"),
    )
    return {
        "rows_quoted_effective_realised_impact_bps": result.rows,
        "notional_weighted": result.weighted,
    }


def order_flow(case: Inputs, rng: Rng) -> Any:
    result = book.order_flow_imbalance(
        bid_px=case["bid_px"],
        bid_sz=case["bid_sz"],
        ask_px=case["ask_px"],
        ask_sz=case["ask_sz"],
    )
    return {"events": result.events, "ofi_total": result.total}


def queue_imbalance(case: Inputs, rng: Rng) -> Any:
    result = book.queue_imbalance(
        bid_px=case["bid"], bid_sz=case["bid_sz"], ask_px=case["ask"], ask_sz=case["ask_sz"]
    )
    return {
        "imbalance_0_1": result.share,
        "imbalance_pm1": result.signed,
        "weighted_mid": result.weighted_mid,
        "mid": result.mid,
        "weighted_minus_mid_bps": result.lean_bps,
    }


def micro_price(case: Inputs, rng: Rng) -> Any:
    result = microprice.microprice_chain(
        stay=case["Q"], move=case["R1"], steps=case["K"], land=case["R2"]
    )
    return {
        "G1": result.first,
        "B": result.transition,
        "G_6_moves": result.after_moves,
        "G_limit": result.limit,
    }


def kyle(case: Inputs, rng: Rng) -> Any:
    result = impact.kyle_lambda(moves=case["dp"], signed_volume=case["sv"])
    return {
        "lambda": result.slope,
        "intercept": result.intercept,
        "t_stat": result.t_stat,
        "r_squared": result.r_squared,
    }


def vpin(case: Inputs, rng: Rng) -> Any:
    shares = toxicity.buy_shares(
        case["price_changes"], sigma=case["sigma_dp"], nu=case.get("student_nu")
    )
    values = toxicity.vpin(shares, case["volumes"], window=case["window_buckets"])
    return {"buy_fraction": shares, "vpin": values}


def volume_buckets(case: Inputs, rng: Rng) -> Any:
    result = toxicity.volume_buckets(case["prices"], case["volumes"], bucket=case["bucket_volume"])
    return {
        "n_buckets": len(result.bought),
        "bucket_buy_volume": result.bought,
        "sigma_dp": result.sigma,
    }


def hawkes_process(case: Inputs, rng: Rng) -> Any:
    result = hawkes.hawkes_fit(
        case["event_times"],
        end=case["T"],
        base=case["mu"],
        jump=case["alpha_jump"],
        decay=case["beta_decay"],
    )
    return {
        "intensity_before_events": result.intensity,
        "loglik": result.loglik,
        "compensator_T": result.compensator,
        "residual_interarrivals": result.residuals,
        "branching_ratio": result.branching,
        "stationary_rate": result.rate,
    }


def square_root(case: Inputs, rng: Rng) -> Any:
    result = impact.square_root_impact(
        coefficient=case["Y"],
        sigma=case["daily_sigma"],
        sz=case["order_qty"],
        volume=case["daily_volume"],
    )
    return {"impact_fraction": result.peak, "average_cost_fraction_2_3": result.average}


def direct_impact(case: Inputs, rng: Rng) -> Any:
    result = impact.direct_impact(
        sz=case["X"],
        volume=case["V"],
        outstanding=case["Theta"],
        sigma=case["sigma_daily"],
        time=case["T_days"],
    )
    return {
        "permanent_I_bps": result.permanent,
        "temporary_K_bps": result.temporary,
        "expected_cost_J_bps": result.cost,
    }


def optimal_execution(case: Inputs, rng: Rng) -> Any:
    program = almgren_chriss.Program(
        sz=case["X"],
        time=case["T"],
        slices=case["N"],
        sigma=case["sigma"],
        eta=case["eta"],
        gamma=case["gamma"],
        epsilon=case["epsilon"],
    )
    result = almgren_chriss.optimal_schedule(program, aversion=case["lambda"])
    even = almgren_chriss.optimal_schedule(program, aversion=0)
    return {
        "holdings": result.holdings,
        "trades": result.trades,
        "expected_cost": result.cost,
        "variance": result.variance,
        "kappa": result.kappa,
        "kappa_tilde": result.kappa_tilde,
        "half_life": result.half_life,
        "objective": result.objective,
        "twap_expected_cost": even.cost,
        "twap_variance": even.variance,
    }


def _market(case: Inputs) -> quoting.Market:
    return quoting.Market(
        gamma=case["gamma"],
        sigma=case["sigma"],
        k=case["k"],
        intensity=case["A"],
        adverse=case.get("adverse_selection_xi", 0),
    )


def reservation(case: Inputs, rng: Rng) -> Any:
    result = quoting.reservation_quotes(
        _market(case), mid=case["mid"], q=case["inventory"], time_left=case["time_left"]
    )
    return {
        "reservation": result.price,
        "spread": result.spread,
        "bid": result.bid,
        "ask": result.ask,
        "delta_ask": result.delta_ask,
        "delta_bid": result.delta_bid,
        "fill_rate_ask": result.rate_ask,
        "fill_rate_bid": result.rate_bid,
    }


def glft(case: Inputs, rng: Rng) -> Any:
    market, held = _market(case), case["inventories"]
    far = quoting.asymptotic_quotes(market, inventories=held, q_max=case["Q"])
    near = quoting.horizon_quotes(
        market, inventories=held, q_max=case["Q"], time_left=case["time_left"]
    )
    closed = quoting.closed_form_quotes(market, inventories=held)
    alpha, eta = quoting.glft_terms(market)
    names = [str(q) for q in held]
    return {
        "delta_bid_asymptotic": dict(zip(names, far.bid.tolist(), strict=True)),
        "delta_ask_asymptotic": dict(zip(names, far.ask.tolist(), strict=True)),
        "delta_bid_at_time_left": dict(zip(names, near.bid.tolist(), strict=True)),
        "delta_ask_at_time_left": dict(zip(names, near.ask.tolist(), strict=True)),
        "delta_bid_closed_form": dict(zip(names, closed.bid.tolist(), strict=True)),
        "delta_ask_closed_form": dict(zip(names, closed.ask.tolist(), strict=True)),
        "eta": eta,
        "alpha": alpha,
    }


def maker_simulation(case: Inputs, rng: Rng) -> Any:
    rules = {
        "inventory": quoting_simulation.Rule.INVENTORY,
        "symmetric": quoting_simulation.Rule.SYMMETRIC,
        "symmetric with the average inventory spread": quoting_simulation.Rule.SYMMETRIC,
    }
    setting = quoting_simulation.Setting(
        price=case["s0"], q=case["q0"], horizon=case["T"], step=case["dt"], paths=PATHS
    )
    result = quoting_simulation.simulate_maker(
        _market(case), setting, rule=rules[case["strategy"]], rng=rng
    )
    return {
        "average_spread": result.average_spread,
        "mean_profit": result.profit_mean,
        "std_profit": result.profit_std,
        "std_final_q": result.q_std,
    }


def fill_probability(case: Inputs, rng: Rng) -> Any:
    chance = intensity.fill_chance(
        intensity=case["A"], k=case["k"], delta=case["delta"], tau=case["tau"]
    )
    result = {
        "intensity": chance.intensity,
        "fill_probability": chance.probability,
        "expected_wait": chance.wait_mean,
    }
    if "units_ahead" in case:
        result["queue_fill_probability"] = intensity.queue_fill_chance(
            units_ahead=case["units_ahead"], unit_rate=case["unit_trade_rate"], tau=case["tau"]
        )
    return result


def queue_position(case: Inputs, rng: Rng) -> Any:
    model = queue.QueueModel(kind=case["model"], exponent=case.get("n", 1))
    fronts = queue.follow_queue(case["initial_level_qty"], case["events"], model=model)
    return {
        "front_qty_after_each_event": fronts,
        "filled_when_front_below_zero": [queue.is_reached(front) for front in fronts],
    }


def maker_or_taker(case: Inputs, rng: Rng) -> Any:
    result = route_cost(
        Route(
            half_spread=case["half_spread_bps"],
            taker_fee=case["taker_fee_bps"],
            maker_fee=case["maker_fee_bps"],
            fill_chance=case["fill_prob"],
            adverse=case["adverse_selection_bps"],
            drift=case["drift_if_unfilled_bps"],
        )
    )
    return {
        "taker": result.taker,
        "maker": result.maker,
        "breakeven_fill_prob": result.break_even,
        "choose": result.choose,
    }


def roll(case: Inputs, rng: Rng) -> Any:
    result = book.roll_spread(case["prices"])
    return {"spread": result.spread, "autocov": result.autocov}


def next_move(case: Inputs, rng: Rng) -> Any:
    up = book.next_move_up(bid_queue=case["bid_queue"], ask_queue=case["ask_queue"])
    return {"prob_up": up}


def sweep(case: Inputs, rng: Rng) -> Any:
    buying = "ask_levels" in case
    levels = case["ask_levels"] if buying else case["bid_levels"]
    side = Side.BUY if buying else Side.SELL
    result = sweep_book(levels, sz=case["qty"], mid=case["mid"], side=side)
    return {
        "filled": result.filled,
        "vwap": result.vwap,
        "slippage_bps": result.slippage,
        "worst_price": result.px_worst,
        "unfilled": result.unfilled,
    }


def calibration(case: Inputs, rng: Rng) -> Any:
    result = intensity.calibrate(
        depths=case["depths"], counts=case["counts"], time=case["observation_time"]
    )
    return {
        "A_log_ols": result.intensity_ols,
        "k_log_ols": result.k_ols,
        "A_poisson_mle": result.intensity_mle,
        "k_poisson_mle": result.k_mle,
    }


ADAPTERS: dict[str, Callable[[Any, Any], Any]] = {
    "quoted, effective, realised spread and price impact": trade_spreads,
    "order-flow imbalance (best level)": order_flow,
    "queue imbalance and weighted mid": queue_imbalance,
    "micro-price adjustment (Stoikov Markov chain)": micro_price,
    "Kyle's lambda (price-impact regression)": kyle,
    "VPIN with bulk volume classification": vpin,
    "equal-volume bucketing of time bars with bulk classification": volume_buckets,
    (
        "Hawkes process (exponential kernel): intensity, log-likelihood, compensator residuals"
    ): hawkes_process,
    "square-root impact": square_root,
    "Almgren et al. (2005) direct impact estimate": direct_impact,
    "Almgren-Chriss optimal execution (discrete)": optimal_execution,
    "Avellaneda-Stoikov reservation price and quotes": reservation,
    ("Gueant-Lehalle-Fernandez-Tapia quotes (exact, asymptotic, closed-form approximation)"): glft,
    "Avellaneda-Stoikov simulation statistics": maker_simulation,
    "limit-order fill probability": fill_probability,
    "queue-position model (hftbacktest)": queue_position,
    "maker versus taker expected cost": maker_or_taker,
    "Roll implied spread": roll,
    (
        "probability the next mid move is up given queue sizes (Cont-de Larrard, balanced)"
    ): next_move,
    "taker sweep of a book: VWAP and slippage": sweep,
    "calibration of the fill intensity A exp(-k delta)": calibration,
    **PERFORMANCE,
    **STRATEGIES,
}
