"""Where Hat keeps everything it writes: one folder, named by flag, environment or default."""

from collections.abc import Mapping
from pathlib import Path

from hatmanifesto.domain.errors import UsageError

HOME_VARIABLE = "HAT_HOME"
HOME_DEFAULT = "~/.hat"


def resolve_home(flag: str | None, environ: Mapping[str, str]) -> Path:
    """Return the home folder, absolute and not yet created.

    Args:
        flag: ``--home``, or None.
        environ: process environment; ``HAT_HOME`` counts when there is no flag.

    Raises:
        UsageError: if the name is empty, holds a control character, or is not a folder.
    """
    source = "--home" if flag is not None else HOME_VARIABLE
    text = flag if flag is not None else environ.get(HOME_VARIABLE)
    if text is None:
        return Path(HOME_DEFAULT).expanduser().absolute()
    if not text.strip() or any(ord(c) < 32 for c in text):
        raise UsageError(
            f"{source} names no folder",
            why="it is empty or holds control characters",
            fix=f"give a folder, or leave {source} out for {HOME_DEFAULT}",
        )
    home = Path(text).absolute()
    if home.exists() and not home.is_dir():
        raise UsageError(
            f"{source} is not a folder: {text}", fix="name a folder; it is made when it is missing"
        )
    return home
