"""The colours of a report, for light and dark, each pair with enough contrast to be read.

Colours for series are spread over blue, orange, green and purple in differing lightness, so that
they hold for readers who cannot tell red from green; gain and loss are teal and orange-red for the
same reason and never the only sign. Text has a contrast of 4.5 or more, lines of 3 or more (WCAG).
"""

PALETTES: dict[str, dict[str, str]] = {
    "light": {
        "page": "#f7f8f7",
        "paper": "#ffffff",
        "ink": "#1c2126",
        "muted": "#5c6771",
        "grid": "#eaecea",
        "axis": "#bfc5c3",
        "rule": "#dfe2df",
        "accent": "#1f5f94",
        "gain": "#0b7261",
        "loss": "#b5421d",
        "lossfill": "rgba(181,66,29,0.14)",
        "neutral": "#f0f1ef",
        "buy": "#0b7261",
        "sell": "#b9541a",
        "gap": "rgba(120,128,135,0.17)",
        "warnbg": "#fdf3dc",
        "warn": "#6e4b00",
        "warnrule": "#e3c57c",
        "series0": "#1f5f94",
        "series1": "#b9541a",
        "series2": "#0b7261",
        "series3": "#7b4a9e",
        "series4": "#8a6508",
        "series5": "#b03a78",
        "series6": "#2f8db5",
        "series7": "#59636b",
    },
    "dark": {
        "page": "#111417",
        "paper": "#191d21",
        "ink": "#e6e9ec",
        "muted": "#9ca7b1",
        "grid": "#282e33",
        "axis": "#4a535b",
        "rule": "#2d3338",
        "accent": "#79b4e4",
        "gain": "#4fc0a6",
        "loss": "#f08a63",
        "lossfill": "rgba(240,138,99,0.20)",
        "neutral": "#272c31",
        "buy": "#4fc0a6",
        "sell": "#f0a25f",
        "gap": "rgba(160,170,180,0.15)",
        "warnbg": "#2e2713",
        "warn": "#edcf86",
        "warnrule": "#5b4b1d",
        "series0": "#79b4e4",
        "series1": "#f0a25f",
        "series2": "#4fc0a6",
        "series3": "#c3a1e8",
        "series4": "#d9bd62",
        "series5": "#ef93c0",
        "series6": "#8fdcf0",
        "series7": "#a9b4bd",
    },
}

IN_STYLE = (
    "page",
    "paper",
    "ink",
    "muted",
    "rule",
    "accent",
    "gain",
    "loss",
    "warnbg",
    "warn",
    "warnrule",
    "grid",
    "axis",
    "lossfill",
    "series0",
    "series1",
    "series3",
)


def variables(scheme: str) -> str:
    """Return the colours of a scheme as properties of a style sheet."""
    return ";".join(f"--{name}:{PALETTES[scheme][name]}" for name in IN_STYLE)
