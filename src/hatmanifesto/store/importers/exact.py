"""Exact conversions of whole columns: decimal texts, doubles and stamps to 64-bit integers.

A text or double either is a whole number of the unit or it is not; nothing is rounded here but in
``rounded_from_texts``, which says where. Each conversion is the vectorised twin of the scalar one
in ``domain.units``, equal to it by test.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hatmanifesto.domain.units import NS_MS, float_to_fixed, parse_fixed
from hatmanifesto.store.importers.checks import (
    REASON_TYPE,
    STAMP_MS_MAX,
    STAMP_MS_MIN,
    Mask,
    fixed_from_floats,
)
from hatmanifesto.store.importers.contract import Rejected

Ints = NDArray[np.int64]
Reasons = NDArray[np.str_]

INT64_MAX = 2**63 - 1
DIGITS_FAST = 19
"""Digits before and after the point that 38-digit decimals hold together."""
EXPONENT_MAX = 30
"""Exponents beyond it are no market data; written out they could fill the memory."""
PLAIN = r"^-?[0-9]+(\.[0-9]+)?\z"
FAST = rf"^-?[0-9]{{1,{DIGITS_FAST}}}(\.[0-9]{{1,{DIGITS_FAST}}})?\z"
NOT_FINITE = r"^(?i)[+-]?(nan|inf|infinity)\z"
ISO = (
    r"^(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})\z"
)


def from_floats(values: NDArray[np.float64], *, decimals: int) -> tuple[Ints, Mask]:
    """Return doubles as counts of 10**-decimals, and where their shortest text is such a count.

    Vectorised twin of ``domain.units.float_to_fixed``. ``fixed_from_floats`` decides doubles of at
    most 15 digits, with as few decimals as serve; what remains is decided by its text.
    """
    fixed = np.zeros(len(values), dtype=np.int64)
    exact = np.zeros(len(values), dtype=np.bool_)
    rest = np.flatnonzero(np.isfinite(values))
    for places in range(min(decimals, 15) + 1):
        counts, found = fixed_from_floats(values[rest], decimals=places)
        scale = 10 ** (decimals - places)
        fits = found & (np.abs(counts) <= INT64_MAX // scale)
        fixed[rest[fits]] = counts[fits] * scale
        exact[rest[fits]] = True
        rest = rest[~found]
        if not len(rest):
            break
    for row in rest.tolist():
        try:
            count = float_to_fixed(float(values[row]), decimals=decimals)
        except ValueError:
            continue
        if abs(count) <= INT64_MAX:
            fixed[row], exact[row] = count, True
    return fixed, exact


def as_texts(values: Any) -> Any:
    """Return any column of texts as an Arrow array of strings.

    Whole numbers are written out; what is neither a text nor a whole number becomes ``?``, which
    no conversion accepts.
    """
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values.cast(pa.string())
    try:
        return pa.array(values, type=pa.string())
    except (pa.ArrowException, UnicodeError, TypeError):
        return pa.array([_as_text(value) for value in values], type=pa.string())


def _as_text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    is_sound = isinstance(value, str) and value.isascii()
    return str(value) if is_sound else "?"


def from_texts(values: Any, *, decimals: int) -> tuple[Ints, Mask, Reasons]:
    """Return decimal texts as counts of 10**-decimals, where that is exact, and why it is not.

    Vectorised twin of ``domain.units.parse_fixed``, which also refuses what 64 bits cannot hold.

    Args:
        values: texts, null for none; a sequence, NumPy objects or an Arrow array.
        decimals: 0 to 18.

    Reasons: ``null`` (none or empty), ``not_finite``, ``off_grid`` (too many decimals or digits),
    ``ambiguous`` (an exponent, a separator, a blank, no number at all).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    assert 0 <= decimals <= 18
    texts = as_texts(values)
    plain, fast = _matches(texts, PLAIN), _matches(texts, FAST)
    fast &= ~_matches(texts, rf"\.[0-9]{{{decimals}}}[0-9]*[1-9]")
    safe = pc.if_else(pa.array(fast), texts, "0")
    fixed, ok = _from_decimals(safe.cast(pa.decimal128(38, decimals)))
    ok &= fast
    for row in np.flatnonzero(plain & ~fast).tolist():
        fixed[row], ok[row] = _parse(texts[row].as_py(), decimals)
    reason = np.full(len(texts), "", dtype=REASON_TYPE)
    reason[~ok] = "off_grid"
    reason[~plain] = "ambiguous"
    reason[_matches(texts, NOT_FINITE)] = "not_finite"
    reason[np.asarray(pc.fill_null(pc.equal(texts, ""), True), dtype=np.bool_)] = "null"
    return np.where(ok, fixed, 0), ok, reason


def _matches(texts: Any, pattern: str) -> Mask:
    import pyarrow.compute as pc

    found = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    return np.array(found, dtype=np.bool_)


def _from_decimals(decimals: Any) -> tuple[Ints, Mask]:
    """Return the low words of 128-bit integers, and where the high word only carries the sign."""
    words = np.frombuffer(decimals.buffers()[1], dtype="<i8").reshape(-1, 2)
    words = words[decimals.offset : decimals.offset + len(decimals)]
    low = words[:, 0].astype(np.int64)
    return low, np.asarray((words[:, 1] == low >> 63) & (low != -INT64_MAX - 1), dtype=np.bool_)


def _parse(text: str, decimals: int) -> tuple[int, bool]:
    if len(text) > 1_000:
        return 0, False
    try:
        value = parse_fixed(text, decimals=decimals)
    except ValueError:
        return 0, False
    return (value, True) if abs(value) <= INT64_MAX else (0, False)


def written_out(values: Any) -> Any:
    """Return texts with exponents (``-2.4e-06``) as plain decimals of the same exact value."""
    import pyarrow as pa

    texts = as_texts(values)
    rows = np.flatnonzero(_matches(texts, r"^-?[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]{1,3}\z"))
    if not len(rows):
        return texts
    plain = texts.to_pylist()
    for row in rows.tolist():
        plain[row] = write_out(plain[row])
    return pa.array(plain, type=pa.string())


def write_out(text: str) -> str:
    """Return one number's text without its exponent; unchanged if it is none or far too large."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    is_sane = value.is_finite() and abs(value.adjusted()) <= EXPONENT_MAX and len(text) < 100
    return format(value, "f") if is_sane else text


def rounded_from_texts(values: Any, *, decimals: int) -> tuple[Ints, Mask, Reasons, Mask]:
    """Return ``from_texts`` with finer decimals rounded half to even, and where that was done."""
    texts = as_texts(values)
    fixed, ok, reason = from_texts(texts, decimals=decimals)
    finer = np.zeros(len(ok), dtype=np.bool_)
    for row in np.flatnonzero(reason == "off_grid").tolist():
        text = texts[row].as_py()
        count = _round(text, decimals) if len(text) < 100 else INT64_MAX + 1
        if abs(count) <= INT64_MAX:
            fixed[row], ok[row], reason[row], finer[row] = count, True, "", True
    return fixed, ok, reason, finer


def _round(text: str, decimals: int) -> int:
    whole, _, fraction = text.partition(".")
    digits = int(whole + fraction)
    return int(Decimal(digits).scaleb(decimals - len(fraction)).to_integral_value(ROUND_HALF_EVEN))


def is_stamp(stamps_ns: Ints) -> Mask:
    """Say where a stamp [ns] lies within the years a venue's stamp can have, 2020 to 2100."""
    low, high = STAMP_MS_MIN * NS_MS, STAMP_MS_MAX * NS_MS
    return np.asarray((stamps_ns >= low) & (stamps_ns < high), dtype=np.bool_)


def stamps_from_ms(values: Ints) -> tuple[Ints, Mask]:
    """Return milliseconds as nanoseconds, and where they can be a stamp; 0 where not."""
    ok = np.asarray((values >= STAMP_MS_MIN) & (values < STAMP_MS_MAX), dtype=np.bool_)
    return np.where(ok, values, 0) * NS_MS, ok


def stamps_from_iso(values: Any) -> tuple[Ints, Mask]:
    """Return RFC 3339 texts as nanoseconds, and where they can be a stamp; 0 where not.

    A zone is required (``Z`` or ``+00:00``); date and time may be parted by ``T`` or a blank.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = pc.extract_regex(as_texts(values), ISO)
    known = np.array(parts.is_valid(), dtype=np.bool_)
    date, time, fraction, zone = (
        pc.if_else(pa.array(known), parts.field(name), default)
        for name, default in (
            ("date", "2020-01-01"),
            ("time", "00:00:00"),
            ("fraction", ""),
            ("zone", "Z"),
        )
    )
    seconds, real = _seconds(pc.binary_join_element_wise(date, time, "T"))
    ahead, zoned = _zone_seconds(zone)
    millis, ok = stamps_from_ms((seconds - ahead) * 1000)
    nanos = np.asarray(pc.utf8_rpad(fraction, 9, "0").cast(pa.int64()), dtype=np.int64)
    ok &= known & real & zoned
    return np.where(ok, millis + nanos, 0), ok


def _seconds(texts: Any) -> tuple[Ints, Mask]:
    """Return date-times as seconds since the epoch, and where the calendar knows them."""
    import pyarrow as pa

    real = np.ones(len(texts), dtype=np.bool_)
    try:
        stamps = texts.cast(pa.timestamp("s"))
    except pa.ArrowException:
        stamps, real = _seconds_one_by_one(texts)
    return np.array(stamps.cast(pa.int64()), dtype=np.int64), real


def _seconds_one_by_one(texts: Any) -> tuple[Any, Mask]:
    import pyarrow as pa

    found = []
    for text in texts:
        try:
            found.append(text.cast(pa.timestamp("s")).cast(pa.int64()).as_py())
        except pa.ArrowException:
            found.append(None)
    stamps = pa.array(found, type=pa.int64())
    return stamps.fill_null(0).cast(pa.timestamp("s")), np.array(stamps.is_valid(), dtype=np.bool_)


def _zone_seconds(zones: Any) -> tuple[Ints, Mask]:
    encoded = zones.dictionary_encode()
    ahead = np.zeros(len(encoded.dictionary), dtype=np.int64)
    known = np.ones(len(ahead), dtype=np.bool_)
    for index, zone in enumerate(encoded.dictionary.to_pylist()):
        if zone != "Z":
            hours, minutes = int(zone[1:3]), int(zone[4:6])
            known[index] = hours < 24 and minutes < 60
            ahead[index] = (-1 if zone[0] == "-" else 1) * (hours * 3600 + minutes * 60)
    indices = np.asarray(encoded.indices, dtype=np.int64)
    return ahead[indices], known[indices]


def rejects(
    reason: Reasons,
    *,
    exch: Ints,
    first_row: int,
    texts: Callable[[list[int]], Sequence[str]],
) -> list[Rejected]:
    """Return the rows that have a reason as rejects.

    Args:
        reason: empty where a row is good, shape (n,).
        exch: stamps [ns], 0 unknown, shape (n,).
        first_row: number of the first of these rows in its source.
        texts: gives the source rows at the given positions as text.
    """
    bad = np.flatnonzero(reason != "").tolist()
    if not bad:
        return []
    rows = zip(bad, texts(bad), strict=True)
    return [Rejected(first_row + at, int(exch[at]), str(reason[at]), text) for at, text in rows]
