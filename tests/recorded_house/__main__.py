"""Run the house on recorded months: `python -m tests.recorded_house [--only NAME] [--write FILE]`.

Imports the recordings into a home (a temporary one, or `--home`), runs each case through the
command line, audits its ledger against the raw files, rebuilds its report twice and prints the page
of results, or writes it. Exits 1 if something is not as it ought to be, 2 without recordings.
"""

import argparse
import platform
import sys
import tempfile
from pathlib import Path

from hatmanifesto import __version__
from tests.conftest import shared_data_path
from tests.recorded_house.results import chosen, import_all, markdown, run_case


def run(home: Path, data: Path, options: argparse.Namespace) -> int:
    """Run the cases, write the page, and return the exit status."""
    import_all(home, data)
    results = []
    for case in chosen(options.only or ()):
        results.append(run_case(case, home, data, rebuilds=options.rebuilds))
        state = "; ".join(results[-1].faults) or "as it ought to be"
        print(f"{case.name}: {state}", file=sys.stderr, flush=True)
    page = markdown(results, f"hatmanifesto {__version__} on Python {platform.python_version()}")
    if options.write:
        options.write.write_text(page, encoding="utf-8")
    else:
        print(page, end="")
    return 1 if not results or any(one.faults for one in results) else 0


def main(arguments: list[str]) -> int:
    """Run and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.recorded_house", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="a case; repeatable")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there")
    parser.add_argument("--home", type=Path, help="keep the runs there")
    parser.add_argument("--rebuilds", type=int, default=2, help="of each report, 2 by default")
    options = parser.parse_args(arguments)
    data = shared_data_path()
    if not data.is_dir():
        print(f"data: no recorded data at {data}", file=sys.stderr)
        return 2
    if options.home:
        options.home.mkdir(parents=True, exist_ok=True)
        return run(options.home, data, options)
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder), data, options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
