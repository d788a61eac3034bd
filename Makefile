# Two commands do all the set-up on a fresh machine with Python and make:
#   make demo    create .venv, install, run the bundled scenario, say where its report lies
#   make test    the same, then the test suite
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test interpreted verify bench lint format picture clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check

# Files named data:... in a scenario are looked for under FLEETSIM_DATA.
ifneq ($(wildcard ../shared/data/.),)
export FLEETSIM_DATA ?= $(abspath ../shared/data)
endif

help:
	@echo "make demo     install into $(VENV) and run the bundled scenario"
	@echo "make test     the same, then the test suite"
	@echo "make verify   the statistical and long checks, up to 40 minutes"
	@echo "make bench    jobs per second on this machine, beside plain SimPy loops"
	@echo "make lint     ruff, mypy and the import contracts"

demo: $(VENV)/.run
	$(BIN)/fleetsim run

# The suite runs on two processes, and so does verify; PYTEST_ARGS= for one, or for a part of it. Tests
# whose runs are shorter than compiling for them run with numba off; verify runs them compiled.
PYTEST_ARGS ?= -n 2 --dist worksteal

# The demo compiles the kernels, once for all processes, which takes one core; beside it what the
# tests need is installed, and those run that need no kernel.
test: $(VENV)/.run
	@$(MAKE) --no-print-directory -j 2 interpreted demo
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m "not interpreted and not verify"

interpreted: $(VENV)/.test
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest $(PYTEST_ARGS) -m "interpreted and not verify"

verify: $(VENV)/.run
	@$(MAKE) --no-print-directory -j 2 $(VENV)/.test demo
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m "verify or interpreted"

bench: $(VENV)/.run
	$(BIN)/fleetsim bench

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) runs build dist

# Stamps, so that a second run installs nothing. The package is installed in place: an edited
# source file needs no new install, an edited pyproject.toml does. Its sources are compiled as
# pip does with those of others, for machines where Python itself may not write what it compiles.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "fleetsim needs Python 3.11 or newer; name one with: make demo PYTHON=python3.12" >&2; exit 1; }
	@echo "creating $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV) || \
	  { echo "python venv is missing; on Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.created pyproject.toml
	@echo "installing fleetsim and what it needs (once, under a minute on a fast line) ..."
	@$(PIP) --editable .
	@$(BIN)/python -m compileall -q simulator
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@echo "installing what the tests need ..."
	@$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/.lint: $(VENV)/.run
	@echo "installing what the linters need ..."
	@$(PIP) --editable '.[lint]'
	@touch $@

# The picture of the README, made by the program.
picture: $(VENV)/.run
	$(BIN)/fleetsim run --quiet --no-progress -o build/picture --overwrite
	cp build/picture/figures/power.png docs/img/hello_power.png
