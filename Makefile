# Switchroom. Two commands do all set-up: `make demo` runs the main job, `make test` passes the tests.
.PHONY: demo test check bench soak serve screenshots clean
SHELL := /bin/bash
# Tests start two hundred processes: each compiling the whole program anew is minutes.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

demo: $(VENV)/.stamp
	$(BIN)/switchroom demo

test: $(VENV)/.stamp
	$(BIN)/python tools/debian.py
	$(BIN)/python tools/run_tests.py

check: $(VENV)/.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/run_tests.py

screenshots: $(VENV)/.stamp
	$(BIN)/python tools/debian.py
	$(BIN)/python tools/screenshots.py

bench: $(VENV)/.stamp
	$(BIN)/python tools/debian.py
	$(BIN)/python -m tests.bench

# atheris has wheels for some machines only: without it the coverage-guided part is skipped, the seeded part is not.
soak: $(VENV)/.stamp
	$(BIN)/python tools/debian.py --soak
	-@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r tests/fuzz/requirements.txt
	$(BIN)/pytest -m soak

serve: $(VENV)/.stamp
	$(BIN)/switchroom up

clean:
	rm -rf build $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*

# The lock carries hashes and no addresses; uv is used when it is there, plain venv and pip suffice.
$(VENV)/.stamp: requirements.lock pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
	  UV_PYTHON_DOWNLOADS=never uv venv --quiet --allow-existing --seed --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@
