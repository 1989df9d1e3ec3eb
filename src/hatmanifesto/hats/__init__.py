"""Hats: nine roles that may refuse and give evidence."""
