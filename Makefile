# SPDX-License-Identifier: BSD-3-Clause
# A fresh clone needs python3 (3.11 or newer) with venv; everything else is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help venv demo test lint bench bench-live docs clean

help:
	@echo "make demo   run the demonstration"
	@echo "make test   run the tests"
	@echo "make lint   ruff, mypy, import-linter"
	@echo "make bench  run the benchmarks"
	@echo "make bench-live  round trip from Linux to a live node beside PyTCP; needs root, a quiet machine"
	@echo "make docs   write the generated pages and codecs anew"
	@echo "make clean  remove .venv and everything built"

venv: $(STAMP)

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "make: $(PYTHON): not found: apt-get install python3 python3-venv, or make PYTHON=/path/to/python3.11" >&2; exit 3; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $(PYTHON): Python 3.11 or newer is needed: apt-get install python3 python3-venv, or make PYTHON=/path/to/python3.11" >&2; exit 3; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "make: $(PYTHON): the venv module is missing: apt-get install python3-venv" >&2; exit 3; }
	$(PYTHON) -m venv $(VENV)

# The stamp is written only after the installation succeeded.
$(STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(STAMP)
	@$(BIN)/kame demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -p no:benchmark tests

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(STAMP)
	$(BIN)/python -m pytest -q --benchmark-only bench

bench-live: $(STAMP)
	$(BIN)/python bench/live/ping_round_trip.py --json bench/results/live.json

docs: $(STAMP)
	for gen in $(filter-out tools/gen_capture.py,$(wildcard tools/gen_*.py)); do $(BIN)/python $$gen || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
