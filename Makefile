# Every target that has a ## behind it is explained by `make` alone.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: help run run-dev run-prod stop test test-fast test-integration test-e2e lint sim sim-power sim-exhaustive chaos bench \
	db-migrate db-seed check-books vendor vendor-dev lock clean clean-data

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-18s%s\n", $$1, $$2}' Makefile

# set-up, done again only when a lock file has changed ---------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Paydeck needs Python 3.11 or newer: set PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv

.venv/runtime: requirements.txt | $(BIN)/python
	@echo "Installing what Paydeck needs …"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt .venv/runtime
	@echo "Installing what tests and linters need …"
	@$(PIP) -r requirements-dev.txt
	@touch $@

vendor: .venv/runtime
	@$(BIN)/python scripts/vendor.py

vendor-dev: .venv/dev
	@$(BIN)/python scripts/vendor.py --for-tests

# use -----------------------------------------------------------------------------------------

run: .venv/runtime vendor ## start Paydeck with demo data (PORT, PAYDECK_DATA; Ctrl-C stops it)
	@exec $(BIN)/python -m supervisor

run-dev: .venv/dev vendor ## the same, and the portal starts again when its code changes
	@PAYDECK_RELOAD=1 exec $(BIN)/python -m supervisor

run-prod: .venv/runtime vendor ## the same without demo data or demo pages (see .env.example)
	@PAYDECK_DEMO=0 exec $(BIN)/python -m supervisor

stop: .venv/runtime ## stop the copy that runs on PAYDECK_DATA
	@$(BIN)/python -m supervisor.stop

db-migrate: .venv/runtime ## bring the tables up to date
	@$(BIN)/python -m supervisor.once db upgrade

db-seed: .venv/runtime ## fill an empty database with the demo's story
	@$(BIN)/python -m supervisor.once seed

check-books: .venv/runtime ## prove that every balance is the sum of its entries
	@$(BIN)/python -m supervisor.once check-books

# checks --------------------------------------------------------------------------------------

test: vendor-dev ## run all tests, journeys in a browser included (ARGS for pytest)
	@exec $(BIN)/python scripts/run_tests.py $(ARGS)

test-fast: vendor-dev ## run the tests that start no second copy and no browser
	@exec $(BIN)/python -m pytest -q -n 2 --dist loadfile tests --ignore=tests/setup --ignore=tests/simulation $(ARGS)

test-integration: vendor-dev ## run the tests that start real copies of Paydeck and its parts
	@exec $(BIN)/python -m pytest -q -n 2 --dist loadgroup tests/setup tests/sandbox tests/races $(ARGS)

test-e2e: vendor-dev ## run the journeys in a browser alone
	@exec $(BIN)/python -m pytest -q e2e $(ARGS)

sim: vendor-dev ## play seeded schedules of failure against the whole money core (SCHEDULES, SEED, TRACE=1)
	@PYTHONHASHSEED=0 exec $(BIN)/python -m tests.simulation --schedules $(or $(SCHEDULES),600) \
		--seed $(or $(SEED),0) $(if $(TRACE),--trace)

sim-power: vendor-dev ## plant each known bug and see at which seed the simulation finds it (BUGS by name)
	@PYTHONHASHSEED=0 exec $(BIN)/python -m tests.simulation.power $(BUGS)

sim-exhaustive: vendor-dev ## kill a charge and a refund once at every hook, times every answer
	@PYTHONHASHSEED=0 exec $(BIN)/python -m tests.simulation.exhaustive --stride $(or $(STRIDE),1)

chaos: vendor-dev ## kill real processes under load (KILLS, RESTARTS, ERASURES, CUTS, SEED), then judge
	@KILLS=$(KILLS) RESTARTS=$(RESTARTS) ERASURES=$(ERASURES) CUTS=$(CUTS) SEED=$(SEED) \
		exec $(BIN)/python -m tests.chaos

lint: .venv/dev ## check style, types, import contracts and templates
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/djlint --check --lint templates sandbox/templates

bench: vendor-dev ## measure speed, as ratios against hand-written SQL
	@exec $(BIN)/python -m bench

# upkeep --------------------------------------------------------------------------------------

lock: ## solve the dependencies anew into the lock files (needs uv and npm)
	@for name in requirements requirements-kafka requirements-aws requirements-dev requirements-node; do \
		uv pip compile $$name.in --output-file $$name.txt --universal --python-version 3.11 \
			--generate-hashes --no-emit-index-url --no-header --quiet || exit 1; done
	@npm install --package-lock-only

clean: ## remove what was made, keep your data
	@rm -f static/css/*.gz static/js/*.gz
	@rm -rf .venv node_modules static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data: .venv/runtime ## remove the data folder and all that was paid in it
	@$(BIN)/python -m supervisor.forget
