"""The entry point: global options, one place for errors, one table of exit codes."""

import os
import sys
import traceback
from collections.abc import Sequence

from hatmanifesto.cli.arguments import Arguments, split_arguments
from hatmanifesto.domain.errors import Exit, HatError
from hatmanifesto.ops.secrets import redact

INTERRUPTED = 130
USAGE = "usage: hat [--home DIR] [--config FILE] [--debug] COMMAND ...\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; prints errors to stderr, never a secret.

    Args:
        argv: arguments without the program's name; None for those of the process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = split_arguments(words)
    except HatError as error:
        return _fail(error, debug="--debug" in words)
    try:
        return _run(arguments)
    except HatError as error:
        return _fail(error, debug=arguments.debug)
    except KeyboardInterrupt:
        sys.stderr.write("hat: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe went away; what is left must not fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.OK)
    except Exception as error:  # noqa: BLE001 - the root of the program: no traceback escapes
        return _unexpected(error, arguments)


def _run(arguments: Arguments) -> int:
    if not arguments.rest:
        sys.stderr.write(f"{USAGE}hat: no command was given; see hat --help\n")
        return int(Exit.USAGE)
    if arguments.rest == ("--version",):
        from hatmanifesto import __version__

        sys.stdout.write(f"hat {__version__}\n")
        return int(Exit.OK)
    if "HAT_FAST" in os.environ:
        from hatmanifesto.apps.fast import start

        start(os.environ)
    from hatmanifesto.cli.app import build_app
    from hatmanifesto.cli.session import open_session

    session = open_session(arguments.home, arguments.config)
    result = build_app()(args=list(arguments.rest), standalone_mode=False, obj=session)
    sys.stdout.flush()
    return int(result or 0)


def _fail(error: HatError, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    sys.stderr.write(f"hat: {error}\n")
    return int(error.exit_code)


def _unexpected(error: Exception, arguments: Arguments) -> int:
    """Answer what is no HatError: a parser's complaint, an abort, or a fault of ours."""
    from typer import Abort

    if isinstance(error, Abort):
        sys.stderr.write("hat: interrupted\n")
        return INTERRUPTED
    format_message = getattr(error, "format_message", None)
    if callable(format_message):
        text = redact(str(format_message())) or "wrong usage"
        command = "" if "No such command" in text else arguments.rest[0]
        help_of = f"{command} --help" if command.isalpha() else "--help"
        sys.stderr.write(f"hat: {text}\n  fix: see hat {help_of}\n")
        return int(Exit.USAGE)
    if arguments.debug:
        traceback.print_exception(error)
    text = redact(f"{type(error).__name__}: {error}").replace("\n", " ")
    sys.stderr.write(f"hat: internal error: {text}\n  fix: run with --debug and report it\n")
    return int(Exit.FAILED)
