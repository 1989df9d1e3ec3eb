"""Distribution functions that the standard library lacks: normal and Student's t."""

import math

DEPTH = 500
"""Terms of the continued fraction; it settles in about the square root of the larger parameter."""


def normal_cdf(x: float) -> float:
    """Return P(Z <= x) of a standard normal."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def student_cdf(x: float, nu: float) -> float:
    """Return P(T <= x) of Student's t with ``nu`` > 0 degrees of freedom.

    Source: the regularised incomplete beta function, I_{nu/(nu+x^2)}(nu/2, 1/2) / 2 in the tail.
    """
    if not nu > 0:
        raise ValueError(f"expected nu > 0, was {nu!r}")
    tail = 0.5 * _beta_share(nu / (nu + x * x), 0.5 * nu, 0.5, rest=x * x / (nu + x * x))
    return tail if x < 0 else 1.0 - tail


def _beta_share(x: float, a: float, b: float, *, rest: float) -> float:
    """Return the regularised incomplete beta I_x(a, b), with ``rest`` = 1 - x."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _beta_share(rest, b, a, rest=x)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    front = math.exp(a * math.log(x) + b * math.log(rest) - log_beta)
    return front / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d1/(1 + d2/(1 + ...)) of the incomplete beta, from the deepest term outward."""
    value = 1.0
    for i in range(DEPTH, 0, -1):
        m, odd = divmod(i, 2)
        upper = -(a + m) * (a + b + m) if odd else m * (b - m)
        lower = (a + i) * (a + i - 1)
        value = 1.0 + upper * x / lower / value
    return value
