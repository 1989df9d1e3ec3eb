"""Writes the template of a strategy to a new file of the user's."""

import keyword
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.domain.errors import UsageError
from hatmanifesto.ops.secrets import quote
from hatmanifesto.strategies import template


class Written(msgspec.Struct, frozen=True):
    """What was written, as an answer of the command line."""

    path: str

    @property
    def summary(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {"path": self.path}

    @property
    def text(self) -> str:
        """Return the answer for people."""
        return (
            f"wrote {self.path}\n"
            f"run it: hat backtest {self.path} --data sample --coin BTC\n"
            "change decide() and Params; docs/strategies.md says what they may use"
        )

    @property
    def exit_code(self) -> int:
        """Return 0: what was asked for was done."""
        return 0


def new_strategy(file: str) -> Written:
    """Write the template strategy to ``file``, which must not exist.

    Raises:
        UsageError: if the name is no ``NAME.py``, the folder is missing or not writable, or the
            file exists: nothing is ever overwritten.
    """
    path = Path(file)
    stem = path.stem
    if path.suffix != ".py" or not stem.isidentifier() or keyword.iskeyword(stem):
        raise UsageError(
            f"{quote(file)} cannot be a strategy",
            why="its name must be a Python name and end in .py",
            fix="hat new strategy mine.py",
        )
    content = Path(template.__file__).read_text(encoding="utf-8")
    content = content.replace("THIS_FILE", path.name).replace('name="template"', f'name="{stem}"')
    try:
        with path.open("x", encoding="utf-8", newline="\n") as target:
            target.write(content)
    except FileExistsError as error:
        raise UsageError(
            f"{quote(file)} exists", why="nothing is overwritten", fix="choose another name"
        ) from error
    except OSError as error:
        raise UsageError(
            f"{quote(file)} cannot be written",
            why=error.strerror or "",
            fix="give a path in a folder of yours",
        ) from error
    return Written(str(path))
