"""The command line: `hat`."""

from hatmanifesto.cli.main import main

__all__ = ["main"]
