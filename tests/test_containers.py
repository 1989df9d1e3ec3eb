"""Streams and archives: told by content, whole or refused, bounded, never outside the target."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from hatmanifesto.domain.errors import DataError
from hatmanifesto.store.containers import Limits, expand, is_archive, open_stream, peek

pa = pytest.importorskip("pyarrow")

TEXT = b"".join(b"%d,%d\n" % (i, i * i % 99_991) for i in range(20_000))
CODECS = ("gzip", "lz4", "zstd")
SMALL = Limits(bytes_max=1 << 20, ratio_max=20, free_bytes=1 << 16, members_max=3)


def packed(codec: str, content: bytes = TEXT) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def written(folder: Path, content: bytes, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read_all(path: Path, **limits: Limits) -> bytes:
    with open_stream(path, **limits) as stream:
        return stream.read()


@pytest.mark.parametrize("codec", CODECS)
def test_a_stream_is_told_by_its_content_whatever_its_name(tmp_path, codec):
    path = written(tmp_path, packed(codec))
    assert read_all(path) == TEXT
    assert peek(path, 10) == TEXT[:10]
    with open_stream(path) as stream:
        assert b"".join(stream) == TEXT


def test_a_plain_file_and_an_empty_one_stay_what_they_are(tmp_path):
    assert read_all(written(tmp_path, TEXT, "x.gz")) == TEXT
    assert peek(written(tmp_path, b"", "y")) == b""


def test_two_streams_one_after_the_other_are_both_read(tmp_path):
    assert (
        read_all(written(tmp_path, packed("gzip") + gzip.compress(b"more\n"))) == TEXT + b"more\n"
    )


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("cut", [1, 4, 9, 1_000, 20_000])
def test_a_truncated_stream_is_refused(tmp_path, codec, cut):
    path = written(tmp_path, packed(codec)[:-cut])
    with pytest.raises(DataError, match="stream ended early"):
        read_all(path)


def test_a_changed_byte_in_gzip_is_refused(tmp_path):
    content = bytearray(gzip.compress(TEXT))
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(DataError, match="damaged"):
        read_all(written(tmp_path, bytes(content)))


@pytest.mark.parametrize("codec", CODECS)
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, codec):
    path = written(tmp_path, packed(codec, bytes(1 << 22)))
    with open_stream(path, SMALL) as stream, pytest.raises(DataError, match="bomb"):
        stream.read()


def test_the_default_limits_stop_a_gzip_bomb(tmp_path):
    path = written(tmp_path, gzip.compress(bytes(20 << 20)))
    with pytest.raises(DataError, match="too many bytes"):
        read_all(path)


def test_a_pipe_and_a_folder_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none"):
        with pytest.raises(DataError):
            open_stream(path)


# Archives ---------------------------------------------------------------------------------------


def tar_of(*members: tuple[str, bytes | str], mode: str = "w") -> bytes:
    """Return a tar: bytes are a file, a text is the target of a link, None is a folder."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            else:
                member.type = {"": tarfile.DIRTYPE, "fifo": tarfile.FIFOTYPE}.get(
                    content, tarfile.SYMTYPE
                )
                member.linkname = content
                archive.addfile(member)
    return sink.getvalue()


def zip_of(*members: tuple[str, bytes], mode: int = 0) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return sink.getvalue()


def left(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_files_come_out_in_member_order(tmp_path, make):
    path = written(tmp_path, make(("b.csv", b"2"), ("d/a.csv", b"1")), "x")
    assert is_archive(peek(path))
    files = expand(path, tmp_path / "out")
    assert [(file.name, file.read_bytes()) for file in files] == [("b.csv", b"2"), ("a.csv", b"1")]


@pytest.mark.parametrize("codec", CODECS)
def test_a_compressed_tar_is_unpacked(tmp_path, codec):
    path = written(tmp_path, packed(codec, tar_of(("d", ""), ("d/a.csv", TEXT))))
    assert is_archive(peek(path))
    assert [file.read_bytes() for file in expand(path, tmp_path / "out")] == [TEXT]


@pytest.mark.parametrize("make", [tar_of, zip_of])
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../../evil.csv", "escapes"),
        ("a/../../evil.csv", "escapes"),
        ("/tmp/evil.csv", "absolute"),
        ("C:evil.csv", "absolute"),
        ("a\\..\\evil.csv", "absolute"),
        ("a\x1b[2J.csv", "plain text"),
        ("a" * 300, "too long"),
    ],
)
def test_a_member_that_leaves_the_folder_refuses_the_archive(tmp_path, make, name, says):
    path = written(tmp_path, make(("good.csv", b"1"), (name, b"x")), "x")
    with pytest.raises(DataError, match=says) as caught:
        expand(path, tmp_path / "in" / "out")
    assert repr(name[:255]) in caught.value.what
    assert left(tmp_path) == ["in", "in/out", "x"]


def test_links_and_devices_are_refused(tmp_path):
    for content in ("../../outside", "fifo"):
        path = written(tmp_path, tar_of(("d", content), ("d/x", b"x")), "x")
        with pytest.raises(DataError, match=r"member .d.\s*: it is a (link|device)"):
            expand(path, tmp_path / "out")
    link = written(tmp_path, zip_of(("d", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777), "z")
    with pytest.raises(DataError, match="it is a link"):
        expand(link, tmp_path / "out")
    assert left(tmp_path / "out") == []


@pytest.mark.parametrize("make", [tar_of, zip_of])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_told_twice_is_refused(tmp_path, make):
    for names in (("a.csv", "a.csv"), ("a.csv", "A.csv"), ("a.csv", "./a.csv")):
        path = written(tmp_path, make(*((name, b"x") for name in names)), "x")
        with pytest.raises(DataError, match="twice"):
            expand(path, tmp_path / "out")
    assert left(tmp_path / "out") == []


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_a_file_that_is_also_a_folder_is_refused(tmp_path, make):
    path = written(tmp_path, make(("a", b"x"), ("a/b", b"x")), "x")
    with pytest.raises(DataError):
        expand(path, tmp_path / "out")
    assert left(tmp_path / "out") == []


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_too_many_members_are_refused(tmp_path, make):
    path = written(tmp_path, make(*((f"{i}.csv", b"x") for i in range(4))), "x")
    with pytest.raises(DataError, match="more than 3 members"):
        expand(path, tmp_path / "out", SMALL)


def test_a_zip_bomb_is_refused(tmp_path):
    path = written(tmp_path, zip_of(("a.csv", bytes(1 << 22))), "x")
    with pytest.raises(DataError, match="bomb"):
        expand(path, tmp_path / "out", SMALL)
    assert left(tmp_path / "out") == []


def test_a_cut_archive_is_refused_wherever_it_is_cut(tmp_path):
    whole = tar_of(("a.csv", TEXT[:3_000]), ("b.csv", TEXT[:3_000]))
    for cut in (512, 700, 3_584, 4_096, 4_300, 5_000, 7_168, 7_400):
        path = written(tmp_path, whole[:cut], "x")
        with pytest.raises(DataError):
            expand(path, tmp_path / "out")
    assert left(tmp_path / "out") == []
    zipped = zip_of(("a.csv", TEXT))
    with pytest.raises(DataError):
        expand(written(tmp_path, zipped[:-10], "z"), tmp_path / "out")


def test_an_archive_of_nothing_is_refused(tmp_path):
    with pytest.raises(DataError, match="no file"):
        expand(written(tmp_path, zip_of(), "x"), tmp_path / "out")
