"""Signals: causal functions of market state."""
