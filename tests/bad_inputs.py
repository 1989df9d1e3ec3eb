"""Feeds bad inputs to the program: `python -m tests.bad_inputs FILE [--category NAME,...]`.

A refusal passes only if the command exits with its documented code, its message names the fault,
and nothing forbidden happened: no traceback, no secret shown, no network, no program started,
nothing written outside the home. Every case also has a valid twin that must be accepted.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hatmanifesto.cli import main as hat_main
from tests import bad_inputs_cli, bad_inputs_config, bad_inputs_market
from tests.bad_inputs_box import SECRET, Answer, Call, Product, run
from tests.bad_inputs_config import UnmappedError
from tests.bad_inputs_table import ACCEPT_WORDS, CATEGORIES, TITLE_FAULTS, first_match

NOW_NS = 1_795_348_800_000 * 10**6
"""The fixture's clock [UTC ns]."""
REFUSALS = ("refuse_start", "refuse_command")


@dataclass
class Report:
    """What came of a file."""

    passed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    twins: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    is_bad: bool = False

    def fail(self, line: str) -> None:
        """Note a failure of the whole."""
        self.lines.append(line)
        self.is_bad = True


@dataclass(frozen=True)
class Trial:
    """A call, what is expected of it, and what its message must say."""

    call: Call
    codes: tuple[int, ...]
    words: tuple[str, ...]
    is_refusal: bool
    check: Callable[[Answer], str] | None = None
    """Says what is wrong with the answer besides, or ''."""


def check_file(
    cases: Iterable[dict[str, Any]],
    *,
    categories: tuple[str, ...] | None,
    allowed: frozenset[str] = frozenset(),
    product: Product = hat_main,
) -> Report:
    """Return the verdict on every case of the categories (all when None) and on its twin."""
    report = Report()
    chosen = [case for case in cases if categories is None or case["category"] in categories]
    for name in categories or ():
        if name not in CATEGORIES:
            report.fail(f"unknown category {name}")
        elif not any(case["category"] == name for case in chosen):
            report.fail(f"no case of category {name}")
    if not chosen:
        report.fail("no case was run")
    for case in chosen:
        check_case(case, report, allowed=allowed, product=product)
    return report


def check_case(
    case: dict[str, Any], report: Report, *, allowed: frozenset[str], product: Product
) -> None:
    """Run one case and its twin and count them."""
    name = case["category"]
    try:
        trials = trials_of(case)
    except (UnmappedError, AttributeError, KeyError, TypeError, ValueError) as error:
        report.unmapped[name] += 1
        report.lines.append(f"UNMAPPED {case['id']} {case['title']}: {error!r}")
        report.is_bad |= not allowed & {name, case["id"]}
        return
    *mine, twin = trials
    for label, some, counter in (
        ("", mine, report.passed),
        (" (valid twin)", [twin], report.twins),
    ):
        wrong = next(filter(None, (judge(trial, run(trial.call, product)) for trial in some)), "")
        if wrong:
            report.fail(f"FAILED {case['id']}{label} {case['title']}: {wrong}")
        (report.failed if wrong else counter)[name] += 1


def trials_of(case: dict[str, Any]) -> tuple[Trial, ...]:
    """Return the case, as one trial or more, and last its twin.

    Raises:
        UnmappedError: if the case cannot be said in our terms.
    """
    if case["category"] == "market_data_file":
        return market_trials(case)
    outcome = case["expected"]["outcome"]
    if outcome not in (*REFUSALS, "accept"):
        raise UnmappedError(f"outcome {outcome}")
    if case["category"] == "config":
        return config_trials(case)
    if case["category"] == "cli_args":
        return cli_trials(case)
    raise UnmappedError("no adapter for this category")


def title_words(case: dict[str, Any]) -> tuple[str, ...]:
    """Return what the refusal must say besides, by the case's title."""
    say = first_match(TITLE_FAULTS, case["title"])
    return (say,) if say else ()


def config_trials(case: dict[str, Any]) -> tuple[Trial, Trial]:
    """Return the trials of a configuration case: `hat preflight --config FILE`."""
    ours = bad_inputs_config.translate(case)
    argv = ("preflight", "--config", "{config}")
    shown = tuple(SECRET.findall(ours.content.decode("utf-8", "replace")))
    call = Call(
        argv, ours.content, mode=ours.mode, kind=ours.kind, env=ours.env or {}, secrets=shown
    )
    is_refusal = case["expected"]["outcome"] != "accept"
    if is_refusal:
        words = (*ours.words, *title_words(case))
    else:
        say = first_match(ACCEPT_WORDS, case["title"])
        words = (say,) if say else ()
    trial = Trial(call, (2,) if is_refusal else (0,), words, is_refusal)
    return trial, Trial(Call(argv, ours.twin), (0,), ("preflight passed",), False)


def cli_trials(case: dict[str, Any]) -> tuple[Trial, Trial]:
    """Return the trials of a command-line case."""
    ours = bad_inputs_cli.translate(case)
    world = {
        "config": ours.config,
        "home_config": ours.config,
        "has_run": ours.command == ("report",),
        "now_ns": NOW_NS,
    }
    call = Call(
        ours.argv,
        env=ours.env,
        is_locked=ours.is_locked,
        is_stale=ours.is_stale,
        latch=ours.latch,
        secrets=ours.secrets,
        **world,
    )
    code, word = bad_inputs_cli.ACCEPTED.get(ours.command, (0, ""))
    accepted = Trial(
        Call(ours.twin, latch=bad_inputs_cli.CLEAN, **world), (code,), (word,), is_refusal=False
    )
    if case["expected"]["outcome"] == "accept":
        return Trial(call, (code,), (word,), is_refusal=False), accepted
    return Trial(call, ours.codes, (*ours.words, *title_words(case)), is_refusal=True), accepted


def market_trials(case: dict[str, Any]) -> tuple[Trial, ...]:
    """Return the trials of a market data file: `hat data import FILE`."""
    return tuple(
        Trial(
            Call(ours.argv, files=ours.files, now_ns=NOW_NS, secrets=ours.secrets),
            ours.codes,
            ours.words,
            ours.is_refusal,
            ours.check,
        )
        for ours in bad_inputs_market.translate(case)
    )


def judge(trial: Trial, answer: Answer) -> str:
    """Return what is wrong with an answer, or ''."""
    if answer.faults:
        return "; ".join(answer.faults)
    if answer.code not in trial.codes:
        expected = " or ".join(map(str, trial.codes))
        return f"exit {answer.code}, expected {expected}: {brief(answer.text)}"
    for words in trial.words:
        if not re.search(words, answer.text, re.IGNORECASE | re.DOTALL):
            return f"message does not say /{words}/: {brief(answer.text)}"
    if trial.is_refusal and not answer.text.strip():
        return "refused without a word"
    if trial.is_refusal and answer.stored:
        return "refused, yet something was stored"
    return trial.check(answer) if trial.check else ""


def brief(text: str) -> str:
    """Return the first line of a message, shortened and without anything like a key."""
    first = text.strip().split("\n", 1)[0]
    return SECRET.sub("<hidden>", first)[:200]


def main(argv: list[str] | None = None) -> int:
    """Run the cases of a file; 0 when all pass, 1 when not, 2 when the file cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m tests.bad_inputs", allow_abbrev=False)
    parser.add_argument("file", type=Path)
    parser.add_argument("--category", help="names, comma separated; all when not said")
    parser.add_argument("--allow-unmapped", default="", help="categories or case ids")
    options = parser.parse_args(argv)
    try:
        cases = json.loads(options.file.read_bytes())["cases"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"bad_inputs: cannot read {options.file}: {error}\n")
        return 2
    categories = tuple(options.category.split(",")) if options.category is not None else None
    allowed = frozenset(filter(None, options.allow_unmapped.split(",")))
    report = check_file(cases, categories=categories, allowed=allowed)
    for line in report.lines:
        print(line)
    for name in CATEGORIES:
        counts = [table[name] for table in (report.passed, report.failed, report.unmapped)]
        if any(counts):
            print(
                f"{name}: {counts[0]} passed, {counts[1]} failed, {counts[2]} unmapped; "
                f"{report.twins[name]} valid twins accepted"
            )
    return int(report.is_bad)


if __name__ == "__main__":
    raise SystemExit(main())
