"""Risk: limits and exposure."""
