"""`hat report --rebuild`: makes the page of a run anew from its folder and its data, and compares.

Nothing of the engine runs. The ledger's rows are taken as they are; what the journal and the mids
say that they should be is told beside it, so that neither can be changed unseen.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hatmanifesto.analytics.mids import Market
from hatmanifesto.apps.describe import origin_of
from hatmanifesto.apps.provenance import code_hash
from hatmanifesto.apps.report_build import Analysis, RunIdentity, ledger_of
from hatmanifesto.apps.run_content import analyse_stored, content_of, facts_in
from hatmanifesto.apps.run_folder import LEDGER_CSV, LEDGER_PARQUET, REPORT, SUMMARY
from hatmanifesto.apps.stored_run import StoredRun, open_run
from hatmanifesto.domain.errors import Exit, MismatchError
from hatmanifesto.domain.units import format_half_micro
from hatmanifesto.store.atomic import readable_json
from hatmanifesto.store.ledger_read import first_difference, read_ledger_csv

SHOWN = 80
"""Characters of a differing line that are told."""
HEADING = re.compile(r"<h[123][^>]*>(.*?)</h[123]>")
TAG = re.compile(r"<[^>]*>")


class RebuildOutcome(msgspec.Struct, frozen=True):
    """Whether the page came out the same, in words and as an object; ``page`` is the new one."""

    summary: dict[str, Any]
    text: str
    exit_code: int
    page: bytes = b""


def rebuild_run(home: str, run_id: str) -> RebuildOutcome:
    """Return the page of a run, made anew, and what differs from what the run left: then exit 6.

    Raises:
        DataError: if the run or its data are missing.
        MismatchError: if its manifest was changed.
    """
    run = open_run(Path(home), run_id)
    try:
        page, wrong = _again(run)
    except MismatchError as error:
        page, wrong = b"", [f"{error.what}: {error.why}" if error.why else error.what]
    is_same_code = run.spec.code_hash == code_hash()
    summary = {
        "run_id": run_id,
        "status": "failed" if wrong else "ok",
        "identical": not wrong,
        "same_code": is_same_code,
        "differences": wrong,
    }
    if not wrong:
        has_page = (run.folder / REPORT).is_file()
        parts = "ledger, summary and report" if has_page else "ledger and summary"
        return RebuildOutcome(summary, f"{run_id}: {parts} identical", Exit.OK, page)
    lines = [f"{run_id}: NOT identical", *wrong]
    if not is_same_code:
        lines.append(f"the code changed since: {run.spec.code_hash} -> {code_hash()}")
    return RebuildOutcome(summary, "\n".join(lines), Exit.MISMATCH, page)


def _again(run: StoredRun) -> tuple[bytes, list[str]]:
    """Return the page made anew and every difference found, one a file."""
    from hatmanifesto.apps.report import render_report

    analyses: dict[str, Analysis] = {}
    wrong: list[str] = []
    for ties in run.spec.tie_orders:
        identity, market = run.materials(ties)
        analyses[ties] = analyse_stored(run.folder, ties, identity, market, spec=run.spec)
        if not wrong and ties == run.spec.tie_orders[0]:
            wrong += _ledgers(run, analyses[ties], identity, market)
        if analyses[ties].net_gap:
            gap = format_half_micro(analyses[ties].net_gap)
            wrong.append(f"net ({ties}): the ledger's is {gap} USDC above that of the books")
    summary, data = content_of(run.spec, run.endings, analyses, run.origin)
    page = render_report(data)
    wrong += _summary(run.folder, summary)
    if (run.folder / REPORT).is_file():
        wrong += _page((run.folder / REPORT).read_bytes(), page)
    return page, wrong


def _ledgers(
    run: StoredRun, analysis: Analysis, identity: RunIdentity, market: Market
) -> list[str]:
    """Return how the ledger's two files differ from what journal and mids give."""
    origin = origin_of(run.spec, run.origin)
    facts = facts_in(run.folder, run.spec.tie_orders[0], run.spec)
    expected = [
        origin | row for row in ledger_of(facts, market.mids, identity, spreads=market.spreads)
    ]
    wrong = []
    for name, rows in (
        (LEDGER_PARQUET, analysis.ledger),
        (LEDGER_CSV, read_ledger_csv((run.folder / LEDGER_CSV).read_bytes())),
    ):
        difference = first_difference(rows, expected)
        if difference:
            wrong.append(f"{name}: {difference} from journal and mids")
    return wrong


def _summary(folder: Path, summary: Mapping[str, Any]) -> list[str]:
    try:
        content = (folder / SUMMARY).read_bytes()
        stored = msgspec.json.decode(content)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        return [f"{SUMMARY}: {error}"]
    if content == readable_json(summary):
        return []
    difference = _first_key(stored, msgspec.json.decode(readable_json(summary)), "")
    return [f"{SUMMARY}: {difference or 'its spelling differs'}"]


def _first_key(stored: Any, again: Any, path: str) -> str:
    """Return the first key under which two JSON values differ, '' when none."""
    if isinstance(stored, dict) and isinstance(again, dict):
        for key in sorted({*stored, *again}):
            if found := _first_key(stored.get(key), again.get(key), f"{path}.{key}".strip(".")):
                return found
        return ""
    return "" if stored == again else f"{path} was {_short(stored)}, now {_short(again)}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _page(stored: bytes, again: bytes) -> list[str]:
    """Return the first difference of two pages, under the heading that it stands below."""
    if stored == again:
        return []
    before, after = (content.decode("utf-8", "replace").split("\n") for content in (stored, again))
    section = "its head"
    for mine, other in zip(before, after, strict=False):
        if mine != other:
            return [f"{REPORT}: {section}: was {_words(mine, other)}, now {_words(other, mine)}"]
        if heading := HEADING.search(mine):
            section = TAG.sub("", heading[1])[:SHOWN]
    return [f"{REPORT}: its end: {len(before)} lines, now {len(after)}"]


def _words(line: str, other: str) -> str:
    """Return the part of ``line`` from shortly before where it leaves ``other``."""
    at = next((i for i, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), 0)
    text = TAG.sub(" ", line[max(0, at - SHOWN // 4) : at + SHOWN])
    return repr(" ".join(text.split())[:SHOWN])
