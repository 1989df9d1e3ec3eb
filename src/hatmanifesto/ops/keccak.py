"""Keccak-256 as Ethereum uses it, and the mixed-case address check built on it (EIP-55).

Slow (about a millisecond per block) and small on purpose: it only checks addresses at start.
"""

ROUNDS = 24
RATE_BYTES = 136
"""Block size of Keccak-256: (1600 - 2 * 256) bits."""
LANE = (1 << 64) - 1


def _round_constants() -> tuple[int, ...]:
    """Return the 24 round constants, made by the 8-bit LFSR of the specification.

    Source: Keccak reference 3.0, section 1.2 (x^8 + x^6 + x^5 + x^4 + 1).
    """
    state = 1
    constants = []
    for _ in range(ROUNDS):
        constant = 0
        for j in range(7):
            if state & 1:
                constant |= 1 << ((1 << j) - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


ROUND_CONSTANTS = _round_constants()


def _rotate(lane: int, by: int) -> int:
    by %= 64
    return ((lane << by) | (lane >> (64 - by))) & LANE


def permute(lanes: list[int]) -> list[int]:
    """Return Keccak-f[1600] of 25 lanes, lane (x, y) at index x + 5 * y."""
    assert len(lanes) == 25
    a = list(lanes)
    for constant in ROUND_CONSTANTS:
        column = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        theta = [column[x - 1] ^ _rotate(column[(x + 1) % 5], 1) for x in range(5)]
        a = [lane ^ theta[i % 5] for i, lane in enumerate(a)]
        x, y, current = 1, 0, a[1]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, a[x + 5 * y] = a[x + 5 * y], _rotate(current, (t + 1) * (t + 2) // 2)
        for row in range(0, 25, 5):
            r = a[row : row + 5]
            for x in range(5):
                a[row + x] = r[x] ^ (~r[(x + 1) % 5] & r[(x + 2) % 5] & LANE)
        a[0] ^= constant
    return a


def keccak256(message: bytes) -> bytes:
    """Return the 32-byte Keccak-256 digest (padding 0x01, not SHA-3's 0x06)."""
    padded = bytearray(message)
    padded.append(0x01)
    padded.extend(bytes(-len(padded) % RATE_BYTES))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), RATE_BYTES):
        for i in range(RATE_BYTES // 8):
            word = padded[start + 8 * i : start + 8 * i + 8]
            lanes[i] ^= int.from_bytes(word, "little")
        lanes = permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def checksum_address(address: str) -> str:
    """Return ``0x`` + 40 hex digits in the mixed case of EIP-55.

    Source: EIP-55: a letter is upper case where the hash of the lower-case text has a digit >= 8.
    """
    body = address[2:].lower()
    digest = keccak256(body.encode("ascii")).hex()
    mixed = (c.upper() if int(d, 16) >= 8 else c for c, d in zip(body, digest, strict=False))
    return "0x" + "".join(mixed)
