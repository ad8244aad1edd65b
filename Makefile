# What a contributor does by hand, by name. `make` alone lists it.
# Needs make, a shell and Python 3.11 or newer; everything else is fetched by `make setup`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
unexport VIRTUAL_ENV
# Tests and measurements start hundreds of processes, which would compile everything each time.
unexport PYTHONDONTWRITEBYTECODE

# The uv on the path if there is one that works, else our own (see scripts/install-uv.sh).
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
RUN := $(UV) run --locked --no-sync
READY := .venv/.ready
ARGS ?=

.PHONY: help setup studio studio-format studio-test demo docs examples image man test check bench bench-quick campaign histories mutate format clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Install everything into this folder; does nothing the second time

studio: ## Build the studio into the package; needs Node.js 20 or newer
	@sh scripts/studio.sh build

studio-format: $(READY) ## Tell the studio of a changed format; the tests ask for it
	@$(RUN) python scripts/studio_format.py

studio-test: $(READY) ## Check the studio: lint, types, tests, and a real browser if there is one
	@sh scripts/studio.sh test "$(RUN)"

demo: $(READY) ## Show what Atomiton does, in under a minute
	@$(RUN) python -m examples.demo $(ARGS)

docs: $(READY) ## Build the site of the documentation, build/site/index.html
	@$(RUN) python -m scripts.site.build
	@echo 'docs: build/site/index.html'

examples: $(READY) ## Fetch workflows of others that imports are tested with, where npm has them
	@$(RUN) python -m tests.integration.interop.fetch

image: ## Build the image of the Containerfile and try it; needs podman, buildah or docker, and a registry
	@sh scripts/image.sh build
	@sh scripts/image.sh check

man: $(READY) ## Write the manual page and the completion of shells, packaging/
	@$(RUN) python -m scripts.man

test: $(READY) ## Run the tests, without the campaigns; ARGS="-k name" chooses
	@$(RUN) pytest -n auto --dist worksteal $(ARGS)

check: $(READY) ## Run everything a change must pass: format, lint, types, tests, coverage
	@sh scripts/check.sh "$(RUN)"

bench: $(READY) ## Measure, beside plain Python and other engines; writes the pages of docs
	@$(RUN) python benchmarks/side_by_side.py --docs $(ARGS)
	@$(RUN) python benchmarks/run.py

bench-quick: $(READY) ## Measure without other engines, in a minute; fails if a ratio is far off
	@$(RUN) python benchmarks/run.py --quick --only-engine --guard $(ARGS)

campaign: $(READY) ## Run the campaigns: kills, crashes and fuzzing for as long as they take
	@$(RUN) pytest -v -n 2 --dist worksteal -m "campaign or planted" --timeout=0 $(or $(ARGS),tests/soak tests)

histories: $(READY) ## Keep histories of this version's runs on Temporal, to be replayed by later ones
	@$(RUN) python -m tests.integration.temporal.recorded $(ARGS)

mutate: $(READY) ## Put faults into the machine and see that its tests find 90 % of them
	@$(RUN) python scripts/mutate.py $(ARGS)

format: $(READY) ## Format the code and mend what ruff can mend
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

clean: ## Remove what was built or cached; keeps the environment
	@rm -rf build dist htmlcov .coverage .coverage.* coverage.xml \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(READY): pyproject.toml uv.lock $(filter .tools/bin/uv,$(UV))
	@sh scripts/setup.sh "$(UV)"
	@touch $@

.tools/bin/uv:
	@sh scripts/install-uv.sh
