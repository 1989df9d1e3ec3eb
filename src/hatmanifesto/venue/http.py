"""One POST of JSON to the venue: bounded, TLS outside loopback, errors that say what to do."""

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from hatmanifesto.domain.errors import DataError, HatError, UsageError

TIMEOUT_S = 20
ANSWER_BYTES_MAX = 64 << 20
RETRYABLE = frozenset({429, 500, 502, 503, 504})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class VenueUnavailableError(HatError):
    """The venue did not answer, or asked us to come back later."""

    retryable = True


def check_url(url: str) -> str:
    """Return ``url`` without its last slash if a request may go there.

    Raises:
        UsageError: plain http outside loopback, user info, or no host.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise UsageError(f"--url {url!r} is no address", fix="write it like https://HOST")
    if not host.isascii():
        raise UsageError(f"--url {url!r} has letters outside ASCII in its host")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise UsageError(
            f"--url {url!r} is not encrypted", why="plain http is for loopback", fix="use https"
        )
    return url.rstrip("/")


def post_json(url: str, body: dict[str, Any]) -> Any:
    """Return the decoded JSON answer to ``body``.

    Raises:
        VenueUnavailableError: time out, refused connection, 429 or 5xx: try again later.
        DataError: any other status, or an answer that is no JSON or too large.
    """
    request = urllib.request.Request(
        url,
        data=json.dumps(body).encode("utf-8"),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
            content = reply.read(ANSWER_BYTES_MAX + 1)
    except urllib.error.HTTPError as error:
        if error.code in RETRYABLE:
            raise VenueUnavailableError(
                f"the venue answered {error.code}", fix="wait and run the same command again"
            ) from error
        text = error.read(200).decode("utf-8", "replace")
        raise DataError(f"the venue refused with {error.code}", why=text) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise VenueUnavailableError(
            "the venue cannot be reached", why=str(error), fix="check --url and the network"
        ) from error
    if len(content) > ANSWER_BYTES_MAX:
        raise DataError("the venue's answer is too large", why=f"over {ANSWER_BYTES_MAX} bytes")
    try:
        return json.loads(content)
    except ValueError as error:
        raise DataError("the venue's answer is no JSON", why=str(error)) from error
