# `make demo` runs the whole round trip, `make test` checks and tests the code (`make test-all`: also the slow tests).
# Both need Python 3.11 or newer and make; the rest is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Address of a package index with another build of PyTorch, such as the small CPU build for Linux (docs/install.md).
TORCH_INDEX ?=
# Number of test processes of `make test`; each starts its own databases (about 3 GB of memory).
WORKERS ?= 2
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# The tests start hundreds of Python processes, each of which would compile the library again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-all check style types tests format clean

demo: $(VENV)/.demo
	$(BIN)/graphrec demo

# mypy beside the tests, so that both cores are busy while a test waits for a database.
test: style
	$(MAKE) --no-print-directory --jobs=2 types tests

test-all: check
	GRAPHREC_TESTS=all $(BIN)/python -m pytest -m ""

check: style types
	$(BIN)/python -m pytest tests/test_imports.py

style: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.test
	$(BIN)/mypy

tests: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --durations=10

format: $(VENV)/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.torch: constraints.txt
	@echo "making $(VENV) and installing PyTorch (once)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	@touch $@

$(VENV)/.demo: $(VENV)/.torch pyproject.toml
	@echo "installing graphrec (once)"
	$(PIP) -e '.[demo]'
	@touch $@

$(VENV)/.test: $(VENV)/.torch pyproject.toml
	@echo "installing graphrec with what its tests need (once)"
	$(PIP) -e '.[demo,serve,mcp,kafka,sql,excel,people,hybrid,notebooks,dev]'
	@touch $@ $(VENV)/.demo
