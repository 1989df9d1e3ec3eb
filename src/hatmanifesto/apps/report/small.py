"""The shell and the pieces of the small pages: index, periods, comparison. A few ten kilobytes."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape
from typing import NamedTuple

from hatmanifesto.apps.report.script import SMALL_SCRIPT
from hatmanifesto.apps.report.shell import opening
from hatmanifesto.apps.report.style import style_sheet
from hatmanifesto.apps.report.style_small import SMALL
from hatmanifesto.apps.report_text import UNKNOWN, grouped

FOOTER = (
    "Hat Manifesto. Money in USDC, times in UTC. Everything here is computed from the run's ledger "
    "and the mids of its data. Past results do not promise future ones."
)
HALF, HALF_LAST = '<figure class="half">', '<figure class="half last">'
LARGE = 1_000
"""Accounts from this size on [USDC] are told to the cent, smaller ones to four decimals."""


class Link(NamedTuple):
    """A link of the bar; ``is_page`` leads to another page of the same kind."""

    href: str
    text: str
    is_page: bool = False


def small_page(title: str, body: Sequence[str], links: Sequence[Link]) -> bytes:
    """Return one file that asks for nothing and runs one script, by its hash.

    Links to sections that the body lacks are left out.
    """
    content = "\n".join(part for part in body if part)
    bar = "".join(
        f'<a class="page step" href="{escape(one.href)}">{escape(one.text)}</a>'
        if one.is_page
        else f'<a href="{escape(one.href)}">{escape(one.text)}</a>'
        for one in links
        if not one.href.startswith("#") or f'id="{one.href[1:]}"' in content
    )
    return "\n".join(
        [
            opening(title, style=style_sheet() + SMALL, scripts=[SMALL_SCRIPT]),
            '<a class="skip" href="#result">Skip to the result</a>',
            (
                '<div class="bar"><div><span class="brand">Hat Manifesto</span>'
                f'<nav aria-label="Pages and sections">{bar}</nav>'
                '<button type="button" id="theme" hidden>Dark</button></div></div>'
            ),
            "<main>",
            content,
            f"<footer>{FOOTER}</footer>\n</main>",
            f"<script>{SMALL_SCRIPT}</script>\n</body>\n</html>\n",
        ]
    ).encode()


def top(told: Sequence[str], sentence: str, warnings: Iterable[str], *, badge: str) -> list[str]:
    """Return the top of a page: what it is of, the result in one sentence, every warning.

    ``told`` are HTML; the rest is text.
    """
    kind = " warn" if any(word in badge for word in ("SYN", "ASSUMED")) else ""
    spans = "".join(f"<span>{text}</span>" for text in told)
    return [
        (
            f'<div class="meta" id="result"><span class="badge{kind}">{escape(badge)}</span>'
            f"{spans}</div>"
        ),
        f"<h1>{escape(sentence)}</h1>",
        *[f'<div class="banner">{escape(text)}</div>' for text in warnings],
    ]


def anchor(href: str, text: str, *, is_page: bool = False) -> str:
    """Return a link; one to a small page hands the choice of colours on."""
    kind = ' class="page"' if is_page else ""
    return f'<a{kind} href="{escape(href, quote=True)}">{escape(text)}</a>'


def section(name: str, title: str, *content: str) -> str:
    """Return a section with its heading, "" without content."""
    parts = [part for part in content if part]
    return "\n".join([f'<h2 id="{name}">{escape(title)}</h2>', *parts]) if parts else ""


def figure(title: str, drawing: str, caption: str, *, is_half: bool = False) -> str:
    """Return a figure; ``caption`` names its source. "" without a drawing."""
    if not drawing:
        return ""
    return (
        f"{HALF if is_half else '<figure>'}\n<h3>{escape(title)}</h3>\n{drawing}\n"
        f"<figcaption>{escape(caption)}</figcaption>\n</figure>"
    )


def plots(*figures: str) -> str:
    """Return figures in two columns where there is room; a half one without a pair is wide."""
    drawn = [one for one in figures if one]
    is_open = False
    for at, one in enumerate(drawn):
        is_half = one.startswith(HALF)
        is_last = at + 1 == len(drawn) or not drawn[at + 1].startswith(HALF)
        if is_half and not is_open and is_last:
            drawn[at] = one.replace(HALF, HALF_LAST, 1)
        is_open = is_half and not is_open and not is_last
    shown = "\n".join(drawn)
    return f'<div class="plots">\n{shown}\n</div>' if shown else ""


def places_for(usdc: str) -> int:
    """Return the decimals that money is told with on the pages of an account of this size."""
    return 2 if abs(Decimal(usdc)) >= LARGE else 4


def amount(text: str | None, places: int, *, is_signed: bool = False) -> str:
    """Return decimal text in USDC for people; a zero is "0", what is not known says so."""
    if text is None:
        return UNKNOWN
    if not Decimal(text):
        return "0"
    plus = "+" if is_signed and Decimal(text) > 0 else ""
    return plus + grouped(text, places)


def sign_of(text: str | None) -> str:
    """Return the class of a gain or a loss, "" for neither."""
    if text is None or not Decimal(text):
        return ""
    return "gain" if Decimal(text) > 0 else "loss"


def net_cell(text: str | None, places: int) -> str:
    """Return a cell of a gain or loss, with its sign in words and colour."""
    kind = f"num {sign_of(text)}".strip()
    return f'<td class="{kind}">{escape(amount(text, places, is_signed=True))}</td>'


def cell(text: str, kind: str = "num") -> str:
    """Return a cell of text."""
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"
