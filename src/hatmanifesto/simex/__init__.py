"""Simulated exchange: clearing and matchers."""
