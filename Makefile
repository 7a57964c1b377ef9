# What there is to do here. `make` alone lists it.
#
# Nothing is installed outside .venv and the user's cache folder, except by `make test` as root (see tools/needs).

SHELL := /bin/sh
PYTHON ?= python3
export PYTHON
RUN := .venv/bin/python -m
# what takes long: every page in a browser at every size, every principal at every door, every commit cut in two
LONG := tests/browser tests/matrix $(wildcard tests/panel/test_*_browser.py tests/flow/test_*crash*.py)
# the same on the real Asterisk, where time is looked at: every way a question can fail, an old version, a burst
LONG_LAB := $(addprefix tests/lab/test_,hooks_lab.py oldest_asterisk_lab.py texts_trouble_lab.py) tests/stories/test_burst_lab.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test long tools lint types tests format words schema lock shots soak bench clean

help: ## this list
	@awk -F ':[^#]*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: ## see it: a real Asterisk, real calls, texts on a page; ONCE=1 ends by itself
	@tools/needs demo
	@lab/fetch-asterisk >/dev/null
	@tools/venv run
	@PYTHONPATH=plugin exec $(RUN) lab.demo $(if $(filter-out 0,$(ONCE)),--once)

test: lint types tests ## what must hold: lint, types, import contracts, all tests but the long ones

long: tools ## the long tests: every page in a browser, the permission matrix, crashes at every commit, bursts
	$(RUN) pytest --numprocesses 4 $(LONG)
	$(RUN) pytest $(LONG_LAB)

# what the next ones need; root gets it installed, see tools/needs
tools:
	@tools/needs test
	@lab/fetch-asterisk >/dev/null
	@SUITE=bullseye lab/fetch-asterisk >/dev/null
	@tools/venv test

lint: tools ## form, lint, import contracts
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	.venv/bin/lint-imports

types: tools ## mypy, strict
	$(RUN) mypy
	$(RUN) mypy lab

tests: tools ## all tests; the coverage of the core has a floor
	$(RUN) coverage run --data-file=.coverage.core --source=ringback.core -m pytest tests/core
	@$(RUN) coverage combine --quiet --data-file=.coverage.core .coverage.core.*
	$(RUN) coverage report --data-file=.coverage.core
	$(RUN) pytest --numprocesses 4 -k "not lab" --ignore tests/core --ignore tests/crash $(LONG:%=--ignore %)
	$(RUN) pytest --numprocesses 2 tests/crash
	$(RUN) pytest -k lab --numprocesses 2 --dist loadfile $(LONG_LAB:%=--ignore %)

format: tools ## put the code into form
	$(RUN) ruff check --fix-only --quiet .
	$(RUN) ruff format .

words: ## the panel's languages: web/locale brought up to date with what the pages say
	@tools/venv test
	@PYTHONPATH=plugin $(RUN) tools.words

schema: ## what an empty database is made from, written anew from store/tables.py
	@tools/venv test
	@PYTHONPATH=plugin $(RUN) tools.schema

lock: ## requirements/*.in -> requirements/*.txt, with hashes
	@tools/lock

prompts: ## what callers hear, spoken in six languages, for Asterisk's sounds; into build/prompts
	@tools/needs prompts
	@$(PYTHON) -m tools.prompts

shots: ## the pictures of docs/panel.md, taken anew
	@tools/needs shots
	@tools/venv test
	@PYTHONPATH=plugin exec $(RUN) tests.browser.shots

soak: ## the long drills: kills, power cuts, fail-over, fuzzing; about an hour, QUICK=1 a taste; docs/reliability.md has what came out
	@tools/needs test
	@tools/venv test
	@PYTHONPATH=plugin exec $(RUN) tests.crash.soak $(if $(filter-out 0,$(QUICK)),--quick)

bench: ## how fast it is, beside others; QUICK=1 is shorter, GROWTH=1 fills databases
	@tools/needs bench
	@lab/fetch-asterisk >/dev/null
	@tools/venv bench
	@PYTHONPATH=plugin exec $(RUN) bench.run $(if $(filter-out 0,$(QUICK)),--quick)

clean: ## take away what was made here; the user's cache folder stays
	rm -rf .venv build dist .coverage .coverage.* .demo
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
