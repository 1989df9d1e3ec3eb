"""Turns a command-line case into our words, and says what its refusal must name."""

import re
from dataclasses import dataclass
from typing import Any

from tests.bad_inputs_box import SECRET
from tests.bad_inputs_config import UnmappedError, base_toml, our_path, rename_variable
from tests.bad_inputs_table import ACCOUNT, COMMANDS, FLAGS, URLS

CONFIG_NAMES = ("c.yml", "c.yaml", "c.toml", "config.yml", "config.yaml", "config.toml")
SAYS = re.compile(r"c\.yml says (\w+)")
SECRET_FLAG = re.compile(r"^-.*(passw|secret|private|mnemonic|seed.?phrase|passphrase)")
SECRET_LENGTH_MIN = 5
"""Shorter values are words of everyday messages."""
MISMATCHED = {"is_latched": True, "reason": "drill", "is_reconciled": False}
CLEAN = {"is_latched": True, "reason": "drill", "is_reconciled": True}
GOOD: dict[tuple[str, ...], tuple[str, ...]] = {
    ("preflight",): ("--config", "{config}"),
    ("order", "check"): (
        *("--coin", "BTC", "--side", "buy", "--sz", "0.001", "--px", "94000"),
        *("--bid", "95000", "--ask", "95001"),
    ),
    ("resume",): ("--reason", "positions compared by hand", "--operator", "ann"),
    ("kill",): (),
    ("dashboard",): ("--bind", "127.0.0.1", "--port", "8787"),
    ("audit", "verify"): ("--since", "2020-01-01T00:00:00Z"),
    ("report",): ("r1", "--out", "copy.html"),
    ("config", "show"): ("--config", "{config}"),
}
"""Arguments that each command accepts."""
ACCEPTED: dict[tuple[str, ...], tuple[int, str]] = {
    ("resume",): (8, "not part of this release"),
    ("kill",): (8, "not part of this release"),
    ("dashboard",): (8, "not part of this release"),
    ("audit", "verify"): (5, "0 runs"),
}
"""What acceptance looks like where it is not exit code 0: arguments in order, nothing to do yet."""


@dataclass(frozen=True)
class CliCase:
    """A case in our terms; ``twin`` is the same command without the fault."""

    argv: tuple[str, ...]
    twin: tuple[str, ...]
    command: tuple[str, ...]
    config: bytes
    env: dict[str, str]
    codes: tuple[int, ...]
    words: tuple[str, ...]
    is_locked: bool
    is_stale: bool
    latch: dict[str, Any]
    secrets: tuple[str, ...]


def translate(case: dict[str, Any]) -> CliCase:
    """Return the case in our terms.

    Raises:
        UnmappedError: if there are no words for its command.
    """
    given = case["input"]
    if given["encoding"] != "argv":
        raise UnmappedError(f"encoding {given['encoding']}")
    context = case.get("context", "")
    command, rest = command_of([str(word) for word in given["argv"]])
    theirs = tuple(arguments_of(rest))
    is_stale = bool(re.search(r"stale|crashed|dead|left over|leftover", context))
    is_locked = bool(re.search(r"instance is running|lock", context)) and not is_stale
    is_mismatched = bool(re.search(r"mismatch|disagree|not clean|not reconciled", context))
    env = {rename_variable(key): str(value) for key, value in (given.get("env") or {}).items()}
    network = network_of(theirs, context)
    good = good_arguments(command, network)
    argv = (*command, *completed(command, theirs))
    codes = (75,) if is_locked else (7,) if is_mismatched else (2,)
    if command == ("order", "check"):
        codes = (2, 8)
    words = tuple(words_of(theirs, good, command=command, env=env))
    return CliCase(
        argv=argv if given["argv"] else (),
        twin=(*command, *good),
        command=command,
        config=base_toml(network=network, base_url=URLS[network]),
        env=env,
        codes=codes,
        words=() if is_locked or is_mismatched else words,
        is_locked=is_locked,
        is_stale=is_stale,
        latch=MISMATCHED if is_mismatched else CLEAN,
        secrets=tuple(secrets_of(given)),
    )


def command_of(argv: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return our command and the rest of the words.

    Raises:
        UnmappedError: if the command is none of the table.
    """
    if not argv or argv[0].startswith("-"):
        return ("config", "show"), argv
    for length in (2, 1):
        ours = COMMANDS.get(tuple(argv[:length]))
        if ours and len(argv) >= length:
            return ours, argv[length:]
    if any(SECRET_FLAG.match(word) or SECRET.search(word) for word in argv):
        return ("config", "show"), argv[1:]
    raise UnmappedError(f"command {argv[0]}")


def arguments_of(words: list[str]) -> list[str]:
    """Return the arguments with our flag names, our keys and our file names."""
    ours: list[str] = []
    for word in words:
        flag, equals, value = word.partition("=")
        last = ours[-1] if ours else ""
        if last == "--config":
            ours.append("{config}" if word in CONFIG_NAMES else word.replace(".yml", ".toml"))
        elif last == "--set":
            ours.append(our_path(flag) + equals + value)
        elif flag in FLAGS:
            ours.append(FLAGS[flag] + equals + value)
        else:
            ours.append(word)
    return ours


def completed(command: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the arguments with what our command needs and theirs takes from the venue."""
    if command == ("order", "check"):
        market = (("--bid", "95000"), ("--ask", "95001"))
        return (*theirs, *(w for pair in market if pair[0] not in theirs for w in pair))
    return theirs


def network_of(theirs: tuple[str, ...], context: str) -> str:
    """Return the network of the configuration: as the context says, else as the flag does."""
    says = SAYS.search(context)
    if says and says[1] in URLS:
        return says[1]
    flags = pairs_of(theirs)
    named = flags.get("--network", "testnet")
    return named if named in URLS else "testnet"


def good_arguments(command: tuple[str, ...], network: str) -> tuple[str, ...]:
    """Return arguments that the command accepts on this network."""
    good = GOOD[command]
    if command == ("preflight",) and network == "mainnet":
        return (*good, "--network", network, "--arm", ACCOUNT[-6:])
    return good


def pairs_of(words: tuple[str, ...]) -> dict[str, str]:
    """Return flags with their values ('' for none); positional words by themselves."""
    pairs: dict[str, str] = {}
    last = ""
    for word in words:
        if word.startswith("--"):
            last, _, value = word.partition("=")
            pairs[last] = value
        elif last:
            pairs[last], last = word, ""
        else:
            pairs[word] = ""
    return pairs


def words_of(
    theirs: tuple[str, ...],
    good: tuple[str, ...],
    *,
    command: tuple[str, ...],
    env: dict[str, str],
) -> list[str]:
    """Return what the refusal must name: a flag that is new, missing or has another value."""
    if env:
        return ["|".join(re.escape(name) for name in env)]
    here, there = pairs_of(theirs), pairs_of(good)
    odd = [flag for flag, value in here.items() if there.get(flag) != value]
    if command == ("order", "check"):
        missing = [f for f in there if f not in here and f not in ("--bid", "--ask")]
    else:
        missing = [f for f in there if f.startswith("--") and f not in ("--config", "--out", *here)]
    twice = [word for word in theirs if word.startswith("--") and theirs.count(word) > 1]
    named = [*odd, *missing, *twice]
    said = [rf"{re.escape(flag)}(?![\w-])" for flag in named if not SECRET.search(flag)]
    if any(SECRET.search(word) for word in theirs):
        said.append("a word .* holds a secret")
    return ["|".join(said)] if said else []


def secrets_of(given: dict[str, Any]) -> list[str]:
    """Return the values that must never be shown."""
    argv = [str(word) for word in given["argv"]]
    env = (given.get("env") or {}).items()
    found = [str(value) for key, value in env if SECRET_FLAG.match("-" + key.lower())]
    for i, word in enumerate(argv):
        flag, _, value = word.partition("=")
        if SECRET_FLAG.match(flag):
            found += [value] if value else argv[i + 1 : i + 2]
        elif re.search(r"[0-9a-f]{64}", word):
            found.append(word)
    return [value for value in found if len(value) >= SECRET_LENGTH_MIN]
