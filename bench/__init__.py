"""Benchmarks of hatmanifesto: each claim of speed, measured here and against a peer."""
