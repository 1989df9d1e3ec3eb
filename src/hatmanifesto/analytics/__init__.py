"""Analytics: measurements of what happened."""
