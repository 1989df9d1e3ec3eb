"""Strategies: what they want to have, never what to send."""
