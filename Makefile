# Everything a checkout can do. Each target makes .venv by itself, from requirements.lock, on the first use.

.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
READY := $(VENV)/.ready
PYTHON := $(VENV)/bin/python

# Real results for the tests and benchmarks that use them, where they lie beside the checkout.
ifneq ($(wildcard ../shared/data),)
export POOLTABLE_REAL_DATA ?= $(abspath ../shared/data)
endif

.PHONY: help setup demo demo-data test test-slow lint bench lock

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY) ## make .venv from requirements.lock

# Packages are compiled at once: where Python may not write bytecode, each command would do it again, for four seconds.
$(READY): requirements.lock pyproject.toml
	@python=$$(for name in python3.13 python3.12 python3; do \
	    "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && { echo "$$name"; break; }; done); \
	if [ -z "$$python" ]; then \
	    echo "Pooltable needs Python 3.12 or newer: none of python3.13, python3.12, python3 here is. Install one and try again." >&2; exit 1; fi; \
	set -e; \
	"$$python" -m venv --clear $(VENV); \
	$(PYTHON) -m pip install --quiet --disable-pip-version-check uv; \
	$(PYTHON) -m uv pip install --quiet --compile-bytecode --python $(PYTHON) --require-hashes -r requirements.lock; \
	$(PYTHON) -m uv pip install --quiet --python $(PYTHON) --no-deps -e .; \
	$(PYTHON) -m dashboard.bundle; \
	touch $(READY)

demo: $(READY) ## load, fit and publish the bundled simulated leagues, then serve them at http://127.0.0.1:8050
	@$(VENV)/bin/pooltable demo

demo-data: $(READY) ## write data/demo/ again with the simulator (byte for byte the same)
	@$(VENV)/bin/pooltable demo --regenerate data/demo

test: $(READY) ## everything needed to trust a change
	$(PYTHON) -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-slow: $(READY) ## the long tests: calibration, full-size data, many kills
	$(PYTHON) -m pytest -m slow --timeout 1800

lint: $(READY) ## style and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m pyright

bench: $(READY) ## one report of ratios to peers and limits, measured in one run; QUICK=1: in about five minutes
	QUICK=$(QUICK) $(PYTHON) -m pytest -m bench --write-report --timeout 3600

lock: $(READY) ## resolve requirements.lock again from pyproject.toml
	$(PYTHON) -m uv pip compile --quiet --upgrade --universal --python-version 3.12 --generate-hashes --no-header \
	    --no-emit-index-url --group dev pyproject.toml -o requirements.lock
