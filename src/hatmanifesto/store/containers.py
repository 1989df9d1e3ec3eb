"""Opens what data come wrapped in: gzip, lz4 and zstd streams, tar and zip archives; all bounded.

The wrapping is told by content, never by name. Nothing of an archive is trusted: a member that
would leave the target folder, any link or device, a name told twice, or more bytes than the
limits allow refuses the whole archive, and what was already unpacked is removed.
"""

import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, NamedTuple, cast

from hatmanifesto.domain.errors import DataError

PEEK_BYTES = 4_096
BLOCK_BYTES = 1 << 20
FORMATS = {b"\x1f\x8b": "gzip", b"\x04\x22\x4d\x18": "lz4", b"\x28\xb5\x2f\xfd": "zstd"}
"""First bytes of a stream -> its codec. Source: RFC 1952; LZ4 frame format; RFC 8878."""
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
TAR_MAGIC = b"ustar"
TAR_MAGIC_AT = 257
PLAIN_TYPES = (*tarfile.REGULAR_TYPES, tarfile.GNUTYPE_SPARSE)
HEADER_BYTES_MAX = 1 << 20
NAME_CHARACTERS_MAX = 255
UNPACK_FAULTS = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,  # zipfile: an encrypted member
    NotImplementedError,  # zipfile: an unknown method
)


class Limits(NamedTuple):
    """What unpacking may cost; the ratio counts from ``free_bytes`` of output on."""

    bytes_max: int = 1 << 38
    ratio_max: int = 250
    free_bytes: int = 16 << 20
    members_max: int = 10_000


LIMITS = Limits()
"""256 GiB; 250 bytes out for one in: recorded books shrink 5 to 40 times, a bomb 1,000 times."""


class _Budget:
    """Counts unpacked bytes against the limits."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._packed = path.stat().st_size
        self._unpacked = 0

    def spend(self, count: int) -> None:
        self._unpacked += count
        limits, out = self._limits, self._unpacked
        if out > limits.bytes_max or (
            out > limits.free_bytes and out > limits.ratio_max * self._packed
        ):
            raise DataError(
                f"{self._path.name} unpacks to too many bytes",
                why=f"{out} bytes out of {self._packed} and more to come: a decompression bomb; "
                f"limits are {limits.ratio_max} times the file and {limits.bytes_max} bytes",
                fix="unpack it yourself if you trust it, and import the plain file",
            )


class _Unpacked(io.RawIOBase):
    """A compressed file as plain bytes, counted."""

    def __init__(self, path: Path, codec: str, budget: _Budget) -> None:
        import pyarrow as pa

        self._path = path
        self._budget = budget
        self._file: Any = pa.OSFile(str(path))
        self._stream: Any = pa.CompressedInputStream(self._file, codec)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        import pyarrow as pa

        try:
            block: bytes = self._stream.read(len(buffer))
        except (OSError, pa.ArrowException) as error:
            raise _damaged(self._path, str(error)) from error
        self._budget.spend(len(block))
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _damaged(path: Path, why: str) -> DataError:
    if "runcated" in why or "end of" in why:
        return DataError(
            f"{path.name} is truncated: the stream ended early",
            why=why,
            fix="fetch the file again; nothing of it was imported",
        )
    return DataError(f"{path.name} is damaged", why=why, fix="fetch the file again")


def _check_plain_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise DataError(f"cannot open {path}", why=str(error), fix="check the path") from error
    if not stat.S_ISREG(mode):
        raise DataError(f"{path} is no regular file", fix="name a file, no pipe, device or folder")


def open_stream(path: Path, limits: Limits = LIMITS) -> BinaryIO:
    """Return the file's bytes, decompressed when its content is gzip, an lz4 frame or zstd.

    Raises:
        DataError: if it is no regular file; later, while reading, if the stream ends early, is
            damaged, or unpacks to more than the limits.
    """
    _check_plain_file(path)
    with path.open("rb") as file:
        start = file.read(max(map(len, FORMATS)))
    for magic, codec in FORMATS.items():
        if start.startswith(magic):
            raw = _Unpacked(path, codec, _Budget(path, limits))
            return cast(BinaryIO, io.BufferedReader(raw, buffer_size=BLOCK_BYTES))
    return path.open("rb", buffering=BLOCK_BYTES)


def peek(path: Path, n: int = PEEK_BYTES) -> bytes:
    """Return the first ``n`` bytes of the file, decompressed; fewer when it is shorter.

    Raises:
        DataError: as ``open_stream``.
    """
    with open_stream(path) as stream:
        return stream.read(n)


def is_archive(head: bytes) -> bool:
    """Say whether a decompressed head of at least 262 bytes begins a tar or zip archive."""
    magic = head[TAR_MAGIC_AT : TAR_MAGIC_AT + len(TAR_MAGIC)]
    return head.startswith(ZIP_MAGIC) or magic == TAR_MAGIC


def expand(path: Path, into: Path, limits: Limits = LIMITS) -> list[Path]:
    """Unpack a tar (plain or compressed) or zip archive and return its files in member order.

    Args:
        path: of the archive.
        into: folder to unpack into; made when missing, and must be empty.
        limits: see ``Limits``.

    Raises:
        DataError: naming the member that is hostile or damaged; nothing is left in ``into``.
    """
    budget = _Budget(path, limits)
    unpack = _unzip if peek(path).startswith(ZIP_MAGIC) else _untar
    into.mkdir(parents=True, exist_ok=True)
    assert not any(into.iterdir())
    target = _Target(path, into, limits)
    try:
        unpack(path, target, budget)
    except UNPACK_FAULTS as error:
        target.clear()
        raise _damaged(path, str(error)) from error
    except DataError:
        target.clear()
        raise
    if not target.files:
        raise DataError(f"{path.name} holds no file", fix="check the archive")
    return target.files


class _Target:
    """The folder an archive is unpacked into; every member asks it first."""

    def __init__(self, archive: Path, into: Path, limits: Limits) -> None:
        self.files: list[Path] = []
        self._archive = archive
        self._into = into
        self._limits = limits
        self._count = 0
        self._seen: set[str] = set()

    def admit(self, name: str, kind: str) -> Path | None:
        """Return where a member goes; none for a folder.

        Args:
            name: as the archive tells it.
            kind: ``file``, ``folder`` or the word for what is refused.
        """
        self._count += 1
        if self._count > self._limits.members_max:
            raise self._hostile(name, f"more than {self._limits.members_max} members")
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or "\\" in name or ":" in name:
            raise self._hostile(name, "its path is absolute or empty")
        if ".." in parts:
            raise self._hostile(name, "its path escapes the target folder through '..'")
        if not name.isprintable() or len(name) > NAME_CHARACTERS_MAX:
            raise self._hostile(name, "its name is not plain text, or too long")
        if kind not in ("file", "folder"):
            raise self._hostile(name, f"it is a {kind}; links, devices and secrets are refused")
        key = "/".join(parts).casefold()
        if kind == "folder":
            return None
        if key in self._seen:
            raise self._hostile(name, "it is there twice")
        self._seen.add(key)
        return self._into.joinpath(*parts)

    def write(self, path: Path, source: IO[bytes], budget: _Budget) -> None:
        """Copy a member's bytes block by block."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.files.append(path)
        with path.open("xb") as file:
            while block := source.read(BLOCK_BYTES):
                budget.spend(len(block))
                file.write(block)

    def clear(self) -> None:
        """Remove everything that was unpacked."""
        for path in sorted(self._into.rglob("*"), reverse=True):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()

    def _hostile(self, name: str, why: str) -> DataError:
        return DataError(
            f"{self._archive.name} is refused for its member {name[:NAME_CHARACTERS_MAX]!r}",
            why=why,
            fix="import only archives whose maker you trust",
        )


class _StrictMember(tarfile.TarInfo):
    """A tar header; the standard reader takes a cut or damaged one for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_StrictMember":
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":  # the two zero blocks of a whole archive
                raise
            raise tarfile.ReadError(f"unexpected end of archive: {error}") from error

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_StrictMember":
        member = super().frombuf(buf, encoding, errors)
        if member.type not in PLAIN_TYPES and member.size > HEADER_BYTES_MAX:
            raise tarfile.ReadError(f"a header of {member.size} bytes")
        return member


def _untar(path: Path, target: _Target, budget: _Budget) -> None:
    with (
        open_stream(path) as stream,
        tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictMember) as archive,
    ):
        for member in archive:
            place = target.admit(member.name, _tar_kind(member))
            source = archive.extractfile(member) if place else None
            if place and source:
                target.write(place, source, budget)


def _tar_kind(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "link"
    if member.issparse():
        return "sparse file"
    if member.isdir():
        return "folder"
    return "file" if member.isfile() else "device or pipe"


def _unzip(path: Path, target: _Target, budget: _Budget) -> None:
    with zipfile.ZipFile(path) as archive:
        for member, place in _admitted(archive.infolist(), target):
            with archive.open(member) as source:
                target.write(place, source, budget)


def _admitted(
    members: list[zipfile.ZipInfo], target: _Target
) -> Iterator[tuple[zipfile.ZipInfo, Path]]:
    for member in members:
        place = target.admit(member.filename, _zip_kind(member))
        if place:
            yield member, place


def _zip_kind(member: zipfile.ZipInfo) -> str:
    mode = member.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "link"
    if member.flag_bits & 1:
        return "secret: encrypted"
    if member.is_dir():
        return "folder"
    return "file" if not stat.S_IFMT(mode) or stat.S_ISREG(mode) else "device or pipe"
