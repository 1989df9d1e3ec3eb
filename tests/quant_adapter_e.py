"""Reference cases of strategies and their judgement (group E) against names of the library.

Renames and arranges, computes nothing; see `tests/quant_adapter.py`.
"""

from collections.abc import Callable
from typing import Any

ADAPTERS: dict[str, Callable[[Any, Any], Any]] = {}
