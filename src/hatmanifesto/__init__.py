"""Hat Manifesto: a trading house for the Hyperliquid exchange."""

__version__ = "0.1.0"
