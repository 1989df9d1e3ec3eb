# One command to see it, one to check it. Works as root or not, and with blanks in the path.

PY := .venv/bin/python
WORKERS ?= auto
PYTEST_FLAGS ?=

.PHONY: help venv venv-runtime demo test lint format fast bench lock clean
.DEFAULT_GOAL := help

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: venv-runtime ## back-test the shipped sample and write a report
	@$(PY) -m hatmanifesto demo

test: lint ## everything that must hold: format, lint, types, tests
	$(PY) -m pytest -n $(WORKERS) $(PYTEST_FLAGS)

lint: venv ## format, lint and types alone
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

format: venv ## rewrite the sources in the house format
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

fast: venv ## compile the engine, optional (needs gcc, python3-dev); see docs/fast.md
	@$(PY) -m tools.fast

bench: ## measure speed; prints medians and the commands behind them
	@sh tools/venv.sh bench
	-@$(PY) -m tools.fast
	$(PY) -m bench

venv: ## make or refresh .venv with the development tools
	@sh tools/venv.sh dev

venv-runtime:
	@sh tools/venv.sh runtime

LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	--no-emit-package peewee  # asked for by empyrical-reloaded, which never imports it; no wheel

lock: ## resolve requirements/*.txt anew from pyproject.toml (needs uv)
	$(LOCK) pyproject.toml requirements/build.in -o requirements/runtime.txt
	$(LOCK) -c requirements/runtime.txt pyproject.toml --extra dev requirements/build.in \
		-o requirements/dev.txt
	$(LOCK) -c requirements/dev.txt pyproject.toml --extra dev --extra bench \
		requirements/build.in -o requirements/bench.txt

clean: ## remove .venv and every cache of the checkout
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
