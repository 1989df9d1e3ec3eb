"""Says the cases of a user's market data files in our terms: `hat data import` and its report."""

import base64
import gzip
import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bad_inputs_box import Answer
from tests.bad_inputs_config import UnmappedError
from tests.bad_inputs_table import first_match

T0 = 1_795_345_200_000
MINUTE = 60_000
CANDLE = ("t", "o", "h", "l", "c", "v", "n")
TRADE = ("t", "coin", "side", "px", "sz", "tid")
BAR = {"o": "95000", "h": "95010", "l": "94990", "c": "95005", "v": "1.5", "n": "10"}
PRINT = {"coin": "BTC", "side": "B", "px": "95000", "sz": "1"}
MARKER = "pickle payload executed"
BOMB_BYTES_MAX = 64 << 20
"""A bomb of the case is built this large at most: it is refused long before."""
SCALE = {"b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}

MAPPING = """
kind = "candle"
coin = "BTC"
time = "ms"
interval = "1m"
columns = {exch = "t", open = "o", high = "h", low = "l", close = "c", volume = "v", trades = "n"}
"""

FILE_FAULTS: tuple[tuple[str, str], ...] = (
    (r"missing column", r"missing column"),
    (r"duplicate (column|header)", r"duplicate column"),
    (r"too few|torn|partial last", r"torn .*--allow-torn-tail"),
    (r"too many fields", r"torn"),
    (r"thousands|decimal comma", r"ambiguous number|torn|separated"),
    (r"different content|another (size|price)|two truths", r"two truths"),
    (r"\bseconds|nanosec|microsec|unit", r"wrong unit of time"),
    (r"NUL|zero.filled", r"NUL"),
    (r"checksum|sha", r"SHA-256"),
    (r"network", r"network testnet"),
    (r"bomb", r"too many bytes|no columns of a known shape"),
    (r"(gzip|zstd|lz4).*trunc|trunc.*(gzip|zstd|lz4)", r"truncated: the stream ended early"),
    (r"pickle", r"pickle"),
    (r"parent path|travers|\.\.", r"member .*escapes"),
    (r"absolute", r"member .*absolute"),
    (r"link", r"member .*link"),
    (r"overflow|64 bits", r"out of range"),
    (r"32.bit|float32", r"float"),
    (r"footer", r"footer"),
    (r"header only|no rows", r"no rows"),
    (r"empty", r"empty"),
    (r"utf-?16", r"UTF-16|NUL"),
    (r"latin|utf-?8|encoding", r"no text|UTF-8"),
    (r"\btabs?\b|semicolon|separat|delimiter", r"separated by"),
)
"""(pattern of the title, what the refusal of the file must say): the first that fits counts."""

ROW_FAULTS: tuple[tuple[str, str], ...] = (
    (r"high below|outside range|low above|ohlc", "ohlc"),
    (r"\bnan\b|infinit|\binf\b", "not_finite"),
    (r"negative|zero price|non-positive", "non_positive"),
    (r"formula|unknown coin|foreign coin", "unknown_coin"),
    (r"future", "bad_stamp"),
    (r"side", "bad_side"),
    (r"tick|grid|decimals", "off_grid"),
    (r"missing value|null|blank", "null"),
)
"""(pattern of the title, the reason its row is set aside for)."""

ACCEPTED: tuple[tuple[str, str], ...] = (
    (r"duplicate", "repeated"),
    (r"partial|torn", "truncated"),
    (r"still open|last candle", "open_bar"),
)
"""(pattern of the title, the reason one row of an accepted file is set aside for)."""


@dataclass(frozen=True)
class Ours:
    """A case: files beside each other, the command line, and what to make of the answer."""

    argv: tuple[str, ...]
    files: dict[str, bytes]
    codes: tuple[int, ...]
    words: tuple[str, ...] = ()
    is_refusal: bool = False
    check: Callable[[Answer], str] | None = None
    secrets: tuple[str, ...] = (MARKER,)


@dataclass
class World:
    """What a case's context says beside its file."""

    flags: list[str] = field(default_factory=list)
    sha256: str = ""
    network: str = ""


def translate(case: dict[str, Any]) -> list[Ours]:
    """Return the case in our terms, as one or two calls, and last its valid twin.

    Raises:
        UnmappedError: if it cannot be said.
    """
    outcome, title = case["expected"]["outcome"], case["title"]
    name, content, sound = file_of(case["input"])
    world = world_of(case.get("context", ""))
    if outcome == "accept":
        reason = first_match(ACCEPTED, title)
        calls = [call(name, content, world, check=accepted(reason, has_gap="gap" in title))]
    elif outcome == "reject_file":
        words = (first_match(FILE_FAULTS, title) or _unmapped(title),)
        calls = [call(name, content, world, codes=(3,), words=words, is_refusal=True)]
    elif outcome == "reject_row":
        reason = first_match(ROW_FAULTS, title) or _unmapped(title)
        mixed = content.rstrip(b"\r\n") + b"\n" + sound.partition(b"\n")[2]
        check = set_aside(reason)
        alone = call(name, content, world, codes=(0, 3), words=(reason,), check=check)
        calls = [alone, call(name, mixed, world, check=check)]
    else:
        raise UnmappedError(f"outcome {outcome}")
    world.network, world.sha256 = "", world.sha256 and hashlib.sha256(sound).hexdigest()
    return [*calls, call(name, sound, world, check=accepted(""))]


def _unmapped(title: str) -> str:
    raise UnmappedError(f"no words for {title}")


def world_of(context: str) -> World:
    """Return what the context says.

    Raises:
        UnmappedError: if it says something else.
    """
    world = World()
    rest = context
    if found := re.search(r"flag (--[a-z-]+) given", context):
        world.flags.append(found[1])
        rest = rest.replace(found[0], "")
    if re.search(r"manifest sha256 is 64 zeros", context):
        world.sha256 = "0" * 64
        rest = rest.replace("manifest sha256 is 64 zeros", "")
    if found := re.search(r"manifest network=(\w+)", context):
        world.network = found[1]
        rest = rest.replace(found[0], "")
    if found := re.search(r"study network=(\w+)", context):
        world.flags += ["--network", found[1]]
        rest = rest.replace(found[0], "")
    if rest.strip(" ,;."):
        raise UnmappedError(f"context {rest}")
    return world


def call(name: str, content: bytes, world: World, **told: Any) -> Ours:
    """Return the import of one file, with a mapping beside it when the context tells of one."""
    files = {name: content}
    argv = ["data", "import", name, "--dataset", "case", "--json", *world.flags]
    if world.sha256 or world.network:
        more = f'sha256 = "{world.sha256}"\n' if world.sha256 else ""
        more += f'network = "{world.network}"\n' if world.network else ""
        files[f"{name}.map.toml"] = (more + MAPPING).encode()
    elif b"coin" not in content[:200]:
        argv += ["--coin", "BTC"]
    return Ours(tuple(argv), files, **{"codes": (0,), **told})


# What an answer must hold -----------------------------------------------------------------------


def report_of(answer: Answer) -> dict[str, Any]:
    """Return the report of an import."""
    found: dict[str, Any] = json.loads(answer.text)
    return found


def unbalanced(report: dict[str, Any]) -> str:
    """Say when rows in are not rows out, merged and quarantined."""
    out = report["rows_out"] + report["merged"] + sum(report["quarantined"].values())
    return "" if report["rows_in"] == out else "rows in and out do not balance"


def accepted(reason: str, *, has_gap: bool = False) -> Callable[[Answer], str]:
    """Return the check of an accepted file, of which at most one row is set aside."""

    def check(answer: Answer) -> str:
        report = report_of(answer)
        expected = {reason: 1} if reason else {}
        if report["quarantined"] != expected:
            return f"quarantined {report['quarantined']}, expected {expected}"
        if bool(report["gaps"]) != has_gap and (has_gap or not reason):
            return f"gaps {report['gaps']}"
        if not report["rows_out"] or answer.stored != 1:
            return "nothing was imported"
        return unbalanced(report)

    return check


def set_aside(reason: str) -> Callable[[Answer], str]:
    """Return the check of a file with one row that is set aside; alone it leaves nothing."""

    def check(answer: Answer) -> str:
        if answer.code != 0:
            return "a refused file left something" if answer.stored else ""
        report = report_of(answer)
        if report["quarantined"] != {reason: 1}:
            return f"quarantined {report['quarantined']}, expected one {reason}"
        return unbalanced(report)

    return check


# Files ------------------------------------------------------------------------------------------


def file_of(given: dict[str, Any]) -> tuple[str, bytes, bytes]:
    """Return the file's name, its bytes, and sound bytes for its twin."""
    encoding = given["encoding"]
    if encoding == "generator":
        return generated(given["spec"])
    if encoding not in ("utf8", "base64"):
        raise UnmappedError(f"encoding {encoding}")
    data = given["data"]
    content = data.encode() if encoding == "utf8" else base64.b64decode(data)
    if content.startswith(b"\x1f\x8b"):
        return "x.csv.gz", content, gzip.compress(table(CANDLE))
    if content.startswith((b"\x80", b"\x93NUMPY")):
        return "x.npy", content, table(CANDLE)
    if content.startswith(b"{"):
        return "x.jsonl", content, json_lines()
    names = content.partition(b"\n")[0].decode("utf-8", "replace")
    return "x.csv", content, table(TRADE if "px" in names else CANDLE, header=names)


def table(names: tuple[str, ...], *, header: str = "") -> bytes:
    """Return a sound CSV file; columns in the order of ``header`` when that is sound itself."""
    given = tuple(header.strip("\r\ufeff").split(","))
    order = given if set(given) >= set(names) and len(set(given)) == len(given) else names
    if "px" in given and set(given) >= set(names) - {"tid"}:
        order = given
    rows = [",".join(order)]
    for index in range(5):
        step = 1_000 if "px" in order else MINUTE
        row = {"t": str(T0 - (10 - index) * step), "tid": str(100 + index), **BAR, **PRINT}
        rows.append(",".join(row.get(name, "") for name in order))
    return ("\n".join(rows) + "\n").encode()


def json_lines() -> bytes:
    """Return sound trades as JSON lines."""
    rows = [{"time": T0 + index, **PRINT, "tid": index} for index in range(3)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def generated(spec: dict[str, Any]) -> tuple[str, bytes, bytes]:
    """Return what a generator describes."""
    kind = spec["gen"]
    good = [{"name": "a.csv", "data": table(CANDLE).decode()}]
    if kind == "tar":
        return "x.tar", tar(spec["members"]), tar(good)
    if kind == "zip":
        return "x.zip", zipped(spec["members"]), zipped(good)
    if kind == "parquet":
        return "x.parquet", parquet(spec["columns"]), exact_parquet()
    if kind == "parquet_truncated":
        whole = exact_parquet()
        return "x.parquet", whole[: -int(spec["cut_bytes"])], whole
    if "bomb" in kind and "gz" in kind:
        return "x.csv.gz", gzip.compress(bomb(spec)), gzip.compress(table(CANDLE))
    if "bomb" in kind and "zip" in kind:
        return "x.zip", zipped([{"name": "a.csv", "data": bomb(spec).decode()}]), zipped(good)
    raise UnmappedError(f"generator {kind}")


def bomb(spec: dict[str, Any]) -> bytes:
    """Return a table whose last row is repeated without end: it shrinks a thousand times."""
    sound = table(CANDLE)
    last = sound.rstrip(b"\n").rpartition(b"\n")[2] + b"\n"
    return sound + last * (min(size_of(spec), BOMB_BYTES_MAX) // len(last))


def size_of(spec: dict[str, Any]) -> int:
    """Return the size that a bomb unpacks to [bytes]."""
    for key, value in spec.items():
        if isinstance(value, int) and not isinstance(value, bool):
            unit = re.search(r"(kb|mb|gb|kib|mib|gib)$", key)
            return value * SCALE[unit[1].replace("i", "") if unit else "b"]
    return BOMB_BYTES_MAX


def tar(members: list[dict[str, str]]) -> bytes:
    """Return a tar archive of the members."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for told in members:
            member = tarfile.TarInfo(told["name"])
            for word, kind in (("symlink", tarfile.SYMTYPE), ("hardlink", tarfile.LNKTYPE)):
                if word in told:
                    member.type, member.linkname = kind, told[word]
            data = told.get("data", "").encode()
            member.size = len(data) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(data))
    return sink.getvalue()


def zipped(members: list[dict[str, str]]) -> bytes:
    """Return a zip archive of the members."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for told in members:
            archive.writestr(told["name"], told.get("data", ""))
    return sink.getvalue()


TYPES = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "string": pa.string(),
}


def parquet(columns: dict[str, str]) -> bytes:
    """Return a Parquet file of these columns: one trade, as far as they can tell it."""
    values: dict[str, Any] = {"t": T0, "px": 95_000.5, "sz": 1, "tid": 7}
    arrays = {}
    for name, kind in columns.items():
        if kind not in TYPES:
            raise UnmappedError(f"column type {kind}")
        value = values.get(name, PRINT.get(name, "1"))
        told = str(value) if kind == "string" else value
        arrays[name] = pa.array([told], type=TYPES[kind])
    return written(pa.table(arrays))


def exact_parquet() -> bytes:
    """Return a sound Parquet file whose prices are texts."""
    return written(pa.table({"t": [T0], "tid": [7], **{k: [v] for k, v in PRINT.items()}}))


def written(rows: Any) -> bytes:
    """Return a table as the bytes of a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(rows, sink)
    return sink.getvalue()
