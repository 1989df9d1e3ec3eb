"""Fidelity against reality: library formulas against what the venue recorded, with placebos."""
