"""Compile the engine: `make fast`, or `python -m tools.fast`. See docs/fast.md.

mypyc turns the modules of `hatmanifesto.apps.fast` into C, a C compiler that into one library. All
is done in a temporary folder, which gets its name when it is complete, so a half build is never
used. Exit codes: 0 built or there already, 2 something that is needed is missing, 4 it failed.
"""

import hashlib
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import msgspec

from hatmanifesto.apps import fast
from hatmanifesto.apps.provenance import PACKAGE, code_hash
from hatmanifesto.apps.staging import locked

BUILDS_MAX = 2
"""How many builds are kept, the newest first: that of this code and the one before it."""

MAKING = ".making-"
"""How the name of a folder begins whose build is not complete."""

NAME = fast.LIBRARY.removesuffix("__mypyc")


class BuildError(Exception):
    """Why nothing was built; ``exit_code`` is what the command ends with."""

    def __init__(self, text: str, *, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def build(folder: Path) -> Path:
    """Return the build of this code below ``folder``, made now if it is not there.

    Raises:
        BuildError: if something is missing, or a compiler refuses.
    """
    key = fast.build_key()
    if key is None:
        raise missing("mypy", "make venv")
    if fast.find_library(folder) is not None:
        return folder / key
    link = linker()
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        if fast.find_library(folder) is not None:
            return folder / key  # somebody else made it while we waited
        for left in folder.glob(f"{MAKING}*"):
            shutil.rmtree(left)
        place = Path(tempfile.mkdtemp(prefix=MAKING, dir=folder))
        try:
            make(place, key, link)
            shutil.rmtree(folder / key, ignore_errors=True)
            place.rename(folder / key)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        prune(folder)
    return folder / key


def make(place: Path, key: str, link: list[str]) -> None:
    """Compile everything into the empty folder ``place``."""
    began = time.perf_counter()
    library = place / f"{fast.LIBRARY}{sysconfig.get_config_var('EXT_SUFFIX')}"
    compile_c(link, write_c(place / "c"), library)
    shutil.rmtree(place / "c")
    if code_hash.__wrapped__() != code_hash():
        raise BuildError("a source file changed meanwhile; run it again", exit_code=4)
    digest = hashlib.sha256(library.read_bytes()).hexdigest()
    seconds = round(time.perf_counter() - began, 1)
    made = fast.Build(key, fast.MODULES, library.name, digest, seconds)
    (place / "build.json").write_bytes(msgspec.json.encode(made))


def missing(what: str, fix: str) -> BuildError:
    """Return the error of a missing tool."""
    return BuildError(f"{what} is missing; nothing was changed\n  fix: {fix}", exit_code=2)


def linker() -> list[str]:
    """Return the command that makes an extension of Python, after looking for what it needs."""
    words = shlex.split(sysconfig.get_config_var("LDSHARED") or "cc -shared")
    if shutil.which(words[0]) is None:
        found = shutil.which("gcc") or shutil.which("cc")
        if found is None:
            raise missing("a C compiler", "apt-get install gcc   (as root; Debian and Ubuntu)")
        words[0] = found
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        raise missing("Python.h", "apt-get install python3-dev   (as root; Debian and Ubuntu)")
    return words


def write_c(folder: Path) -> list[Path]:
    """Translate the modules to C files below ``folder``; return those to be compiled.

    Raises:
        BuildError: if mypyc refuses a module.
    """
    from mypy.errors import CompileError
    from mypy.fscache import FileSystemCache
    from mypy.main import process_options
    from mypyc.codegen import emitmodule
    from mypyc.errors import Errors
    from mypyc.options import CompilerOptions

    folder.mkdir()
    paths = [str(path_of(name)) for name in fast.MODULES]
    words = ["--config-file=", "--no-incremental", "--cache-dir=/dev/null", *paths]
    fscache = FileSystemCache()
    sources, options = process_options(words, fscache=fscache, mypyc=True)
    options.python_version = sys.version_info[:2]
    options.export_types = options.preserve_asts = True
    options.mypy_path = [str(PACKAGE.parent)]
    for source in sources:
        options.per_module_options.setdefault(source.module, {})["mypyc"] = True
    chosen = CompilerOptions(target_dir=str(folder), group_name=NAME)
    groups: emitmodule.Groups = [(sorted(sources, key=lambda source: source.module), NAME)]
    errors = Errors(options)
    try:
        result = emitmodule.parse_and_typecheck(sources, options, chosen, groups, fscache)
        found = result.errors
        if not found:
            _, (files,), _ = emitmodule.compile_modules_to_c(result, chosen, errors, groups)
            found = errors.new_messages() if errors.num_errors else []
    except CompileError as error:
        found = error.messages
    if found:
        raise BuildError("mypyc refuses:\n" + "\n".join(found), exit_code=4)
    for name, text in files:
        (folder / name).write_text(text, encoding="utf-8")
    written = [folder / name for name, _ in files if name.endswith(".c")]
    return [*written, *(write_start(folder, name) for name in fast.MODULES)]


def path_of(module: str) -> Path:
    """Return the source file of a module."""
    return PACKAGE.parent / (module.replace(".", "/") + ".py")


def runtime_folder() -> Path:
    """Return where mypyc's own C files lie."""
    import mypyc.common

    return Path(mypyc.common.__file__).parent / "lib-rt"


def write_start(folder: Path, module: str) -> Path:
    """Write the C function that Python calls to begin a module; all of them share one library."""
    from mypyc.namegen import exported_name

    last = module.rpartition(".")[2]
    text = (runtime_folder() / "module_shim.tmpl").read_text(encoding="utf-8")
    text = text.format(modname=last, libname=fast.LIBRARY, full_modname=exported_name(module))
    path = folder / f"start_{last}.c"
    assert not path.exists(), "modules of one library differ in their last name"
    path.write_text(text.replace("PyInit___init__", f"PyInit___init___{last}"), encoding="utf-8")
    return path


def compile_c(link: list[str], files: list[Path], library: Path) -> None:
    """Compile C files into one library.

    Raises:
        BuildError: if the compiler refuses.
    """
    folders = (sysconfig.get_path("include"), runtime_folder(), files[0].parent)
    words = [*link, *fast.OPTIONS, *(f"-I{folder}" for folder in folders)]
    words += [*map(str, files), "-o", str(library)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"the C compiler refuses:\n{done.stderr[-2000:]}", exit_code=4)


def prune(folder: Path) -> None:
    """Keep the newest builds alone."""
    builds = [path for path in folder.iterdir() if (path / "build.json").is_file()]
    builds.sort(key=lambda path: (path / "build.json").stat().st_mtime_ns, reverse=True)
    for old in builds[BUILDS_MAX:]:
        shutil.rmtree(old)


def main() -> int:
    """Build and say where; return the exit code."""
    try:
        place = build(fast.builds_folder())
    except BuildError as error:
        print(f"fast: {error}", file=sys.stderr)
        return error.exit_code
    made = msgspec.json.decode((place / "build.json").read_bytes(), type=fast.Build)
    print(f"fast: {place} ({len(made.modules)} modules, compiled in {made.seconds} s)")
    print("fast: use it with HAT_FAST=1, for example: HAT_FAST=1 .venv/bin/hat demo")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
