# Everything a person does with this checkout. `make` alone says what there is.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
RUN := $(VENV)/.installed
DEV := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help run test check unit integration acceptance setup fonts train blanks bench clean

help: ## Say what each command does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(RUN): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(DEV): $(RUN)
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(DEV) ## Install docvigil and its development tools into .venv

run: $(RUN) ## Start docvigil on a sample drop folder; flagged documents show within a minute
	$(VENV)/bin/docvigil up --samples

test: $(DEV) check ## Lint, types, layers and every test that needs Python alone
	$(VENV)/bin/python -m pytest

check: $(DEV) ## Lint, types and import layers
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

unit: $(DEV) ## Tests without services, in seconds
	$(VENV)/bin/python -m pytest tests/unit

integration: $(DEV) ## Tests against real Postgres, Redis and S3 servers
	$(VENV)/bin/python -m pytest tests/integration

acceptance: $(DEV) ## Tests of the running system, from outside
	$(VENV)/bin/python -m pytest tests/acceptance

fonts: $(DEV) ## Fetch handwriting and print fonts for training (npm packages, open licences) into fonts/
	$(VENV)/bin/python -m models.synthesis.fetch_fonts

train: $(DEV) ## Train the bundled checkpoint from its recipe; goes on where it stopped
	$(VENV)/bin/python -m models.training.train

blanks: $(DEV) ## Draw the built-in forms and their boxes again
	$(VENV)/bin/python -m pipeline.doctypes.drawing

bench: $(DEV) ## Measure the pipeline on this machine
	$(VENV)/bin/python benchmarks/pipeline.py

clean: ## Remove the environment and every cache (not your data under DOCVIGIL_HOME)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
