"""Venue: talking to Hyperliquid. Sans-I/O parts first, thin transports beside them."""
