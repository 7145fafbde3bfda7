# SPDX-License-Identifier: BSD-3-Clause
# A fresh clone needs python3 (3.11 or newer) with venv; everything else is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# An environment in which numba is absent, as where it has no wheel for the interpreter.
NONUMBA := build/nonumba
# Where the benchmarks leave their results; docs/performance.md is made from those in bench/results.
RESULTS ?= bench/results

TESTS := -m pytest -n 2 --dist worksteal -q -p no:benchmark
REQUIREMENTS := import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
  print(*(r for r in p["dependencies"] + p["optional-dependencies"]["dev"] if not r.startswith("numba")), sep="\n")

.PHONY: help venv demo test test-nonumba test-avx2 lint bench bench-peers bench-gate bench-live docs clean

help:
	@echo "make demo   run the demonstration"
	@echo "make test   run the tests"
	@echo "make test-nonumba, make test-avx2  without numba; with kernels of an older processor"
	@echo "make lint   ruff, mypy, import-linter"
	@echo "make bench  run all benchmarks, beside all peers, fill docs/performance.md, say what became slower"
	@echo "make bench-peers, make bench-gate  beside the peers only; the same in a minute, for CI"
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
	$(BIN)/python $(TESTS) tests

# Live nodes use no kernels: what they do is tested once, by make test. CI names the tests that meet
# kernels in WHERE, so that it ends in time; .ci/run nonumba and .ci/run avx2 leave nothing out.
WHERE ?= tests
test-nonumba: $(NONUMBA)/.installed
	$(NONUMBA)/bin/python $(TESTS) -m "not live" $(WHERE)

test-avx2: $(STAMP)
	KAME_CPU=avx2 $(BIN)/python $(TESTS) -m "not live" $(WHERE)

$(NONUMBA)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m venv $(NONUMBA)
	$(BIN)/python -c '$(REQUIREMENTS)' >$(NONUMBA)/requirements.txt
	$(NONUMBA)/bin/python -m pip install --quiet --quiet --disable-pip-version-check -r $(NONUMBA)/requirements.txt
	$(NONUMBA)/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps -e .
	! $(NONUMBA)/bin/python -c 'import numba' 2>/dev/null
	@touch $@

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# Each step is taken, whatever becomes of the others; the worst counts.
bench: $(STAMP)
	status=0; \
	$(BIN)/python -m bench.peers --json $(RESULTS)/peers.json || status=1; \
	$(BIN)/python -m pytest -q --timeout=0 --benchmark-only bench --results $(RESULTS)/goals.json || status=1; \
	$(BIN)/python tools/gen_performance.py --results $(RESULTS) || status=1; \
	$(BIN)/python -m bench.gate --results $(RESULTS) || status=1; \
	exit $$status

bench-peers: $(STAMP)
	$(BIN)/python -m bench.peers --gate --json $(RESULTS)/peers.json

bench-gate: $(STAMP)
	$(BIN)/python -m bench.peers --quick --gate

bench-live: $(STAMP)
	$(BIN)/python bench/live/ping_round_trip.py --json bench/results/live.json

docs: $(STAMP)
	for gen in $(filter-out tools/gen_capture.py,$(wildcard tools/gen_*.py)); do $(BIN)/python $$gen || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
