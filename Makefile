# `make demo` and `make test` are all a fresh machine needs, given Python and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Most tests wait for a peer and not for the processor: two to a core.
WORKERS ?= 4
# Suites with whole systems as peers; each has a target of its own.
SYSTEMS := faults

.PHONY: demo test test-faults fuzz soak lint clean

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
	# What is low to it is ruff's S rules, each answered where it stands.
	$(BIN)/bandit --quiet --recursive --severity-level medium ts2mqtt

# So many seconds for each parser; what it finds stays in tests/fuzz/corpus, and a crash beside it.
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.installed-dev
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	$(BIN)/python -m tests.fuzz $(FUZZ_SECONDS)

# Simulated months in one process; SOAK="--days 90" for a shorter life.
soak: $(VENV)/.installed-dev
	$(BIN)/python -m tests.soak $(SOAK)

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
