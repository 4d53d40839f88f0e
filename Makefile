# `make reproduce` and `make test` each do their own set-up; nothing is set up twice.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: reproduce test lint benchmark clean

reproduce: $(INSTALLED)
	$(BIN)/largedepth reproduce $(ARGS)

test: lint
	$(BIN)/python -m pytest $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

# PEERS names the interpreter of an environment with torch and jax; without it only largedepth is timed.
benchmark: $(INSTALLED)
	$(BIN)/python -m benchmarks.throughput $(if $(PEERS),--peers $(PEERS)) $(ARGS)

# The stamp depends on pyproject.toml: new dependencies are installed when it changes, and only then.
$(INSTALLED): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("largedepth needs Python 3.11 or newer: make PYTHON=python3.12, say" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

clean:
	rm -rf .venv build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
