# `make help` lists the targets. Everything runs in .venv, which `make setup` builds from the lock file.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := .make/setup
REPLICATES ?= 200
SEED ?= 20170508

.PHONY: help setup trial test test-long check bench docs clean lock
help:
	@echo "make trial      set up, simulate the reference trial, write out/adp_a2afp with data sets and report.html"
	@echo "make test       set up and run the tests"
	@echo "make test-long  the tests that take minutes"
	@echo "make check      format, lint, types, layers, documentation"
	@echo "make bench      how long the main steps take"
	@echo "make docs       build the documentation into site/"
	@echo "make lock       renew the lock file"
	@echo "make clean      remove what the other targets made"

setup: $(STAMP)
$(STAMP): requirements.lock pyproject.toml
	@mkdir -p .make
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

trial: $(STAMP)
	$(BIN)/graftline demo --replicates $(REPLICATES) --seed $(SEED) --out out/adp_a2afp

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 -m "not long"

# an ARM compiler and emulator; without them (and without root) one test skips and says so
test-long: $(STAMP)
	command -v qemu-aarch64 aarch64-linux-gnu-gcc >/dev/null || \
		{ apt-get update -qq && apt-get install -y -qq qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross; } || true
	$(BIN)/python -m pytest -m long

check: $(STAMP)
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_public_names.py tests/test_numbers_have_cards.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(STAMP)
	$(BIN)/python benchmarks/bench.py --out out/bench.json
	$(BIN)/python benchmarks/engine_bench.py --out out/engine_bench.json

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open site/index.html"

lock: $(STAMP)
	$(BIN)/pip-compile --quiet --extra dev --all-build-deps --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) .make out site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
