"""Shows how far long work is, on one line of standard error, only where somebody watches."""

import sys
from collections.abc import Callable

BAR_WIDTH = 30
STEPS = 200


def progress_line(label: str) -> Callable[[float], None] | None:
    """Return a function that draws a fraction in [0, 1], None when nobody watches."""
    if not sys.stderr.isatty():
        return None
    drawn = -1

    def draw(fraction: float) -> None:
        nonlocal drawn
        step = int(min(max(fraction, 0.0), 1.0) * STEPS)
        if step == drawn:
            return
        drawn = step
        filled = step * BAR_WIDTH // STEPS
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        end = "\r" + " " * (len(label) + BAR_WIDTH + 12) + "\r" if step == STEPS else ""
        sys.stderr.write(f"\r{label} [{bar}] {step * 100 // STEPS:3d} %{end}")
        sys.stderr.flush()

    return draw
