"""Stored data for people, as Arrow, polars, pandas or NumPy."""

from hatmanifesto.data.frame import Frame, load

__all__ = ["Frame", "load"]
