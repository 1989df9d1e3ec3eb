"""A perpetual account in exact fractions of USDC and coins, written from the venue's rules alone.

Fees are truncated toward zero to a millionth of USDC; closed profit is against the average entry;
funding is minus signed size times oracle price times rate, truncated likewise.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import trunc

MILLION = 10**6
TAKER = Fraction(45, 100_000)
MAKER = Fraction(15, 100_000)


def cut(amount: Fraction) -> Fraction:
    """Return ``amount`` truncated toward zero to six decimals."""
    return Fraction(trunc(amount * MILLION), MILLION)


@dataclass
class FractionLedger:
    """``cash`` in USDC, fees and funding included; ``entry`` the average price of the position."""

    cash: Fraction
    position: Fraction = Fraction(0)
    entry: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)
    funding: Fraction = Fraction(0)
    closed: list[Fraction] = field(default_factory=list)

    def fill(self, *, side: str, px: Fraction, sz: Fraction, role: str) -> Fraction:
        """Fold one fill and return its fee."""
        sign = 1 if side == "buy" else -1
        fee = cut(px * sz * (TAKER if role == "taker" else MAKER))
        shut = min(sz, abs(self.position)) if sign * self.position < 0 else Fraction(0)
        self.closed.append(-sign * shut * (px - self.entry))
        opened = sz - shut
        after = self.position + sign * sz
        if opened and shut < sz:
            kept = Fraction(0) if shut else abs(self.position)
            self.entry = (kept * self.entry + opened * px) / (kept + opened)
        if not after:
            self.entry = Fraction(0)
        self.position = after
        self.cash -= sign * px * sz + fee
        self.fees += fee
        return fee

    def fund(self, *, oracle: Fraction, rate: Fraction) -> Fraction:
        """Fold a funding hour and return what was received."""
        usdc = cut(-self.position * oracle * rate)
        self.cash += usdc
        self.funding += usdc
        return usdc
