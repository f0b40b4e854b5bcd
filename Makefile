# Two commands are enough for a newcomer: `make demo` and `make test`. They need python3 and make, nothing else.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check deep bench pictures docs lock clean

BIN := .venv/bin
ARGS ?=
SCRIPTS := $(wildcard requirements/*.py docs/*.py)
LOCKS := $(wildcard requirements/*.txt)
SETUP := requirements/install.py pyproject.toml $(LOCKS)

# The Python that makes .venv: 3.11 or newer, not the one inside .venv, and rather one that can install packages.
# Choose another with `make test PYTHON=python3.12`.
PYTHON = $(shell for part in pip ensurepip sys; do \
	for python in python3 python3.14 python3.13 python3.12 python3.11; do \
		"$$python" -c "import os, sys; from importlib.util import find_spec; \
			sys.exit(sys.version_info < (3, 11) or not find_spec('$$part') \
			or os.path.realpath(sys.prefix) == os.path.realpath('.venv'))" 2>/dev/null \
		&& echo "$$python" && exit; done; done)

# The practice shop needs no tools of a developer; where they are installed anyway, nothing is missing.
DEMO_READY := $(if $(wildcard .venv/.ready-dev),.venv/.ready-dev,.venv/.ready-runtime)

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(DEMO_READY) ## set everything up and open the practice shop
	@$(BIN)/shopbell demo $(ARGS)

test: .venv/.ready-dev ## set everything up and run the tests on SQLite and on PostgreSQL
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

check: .venv/.ready-dev ## read the code: ruff, mypy --strict, import-linter
	@failed=; for tool in "ruff check --quiet ." "ruff format --check ." "mypy" "mypy $(SCRIPTS)" "lint-imports"; do \
		said="$$($(BIN)/$$tool 2>&1)" && echo "check  $$tool: clean" \
		|| { echo "$$said"; echo "check  $$tool: FAILED"; failed=1; }; \
	done; test -z "$$failed"

deep: .venv/.ready-dev ## run the long tests that the everyday suite leaves out
	@$(BIN)/python -m pytest -m deep --timeout 3600 --hypothesis-profile deep $(ARGS)

bench: .venv/.ready-dev ## measure the figures of the documentation
	@$(BIN)/python -m benchmarks $(ARGS)

pictures: .venv/.ready-dev ## draw the screens of the documentation anew
	@$(BIN)/python -m docs.pictures $(ARGS)

docs: .venv/.ready-dev ## write the pages of the documentation that follow from the code anew
	@$(BIN)/python -m docs.pages $(ARGS)

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate $(if $(UPGRADE),--upgrade)

lock: .venv/.ready-dev ## choose the locked versions anew (UPGRADE=1: the newest that fit)
	@$(COMPILE) --all-extras pyproject.toml -o requirements/dev.txt
	@$(COMPILE) --constraint requirements/dev.txt --extra postgres pyproject.toml -o requirements/runtime.txt
	@$(COMPILE) --constraint requirements/dev.txt --group build -o requirements/build.txt
	@$(COMPILE) --group installer -o requirements/installer.txt

clean: ## remove .venv and everything else that the other commands made
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist snapshot_report.html
	@find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready-runtime .venv/.ready-dev: .venv/.ready-%: $(SETUP)
	@python="$(PYTHON)"; test -n "$$python" || { \
		echo "setup: Python 3.11 or newer is needed, and no python3 on the PATH is one." >&2; exit 1; }; \
	"$$python" requirements/install.py $* && touch $@
