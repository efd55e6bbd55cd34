# The two commands are `make run` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
# One more than there are processors: a third of what a test takes is waiting for a process that it started.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(len(os.sched_getaffinity(0)) + 1)')

.PHONY: help run test test-all test-long check docs format lint types contracts templates migration bench clean lock messages front apple-schema google-document

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(VENV)/ready: requirements.lock setup.cfg
	@bash .ci/install.sh $(PYTHON) $(VENV) requirements.lock
	@touch $@

$(VENV)/ready-dev: requirements-dev.lock setup.cfg
	@bash .ci/install.sh $(PYTHON) $(VENV) requirements-dev.lock
	@touch $@ $(VENV)/ready

front: $(VENV)/ready ## Build the front end and compile the catalogues, where they are out of date
	@$(BIN)/python -m web.build

messages: $(VENV)/ready-dev ## Read every sentence out of the code into the catalogues
	@$(BIN)/pybabel -q extract -F web/translations/babel.cfg -k N_ --no-location --sort-output --project Havenmeester --version 1 -o web/translations/messages.pot . 2>/dev/null
	@for language in nl fr; do $(BIN)/pybabel -q update -N --no-fuzzy-matching --ignore-obsolete -l $$language -i web/translations/messages.pot -d web/translations; done
	@$(BIN)/pybabel -q extract -F web/portal/translations/babel.cfg -k N_ --no-location --sort-output --project Havenmeester --version 1 -o web/portal/translations/messages.pot . 2>/dev/null
	@for language in nl fr tr ar ro; do $(BIN)/pybabel -q update -N --no-fuzzy-matching --ignore-obsolete --init-missing -l $$language -i web/portal/translations/messages.pot -d web/portal/translations; done

$(VENV)/compiled: $(VENV)/ready $(shell find agent mdm web migrations -name '*.py')
	@$(BIN)/python -m compileall -q agent mdm web migrations
	@touch $@

run: $(VENV)/ready $(VENV)/compiled front ## Install, build, create, fill with the pilot, start everything
	@$(BIN)/havenmeester up

test: $(VENV)/ready-dev $(VENV)/compiled front ## Every test that takes less than a minute
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not long" $(TESTS)

test-all: $(VENV)/ready-dev $(VENV)/compiled front ## Every test but those of many minutes of chance
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not long" $(TESTS)

test-long: $(VENV)/ready-dev $(VENV)/compiled front ## Every test, and chance for as long as it was ever given
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

check: $(VENV)/ready-dev lint types contracts templates docs ## Format, lint, types, import contracts, templates, docs

lint: $(VENV)/ready-dev
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q .

types: $(VENV)/ready-dev
	@$(BIN)/mypy

contracts: $(VENV)/ready-dev
	@said=$$($(BIN)/lint-imports --no-cache --config setup.cfg) || { echo "$$said"; exit 1; }

templates: $(VENV)/ready-dev
	@if compgen -G "web/*/templates" >/dev/null; then $(BIN)/djlint --lint --quiet --profile jinja web; fi

docs: $(VENV)/ready-dev
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/docs

format: $(VENV)/ready-dev ## Format the code
	@$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

migration: $(VENV)/ready-dev ## Write a migration for what the models say: make migration MESSAGE="..."
	@$(BIN)/havenmeester database revision "$(MESSAGE)"

bench: $(VENV)/ready-dev $(VENV)/compiled ## The figures of docs/performance.md
	@$(BIN)/python -m tests.bench

apple-schema: $(VENV)/ready-dev ## Compile Apple's published schema: make apple-schema SOURCE=folder
	@$(BIN)/python -m mdm.platforms.apple.schema.compile "$(SOURCE)"

google-document: $(VENV)/ready-dev ## Compile Google's discovery document: make google-document SOURCE=file
	@$(BIN)/python -m mdm.platforms.android.amapi.document.compile "$(SOURCE)"

lock: $(VENV)/ready-dev ## Write the lock files anew from requirements*.in
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 requirements.in -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 -c requirements.lock requirements-dev.in -o requirements-dev.lock

clean: ## Remove what was built; keeps var/
	@rm -rf $(VENV) node_modules web/static/dist build *.egg-info .mypy_cache .ruff_cache .pytest_cache
