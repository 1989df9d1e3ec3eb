"""Engine: one synchronous, deterministic step."""
