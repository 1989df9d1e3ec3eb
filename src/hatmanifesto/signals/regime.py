"""Market regime of one coin: calm or wild, falling, flat or rising; causal by construction.

Theory of operation. Log returns of the mid are sampled at most once a step. A fast and a slow EWMA
of their squares say whether the market is wild (fast well above slow); an EWMA of the returns over
its own standard error says whether it trends. Both switches have hysteresis, so that the label does
not flicker. Nothing is ever revised: the label of a moment is what was stored at that moment.
Source: EWMA volatility as in RiskMetrics (1996); QUANT F.2 for hysteresis.
"""

import math

REGIMES = (
    "unknown",
    "calm falling",
    "calm flat",
    "calm rising",
    "wild falling",
    "wild flat",
    "wild rising",
)
"""Names of the labels, by number."""

WILD = 4
"""Labels from here on are wild."""

STEP_NS = 60 * 10**9
"""Least time between two samples; bars longer than this are sampled one by one [ns]."""
STEPS_SILENT_MAX = 10
"""A return over more steps than this, across a hole, is left out."""
STEPS_MIN = 30
"""Samples before the first label."""
DECAY_FAST = 0.94
DECAY_SLOW = 0.99
WILD_ENTER = 1.5
WILD_LEAVE = 1.2
"""Ratio of fast to slow volatility at which a market becomes wild, and calm again."""
TREND_ENTER = 1.5
TREND_LEAVE = 0.75
"""Standard errors of the mean return at which a trend begins, and ends."""

TREND_ERROR = math.sqrt((1.0 - DECAY_FAST) / (1.0 + DECAY_FAST))
"""Standard error of an EWMA of white noise, in standard deviations of the noise."""


def label_of(*, is_wild: bool, trend: int) -> int:
    """Return the number of a label; ``trend`` is -1, 0 or 1."""
    return (WILD if is_wild else 1) + 1 + trend


class RegimeTrack:
    """The regime of one coin; ``label`` indexes ``REGIMES``, 0 until enough was seen.

    Before ``next`` [ns] nothing is sampled.
    """

    __slots__ = ("at", "fast", "label", "mean", "mid2", "next", "slow", "steps", "stride")

    def __init__(self) -> None:
        self.at = 0
        self.next = 0
        self.mid2 = 0
        self.fast = 0.0
        self.slow = 0.0
        self.mean = 0.0
        self.steps = 0
        self.stride = 0
        self.label = 0

    def observe(self, now: int, mid2: int) -> int:
        """Fold the mid of ``now`` if a step has passed, and return the label.

        Args:
            now: our time, never falling [ns].
            mid2: bid plus ask, > 0 [half px units].
        """
        if now < self.next:
            return self.label
        passed = now - self.at
        before = self.mid2
        self.at = now
        self.next = now + STEP_NS
        self.mid2 = mid2
        if not before:
            return self.label
        is_silent = self.stride and passed > STEPS_SILENT_MAX * self.stride
        self.stride = passed if not self.stride else min(self.stride, passed)
        if is_silent:
            return self.label
        self._fold(math.log(mid2 / before))
        return self.label

    def _fold(self, move: float) -> None:
        square = move * move
        if not self.steps:
            self.fast = self.slow = square
        self.fast += (1.0 - DECAY_FAST) * (square - self.fast)
        self.slow += (1.0 - DECAY_SLOW) * (square - self.slow)
        self.mean += (1.0 - DECAY_FAST) * (move - self.mean)
        self.steps += 1
        if self.steps >= STEPS_MIN:
            self.label = label_of(is_wild=self._is_wild(), trend=self._trend())

    def _is_wild(self) -> bool:
        edge = WILD_LEAVE if self.label >= WILD else WILD_ENTER
        return self.slow > 0.0 and self.fast > edge * edge * self.slow

    def _trend(self) -> int:
        if not self.fast > 0.0:
            return 0
        score = self.mean / (math.sqrt(self.fast) * TREND_ERROR)
        before = (self.label - 1) % 3 - 1 if self.label else 0
        edge = TREND_LEAVE if score * before > 0 else TREND_ENTER
        if score > edge:
            return 1
        return -1 if score < -edge else 0

    def dump(self) -> list[float]:
        """Return the plain content, for snapshots."""
        return [getattr(self, name) for name in self.__slots__]

    def load(self, content: list[float]) -> None:
        """Take the content that ``dump`` returned."""
        for name, value in zip(self.__slots__, content, strict=True):
            setattr(self, name, value)
