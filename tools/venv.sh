#!/bin/sh
# Make or refresh .venv for one level of use: runtime, dev or bench.
#
# Everything comes from the hash-locked file of that level, as wheels, so nothing unhashed is
# fetched or built; the project itself is installed in place. A stamp named after the lock, the
# project file and the place of the checkout makes a second call quick. No console script is
# called, so blanks in the path do no harm.
set -eu

level=$1
cd "$(dirname "$0")/.."
lock="requirements/$level.txt"
test -f "$lock" || { echo "venv: expected runtime, dev or bench, was '$level'" >&2; exit 2; }

python=.venv/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_USER=0

find_python() { # the first interpreter that is new enough and can make an environment
    seen=""
    for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        seen=$name
        "$name" -c 'import venv, ensurepip' 2>/dev/null || continue
        echo "$name"
        return 0
    done
    if [ -n "$seen" ]; then
        echo "venv: $seen cannot make virtual environments: its ensurepip is missing" >&2
        echo "  fix: apt-get install python3-venv   (as root; Debian and Ubuntu)" >&2
    else
        echo "venv: no Python 3.11 or newer was found" >&2
        echo "  fix: apt-get install python3 python3-venv, or name one: make PYTHON=/path/python" >&2
    fi
    return 2
}

key=$( { cat "$lock" pyproject.toml; pwd; } | cksum | tr ' ' '-')
stamp=".venv/.hat-$level-$key"
if [ -f "$stamp" ] && "$python" -c '' 2>/dev/null; then
    exit 0
fi
if ! "$python" -c 'import pip' 2>/dev/null; then
    found=$(find_python)
    echo "venv: making .venv with $found"
    "$found" -m venv --clear .venv
fi
echo "venv: installing $lock"
"$python" -m pip install --quiet --require-hashes --no-deps --only-binary=:all: -r "$lock"
"$python" -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
rm -f .venv/.hat-"$level"-*
: > "$stamp"
