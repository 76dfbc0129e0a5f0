# `make demo` and `make test` are all a fresh machine needs, given Python and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Most tests wait for a peer and not for the processor: two to a core.
WORKERS ?= 4
# Suites with whole systems as peers; each has a target of its own.
SYSTEMS := faults

.PHONY: demo test test-faults lint docs clean

demo: $(VENV)/.installed
	$(BIN)/ts2mqtt demo $(DEMO)

test: $(VENV)/.installed-dev
	$(BIN)/pytest -n $(WORKERS) --cov --cov-report=term $(SYSTEMS:%=--ignore=tests/%) $(PYTEST)

# Deterministic and without waiting, so that one to a core is right; FAULT_SEQUENCES=10000 plays more.
test-faults: $(VENV)/.installed-dev
	$(BIN)/pytest -n 2 tests/faults $(PYTEST)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# What is generated: the examples from a simulated night, the pages and the configuration's schema from the models.
docs: $(VENV)/.installed-dev
	$(BIN)/python -m tests.interface.simulated_examples
	$(BIN)/ts2mqtt schema --docs docs
	$(BIN)/ts2mqtt schema --config > config.schema.json

# The parser that checks the AsyncAPI document in the tests; without it they are skipped.
tests/asyncapi/node_modules: tests/asyncapi/package.json
	npm install --prefix tests/asyncapi --no-package-lock --no-audit --no-fund --silent
	touch $@

clean:
	rm -rf $(VENV) .coverage .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.installed
