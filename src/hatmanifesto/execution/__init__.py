"""Execution: from desired quotes to commands."""
