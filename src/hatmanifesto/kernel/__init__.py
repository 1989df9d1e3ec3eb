"""Kernel: numba twins of the hot parts."""
