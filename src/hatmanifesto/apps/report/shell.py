"""What every page begins with: its policy, under which it loads nothing, title and style."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape


def policy(scripts: Sequence[str]) -> str:
    """Return a policy under which the page loads nothing and runs these scripts alone."""
    digests = [b64encode(sha256(text.encode()).digest()).decode() for text in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def opening(title: str, *, style: str, scripts: Sequence[str]) -> str:
    """Return the page up to the beginning of its body."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy(scripts)}">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(title)} - Hat Manifesto</title>",
            f"<style>{style}</style>\n</head>\n<body>",
        ]
    )
