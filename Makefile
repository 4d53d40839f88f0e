# `make reproduce` and `make test` each do their own set-up; nothing is set up twice.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED_RUN := .venv/installed-run
INSTALLED := .venv/installed
INSTALLED_DOCS := .venv/installed-docs

# Packages are installed without bytecode, for few of their modules are ever imported: written then, and once.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: reproduce test mutants docs lowest lint kernels benchmark clean

# Tests and training need packages that are half a minute of installation.
reproduce: $(if $(findstring --trained,$(ARGS)),$(INSTALLED),$(INSTALLED_RUN))
	$(BIN)/largedepth reproduce $(ARGS)

test: $(INSTALLED)
	$(MAKE) --jobs 2 lint kernels
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

# Wrong variants of every theorem and simulator: fails if verification does not refute one of them. A mutant that
# takes minutes counts as missed.
mutants: $(INSTALLED)
	$(BIN)/largedepth verify --mutants --seed 1 --budget 300 $(ARGS)

# Into build/docs; warnings are errors, and nothing is fetched. Always from scratch: pages are written from code that
# Sphinx does not know to have changed. Then they are read in a browser, where there is one.
docs: $(INSTALLED_DOCS)
	$(BIN)/python -m sphinx -W --keep-going -q -E -b html docs build/docs $(ARGS)
	$(BIN)/python -m pytest -q tests/test_documentation_in_chromium.py
	@echo build/docs/index.html

# A core of the suite against the lowest versions that pyproject.toml allows (needs Python 3.11 or 3.12). Old
# versions beside new ones warn of deprecations that are none of ours.
LOWEST := .venv-lowest
lowest:
	test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(PYTHON) .ci/lowest.py | $(LOWEST)/bin/python -m pip install --quiet --requirement /dev/stdin 'hypothesis>=6.100' 'mpmath>=1.3' 'pytest>=8.2'
	$(LOWEST)/bin/python -m pytest -W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning \
	    tests/montecarlo/streams/test_philox.py tests/montecarlo/streams/test_frozen_streams.py \
	    tests/montecarlo/engines/test_frozen_engines.py tests/montecarlo/samples/test_sample.py tests/theory/independent/exact_law/test_law.py \
	    tests/montecarlo/estimates/test_identities.py tests/figures/test_checks.py tests/largedepth $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

# Compiled when their modules are imported: here once, while the linters have the other core, and not by every process
# of the tests at the same time.
kernels: $(INSTALLED)
	$(BIN)/python -c 'from montecarlo.runs import compile_kernels; compile_kernels()'

# PEERS names the interpreter of an environment with torch and jax; without it only largedepth is timed. Numbers are
# kept in build/benchmarks.json, and a fall of more than 15 % against those there is an error.
benchmark: $(INSTALLED)
	$(BIN)/python -m benchmarks $(if $(PEERS),--peers $(PEERS)) $(ARGS)

# The stamps depend on pyproject.toml: new dependencies are installed when it changes, and only then.
$(INSTALLED_RUN): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("largedepth needs Python 3.11 or newer: make PYTHON=python3.12, say" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --editable .
	touch $@

$(INSTALLED): $(INSTALLED_RUN)
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[test]'
	touch $@

$(INSTALLED_DOCS): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[docs]'
	touch $@

clean:
	rm -rf .venv .venv-lowest build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
