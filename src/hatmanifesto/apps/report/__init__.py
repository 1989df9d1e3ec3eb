"""The report of a run: one HTML page that opens offline and whose bytes repeat."""

from hatmanifesto.apps.report.page import render_report

__all__ = ["render_report"]
