"""Says what a file that no importer knows looks like, so that a refusal can name the fault."""

from pathlib import Path

from hatmanifesto.store.importers.own_tables import PARQUET

MAGIC = (
    (b"\x80", "a pickle, which is never opened: it can run programs"),
    (b"\x93NUMPY", "a NumPy file; write it as CSV or Parquet"),
    (b"\xff\xfe", "UTF-16 text; write it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text; write it as UTF-8"),
    (b"\x89HDF", "an HDF5 file; write it as CSV or Parquet"),
    (b"PK", "a zip archive; name it itself to import its files"),
    (b"\x1f\x8b", "compressed twice"),
)
SEPARATORS = (("\t", "tabs"), (";", "semicolons"), ("|", "bars"))


def describe(path: Path, head: bytes) -> str:
    """Return what the file seems to be, '' when nothing can be said.

    Args:
        path: of the file.
        head: its first bytes, decompressed.
    """
    if not head:
        return "it is empty"
    if head.startswith(PARQUET):
        return _parquet(path)
    for magic, words in MAGIC:
        if head.startswith(magic):
            return f"it is {words}"
    if b"\0" in head:
        return "it holds NUL bytes: another encoding than UTF-8, or no text"
    try:
        first = head.decode("utf-8", "strict" if len(head) < 4 else "ignore").partition("\n")[0]
    except UnicodeDecodeError:
        return "it is no UTF-8 text"
    for separator, words in SEPARATORS:
        if separator in first and "," not in first:
            return f"its columns are separated by {words}: say so in a mapping file"
    names = first.lstrip("\ufeff").strip()[:80]
    return f"its first line is {names!r}, no columns of a known shape: say them in a mapping file"


def _parquet(path: Path) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(path).names
    except (OSError, pa.ArrowException) as error:
        return f"it is Parquet whose footer is missing or damaged: {error}"
    return f"its columns are {', '.join(names)[:80]}: say what they mean in a mapping file"
