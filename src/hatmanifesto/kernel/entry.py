"""The entry of a compiled decision: one signature for every strategy, whatever its parameters.

Theory of operation. The compiled loop must not know a strategy, or it would be compiled again for
each. So it calls every decision through a small function of flat arrays, whose source is written
here from the field names: it builds Params and View, calls ``decide`` and stores the quotes. That
text is all that is generated; ``decide`` itself is compiled as it stands.
"""

from collections.abc import Sequence
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.kernel.reach import is_named_tuple

ENTRY_MODULE = __name__
ENTRY_NAME = "entry"
EXACT_MAX = 2**53
"""Largest magnitude up to which a float64 holds every integer."""

HEAD = '''"""Entry of a compiled decision: generated, not to be edited; may go with its folder."""


def entry(p, v, m, out):
    """Decide once: parameters, view fields, memory, and where the quotes go."""
    params = Params({params})
    view = View({view})
    quotes = decide(params, view, m)
    assert len(quotes) == {length}
    # The bitwise or refuses a float here, which would else be cut to an integer unseen.
'''


def entry_text(params_type: Any, view_type: Any, *, slots: int) -> str:
    """Return the Python source of the entry.

    Args:
        params_type: NamedTuple of int and float fields.
        view_type: NamedTuple of int fields.
        slots: >= 1; the decision returns a price and a size for each.

    Raises:
        UsageError: if a field is of another type.
    """
    assert slots >= 1
    params = [
        f"int(p[{index}])" if kind is int else f"p[{index}]"
        for index, kind in enumerate(field_types(params_type))
    ]
    if any(kind is not int for kind in field_types(view_type)):
        raise UsageError(f"{view_type.__name__} cannot be compiled", why="a field is no int")
    view = [f"v[{index}]" for index in range(len(view_type._fields))]
    head = HEAD.format(params=", ".join(params), view=", ".join(view), length=2 * slots)
    return head + "".join(f"    out[{k}] = quotes[{k}] | 0\n" for k in range(2 * slots))


def field_types(named: Any) -> list[type]:
    """Return the type of each field of a NamedTuple: int or float.

    Raises:
        UsageError: if it is no NamedTuple, or a field is of another type.
    """
    if not is_named_tuple(named):
        raise UsageError(f"{named!r} cannot be compiled", why="it is no NamedTuple")
    hints = get_type_hints(named)
    for name in named._fields:
        if hints.get(name) not in (int, float):
            raise UsageError(
                f"{named.__name__} cannot be compiled",
                why=f"its field {name} is neither int nor float",
                fix="give every field the type int or float",
            )
    return [hints[name] for name in named._fields]


def params_row(params: Sequence[float]) -> NDArray[np.float64]:
    """Return parameters as the flat array the entry takes, shape (n_fields,), exactly.

    Raises:
        UsageError: if a value is not of its field's type, or an int does not fit a float64.
    """
    named: Any = type(params)
    for name, kind, value in zip(named._fields, field_types(named), params, strict=True):
        is_exact = isinstance(value, int) and -EXACT_MAX <= value <= EXACT_MAX
        if not (is_exact or (kind is float and isinstance(value, float))):
            raise UsageError(
                f"parameter {name} cannot be passed to a kernel",
                why=f"expected {kind.__name__} within 2**53, was {value!r}",
            )
    return np.asarray([float(value) for value in params], dtype=np.float64)
