"""Runs one command in a box of its own and watches it: what it says, writes, opens and starts."""

import contextlib
import importlib
import io
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

from hatmanifesto.cli import main as hat_main
from hatmanifesto.ops import clock
from hatmanifesto.ops.lock import AccountLock
from tests.bad_inputs_table import ACCOUNT

Product = Callable[[list[str]], int]
DEADLINE_S = 10.0
"""Of the processor's time: what a neighbour on the machine takes does not count."""
WAIT_S = 60.0
"""On the wall, for what waits and does nothing."""
MEMORY_KIB_MAX = 100 * 1024
LIBRARIES = ("pyarrow.parquet", "hatmanifesto.apps.data")
"""Loaded before any memory is measured: the first case of a process must not pay for them."""
WRITES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate"}
STARTS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"}
TALKS = {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"}
SECRET = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


@dataclass(frozen=True)
class Call:
    """A command line and the world it runs in; ``{config}`` in it is the path of the file."""

    argv: tuple[str, ...]
    config: bytes | None = None
    home_config: bytes | None = None
    mode: int = 0o600
    kind: str = "file"
    env: dict[str, str] = field(default_factory=dict)
    is_locked: bool = False
    is_stale: bool = False
    latch: dict[str, Any] | None = None
    has_run: bool = False
    now_ns: int | None = None
    secrets: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    """More files of the folder it runs in, by name."""


@dataclass(frozen=True)
class Answer:
    """What came of it."""

    code: int
    text: str
    faults: tuple[str, ...]
    """Everything it must never do, found by watching: one phrase each."""
    stored: int = 0
    """Snapshots in the home afterwards."""


class Hung(BaseException):
    """The command passed its deadline."""


class Watch:
    """What the audit hook saw while ``is_on``; the hook itself cannot be removed."""

    is_on = False
    seen: ClassVar[list[tuple[str, str]]] = []


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if not Watch.is_on:
        return
    if event == "open" and isinstance(args[0], str | bytes):
        flags = args[2] if isinstance(args[2], int) else 0
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            Watch.seen.append((event, os.fsdecode(args[0])))
    elif event in WRITES | STARTS | TALKS:
        Watch.seen.append((event, _place(event, args)))


def _place(event: str, args: tuple[Any, ...]) -> str:
    """Return where an event happens; trees are removed by names relative to an open folder."""
    where = os.fsdecode(args[0]) if isinstance(args[0], str | bytes) else str(args[0])
    if event not in ("os.remove", "os.rmdir") or args[1] < 0:
        return where
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/self/fd/{args[1]}").readlink() / where)
    return where


for _name in LIBRARIES:
    importlib.import_module(_name)
sys.addaudithook(_audit)


def run(call: Call, product: Product = hat_main) -> Answer:
    """Run ``call`` in a fresh folder and return what it did; the folder is removed."""
    box = Path(tempfile.mkdtemp(prefix="hat-box-")).resolve()
    home, work = box / "home", box / "work"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        argv = _furnish(call, home, work)
        with _world(call, home, work), contextlib.ExitStack() as stack:
            if call.is_locked:
                stack.enter_context(AccountLock(home, ACCOUNT))
            out = io.StringIO()
            start = time.process_time()
            Watch.seen.clear()
            Watch.is_on = True
            try:
                code = _guarded(product, argv, out)
            finally:
                Watch.is_on = False
            seconds = time.process_time() - start
        stored = len(list(home.glob("data/*/*/manifest.json")))
    finally:
        shutil.rmtree(box, ignore_errors=True)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    faults = [*_watched(Watch.seen, home), *_said(out.getvalue(), call)]
    if seconds > DEADLINE_S or code == -1:
        faults.append("hangs")
    if grown > MEMORY_KIB_MAX:
        faults.append(f"memory grew by {grown} KiB")
    return Answer(code, out.getvalue(), tuple(faults), stored)


def _guarded(product: Product, argv: list[str], out: io.StringIO) -> int:
    """Return the exit code; an exception that escapes is printed as a traceback would be."""
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), _deadline():
            return product(argv)
    except Hung:
        return -1
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    except BaseException as error:  # noqa: BLE001 - whatever escapes is a finding
        out.write(f"Traceback: {type(error).__name__}: {error}")
        return 1


@contextlib.contextmanager
def _deadline() -> Iterator[None]:
    def expire(*_: object) -> None:
        raise Hung

    timers = (
        (signal.ITIMER_REAL, signal.SIGALRM, WAIT_S),
        (signal.ITIMER_PROF, signal.SIGPROF, DEADLINE_S),
    )
    previous = [signal.signal(number, expire) for _, number, _ in timers]
    for timer, _, limit_s in timers:
        signal.setitimer(timer, limit_s)
    try:
        yield
    finally:
        for (timer, number, _), before in zip(timers, previous, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, before)


@contextlib.contextmanager
def _world(call: Call, home: Path, work: Path) -> Iterator[None]:
    """Set folder, environment and clock for the call, and put them back."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HAT_", "HLT_"))}
    environ = {**kept, "HAT_HOME": str(home), **call.env}
    folder = Path.cwd()
    os.chdir(work)
    try:
        with mock.patch.dict(os.environ, environ, clear=True):
            if call.now_ns is None:
                yield
            else:
                with mock.patch.object(clock, "now_ns", return_value=call.now_ns):
                    yield
    finally:
        os.chdir(folder)


def _furnish(call: Call, home: Path, work: Path) -> list[str]:
    """Make the files of the call and return its command line."""
    home.mkdir(mode=0o700)
    work.mkdir(mode=0o700)
    path = work / "c.toml"
    if call.config is not None:
        _write(path, call.config, mode=call.mode, kind=call.kind)
    for name, content in call.files.items():
        _write(work / name, content, mode=0o600, kind="file")
    if call.home_config is not None:
        _write(home / "config.toml", call.home_config, mode=0o600, kind="file")
    if call.latch is not None:
        (home / "state").mkdir()
        (home / "state" / "latch.json").write_text(json.dumps(call.latch), encoding="utf-8")
    if call.has_run:
        (home / "runs" / "r1").mkdir(parents=True)
        (home / "runs" / "r1" / "report.html").write_text("<p>fixture</p>", encoding="utf-8")
    if call.is_stale:
        (home / "locks").mkdir()
        (home / "locks" / f"{ACCOUNT}.lock").write_text("999999\n", encoding="ascii")
    return [word.replace("{config}", str(path)) for word in call.argv]


def _write(path: Path, content: bytes, *, mode: int, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "symlink":
        target = path.with_name("elsewhere.toml")
        target.write_bytes(content)
        target.chmod(0o600)
        path.symlink_to(target)
    else:
        path.write_bytes(content)
        path.chmod(mode)


def _watched(seen: list[tuple[str, str]], home: Path) -> Iterator[str]:
    """Yield what the audit hook saw and nobody may do."""
    for event, where in seen:
        if event in TALKS:
            yield f"uses the network ({event})"
        elif event in STARTS:
            yield f"starts a program ({event})"
        elif not _is_allowed(where, home):
            yield f"writes outside the home ({event} {where})"


def _is_allowed(where: str, home: Path) -> bool:
    is_descriptor = where.isdigit()
    if is_descriptor or "__pycache__" in where or where == os.devnull:
        return True
    return Path(where).absolute().is_relative_to(home)


def _said(text: str, call: Call) -> Iterator[str]:
    """Yield what the output must never hold."""
    if "Traceback" in text or "internal error" in text:
        yield "crashes with an unhandled exception"
    for secret in call.secrets:
        if secret in text:
            yield "prints a secret"
