# Every target sets up what it needs (bootstrap.py): only Python 3.11+, make and git must be there.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
BOOT := @$(PYTHON) bootstrap.py

help:  ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo:  ## the main job in the terminal: one sentence, nine systems, a journal that proves it
	$(BOOT) demo $(ARGS)

test:  ## the default test suite (ARGS="-k journal" hands options to pytest)
	$(BOOT) test $(ARGS)

chat:  ## the chat, in the browser
	$(BOOT) chat $(ARGS)

up:  ## everything at once: database, sandbox company, worker, chat and pages
	$(BOOT) up $(ARGS)

lint: setup  ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup  ## mypy --strict over the whole tree, tests included
	$(BIN)/mypy .

contracts: setup  ## which folder may import which (.importlinter)
	$(BIN)/lint-imports

browser: setup  ## the tests that drive Chromium
	@$(call battery,browser)

chaos: setup  ## the chaos battery in its short form (FULL=1: 10,000 runs, 1,000 kills; ARGS="--only B1 --seed 7")
	@$(BIN)/python -m tests.chaos $(if $(FULL),--full) $(ARGS)

bench: setup  ## measure beside bare LangGraph, in under 20 minutes; ARGS="--quick" in under 2 (reports/bench.md)
	$(BIN)/python -m tests.bench $(ARGS)

eval: setup  ## how well requests in words are understood and planned (reports/eval.md)
	@$(BIN)/steward eval --report reports $(ARGS)

package: setup  ## build the wheel, install it with requirements.lock into an empty environment, and start it
	@sh .ci/package

check: test lint types contracts package browser chaos  ## all that CI checks

lock: setup  ## renew uv.lock and requirements.lock from pyproject.toml
	.boot/bin/uv lock
	$(BIN)/python -m tests.house.requirements --write

audit: setup  ## look the locked dependencies up among known vulnerabilities (needs the network)
	$(BIN)/pip-audit --disable-pip --require-hashes -r requirements.lock

clean:  ## remove the environments and caches; the data in .steward stays
	rm -rf .boot .venv .setup.lock build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	$(BOOT) setup

# A battery without tests is said to be empty, not passed over in silence; every other status but 0 fails.
define battery
$(BIN)/pytest -m $(1) $(ARGS); status=$$?; \
if [ $$status -eq 5 ]; then echo "make $(1): no test is marked '$(1)' yet"; exit 0; fi; exit $$status
endef

.PHONY: help demo test chat up lint types contracts browser chaos bench eval package check lock audit clean setup
