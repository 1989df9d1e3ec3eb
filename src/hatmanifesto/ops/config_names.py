"""Parsers of names in the configuration: addresses, URLs, paths and places to listen.

As in ``config_values``, a parser raises ValueError whose text continues "KEY: ...".
"""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from hatmanifesto.ops.config_values import text
from hatmanifesto.ops.keccak import checksum_address
from hatmanifesto.ops.secrets import quote

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
PATH_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\]")
HOSTS = {"testnet": "api.hyperliquid-testnet.xyz", "mainnet": "api.hyperliquid.xyz"}
"""The only host of each network. Source: PROTOCOL 1."""


def address(value: object) -> str:
    """Parse ``0x`` + 40 hex digits; mixed case must pass EIP-55; zero is refused."""
    raw = text(value, expected="an address (0x and 40 hex digits)")
    if not ADDRESS.fullmatch(raw):
        raise ValueError(
            f"expected an address, 0x and 40 hex digits, was {len(raw)} characters {quote(raw)}"
        )
    body = raw[2:]
    if int(body, 16) == 0:
        raise ValueError("the zero address belongs to nobody")
    if body not in (body.lower(), body.upper()) and raw != checksum_address(raw):
        raise ValueError("mixed-case address fails its EIP-55 checksum; copy it again")
    return raw.lower()


def relative_path(value: object) -> str:
    """Parse a folder or file inside the home: plain names joined by ``/``, nothing expanded."""
    raw = text(value, expected="a relative path inside the home")
    if "$" in raw or "%" in raw or "~" in raw or "{" in raw:
        raise ValueError(f"variables and ~ are not interpolated, was {quote(raw)}")
    if raw.startswith("/") or "\\" in raw or ":" in raw:
        raise ValueError(f"must be a relative path inside the home, was {quote(raw)}")
    parts = raw.split("/")
    if any(part in (".", "..") for part in parts):
        raise ValueError(f"must stay inside the home, no .. or ., was {quote(raw)}")
    if not all(PATH_PART.fullmatch(part) for part in parts):
        raise ValueError(f"expected plain folder names joined by /, was {quote(raw)}")
    return raw


def url(value: object) -> str:
    """Parse a base URL: scheme and an ASCII host, nothing else; the network rule comes later."""
    raw = text(value, expected="a URL")
    if not raw:
        raise ValueError("is empty, there is no default URL")
    if not raw.isascii():
        raise ValueError(f"host must be ASCII, look-alike letters are refused, was {quote(raw)}")
    if any(c <= " " or c in '\\"<>^`{|}' for c in raw):
        raise ValueError(f"holds blanks or odd characters, was {quote(raw)}")
    try:
        parts = urlsplit(raw)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is no valid URL ({error})") from None
    if "@" in raw:
        raise ValueError("no user info (user@host) in a URL")
    if parts.scheme not in ("https", "http"):
        raise ValueError(f"must start with https://, was {quote(raw)}")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    canonical = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    if not HOST.fullmatch(host) or raw.rstrip("/") != canonical:
        raise ValueError(f"expected only https:// and a lower-case host, was {quote(raw)}")
    return canonical


def is_loopback(host: str) -> bool:
    """Say whether ``host`` (name or IP, brackets allowed) is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def bind(value: object) -> str:
    """Parse ``HOST:PORT`` to listen on: an IP address or localhost, port 1..65535."""
    raw = text(value, expected='an address to listen on such as "127.0.0.1:8787"')
    host, colon, port = raw.rpartition(":")
    if not colon or not host:
        raise ValueError(f"expected HOST:PORT, was {quote(raw)}")
    bind_host(host)
    if not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > 65535:
        raise ValueError(f"port must be between 1 and 65535, was {quote(port)}")
    return raw


def bind_host(host: str) -> str:
    """Return ``host`` if it is localhost or an IP address."""
    if host != "localhost":
        try:
            ip_address(host.strip("[]"))
        except ValueError:
            raise ValueError(f"host must be an IP address, was {quote(host)}") from None
    return host
