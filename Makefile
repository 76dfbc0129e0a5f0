# `make demo` and `make test` are all a fresh machine needs, given Python and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Most tests wait for a peer and not for the processor: two to a core.
WORKERS ?= 4
# Suites with whole systems as peers; each has a target of its own.
SYSTEMS := home_assistant

.PHONY: demo test test-home-assistant lint docs addon clean

demo: $(VENV)/.installed
	$(BIN)/ts2mqtt demo $(DEMO)

test: $(VENV)/.installed-dev
	$(BIN)/pytest -n $(WORKERS) --cov --cov-report=term $(SYSTEMS:%=--ignore=tests/%) $(PYTEST)

# What cannot be prepared is skipped, and pytest says why.
test-home-assistant: $(VENV)/.installed-dev
	-$(BIN)/python -m tests.home_assistant.prepare
	$(BIN)/pytest tests/home_assistant $(PYTEST)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# The app (add-on) for Home Assistant, with the package beside it: copy addon/ into the share `addons`.
addon: $(VENV)/.created
	rm -f addon/*.whl
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir addon .

# What is generated: the examples from a simulated night, the pages and the configuration's schema from the models.
docs: $(VENV)/.installed-dev
	$(BIN)/python -m tests.interface.simulated_examples
	$(BIN)/ts2mqtt schema --docs docs
	$(BIN)/ts2mqtt schema --config > config.schema.json

# The parser that checks the AsyncAPI document in the tests; without it they are skipped.
tests/asyncapi/node_modules: tests/asyncapi/package.json
	npm install --prefix tests/asyncapi --no-package-lock --no-audit --no-fund --loglevel=error
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
