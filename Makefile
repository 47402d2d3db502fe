# siaga: `make demo` runs the main job on a simulated regency, `make test` passes the tests. Neither needs root.
PYTHON ?= python3
REAL   ?= real or corpus
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input -q

.PHONY: fast demo test lint real bench docs lock clean help
help:   ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

$(VENV)/.runtime: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.runtime  ## the main job on a simulated regency, without root
	$(BIN)/siaga demo

fast: $(VENV)/.runtime  ## build the optional C parser of SNMP windows (needs a C compiler and Python's headers)
	cc -O2 -Wall -Wextra -Werror -shared -fPIC \
	  -I"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
	  -o monitor/_fastber"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')" \
	  monitor/_fastber.c

test: $(VENV)/.dev      ## lint and all tests that need no root
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n 2 -m "not real and not corpus"

lint: $(VENV)/.dev      ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo > $(VENV)/lint-imports.txt || { cat $(VENV)/lint-imports.txt; exit 1; }

real: $(VENV)/.dev      ## tests against real snmpd, sshd, FRR in namespaces (root; see tests/real)
	$(BIN)/python -m pytest -m "$(REAL)" tests

bench: $(VENV)/.dev     ## the measurements of docs/performance.md
	$(BIN)/python -m bench

docs: $(VENV)/.dev      ## regenerate docs/cli.md from the commands themselves
	$(BIN)/python docs/make_cli.py

lock:                   ## pin the dependencies again (needs uv); names no index host
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-dev.lock -c requirements.lock

clean:                  ## remove what was built here
	rm -rf $(VENV) siaga-demo build dist monitor/_fastber*.so
