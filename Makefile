# Every target is one line over `uv run`. `make` alone lists them.
UV := sh scripts/uv.sh
RUN := $(UV) run --frozen
TEST := $(RUN) pytest
# Debian's own Python is built with its optimizations; many another is not, and takes half as long again.
BENCH := UV_PROJECT_ENVIRONMENT=.cache/bench $(RUN) --group bench --python $(or $(wildcard /usr/bin/python3),python3)

.DEFAULT_GOAL := help
.PHONY: help demo test quick fuzz check fix bench docs hooks
# A machine that writes no bytecode compiles the whole program at each start of a command.
unexport PYTHONDONTWRITEBYTECODE

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## Walk through the guide on a real local WordPress, then stay up (ONCE=1: end after the steps)
	@$(RUN) python -m demo $(if $(ONCE),--once)

test: ## Run every test, those against real WordPress included
	@$(RUN) python -m demo.wordpress
	$(TEST) --numprocesses 2 --dist loadfile

quick: ## Run the tests that need no service: unit, property, protocol
	$(TEST) --numprocesses 2 tests/unit tests/property tests/protocol

fuzz: ## Attack real WordPress until stopped or until something is found (MINUTES=60, SEED=1)
	@$(RUN) python -m demo.wordpress
	@$(RUN) python -m tests.attack

check: ## Check format, lint, types and the directions of imports
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) mypy
	$(RUN) lint-imports

fix: ## Mend format and lint where a tool can
	$(RUN) ruff format
	$(RUN) ruff check --fix

bench: ## Measure the gateway beside other gateways and authorization servers, and write docs/performance.md
	@$(BENCH) python -m bench
	@$(BENCH) python -m bench.page

docs: ## Make the reference pages anew from the code
	$(RUN) python -m docs.make

hooks: ## Have git run `make check` before each commit
	printf '#!/bin/sh\nexec make check\n' > .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit
