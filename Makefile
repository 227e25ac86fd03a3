# Everything a person does with this checkout. `make` alone says what there is.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
RUN := $(VENV)/.installed
DEV := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help run test check tests unit integration acceptance setup docs picture blanks fonts train card bench clean

# Two at a time, each with its own Postgres and Redis; the tests of one file stay together.
PYTEST := $(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile

help: ## Say what each command does
	@echo "Start here: make run. Only Python 3.11 or newer and make are needed; everything else goes into $(VENV)."
	@echo
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "PYTHON=/path/to/python3.11 chooses the Python. Afterwards the command is there: $(VENV)/bin/docvigil --help"

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

test: check tests ## Everything that can be checked with Python alone; says what it skipped and why

check: $(DEV) ## Lint, types and import layers
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

tests: $(DEV) ## All tests: unit, integration, acceptance
	$(PYTEST)

unit: $(DEV) ## Tests without services, in a minute
	$(PYTEST) tests/unit

integration: $(DEV) ## Tests against real Postgres, Redis and S3 servers
	$(PYTEST) tests/integration

acceptance: $(DEV) ## Tests of the running system, from outside
	$(PYTEST) tests/acceptance

docs: $(DEV) ## Write the lists of settings and licences again
	$(VENV)/bin/python -m docs.settings
	$(VENV)/bin/python -m docs.licences

picture: $(DEV) ## Take the picture of the README again
	$(VENV)/bin/python -m docs.picture

blanks: $(DEV) ## Draw the built-in forms and their boxes again
	$(VENV)/bin/python -m pipeline.doctypes.drawing

fonts: $(DEV) ## Fetch handwriting and print fonts for training (npm packages, open licences) into fonts/
	$(VENV)/bin/python -m models.synthesis.fetch_fonts

train: $(DEV) ## Train the bundled checkpoint from its recipe; goes on where it stopped
	$(VENV)/bin/docvigil train

card: $(DEV) ## Measure the bundled model again and write its card; CARD="--documents 40 --forms 20 --count 100" is quick
	$(VENV)/bin/python -m docs.card $(CARD)

bench: $(RUN) ## Measure the pipeline on this machine, with the model and without
	$(VENV)/bin/docvigil bench pipeline

clean: ## Remove the environment and every cache (not your data under DOCVIGIL_HOME)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
