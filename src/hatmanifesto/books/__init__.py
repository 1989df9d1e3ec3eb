"""Books: pure folds over events."""
