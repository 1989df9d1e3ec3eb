"""The journal: what goes in comes out, and no byte can change, vanish or move unseen."""

import io
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatmanifesto.domain.commands import Cancel, Modify, Place
from hatmanifesto.domain.enums import Side, Status, Tif
from hatmanifesto.domain.errors import MismatchError
from hatmanifesto.domain.events import (
    CancelRefused,
    Closed,
    Fact,
    Filled,
    FundingPaid,
    FundingUnknown,
    MarginCalled,
    Opened,
    Refused,
)
from hatmanifesto.domain.records import (
    Allocation,
    Allotted,
    BatchMark,
    Began,
    Ended,
    GapSeen,
    Record,
    Signal,
    Snapshot,
    StrategyFailed,
    Veto,
)
from hatmanifesto.store import journal as journal_module
from hatmanifesto.store.journal import (
    FRAME_HEADER,
    SEGMENT_HEADER,
    FrameWriter,
    HashJournal,
    JournalWriter,
    journal_hash,
    read_frames,
    read_origin,
    read_records,
    segment_opener,
    segment_paths,
)

NAMED = r"000001\.hatj: frame \d+ at byte \d+"
NS = 1_767_618_000_000_000_000
RECORDS: list[Record] = [
    Began('{"seed":1}'),
    Place(1, 0, 1, 0, int(Side.SELL), 200_000, 5, int(Tif.ALO), False, 400_010, NS),
    Modify(2, 1, 0, 1, 0, 1, 200_000, 5, int(Tif.GTC), True, 400_010, NS),
    Cancel(2, 0, 1, 0, NS),
    Opened(1, 77, 5, NS, NS + 1),
    Filled(1, 9, 200_000, 5, -3, True, False, NS, NS + 1),
    Closed(1, Status.SELF_TRADE_CANCELED, 5, NS, NS + 1),
    Refused(2, Status.TICK_REJECTED, "Price must be divisible by tick size.", NS, NS + 1),
    CancelRefused(2, NS, NS + 1),
    FundingPaid(0, -5, 2_003_370_000_000_000, -125_000, 7, NS, NS + 1),
    FundingUnknown(0, -5, NS, NS + 1),
    MarginCalled(-5, 3, NS, NS + 1),
    Veto("risk", "loss_over_max", "loss=5 limit=\N{GREEK SMALL LETTER BETA}", 0, 1, 0, NS, 3),
    BatchMark(NS, 3, 0),
    GapSeen(0, NS, NS + 1, 2),
    Snapshot(NS, "ab" * 16),
    Ended("end", 3, "cd" * 16),
    Signal(1, 0, 2, -0.1, 3_600, NS, "ab" * 8, 3, NS),
    Allocation(NS, "kelly", "equity", (Allotted(0, 10**9, 0.5, None, None, 3),)),
    StrategyFailed(1, -1, "ValueError('\N{GREEK SMALL LETTER BETA}')", NS),
]


def write(folder: Path, records: list[Record], *, batches: int = 1) -> str:
    """Write ``records`` in ``batches`` frames and return the journal hash."""
    writer = JournalWriter(segment_opener(folder))
    size = -(-len(records) // batches)
    for at in range(0, len(records), size):
        writer.write(records[at : at + size])
        writer.flush()
    return writer.close()


def test_every_kind_of_record_comes_back_as_it_was(tmp_path: Path) -> None:
    assert {type(record) for record in RECORDS} == set(get_args(Record))
    write(tmp_path, RECORDS)
    back = list(read_records(tmp_path))
    assert back == RECORDS
    assert [type(record) for record in back] == [type(record) for record in RECORDS]


ints = st.integers(-(2**63), 2**63 - 1)
times = st.integers(0, 2**63 - 1)
facts = st.one_of(
    st.builds(Filled, ints, ints, ints, ints, ints, st.booleans(), st.booleans(), times, times),
    st.builds(Closed, ints, st.sampled_from(list(Status)), ints, times, times),
    st.builds(Refused, ints, st.sampled_from(list(Status)), st.text(), times, times),
    st.builds(Veto, st.text(), st.text(), st.text(), ints, ints, ints, times, ints),
)


@given(batches=st.lists(st.lists(facts, max_size=5), max_size=5))
def test_random_records_round_trip_and_the_hash_knows_no_framing(batches: list[list[Fact]]) -> None:
    files: list[io.BytesIO] = []

    class Kept(io.BytesIO):
        def close(self) -> None: ...

    def open_segment(number: int) -> io.BytesIO:
        files.append(Kept())
        return files[-1]

    framed, plain = JournalWriter(open_segment), HashJournal()
    for batch in batches:
        for journal in (framed, plain):
            journal.mark(5, 2, batch)
        framed.flush()
    assert framed.close() == plain.close()
    assert framed.count == len(batches) + sum(map(len, batches))


def test_the_hash_of_the_folder_is_the_writers(tmp_path: Path) -> None:
    assert write(tmp_path, RECORDS, batches=4) == journal_hash(tmp_path)
    assert write(tmp_path / "other", RECORDS) == journal_hash(tmp_path)
    assert write(tmp_path / "fewer", RECORDS[1:]) != journal_hash(tmp_path)


def test_every_flipped_byte_is_found_and_named(tmp_path: Path) -> None:
    write(tmp_path, RECORDS, batches=3)
    (path,) = segment_paths(tmp_path)
    whole = path.read_bytes()
    ends = boundaries(whole)
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        with pytest.raises(MismatchError, match=NAMED) as found:
            journal_hash(tmp_path)
        named = int(str(found.value).split("at byte ")[1].split(" ")[0])
        assert named == max(end for end in [0, *ends] if end <= at), "the frame that holds it"


def boundaries(content: bytes) -> list[int]:
    """Return where frames begin, and the end."""
    at, found = SEGMENT_HEADER.size, []
    while at < len(content):
        found.append(at)
        at += FRAME_HEADER.size + FRAME_HEADER.unpack_from(content, at)[0]
    return [*found, at]


def test_a_cut_inside_a_frame_is_found_and_one_between_frames_needs_the_manifest(
    tmp_path: Path,
) -> None:
    """A journal that lacks its last frames is itself whole: count and hash lie in the manifest."""
    expected = write(tmp_path, RECORDS, batches=3)
    (path,) = segment_paths(tmp_path)
    whole = path.read_bytes()
    ends = boundaries(whole)
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        if size in ends:
            assert journal_hash(tmp_path) != expected
        else:
            with pytest.raises(MismatchError, match="damaged"):
                journal_hash(tmp_path)


def test_frames_cannot_be_swapped_or_left_out(tmp_path: Path) -> None:
    write(tmp_path, RECORDS, batches=3)
    (path,) = segment_paths(tmp_path)
    whole = path.read_bytes()
    a, b, c, d = boundaries(whole)
    head, one, two, three = whole[:a], whole[a:b], whole[b:c], whole[c:d]
    for frames in ([two, one, three], [one, three], [two, three], [one, one, two, three]):
        path.write_bytes(head + b"".join(frames))
        with pytest.raises(MismatchError, match="does not continue the chain"):
            journal_hash(tmp_path)


def test_segments_roll_and_cannot_be_swapped_or_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES_MAX", 200)
    expected = write(tmp_path, RECORDS, batches=6)
    paths = segment_paths(tmp_path)
    assert len(paths) > 2
    assert journal_hash(tmp_path) == expected
    for wrong in (paths[1:], [paths[1], paths[0], *paths[2:]], [paths[0], *paths[2:]]):
        with pytest.raises(MismatchError, match="does not continue the chain"):
            list(read_frames(wrong))


def test_a_segment_is_never_overwritten(tmp_path: Path) -> None:
    write(tmp_path, RECORDS)
    with pytest.raises(FileExistsError):
        write(tmp_path, RECORDS)


def test_the_origin_is_kept_under_the_chain_and_outside_the_hash(tmp_path: Path) -> None:
    origin = {"commit": "ab" * 20, "dirty": "no", "seed": "7"}
    writer = JournalWriter(segment_opener(tmp_path / "with"), origin=origin)
    writer.write(RECORDS)
    bare = write(tmp_path / "bare", RECORDS)
    assert writer.close() == bare == journal_hash(tmp_path / "with")
    assert list(read_records(tmp_path / "with")) == RECORDS
    assert read_origin(tmp_path / "with") == origin
    assert read_origin(tmp_path / "bare") is None
    path = segment_paths(tmp_path / "with")[0]
    path.write_bytes(path.read_bytes().replace(b"dirty\xa2no", b"dirty\xa2NO"))
    with pytest.raises(MismatchError, match=NAMED):
        read_origin(tmp_path / "with")


def test_an_origin_behind_the_first_frame_is_refused(tmp_path: Path) -> None:
    frames = FrameWriter(segment_opener(tmp_path))
    frames.append(b"\x90", kind=journal_module.KIND_RECORDS)
    frames.append(b"\x80", kind=journal_module.KIND_ORIGIN)
    frames.close()
    with pytest.raises(MismatchError, match="kind 3 is unknown"):
        list(read_records(tmp_path))


def test_an_unreadable_origin_is_refused(tmp_path: Path) -> None:
    frames = FrameWriter(segment_opener(tmp_path))
    frames.append(b"\x90", kind=journal_module.KIND_ORIGIN)
    frames.close()
    with pytest.raises(MismatchError, match="origin is unreadable"):
        read_origin(tmp_path)


def test_an_empty_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(MismatchError, match="no journal"):
        journal_hash(tmp_path)


def test_unknown_kinds_and_records_are_refused(tmp_path: Path) -> None:
    frames = FrameWriter(segment_opener(tmp_path / "kind"))
    frames.append(b"\x90", kind=9)
    frames.close()
    with pytest.raises(MismatchError, match="kind 9 is unknown"):
        list(read_records(tmp_path / "kind"))
    frames = FrameWriter(segment_opener(tmp_path / "record"))
    frames.append(b"\x91\x91\xcc\xc8", kind=journal_module.KIND_RECORDS)
    frames.close()
    with pytest.raises(MismatchError, match="unknown record"):
        list(read_records(tmp_path / "record"))
