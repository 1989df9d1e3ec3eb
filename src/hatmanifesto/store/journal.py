"""The journal: framed, checksummed, hash-chained segments of canonical records.

Format. A segment is `HATJ`, version, segment number and the chain value it continues. A frame is,
little-endian, `length u32 | crc32 u32 | seq u64 | epoch u32 | kind u8 | chain 32 bytes | payload`.
The payload is a msgpack array of records; `crc32` covers everything after itself; `chain` is
SHA-256 of the previous chain value and the payload, so that no frame can be cut out, edited or
moved without every later one disagreeing. The first frame of a run may be its origin instead: a
msgpack map of text that says what made it (commit, hashes, seed, evidence class). `journal_hash` is
SHA-256 over the records' own bytes in order: neither framing nor origin enters it.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from hatmanifesto.domain.errors import MismatchError
from hatmanifesto.domain.events import Fact
from hatmanifesto.domain.records import BatchMark, Record

MAGIC = b"HATJ"
VERSION = 1
SEGMENT_HEADER = struct.Struct("<4sHI32s")
FRAME_HEADER = struct.Struct("<IIQIB32s")
CRC_SKIP = 8
"""Bytes of a frame before the part that its checksum covers."""

KIND_RECORDS = 1
KIND_TRIAL = 2
KIND_ORIGIN = 3
FRAME_RECORDS = 4_096
SEGMENT_BYTES_MAX = 64 << 20
FRAME_BYTES_MAX = 64 << 20
GENESIS = bytes(32)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Record])


def array_header_size(payload: bytes) -> int:
    """Return how many bytes introduce a msgpack array."""
    first = payload[0]
    return 1 if first >> 4 == 0x9 else 3 if first == 0xDC else 5


class FrameWriter:
    """Appends frames to segments of bounded size; ``chain`` is the value of the last frame."""

    def __init__(
        self, open_segment: Callable[[int], BinaryIO], *, epoch: int = 0, chain: bytes = GENESIS
    ) -> None:
        self._open_segment = open_segment
        self._epoch = epoch
        self._segment = 0
        self._file: BinaryIO | None = None
        self._size = 0
        self.seq = 0
        self.chain = chain

    def append(self, payload: bytes, *, kind: int) -> None:
        """Append one frame."""
        assert 0 < len(payload) <= FRAME_BYTES_MAX, "a frame holds something, within its limit"
        if self._file is None or self._size >= SEGMENT_BYTES_MAX:
            self._roll()
        assert self._file is not None
        self.chain = hashlib.sha256(self.chain + payload).digest()
        frame = frame_bytes(payload, seq=self.seq, epoch=self._epoch, kind=kind, chain=self.chain)
        self._file.write(frame)
        self._size += len(frame)
        self.seq += 1

    def close(self) -> None:
        """Close the segment."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _roll(self) -> None:
        self.close()
        self._segment += 1
        self._file = self._open_segment(self._segment)
        self._file.write(SEGMENT_HEADER.pack(MAGIC, VERSION, self._segment, self.chain))
        self._size = SEGMENT_HEADER.size


def frame_bytes(payload: bytes, *, seq: int, epoch: int, kind: int, chain: bytes) -> bytes:
    """Return the bytes of one frame."""
    head = FRAME_HEADER.pack(len(payload), 0, seq, epoch, kind, chain)
    crc = zlib.crc32(payload, zlib.crc32(head[CRC_SKIP:]))
    return FRAME_HEADER.pack(len(payload), crc, seq, epoch, kind, chain) + payload


class JournalWriter:
    """The Journal port over frames: marks, facts and records in the order they happened.

    ``origin`` says what made the journal; it becomes the first frame and no part of the hash.
    """

    def __init__(
        self,
        open_segment: Callable[[int], BinaryIO],
        *,
        epoch: int = 0,
        origin: Mapping[str, str] | None = None,
    ) -> None:
        self._frames = FrameWriter(open_segment, epoch=epoch)
        if origin is not None:
            self._frames.append(_encoder.encode(dict(origin)), kind=KIND_ORIGIN)
        self._records: list[Record] = []
        self._hash = hashlib.sha256()
        self.count = 0

    def mark(self, now: int, rows: int, facts: Sequence[Fact]) -> None:
        """Write that the engine took ``rows`` more tape rows and these facts at ``now``."""
        records = self._records
        records.append(BatchMark(now, rows, len(facts)))
        if facts:
            records.extend(facts)
        if len(records) >= FRAME_RECORDS:
            self.flush()

    def write(self, records: Sequence[Record]) -> None:
        """Append records after the current mark."""
        self._records.extend(records)

    def flush(self) -> None:
        """Write what is buffered as one frame."""
        if not self._records:
            return
        payload = _encoder.encode(self._records)
        self._hash.update(memoryview(payload)[array_header_size(payload) :])
        self.count += len(self._records)
        self._records.clear()
        self._frames.append(payload, kind=KIND_RECORDS)

    def close(self) -> str:
        """Flush, close, and return the journal hash (64 hex digits)."""
        self.flush()
        self._frames.close()
        return self._hash.hexdigest()


class HashJournal:
    """A Journal that keeps only the hash of its records: for replay and for benches of the core."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._hash = hashlib.sha256()

    def mark(self, now: int, rows: int, facts: Sequence[Fact]) -> None:
        """Hash the mark and its facts."""
        self._records.append(BatchMark(now, rows, len(facts)))
        self._records.extend(facts)
        if len(self._records) >= FRAME_RECORDS:
            self._flush()

    def write(self, records: Sequence[Record]) -> None:
        """Hash records."""
        self._records.extend(records)

    def _flush(self) -> None:
        if self._records:
            payload = _encoder.encode(self._records)
            self._hash.update(memoryview(payload)[array_header_size(payload) :])
            self._records.clear()

    def close(self) -> str:
        """Return the journal hash (64 hex digits)."""
        self._flush()
        return self._hash.hexdigest()


def segment_opener(folder: Path) -> Callable[[int], BinaryIO]:
    """Return a function that creates segment files in ``folder``, never over existing ones."""
    folder.mkdir(parents=True, exist_ok=True)
    return lambda number: (folder / f"{number:06d}.hatj").open("xb")


def segment_paths(folder: Path) -> list[Path]:
    """Return the segments of a journal in order.

    Raises:
        MismatchError: if there is none.
    """
    paths = sorted(folder.glob("*.hatj"))
    if not paths:
        raise MismatchError(
            f"no journal in {folder.name}", why="the folder holds no segment", fix="restore the run"
        )
    return paths


def read_frames(paths: Sequence[Path]) -> Iterator[tuple[int, bytes]]:
    """Yield (kind, payload) of every frame, checking segment order, checksums, numbers and chain.

    Raises:
        MismatchError: at the first byte that does not agree; it names file, frame and offset.
    """
    chain = GENESIS
    seq = 0
    for number, path in enumerate(paths, start=1):
        content = path.read_bytes()
        if content[: SEGMENT_HEADER.size] != SEGMENT_HEADER.pack(MAGIC, VERSION, number, chain):
            raise _broken(path, seq, 0, "its segment header does not continue the chain")
        at = SEGMENT_HEADER.size
        while at < len(content):
            head = content[at : at + FRAME_HEADER.size]
            if len(head) < FRAME_HEADER.size:
                raise _broken(path, seq, at, "it is cut short")
            length, crc, found_seq, _, kind, found_chain = FRAME_HEADER.unpack(head)
            payload = content[at + FRAME_HEADER.size : at + FRAME_HEADER.size + length]
            if length > FRAME_BYTES_MAX or len(payload) != length:
                raise _broken(path, seq, at, "it is cut short")
            if zlib.crc32(payload, zlib.crc32(head[CRC_SKIP:])) != crc:
                raise _broken(path, seq, at, "its checksum does not agree")
            chain = hashlib.sha256(chain + payload).digest()
            if found_seq != seq or found_chain != chain:
                raise _broken(path, seq, at, "it does not continue the chain")
            seq += 1
            at += FRAME_HEADER.size + length
            yield kind, payload


def _broken(path: Path, seq: int, offset: int, why: str) -> MismatchError:
    return MismatchError(
        f"{path.name}: frame {seq} at byte {offset} is damaged",
        why=why,
        fix="restore the file from a backup, or run it again",
    )


def read_origin(folder: Path) -> dict[str, str] | None:
    """Return what a journal says made it; None when it says nothing.

    Raises:
        MismatchError: if its first frame is damaged.
    """
    kind, payload = next(read_frames(segment_paths(folder)), (KIND_RECORDS, b""))
    if kind != KIND_ORIGIN:
        return None
    try:
        return msgspec.msgpack.decode(payload, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise MismatchError("the journal's origin is unreadable", why=str(error)) from error


def _record_payloads(folder: Path) -> Iterator[bytes]:
    """Yield the payloads that hold records; an origin is passed over in the first place alone."""
    for number, (kind, payload) in enumerate(read_frames(segment_paths(folder))):
        if kind == KIND_ORIGIN and number == 0:
            continue
        if kind != KIND_RECORDS:
            raise MismatchError(
                f"frame kind {kind} is unknown", fix="use the version that wrote it"
            )
        yield payload


def read_records(folder: Path) -> Iterator[Record]:
    """Yield the records of a journal in order.

    Raises:
        MismatchError: if a frame is damaged or holds an unknown record.
    """
    for payload in _record_payloads(folder):
        try:
            records = _decoder.decode(payload)
        except msgspec.DecodeError as error:
            raise MismatchError("a frame holds an unknown record", why=str(error)) from error
        yield from records


def journal_hash(folder: Path) -> str:
    """Return the hash over the records of a journal, checking every frame on the way."""
    digest = hashlib.sha256()
    for payload in _record_payloads(folder):
        digest.update(memoryview(payload)[array_header_size(payload) :])
    return digest.hexdigest()
