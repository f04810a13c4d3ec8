# Each target sets up what it needs (bootstrap.py) and says what it does.
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.10; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& echo $$p && break; done)
BOOTSTRAP = $(PYTHON) bootstrap.py

.DEFAULT_GOAL := help
.PHONY: help demo faults release test lint types format docs tutorial lock benchmarks screenshots \
	gallery clean python

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: python ## Audit the demo's clips and open the App on them (OPEN=0: print the result and end)
	@$(BOOTSTRAP) --group app --database demo -- python -m demo

test: python ## Run every test, those in a real browser too (ARGS="-k name" passes on to pytest)
	@$(BOOTSTRAP) --database tests --browser --ffmpeg -- python -m pytest $(ARGS)

faults: python ## Kill databases, fill a disk, kill real processes a hundred times (an hour)
	@$(BOOTSTRAP) --database faults -- python -m pytest -m long tests/faults
	@$(BOOTSTRAP) --database faults -- python -m tests.faults.killing_workers 13
	@$(BOOTSTRAP) --database faults -- python -m tests.faults.killing 100

release: python ## Install from an archive into clean environments; open what older versions stored
	@$(BOOTSTRAP) --database release -- python -m pytest -m long tests/release

lint: python ## Check style, formatting and spelling
	@$(BOOTSTRAP) -- ruff check .
	@$(BOOTSTRAP) -- ruff format --check .
	@$(BOOTSTRAP) -- codespell

types: python ## Check types in agreement, engine, models and operators
	@$(BOOTSTRAP) -- mypy

format: python ## Put the code into the project's format
	@$(BOOTSTRAP) -- ruff check --fix-only .
	@$(BOOTSTRAP) -- ruff format .

docs: python ## Write docs/reference and the README's table from what the code declares
	@$(BOOTSTRAP) --database tests -- python docs/generate.py

tutorial: python ## Run every cell of docs/tutorial.ipynb on the demo's clips
	@$(BOOTSTRAP) --database demo -- python docs/run_tutorial.py

lock: python ## Write requirements-dev.lock: the versions that are installed here (Python 3.11)
	@$(BOOTSTRAP) -- python .ci/lock.py

benchmarks: python ## Measure speed and memory against the obvious way
	@$(BOOTSTRAP) --database benchmarks -- python benchmarks/agreement.py

screenshots: python ## Take the pictures in docs/images from the demo's dataset
	@OPEN=0 $(BOOTSTRAP) --database demo -- python -m demo
	@$(BOOTSTRAP) --database demo --browser -- python -m tests.app.screenshots

gallery: python ## Take pictures of every panel, light and dark, wide and narrow, to look at
	@$(BOOTSTRAP) --database tests --browser -- python -m tests.app.gallery $(ARGS)

clean: ## Remove the environment, the local database and every cache
	rm -rf .venv .local .pytest_cache .ruff_cache .mypy_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@test -n "$(PYTHON)" || { echo "Python 3.10, 3.11 or 3.12 is needed (as python3, or by name such as python3.11)."; exit 1; }
