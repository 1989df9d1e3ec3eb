"""The compiled engine: which modules it has, when it may be used, and how it is put in their place.

Theory of operation. `tools/fast.py` compiles the modules named here, from the very sources that
plain Python runs, into one library in ``PREFIX/fast/KEY/`` beside the installed packages. KEY is a
hash of every source file of the package, of the interpreter, the compiler and its options, so that
no edit can be answered by an old build. `use_compiled` looks for the build of exactly this key and
puts a finder before Python's own; from there all modules come, or none. Nothing happens unless it
is asked for by ``HAT_FAST=1``.
"""

import hashlib
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

import msgspec

from hatmanifesto.apps.provenance import code_hash
from hatmanifesto.domain.errors import UsageError

VARIABLE = "HAT_FAST"
LIBRARY = "hat_fast__mypyc"
"""Name under which the compiled modules find the library that all of them lie in."""

OPTIONS = ("-O3", "-g0", "-fPIC", "-fvisibility=hidden", "-DNDEBUG", "-w")
"""Of the C compiler; exact integers and floats as in plain Python, so no -ffast-math."""

MODULES = tuple(
    f"hatmanifesto.{name}"
    for name in (
        "books.blotter",
        "books.ledger",
        "books.state",
        "engine.decider",
        "engine.desk",
        "engine.engine",
        "engine.panel",
        "execution.diff",
        "hats.exchange",
        "hats.risk",
        "hats.security",
        "simex.account",
        "simex.blocks",
        "simex.candle_book",
        "simex.clearing",
        "simex.funding",
        "simex.latency",
        "simex.matching",
        "simex.queue",
        "simex.replay",
        "simex.replay_book",
        "simex.rules",
    )
)
"""The hot path of a back-test. Not here: what defines msgspec structs, which must be plain classes,
and strategies, whose byte code numba reads."""

PYTHON, COMPILED = "python", "compiled"
"""The engines, as results name them."""


class Build(msgspec.Struct, frozen=True):
    """What a build says of itself in ``build.json``."""

    key: str
    modules: tuple[str, ...]
    library: str
    sha256: str
    seconds: float


def builds_folder() -> Path:
    """Return where builds lie: inside the environment that runs, for they fit no other."""
    return Path(sys.prefix) / "fast"


def compiler_version() -> str | None:
    """Return the version of mypyc that is installed, None where it is not."""
    try:
        return metadata.version("mypy")
    except metadata.PackageNotFoundError:
        return None


def build_key() -> str | None:
    """Return the key of the build for this code and this interpreter; None without a compiler."""
    mypy = compiler_version()
    if mypy is None:
        return None
    parts = (
        code_hash(),
        *MODULES,
        *OPTIONS,
        mypy,
        sys.version,
        platform.python_implementation(),
        sys.platform,
        platform.machine(),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def find_library(folder: Path) -> Path | None:
    """Return the library of the complete, unharmed build of this code below ``folder``."""
    key = build_key()
    if key is None:
        return None
    place = folder / key
    try:
        build = msgspec.json.decode((place / "build.json").read_bytes(), type=Build)
        content = (place / build.library).read_bytes()
    except (OSError, msgspec.DecodeError):
        return None
    is_whole = build.key == key and build.modules == MODULES
    is_whole &= hashlib.sha256(content).hexdigest() == build.sha256
    return place / build.library if is_whole else None


class CompiledFinder:
    """Finds the compiled modules in one library, and nothing else."""

    def __init__(self, library: Path) -> None:
        self.library = library
        self._names = frozenset((*MODULES, LIBRARY))

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of a compiled module, None for every other one."""
        if name not in self._names:
            return None
        loader = ExtensionFileLoader(name, str(self.library))
        return spec_from_file_location(name, self.library, loader=loader)


def use_compiled(folder: Path | None = None) -> str:
    """Let the compiled engine take the place of the plain one; return '', or why it cannot."""
    if engine_in_use() == COMPILED:
        return ""
    if any(name in sys.modules for name in MODULES):
        return "the plain engine is loaded already"
    library = find_library(folder or builds_folder())
    if library is None:
        return "there is no compiled engine for this code; to make it: make fast"
    sys.meta_path.insert(0, CompiledFinder(library))
    return ""


def start(environ: Mapping[str, str]) -> None:
    """Do what ``HAT_FAST`` says; without a build plain Python goes on, and says so on stderr.

    Raises:
        UsageError: if the variable is neither 0 nor 1.
    """
    asked = environ.get(VARIABLE, "0")
    if asked not in ("0", "1"):
        raise UsageError(
            f"environment {VARIABLE}: expected 0 or 1, was {asked[:40]!a}",
            fix="1 runs the compiled engine, see docs/fast.md",
        )
    why = use_compiled() if asked == "1" else ""
    if why:
        sys.stderr.write(f"hat: plain Python runs: {why}\n")


def engine_in_use() -> str:
    """Return which engine runs in this process: ``compiled`` or ``python``."""
    is_compiled = any(isinstance(finder, CompiledFinder) for finder in sys.meta_path)
    return COMPILED if is_compiled else PYTHON
