# Everything runs in .venv, which `setup` makes; a changed pyproject.toml makes it anew.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := test
.PHONY: setup demo test lint bench clean

setup: .venv/.ready

.venv/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ovct needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")'
	@echo "installing into .venv (a few minutes)"
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# --overwrite: a second demo shows the same as the first, not that there is nothing left to do.
demo: setup
	$(BIN)/ovct curate examples/reports.csv --overwrite

test: lint
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# A benchmark that finds no data beside the checkout says so and does not stop the others.
bench: setup
	@for script in $$(grep -l __main__ benchmarks/*.py); do \
		name=$$(basename $$script .py); echo "== $$name"; $(BIN)/python -m benchmarks.$$name || true; done

clean:
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
