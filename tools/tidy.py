"""Check what ruff, mypy and import-linter do not: sizes, I/O below the shell, floats near money.

Run `python -m tools.tidy [FOLDER...]`; it prints one finding a line and exits 1 if there is an
error. Warnings are for the reader and never fail. `ALLOWED` is the one way out, with a reason.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FILE_LINES_WARN, FILE_LINES_MAX = 400, 600
FUNCTION_LINES_WARN, FUNCTION_LINES_MAX = 40, 70
CLASS_LINES_WARN, CLASS_LINES_MAX = 150, 300
NESTING_WARN = 3

PACKAGE = "hatmanifesto"
PURE = frozenset(
    "domain books signals analytics strategies execution risk research ml hats "
    "engine simex warden kernel".split()
)
"""Packages of rings 0-3."""
EXACT = frozenset({"domain", "books", "engine", "simex", "warden"})
"""Packages where every number is an exact integer."""

IMPORTS_BANNED = frozenset(
    "aiohttp asyncio coincurve concurrent cryptography http io multiprocessing os pathlib random "
    "requests secrets shutil socket sqlite3 subprocess tempfile threading time urllib uuid".split()
)
CALLS_BANNED = frozenset({"open", "print", "input", "eval", "exec", "compile", "breakpoint"})
CLOCKS_BANNED = re.compile(
    r"(^|\.)(time\.(time|time_ns|monotonic|monotonic_ns|perf_counter)"
    r"|date(time)?\.(now|utcnow|today)|os\.(environ|getenv)"
    r"|(np|numpy)\.random\.(?!Generator$|PCG64$|Philox$)\w+)$"
)
"""Clocks, environment and dice; a generator whose seed is given is a number like any other."""
SEEDED = re.compile(r"\.(PCG64|Philox)$")
NAMES_BANNED = re.compile(r"(Manager|Helper|Utils?|Base|Impl)$")
MARKS_BANNED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
DASHES_BANNED = re.compile("[\N{EN DASH}\N{EM DASH}]")

QUEUE = "what stands before an order in a queue is an estimate; what fills is an integer"
ALLOWED: dict[tuple[str, str], str] = {
    ("kernel/", "function length"): "a compiled loop is one function",
    ("engine/desk.py", "float"): "a strategy's memory is floats; only its integers come back",
    ("simex/latency.py", "float"): "a distribution of latencies; its draws are rounded to ns",
    ("simex/queue.py", "float"): QUEUE,
    ("simex/matching.py", "float"): QUEUE,
    ("simex/replay_book.py", "float"): QUEUE,
}
"""(path below the package, or its beginning; rule) -> why this is right there."""


class Finding(NamedTuple):
    """One thing to mend; ``is_error`` False is a warning."""

    path: str
    line: int
    rule: str
    text: str
    is_error: bool = True

    def __str__(self) -> str:
        """Return one line that editors can jump to."""
        level = "error" if self.is_error else "warning"
        return f"{self.path}:{self.line}: {level}: {self.rule}: {self.text}"


class Source(NamedTuple):
    """A parsed file: where it is, the package it belongs to ('' outside ours), text and tree."""

    path: str
    inner: str
    package: str
    text: str
    tree: ast.Module


Function = ast.FunctionDef | ast.AsyncFunctionDef


def load(path: Path) -> Source:
    """Read and parse one file."""
    text = path.read_text(encoding="utf-8")
    _, is_ours, below = path.as_posix().rpartition(f"src/{PACKAGE}/")
    inner = below if is_ours else ""
    package = inner.partition("/")[0].removesuffix(".py")
    return Source(str(path), inner, package, text, ast.parse(text))


def check(source: Source) -> list[Finding]:
    """Return the findings of one file, allowed ones left out, in line order."""
    found = [*sizes(source), *texts(source), *everywhere(source)]
    if source.package in PURE:
        found += purity(source)
    if source.package in EXACT:
        found += floats(source)
    return sorted((f for f in found if not is_allowed(source, f)), key=lambda f: f.line)


def is_allowed(source: Source, finding: Finding) -> bool:
    """Say whether `ALLOWED` excuses the finding."""
    return any(finding.rule == rule and source.inner.startswith(place) for place, rule in ALLOWED)


def sizes(source: Source) -> Iterator[Finding]:
    """Check the lengths of file, classes and functions, and nesting."""
    lines = source.text.count("\n")
    yield from limit(source, 1, "file length", lines, FILE_LINES_WARN, FILE_LINES_MAX)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef):
            bounds = (CLASS_LINES_WARN, CLASS_LINES_MAX)
            yield from limit(source, node.lineno, "class length", length_of(node), *bounds)
        if isinstance(node, Function):
            bounds = (FUNCTION_LINES_WARN, FUNCTION_LINES_MAX)
            yield from limit(source, node.lineno, "function length", length_of(node), *bounds)
            bounds = (NESTING_WARN, sys.maxsize)
            yield from limit(source, node.lineno, "nesting", nesting_of(node), *bounds)


def limit(
    source: Source, line: int, rule: str, size: int, warn: int, most: int
) -> Iterator[Finding]:
    """Yield a finding when ``size`` is over ``most``, a warning when it is over ``warn``."""
    if size > most:
        yield Finding(source.path, line, rule, f"expected at most {most}, was {size}")
    elif size > warn:
        yield Finding(source.path, line, rule, f"{size} is much, {warn} is enough", False)


def length_of(node: Function | ast.ClassDef) -> int:
    """Return the lines of a definition, its docstring not counted."""
    end = node.end_lineno or node.lineno
    lines = end - node.lineno + 1
    if ast.get_docstring(node) is not None:
        first = node.body[0]
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def nesting_of(node: ast.AST) -> int:
    """Return the deepest run of blocks within blocks in a function's body."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue
        is_block = isinstance(child, ast.For | ast.While | ast.If | ast.With | ast.Try | ast.Match)
        is_elif = is_block and isinstance(node, ast.If) and node.orelse == [child]
        deepest = max(deepest, nesting_of(child) + (is_block and not is_elif))
    return deepest


def texts(source: Source) -> Iterator[Finding]:
    """Check comments for unowned marks, and the whole text for long dashes."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and (hit := MARKS_BANNED.search(token.string)):
            yield Finding(source.path, token.start[0], "mark", f"{hit[0]}: an issue, not a comment")
    for number, line in enumerate(source.text.splitlines(), 1):
        if DASHES_BANNED.search(line):
            yield Finding(source.path, number, "dash", "expected a plain hyphen")


def everywhere(source: Source) -> Iterator[Finding]:
    """Check what holds in every file: imports and names."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
            yield Finding(source.path, node.lineno, "star import", "name what is used")
        if isinstance(node, ast.ClassDef) and NAMES_BANNED.search(node.name):
            yield Finding(source.path, node.lineno, "name", f"{node.name} says nothing")


def purity(source: Source) -> Iterator[Finding]:
    """Check that a file of rings 0-3 reads no clock, file, socket, environment or dice."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in imported(node):
                if name.partition(".")[0] in IMPORTS_BANNED:
                    text = f"{name} belongs to the shell"
                    yield Finding(source.path, node.lineno, "import", text)
        if isinstance(node, ast.Call) and is_call_banned(node):
            text = f"{dotted(node.func)}() belongs to the shell"
            yield Finding(source.path, node.lineno, "call", text)
        if isinstance(node, ast.Attribute) and CLOCKS_BANNED.search(dotted(node)):
            text = f"{dotted(node)} belongs to the shell"
            yield Finding(source.path, node.lineno, "clock", text)
        if isinstance(node, ast.For | ast.comprehension) and is_set(node.iter):
            text = "the order of a set is not ours; sort it"
            yield Finding(source.path, node.iter.lineno, "set order", text)


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Return the modules that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if node.module else []


def is_call_banned(node: ast.Call) -> bool:
    """Say whether a call reaches outside, or makes a generator without naming its seed."""
    name = dotted(node.func)
    return name in CALLS_BANNED or (bool(SEEDED.search(name)) and not node.args)


def is_set(node: ast.expr) -> bool:
    """Say whether an expression is a set by its spelling."""
    if isinstance(node, ast.Call):
        return dotted(node.func) in ("set", "frozenset")
    return isinstance(node, ast.Set | ast.SetComp)


def floats(source: Source) -> Iterator[Finding]:
    """Check that no float is written down or made by division."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield Finding(source.path, node.lineno, "float", f"{node.value!r} is not exact")
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield Finding(source.path, node.lineno, "float", "/ makes a float; use //")


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for a plain chain of names, '' for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def check_folders(folders: list[Path]) -> list[Finding]:
    """Return the findings of all Python files below the folders, in path order."""
    paths = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return [finding for path in paths for finding in check(load(path))]


def main(arguments: list[str]) -> int:
    """Print the findings; return 1 if one is an error."""
    root = Path(__file__).resolve().parents[1]
    folders = [Path(a) for a in arguments] or [root / name for name in ("src", "tools")]
    findings = check_folders(folders)
    for finding in findings:
        print(finding)
    errors = sum(finding.is_error for finding in findings)
    print(f"tidy: {errors} errors, {len(findings) - errors} warnings")
    return 1 if errors else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
