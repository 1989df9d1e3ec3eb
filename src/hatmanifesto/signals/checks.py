"""Entry checks of the formulas: what is not a number raises, the caller decides what to drop."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Vector = Sequence[float] | Floats


def require_finite(values: Mapping[str, float]) -> None:
    """Refuse NaN and infinity among named scalars.

    Raises:
        ValueError: names the first value that is not finite.
    """
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"expected {name} to be finite, was {value!r}")


def require_positive(values: Mapping[str, float]) -> None:
    """Refuse what is not a finite number above zero among named scalars.

    Raises:
        ValueError: names the first value that is not.
    """
    require_finite(values)
    for name, value in values.items():
        if value <= 0:
            raise ValueError(f"expected {name} > 0, was {value!r}")


def require_not_negative(values: Mapping[str, float]) -> None:
    """Refuse what is not a finite number of zero or more among named scalars.

    Raises:
        ValueError: names the first value that is not.
    """
    require_finite(values)
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"expected {name} >= 0, was {value!r}")


def finite_array(name: str, values: object, *, ndim: int = 1) -> Floats:
    """Return ``values`` as a float64 array of ``ndim`` dimensions without NaN or infinity.

    Raises:
        ValueError: if the shape or a value is not as expected.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0 and array.ndim == 1:
        array = array.reshape((0,) * ndim)
    if array.ndim != ndim:
        raise ValueError(f"expected {name} to have {ndim} dimensions, was shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"expected {name} to be finite throughout, was {array.tolist()!r}")
    return array


def same_length(arrays: Mapping[str, Floats]) -> int:
    """Return the common length of named arrays.

    Raises:
        ValueError: if their lengths differ.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"expected equal lengths, was {lengths}")
    return next(iter(lengths.values()), 0)
