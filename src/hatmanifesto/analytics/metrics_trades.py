"""Figures of a run's closed trades."""

from typing import NamedTuple

import numpy as np

from hatmanifesto.analytics.bootstrap import intervals
from hatmanifesto.analytics.metric import Float64, Inputs, Metric, Range, figure, proportion
from hatmanifesto.analytics.metric import usdc_text as text
from hatmanifesto.analytics.ratios import deviation, share_of
from hatmanifesto.analytics.trade_statistics import trade_statistics
from hatmanifesto.domain.units import MICRO


class _Wins(NamedTuple):
    """Mean win and mean loss by row, and their scale; shape (m,)."""

    win: Float64
    loss: Float64
    scale: Float64


def trade_figures(inputs: Inputs) -> dict[str, Metric]:
    """Return the figures of trades from flat to flat."""
    pnl = np.array([trade.pnl for trade in inputs.trades], dtype=np.float64) / MICRO
    n = len(pnl)
    found = trade_statistics(pnl)
    spans = intervals(
        pnl,
        {
            "mean": lambda x: x.mean(axis=1),
            "factor": _profit_factors,
            "win": lambda x: _wins(x).win,
            "loss": lambda x: _wins(x).loss,
            "payoff": _payoffs,
            "sqn": _qualities,
        },
        seed=inputs.seed,
    )
    exact = sum(trade.pnl for trade in inputs.trades) / n / MICRO if n else None
    return {
        "trades": Metric(n, None, None, n, "flat-to-flat trades"),
        "win_rate": proportion(int((pnl > 0).sum()), n, "trades with a profit"),
        "profit_factor": figure(found.profit_factor, spans["factor"], n, "ratio"),
        "expectancy": _usdc(exact, spans["mean"], n),
        "win_mean": _usdc(_known(found.win_mean), spans["win"], n),
        "loss_mean": _usdc(_known(found.loss_mean), spans["loss"], n),
        "payoff": figure(found.payoff, spans["payoff"], n, "mean win over mean loss"),
        "sqn": figure(found.sqn, spans["sqn"], n, "sqrt(n) mean over deviation of trades"),
    }


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _usdc(value: float | None, span: Range, n: int) -> Metric:
    if value is None:
        return Metric(None, None, None, n, "USDC")
    low, high = (None, None) if span is None else (text(span[0]), text(span[1]))
    return Metric(text(value), low, high, n, "USDC")


def _profit_factors(pnl: Float64) -> Float64:
    gain = np.maximum(pnl, 0).sum(axis=1)
    loss = -np.minimum(pnl, 0).sum(axis=1)
    return share_of(gain, loss, np.abs(pnl).max(axis=1, initial=0.0))


def _wins(pnl: Float64) -> _Wins:
    scale = np.abs(pnl).max(axis=1, initial=0.0)
    wins = share_of(np.maximum(pnl, 0).sum(axis=1), (pnl > 0).sum(axis=1), 0 * scale)
    losses = share_of(np.minimum(pnl, 0).sum(axis=1), (pnl < 0).sum(axis=1), 0 * scale)
    return _Wins(wins, losses, scale)


def _payoffs(pnl: Float64) -> Float64:
    found = _wins(pnl)
    return share_of(found.win, -found.loss, found.scale)


def _qualities(pnl: Float64) -> Float64:
    scale = np.abs(pnl).max(axis=1, initial=0.0)
    return share_of(pnl.mean(axis=1) * np.sqrt(pnl.shape[1]), deviation(pnl), scale)
