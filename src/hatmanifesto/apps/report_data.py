"""What a report is drawn from: one or two analyses of a run and what must be said about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hatmanifesto.analytics.mids import merge_spans
from hatmanifesto.analytics.spacing import spacing_of
from hatmanifesto.apps.report_build import Analysis
from hatmanifesto.domain.enums import Evidence


@dataclass(frozen=True)
class Assumption:
    """One thing the result rests on; ``is_assumed`` marks what was not measured on this data."""

    name: str
    value: str
    why: str = ""
    is_assumed: bool = False


@dataclass(frozen=True)
class ReportData:
    """The content of one report. It holds no wall time, path or host, so its bytes repeat.

    ``ties`` names the tie order of ``main`` ("" when it does not matter), ``others`` the same run
    under other tie orders; ``notes`` are plain sentences such as "too small because ...";
    ``source`` names the data set for the line under every figure; ``provenance`` is shown as given,
    None as "unknown".
    """

    title: str
    evidence: Evidence
    source: str
    main: Analysis
    ties: str = ""
    others: Mapping[str, Analysis] = field(default_factory=dict)
    notes: Sequence[str] = ()
    assumptions: Sequence[Assumption] = ()
    provenance: Sequence[tuple[str, str | None]] = ()

    @property
    def coins(self) -> list[str]:
        """Return the names of the coins with data."""
        assets = self.main.identity.assets
        return [assets[slot].coin for slot in sorted(self.main.paths)]

    @property
    def analyses(self) -> dict[str, Analysis]:
        """Return every analysis by its tie order, the main one first."""
        return {self.ties or "this run": self.main, **self.others}


def spacing_ns(analysis: Analysis) -> int:
    """Return the usual distance between mids, the median over all coins [ns]; 0 when unknown."""
    return spacing_of(analysis.paths)


def recorded_ns(analysis: Analysis) -> int:
    """Return the time with data: the longest coin's span less its holes [ns]."""
    longest = 0
    for coin, path in analysis.paths.items():
        first, last = int(path.ts[0]), int(path.ts[-1])
        spans = merge_spans([(g.start, g.end) for g in analysis.facts.gaps if g.coin == coin])
        holes = sum(max(0, min(end, last) - max(start, first)) for start, end in spans)
        longest = max(longest, last - first - holes)
    return longest
